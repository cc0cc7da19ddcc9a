"""Everything in this process, one item after another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lethe.engines.executors.interface import ItemT, Job, ResultT


@dataclass(frozen=True, slots=True)
class InlineExecutor:
    """For small tables and for tests."""

    def map(self, task: Callable[[ItemT], ResultT], jobs: Sequence[Job[ItemT]]) -> Iterator[tuple[ItemT, ResultT]]:
        """In the order of the jobs, each when its result is asked for."""
        for job in jobs:
            yield job.item, task(job.item)
