"""Waiting for work to end: ask, wait a little longer each time, ask again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lethe.client.surroundings import Surroundings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How long between two looks: short at first and after every change, longer while nothing happens."""

    first_seconds: float = 0.1
    seconds_max: float = 5
    growth: float = 1.5


def wait_until(
    ended: Callable[[T], bool],
    look: Callable[[], T],
    around: Surroundings,
    *,
    timeout_seconds: float | None,
    on_progress: Callable[[T], object] | None,
    pace: Pace,
) -> T:
    """Look until it has ended, or the time is over; the last that was seen. `on_progress` sees every change."""
    give_up_at = None if timeout_seconds is None else around.monotonic() + timeout_seconds
    seen: T | None = None
    seconds = pace.first_seconds
    while True:
        now = look()
        if now != seen:
            seen, seconds = now, pace.first_seconds
            if on_progress is not None:
                on_progress(now)
        if ended(now):
            return now
        left = seconds if give_up_at is None else give_up_at - around.monotonic()
        if left <= 0:
            return now
        around.sleep(min(seconds, left))
        seconds = min(pace.seconds_max, seconds * pace.growth)
