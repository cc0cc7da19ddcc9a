"""What the rest of Lethe asks of whoever carries messages to webhooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

GONE: Final = 410
"""The status by which a receiver says that it wants no more messages."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How an attempt ended. `problem` is None when the receiver has the message; it repeats nothing of the URL."""

    status: int | None
    duration: timedelta
    problem: str | None


class Courier(Protocol):
    """Carries one message at a time; safe to share between threads."""

    def send(self, url: str, message_id: str, secrets: Sequence[str], body: bytes) -> Answered:
        """Try once. Never raises for what the receiver or the network does."""
        ...
