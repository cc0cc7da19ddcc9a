"""How long whoever finds nothing to do waits before looking again."""

from datetime import datetime
from typing import Final

from lethe.storage.work_interface import WorkBell

ALONE_SECONDS_MAX: Final = 1.0
"""While nobody tells what other processes store."""
TOLD_SECONDS_MAX: Final = 10.0
"""While the bell rings for all of it; looking anyway makes up for a ring that was lost."""


def idle_seconds(bell: WorkBell, now: datetime, due_at: datetime | None) -> float:
    """At most until something is due, and never so long that a missed ring would matter.

    What is due already was looked at just now, and could not be begun.
    """
    longest = TOLD_SECONDS_MAX if bell.hears_others else ALONE_SECONDS_MAX
    if due_at is None:
        return longest
    return min(longest, (due_at - now).total_seconds() if due_at > now else ALONE_SECONDS_MAX)
