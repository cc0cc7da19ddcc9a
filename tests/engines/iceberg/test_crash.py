"""Every call of the storage and of the catalog fails, or is the last of the process; then it is run again from there.

Readers of the live table see at every moment the rows of before or those of after, and the end is always the same.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines.asking import CRM, asked, order
from engines.faults import Faults, fail
from engines.iceberg.deletes_by_hand import position_delete
from engines.iceberg.faults import Death, Killed, faulty, hooked
from engines.iceberg.lake import LATER, Lake, lake, people
from lethe.engines.interface import Forgotten, TableUnavailable

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))
BEFORE = [0, 1, 10]
AFTER = [1]


class Stage:
    """One table, and the way back to how it was."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "lake"
        self.directory.mkdir()
        made = lake(self.directory, people(ANN, "bob", "cy"), people(ANN, first=10))
        [path] = [f.path for f in made.plan(WANTED).touched if f.rows == 3]
        position_delete(made, [(path, 2)])
        self._kept = directory / "kept"
        shutil.copytree(self.directory, self._kept)

    def again(self) -> Lake:
        shutil.rmtree(self.directory)
        shutil.copytree(self._kept, self.directory)
        return Lake(self.directory, hooked(self.directory))


@pytest.fixture(autouse=True)
def _unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """These processes die, not the machine: what is written is written."""
    monkeypatch.setattr("lethe.engines.storage.local.os.fsync", lambda _: None)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("crash"))


def work(made: Lake) -> None:
    """Forget and purge, as the pipeline does."""
    made.forgotten(WANTED)
    assert made.purge().clean


def finish(made: Lake) -> None:
    """Another process, with nothing in its way, ends what the first began."""
    other = Lake(made.directory, hooked(made.directory))
    work(other)
    assert other.rows() == AFTER
    left = sorted(path.suffix for path in other.files())
    assert left.count(".parquet") == 1
    assert left.count(".json") == 1
    assert other.purge().files_removed == 0


def faults_of(stage: Stage) -> list[str]:
    """The calls of a run without faults."""
    faults = Faults()
    made = stage.again()
    made.opener = faulty(faults, Death())
    work(made)
    return faults.names


def each(stage: Stage, names: Callable[[str], bool]) -> Iterator[int]:
    calls = faults_of(stage)
    assert len(calls) > 30
    for number, name in enumerate(calls):
        if names(name):
            yield number


CHANGES = {"create", "created", "write", "put", "replace", "remove", "remove_empty_directories"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_call(stage: Stage, when: str) -> None:
    """Only calls that change something: before a reading one, things are as they were after the last change."""
    struck = 0
    for number in each(stage, CHANGES.__contains__):
        made = stage.again()
        death = Death()
        made.opener = faulty(Faults(number, when, death), death)
        with pytest.raises(Killed):
            work(made)
        assert made.rows() in (BEFORE, AFTER), number
        finish(made)
        struck += 1
    assert struck > 15


def test_every_call_fails_once(stage: Stage) -> None:
    for number in each(stage, lambda _: True):
        made = stage.again()
        made.opener = faulty(Faults(number, "before", fail), Death())
        plan = None
        try:
            plan = made.plan(WANTED)
        except TableUnavailable:
            plan = made.plan(WANTED)
        outcome = made.forget(WANTED, plan)
        assert made.rows() == (AFTER if isinstance(outcome, Forgotten) else BEFORE), number
        if not isinstance(outcome, Forgotten):
            outcome = made.forget(WANTED, plan)
        assert isinstance(outcome, Forgotten)
        assert outcome.tally.rows_matched == 2
        try:
            if not made.purge().clean:
                assert made.purge().clean
        except TableUnavailable:
            assert made.purge().clean
        assert made.rows() == AFTER
        assert made.purge().files_removed == 0, number


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_commit(stage: Stage, number: int, when: str) -> None:
    """The first is the forget's; the purge makes the manifests anew, and then removes the old snapshots."""
    made = stage.again()

    def kill(commit: int) -> None:
        if commit == number:
            raise Killed

    setattr(made.catalog, when, kill)
    with pytest.raises(Killed):
        work(made)
    assert made.rows() == (BEFORE if (number, when) == (1, "before") else AFTER)
    finish(made)


def test_after_a_crash_and_a_second_run_nothing_of_the_person_is_left(stage: Stage) -> None:
    for number in (0, 20, 40, 55):
        made = stage.again()
        death = Death()
        made.opener = faulty(Faults(number, "after", death), death)
        with pytest.raises(Killed):
            work(made)
        finish(made)
        evidence = Lake(made.directory, made.catalog).verify(WANTED)
        assert evidence.gone, evidence.residues


@pytest.mark.parametrize("known", [True, False], ids=["location known", "location in the catalog alone"])
def test_a_drop_killed_at_every_call_is_finished_by_the_next(stage: Stage, known: bool) -> None:
    faults = Faults()
    made = stage.again()
    made.known_location = str(made.location) if known else None
    made.opener = faulty(faults, Death())
    assert made.engine.drop(made.target, LATER).clean
    for number in range(len(faults.names)):
        made = stage.again()
        location, death = made.location, Death()
        last = Path(made.table.metadata_location.removeprefix("file://"))
        made.known_location = str(location) if known else None
        made.opener = faulty(Faults(number, "before", death), death)
        with pytest.raises(Killed):
            made.engine.drop(made.target, LATER)
        other = Lake(made.directory, made.catalog, known_location=made.known_location)
        assert other.engine.drop(other.target, LATER).clean
        left = {path for path in location.rglob("*") if path.is_file()}
        assert left <= (set() if known else {last}), number
        assert not made.catalog.table_exists(made.identifier)
