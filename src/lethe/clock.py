"""The only reader of time and randomness. What needs them gets them as an argument."""

import secrets
import time
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4


class Ids(Protocol):
    """Where new ids come from."""

    def uuid(self) -> UUID:
        """A random uuid."""
        ...

    def digits(self, count: int) -> str:
        """That many random decimal digits."""
        ...

    def hex(self, count: int) -> str:
        """That many random lower-case hexadecimal digits."""
        ...


class SystemIds:
    """Ids from the operating system's randomness."""

    def uuid(self) -> UUID:
        """A random uuid (version 4)."""
        return uuid4()

    def digits(self, count: int) -> str:
        """That many random decimal digits."""
        return f"{secrets.randbelow(10**count):0{count}}"

    def hex(self, count: int) -> str:
        """That many random lower-case hexadecimal digits."""
        return secrets.token_hex((count + 1) // 2)[:count]


def system_now() -> datetime:
    """This machine's time, aware UTC. Stored instants come from the database instead: see `Transaction.now`."""
    return datetime.now(UTC)


def monotonic_seconds() -> float:
    """A clock for durations, which nobody sets back."""
    return time.monotonic()
