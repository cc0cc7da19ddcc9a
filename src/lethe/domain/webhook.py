"""Webhooks: who is told of events, and how long Lethe tries to tell them.

    pending ── answered 2xx ──► delivered
       │ ▲
       │ └── failed, tried again later
       └──── failed too often or for too long ──► failed

The deliveries of one subject to one webhook go one after another: none is sent before the one before it has ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from lethe.domain.actor import Author
from lethe.domain.event import EventType
from lethe.domain.ids import DeliveryId, EventId, OrgId, SandboxName, WebhookId

RETRY_WAITS: Final[Sequence[timedelta]] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""What lies between one attempt and the next, as Standard Webhooks recommends: three days in all."""
ATTEMPTS_MAX: Final = len(RETRY_WAITS) + 1
SECRET_OVERLAP: Final = timedelta(hours=24)
"""How long a replaced secret signs beside the new one."""

_PAUSE_FIRST: Final = timedelta(seconds=1)
_PAUSE_MAX: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One receiver of events. Its secret is kept apart, encrypted."""

    webhook_id: WebhookId
    org_id: OrgId
    url: str
    """May hold a token of the receiver's: it is shown to administrators, and never logged."""
    description: str
    types: tuple[EventType, ...]
    """What it wants to be told; all when empty."""
    sandbox_name: SandboxName | None
    """Of which sandbox; None is all, and what belongs to none."""
    is_enabled: bool
    created_at: datetime
    created_by: Author
    updated_at: datetime
    updated_by: Author
    failing_since: datetime | None = None
    """Since when every delivery failed; None while they succeed."""
    disabled_reason: str | None = None
    """Why Lethe disabled it by itself."""

    def __repr__(self) -> str:
        return f"Webhook({self.webhook_id})"

    def wants(self, type_: EventType, sandbox_name: SandboxName | None) -> bool:
        """Whether it is to be told of such an event."""
        in_scope = self.sandbox_name is None or self.sandbox_name == sandbox_name
        return self.is_enabled and in_scope and (not self.types or type_ in self.types)

    def given_up(self, reason: str, now: datetime, by: Author) -> "Webhook":
        """The webhook, disabled by Lethe itself."""
        return replace(self, is_enabled=False, disabled_reason=reason, updated_at=now, updated_by=by)


class DeliveryState(StrEnum):
    """How far the delivery of an event is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one webhook, and how the last attempt ended."""

    delivery_id: DeliveryId
    webhook_id: WebhookId
    event_id: EventId
    type: EventType
    subject_id: UUID
    state: DeliveryState
    attempts: int
    created_at: datetime
    due_at: datetime
    attempted_at: datetime | None = None
    response_status: int | None = None
    duration: timedelta | None = None
    reason: str | None = None


def retry_after(attempts: int, jitter: float) -> timedelta | None:
    """How long to wait after the `attempts`-th failure, less up to a tenth by `jitter` in [0, 1); None is give up."""
    if attempts >= ATTEMPTS_MAX:
        return None
    return RETRY_WAITS[max(attempts, 1) - 1] * (1 - jitter / 10)


def pause_after(failures: int, jitter: float) -> timedelta:
    """How long to leave a webhook alone after so many failures in a row, so that a dead one costs nobody much."""
    full = min(_PAUSE_MAX, _PAUSE_FIRST * (1 << min(max(failures - 1, 0), 20)))
    return full * (1 - jitter / 2)
