"""A pool of processes under one memory budget."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import parent_process
from threading import Thread
from typing import Any, Final

from lethe.engines.executors.forkserver import forked_processes
from lethe.engines.executors.interface import ItemT, Job, ResultT


@dataclass(frozen=True, slots=True)
class PoolExecutor:
    """Maps over files in several processes.

    The task, which holds the identities, travels once to each worker and lives in its memory alone. A job begins only
    when the expected memory of all that run stays within the budget; a job larger than the budget runs alone. A worker
    that dies breaks the pool: `BrokenProcessPool` is raised, nothing hangs.
    """

    workers: int
    memory_budget_bytes: int

    def map(self, task: Callable[[ItemT], ResultT], jobs: Sequence[Job[ItemT]]) -> Iterator[tuple[ItemT, ResultT]]:
        """Results as they finish; large jobs begin first, so that none is left to run alone at the end."""
        if len(jobs) <= 1 or self.workers <= 1:
            for job in jobs:
                yield job.item, task(job.item)
            return
        waiting = sorted(jobs, key=lambda job: job.memory_bytes)
        running: dict[Future[Any], Job[ItemT]] = {}
        workers = min(self.workers, len(jobs))
        with ProcessPoolExecutor(workers, forked_processes(), initializer=_hold, initargs=(task,)) as pool:
            try:
                while waiting or running:
                    self._begin(pool, waiting, running)
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        job = running.pop(future)
                        yield job.item, future.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _begin(
        self, pool: ProcessPoolExecutor, waiting: list[Job[ItemT]], running: dict[Future[Any], Job[ItemT]]
    ) -> None:
        """Hand over as many jobs as fit."""
        taken = sum(job.memory_bytes for job in running.values())
        while waiting and len(running) < self.workers:
            fitting = [i for i, job in enumerate(waiting) if taken + job.memory_bytes <= self.memory_budget_bytes]
            if not fitting and running:
                return
            job = waiting.pop(fitting[-1] if fitting else -1)
            taken += job.memory_bytes
            running[pool.submit(_run, job.item)] = job


_NICENESS: Final = 10
"""Workers give way to whoever answers requests on the same machine."""

_held: list[Callable[[Any], Any]] = []


def _hold(task: Callable[[Any], Any]) -> None:
    _held[:] = [task]
    os.nice(_NICENESS)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever, with the identities in its memory."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(item: Any) -> Any:
    return _held[0](item)
