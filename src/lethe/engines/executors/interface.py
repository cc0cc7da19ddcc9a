"""The seam of everything parallel: map a task over files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Job(Generic[ItemT]):
    """One item and the memory that its task is expected to take."""

    item: ItemT
    memory_bytes: int = 0


class Executor(Protocol):
    """Runs a task once for every item; coordinates nothing else."""

    def map(self, task: Callable[[ItemT], ResultT], jobs: Sequence[Job[ItemT]]) -> Iterator[tuple[ItemT, ResultT]]:
        """Yield each item with its result, in whatever order they finish.

        Task, items and results must pickle. The first failure is raised and the jobs not yet begun are given up;
        a task may therefore have run when its result is never seen, so every task must bear being repeated.
        """
        ...
