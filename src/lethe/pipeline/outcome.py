"""What a step can come to."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from lethe.storage.work_interface import WorkTransaction


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: for the reason given, look again after a while. Not a failure."""

    after: timedelta
    reason: str


Record = Callable[[WorkTransaction], Later | None]
"""Writes what the step did, in the transaction that checked the claim; with `Later` the task is not done yet."""


@dataclass(frozen=True, slots=True)
class Did:
    """The outside work is done; this records it."""

    record: Record


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not work this time; it is tried again, until the attempts are used up."""

    reason: str


@dataclass(frozen=True, slots=True)
class Stuck:
    """It never will work."""

    reason: str


StepOutcome = Did | Later | Failed | Stuck


def nothing(_: WorkTransaction) -> None:
    """Record nothing."""


NOTHING_TO_DO = Did(nothing)
"""The step finds that there is nothing for it to do any more."""
