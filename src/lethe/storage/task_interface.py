"""What operations ask of promised steps, and of those that were given up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lethe.domain.failure import Failure
from lethe.domain.task import Task


class Tasks(Protocol):
    """The steps that are promised."""

    def add(self, task: Task) -> None:
        """Promise a step."""
        ...

    def of(self, subject_id: UUID) -> Sequence[Task]:
        """All tasks of a subject."""
        ...

    def nudge(self, tasks: Sequence[Task]) -> None:
        """What these tasks wait for may have happened: look at once, or once more when somebody is looking now."""
        ...

    def concerning(self, subject_id: UUID) -> Sequence[Task]:
        """The tasks of an order and of its bundle, or those of an expiration.

        In a writing transaction their rows are locked: no worker claims one or records anything before its end.
        """
        ...

    def restart(self, tasks: Sequence[Task], due_at: datetime) -> None:
        """Make those of these tasks that are not done ready, with new attempts, in the same round.

        Whoever holds one loses it: what they were doing was asked before the restart.
        """
        ...

    def anew(self, tasks: Sequence[Task], due_at: datetime) -> None:
        """Make these tasks ready, in whatever state they are, with new attempts, in a new round; holders lose them."""
        ...

    def withdraw(self, tasks: Sequence[Task]) -> None:
        """Take back what was promised."""
        ...


class Failures(Protocol):
    """Steps that were given up, kept with their order or expiration until that is retried."""

    def note(self, subject_id: UUID, failures: Sequence[Failure]) -> None:
        """Keep these; one that is noted already stays as it is."""
        ...

    def of(self, subject_id: UUID) -> Sequence[Failure]:
        """What was given up, the first one first."""
        ...

    def clear(self, subject_id: UUID) -> None:
        """Forget them: the work is tried again."""
        ...
