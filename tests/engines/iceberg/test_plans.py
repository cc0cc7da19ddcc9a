"""A forget believes a plan of the very snapshot, and no plan more than the rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engines.asking import CRM, asked, order
from engines.iceberg.lake import Lake, lake, people
from lethe.domain.plan import FileAction
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.executors.interface import Job
from lethe.engines.iceberg.find import Search, Searching
from lethe.engines.interface import Forgotten, Wanted

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))


@dataclass
class Noting:
    """An executor that keeps the location of every file that is searched."""

    searched: list[str] = field(default_factory=list)
    inner: InlineExecutor = field(default_factory=InlineExecutor)

    def map(self, task: Callable[[Any], Any], jobs: Sequence[Job[Any]]) -> Iterator[tuple[Any, Any]]:
        if isinstance(task, Searching):
            self.searched += [job.item.location for job in jobs if isinstance(job.item, Search)]
        return self.inner.map(task, jobs)


@pytest.fixture
def made(tmp_path: Path) -> Lake:
    files = people(ANN, "bob", None), people("cy", ANN, first=10), people("dee", "eve", first=20)
    return lake(tmp_path, *files, executor=Noting())


def forgotten_by(made: Lake, question: Wanted) -> tuple[Forgotten, list[str]]:
    """Forget Ann by the plan of some question; which files were searched meanwhile."""
    plan = made.plan(question)
    made.executor.searched.clear()
    outcome = made.forget(WANTED, plan)
    assert isinstance(outcome, Forgotten), outcome
    return outcome, list(made.executor.searched)


def test_a_file_that_the_plan_rewrites_is_read_once(made: Lake) -> None:
    outcome, searched = forgotten_by(made, WANTED)
    assert searched == []
    assert made.rows() == [1, 2, 10, 20, 21]
    assert outcome.tally.rows_matched == 2
    assert outcome.tally.orders[0].rows_by_identity == (2,)
    assert sorted(f.rows_matched for f in outcome.plan.files) == [0, 1, 1]


def test_a_repeat_counts_as_the_first_did(made: Lake) -> None:
    first, _ = forgotten_by(made, WANTED)
    again = made.forgotten(WANTED)
    assert again.repeated
    assert again.tally == first.tally


@pytest.mark.parametrize("others", [("bob", "dee"), ("dee",)])
def test_where_the_copies_count_otherwise_than_the_plan_the_rows_decide(made: Lake, others: tuple[str, ...]) -> None:
    """The plan is of this snapshot, but of more people: it rewrites a file in which nobody is asked for."""
    outcome, searched = forgotten_by(made, asked(order(CRM, ANN, *others)))
    assert len(searched) == 2, "the third is ruled out by its bounds"
    assert made.rows() == [1, 2, 10, 20, 21]
    assert outcome.tally.orders[0].rows_by_identity == (2,)
    assert sorted(f.action for f in outcome.plan.files) == [FileAction.KEEP, FileAction.REWRITE, FileAction.REWRITE]
    live = {location.removeprefix("file://") for location in made.data_files()}
    gone = {str(path) for path in made.files() if path.suffix == ".parquet"} - live
    assert len(gone) == 2, "the two sources wait for the purge; the copy that was not needed is gone"


def test_a_plan_of_an_older_snapshot_is_not_believed(made: Lake) -> None:
    plan = made.plan(WANTED)
    made.append(people("fay", ANN, first=30))
    made.executor.searched.clear()
    outcome = made.forget(WANTED, plan)
    assert isinstance(outcome, Forgotten), outcome
    assert len(made.executor.searched) == 3, "all but the file that holds no match, whatever the snapshot"
    assert made.rows() == [1, 2, 10, 20, 21, 30]
