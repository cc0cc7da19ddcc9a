"""When a request is sent again, and after how long.

A request is repeated only where a repetition cannot have a second effect: it changes nothing, or sets what it names,
or carries an `Idempotency-Key`; or else the server is known not to have taken it. Whoever makes the attempt knows
which, and says so by raising `Again`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lethe.client.errors import LetheError
from lethe.client.surroundings import Surroundings

T = TypeVar("T")


class Again(Exception):
    """The attempt failed with this error, and may be repeated; `after_seconds` is what the server asked for."""

    def __init__(self, error: LetheError, after_seconds: float | None = None) -> None:
        self.error = error
        self.after_seconds = after_seconds
        super().__init__()


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and how long apart. The wait doubles; its length is random, so that clients do not come at once."""

    attempts_max: int = 6
    first_seconds: float = 0.25
    seconds_max: float = 30

    def delay(self, attempt: int, chance: float) -> float:
        """Seconds to wait after this attempt, counting from 1."""
        return min(self.seconds_max, self.first_seconds * 2.0 ** (attempt - 1)) * (0.5 + chance / 2)


def persist(attempt: Callable[[], T], patience: Patience, surroundings: Surroundings) -> T:
    """Repeat what may be repeated. Raises the last error once patience ends, or the server asks for more of it."""
    number = 1
    while True:
        try:
            return attempt()
        except Again as again:
            asked = again.after_seconds or 0
            if number >= patience.attempts_max or asked > patience.seconds_max:
                raise again.error from again.error.__cause__
            surroundings.sleep(max(asked, patience.delay(number, surroundings.chance())))
        number += 1
