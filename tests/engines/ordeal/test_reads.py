"""Reads of an opened file fail, as an object store or as a disk fails: nobody takes it for an answer.

A find and a verify are told to come back, a forget did not happen or may have, a purge is not clean; none refuses the
table for good. The next worker ends it as if nothing had been. `LETHE_FAULTS=all` makes every read fail in turn;
without it one of a few, where that begins is drawn anew in each run.
"""

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from engines.faults import Faults, fail, fail_as_a_disk
from engines.ordeal.subjects import SUBJECTS, WANTED, Subject, now
from engines.ordeal.work import AT_ONCE, MARKER, erase_to_the_end, require_readable, survivors
from lethe.engines.interface import DidNotHappen, Forgotten, MayHaveHappened, TableUnavailable

TRIED = 6
"""How many reads of each verb fail, in turn, with each kind of failure."""


@dataclass
class Table:
    """A table, and the way back to how it was, in the same place."""

    subject: Subject
    home: Path

    def again(self) -> Path:
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(f"{self.home}-kept", self.home)
        return self.home

    def find(self, faults: Faults) -> None:
        self.subject.engine(self.home, faults).find(self.subject.target(self.home), WANTED)

    def forget(self, faults: Faults) -> str:
        """What became of it, in a word."""
        target = self.subject.target(self.home)
        plan = self.subject.engine(self.home, Faults()).find(target, WANTED).plan
        return type(self.subject.engine(self.home, faults).forget(target, WANTED, plan, MARKER)).__name__

    def purge(self, faults: Faults) -> bool:
        """Whether it is clean."""
        engine = self.subject.engine(self.home, faults)
        try:
            return engine.purge(self.subject.target(self.home), AT_ONCE, now()).clean
        except TableUnavailable:
            return False

    def verify(self, faults: Faults) -> bool:
        """Whether absence is proven."""
        evidence = self.subject.engine(self.home, faults).verify(self.subject.target(self.home), WANTED)
        return evidence.gone


@pytest.fixture(scope="module", params=SUBJECTS)
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Table:
    home = tmp_path_factory.mktemp("reads") / "home"
    home.mkdir()
    SUBJECTS[request.param].make(home)
    shutil.copytree(home, f"{home}-kept")
    return Table(SUBJECTS[request.param], home)


@pytest.fixture(params=[fail, fail_as_a_disk], ids=["store", "disk"])
def blow(request: pytest.FixtureRequest) -> Callable[[], None]:
    found: Callable[[], None] = request.param
    return found


def chosen(count: int) -> list[int]:
    if os.environ.get("LETHE_FAULTS") == "all":
        return list(range(count))
    return sorted(random.sample(range(count), min(count, TRIED)))


def test_a_find_asks_to_come_back(table: Table, blow: Callable[[], None]) -> None:
    table.again()
    faults = Faults()
    table.find(faults)
    assert faults.readings > 3
    for number in chosen(faults.readings):
        print(f"read {number}")
        with pytest.raises(TableUnavailable):
            table.find(Faults(blow=blow, reading_at=number))
    erase_to_the_end(table.subject, table.home)
    assert table.subject.rows(table.home) == survivors(table.subject)


def test_a_forget_does_not_take_it_for_an_answer(table: Table, blow: Callable[[], None]) -> None:
    table.again()
    faults = Faults()
    assert table.forget(faults) == Forgotten.__name__
    assert faults.readings > 3
    for number in chosen(faults.readings):
        print(f"read {number}")
        table.again()
        assert table.forget(Faults(blow=blow, reading_at=number)) in {DidNotHappen.__name__, MayHaveHappened.__name__}
        require_readable(table.subject, table.home)
        erase_to_the_end(table.subject, table.home)
        assert table.subject.rows(table.home) == survivors(table.subject)
        assert table.verify(Faults())


def test_a_purge_is_not_clean(table: Table, blow: Callable[[], None]) -> None:
    table.again()
    table.forget(Faults())
    forgotten = table.home.rename(table.home.with_name("forgotten"))
    counting = Faults()
    shutil.copytree(forgotten, table.home)
    assert table.purge(counting)
    for number in chosen(counting.readings):
        print(f"read {number}")
        shutil.rmtree(table.home)
        shutil.copytree(forgotten, table.home)
        assert not table.purge(Faults(blow=blow, reading_at=number))
        assert table.purge(Faults())
        assert table.subject.rows(table.home) == survivors(table.subject)
        assert table.verify(Faults())
    shutil.rmtree(forgotten)


def test_a_verification_proves_nothing(table: Table, blow: Callable[[], None]) -> None:
    table.again()
    erase_to_the_end(table.subject, table.home)
    faults = Faults()
    assert table.verify(faults)
    for number in chosen(faults.readings):
        print(f"read {number}")
        try:
            assert not table.verify(Faults(blow=blow, reading_at=number))
        except TableUnavailable:
            continue
    assert table.verify(Faults())
