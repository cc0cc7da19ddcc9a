"""Every I/O call of forget, purge and drop fails, or is the process's last; the next run ends in the same state."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, asked, order
from engines.delta.lake import (
    AT_ONCE,
    BY_ID,
    MARKER,
    NOW,
    VERIFIER,
    adds,
    data_files,
    hide,
    inline_vector,
    log_files,
    numbers,
    people,
    stored_vector,
    target,
    write,
)
from engines.faults import Faults, FaultyStorage, die, fail
from lethe.domain.plan import TablePlan
from lethe.engines.delta.deletion_vectors import hidden_rows
from lethe.engines.delta.engine import DeltaEngine
from lethe.engines.delta.log import read_snapshot
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import DidNotHappen, Forgotten, MayHaveHappened, Outcome, PurgePolicy, TableUnavailable
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.storage.local import LocalStorage

WANTED = asked(order(CRM, "annegret", "deegret"), order(CRM, "annegret", "zoe"))
BEFORE, SURVIVORS = [0, 1, 2, 3, 10, 11, 21, 30], [1, 2, 3, 10, 11]
COUNTS = [(2, 1), (2, 0)]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to rewrite, one to keep, one with hidden rows of which the only live one matches, one to drop."""
    root = tmp_path_factory.mktemp("template") / "t"
    write(root, people("annegret", "bob", "cy", None), people("eve", "fay", first=10))
    write(root, people("annegret", "deegret", first=20), people("annegret", first=30))
    hide(root, 4, adds(root)[2], stored_vector(root, 0))
    return root


@pytest.fixture
def make(template: Path, tmp_path: Path) -> Callable[[int], Path]:
    def make(number: int) -> Path:
        return Path(shutil.copytree(template, tmp_path / str(number)))

    return make


def engine(root: Path, faults: Faults) -> DeltaEngine:
    storage = FaultyStorage(LocalStorage(str(root)), faults)
    return DeltaEngine(lambda _: storage, InlineExecutor(), best_rewriter(), VERIFIER, lambda: NOW)


def plan_of(root: Path) -> TablePlan:
    return engine(root, Faults()).find(target(root), WANTED).plan


def forget(root: Path, plan: TablePlan, faults: Faults) -> Outcome:
    return engine(root, faults).forget(target(root), WANTED, plan, MARKER)


def purge(root: Path, faults: Faults, policy: PurgePolicy = AT_ONCE) -> Any:
    return engine(root, faults).purge(target(root), policy, NOW)


def live(root: Path) -> list[int]:
    """The column n of every live row, by a plain walk: a session of deltalake for each call takes too long."""
    storage, seen = LocalStorage(str(root)), list[int]()
    for add in read_snapshot(storage).files.values():
        hidden = set(hidden_rows(storage, add.deletion_vector).tolist())
        found = pq.ParquetFile(root / add.file_path).read(["n"])["n"].to_pylist()
        seen += [n for position, n in enumerate(found) if position not in hidden]
    return sorted(seen)


def require_end_state(root: Path, outcome: Outcome) -> None:
    assert isinstance(outcome, Forgotten), outcome
    assert [o.rows_by_identity for o in outcome.tally.orders] == COUNTS
    assert purge(root, Faults()).clean
    assert numbers(root) == SURVIVORS
    assert len(data_files(root)) == 2
    assert len(log_files(root)) == 3
    evidence = engine(root, Faults()).verify(target(root), WANTED)
    assert evidence.gone, evidence.residues


@pytest.fixture(scope="module")
def calls(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int, int]:
    """How many I/O calls a whole forget, a whole purge and a whole drop make."""
    root = Path(shutil.copytree(template, tmp_path_factory.mktemp("calls") / "t"))
    assert numbers(root) == live(root) == BEFORE
    forgetting, purging, dropping = Faults(), Faults(), Faults()
    outcome = forget(root, plan_of(root), forgetting)
    assert purge(root, purging).clean
    require_end_state(root, outcome)
    assert engine(root, dropping).drop(target(root), NOW).clean
    assert {"put", "replace", "create", "write", "created", "open", "stat", "read", "list"} <= set(forgetting.names)
    assert {"put", "remove", "remove_empty_directories", "read", "list"} <= set(purging.names)
    return forgetting.calls, purging.calls, dropping.calls


def in_a_child(work: Callable[[], Any]) -> int:
    """Run in a process of its own; the number of the signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_forget_bears_the_failure_of_every_call(when: str, calls: Any, make: Callable[[int], Path]) -> None:
    for number in range(calls[0]):
        root = make(number)
        plan = plan_of(root)
        first = forget(root, plan, Faults(number, when, fail))
        match first:
            case Forgotten():
                assert live(root) == SURVIVORS
            case DidNotHappen():
                assert live(root) == BEFORE
            case _:
                assert isinstance(first, MayHaveHappened), first
                assert live(root) in (BEFORE, SURVIVORS)
        again = forget(root, plan, Faults())
        if isinstance(first, Forgotten):
            assert isinstance(again, Forgotten)
            assert again.repeated
        require_end_state(root, again)
        shutil.rmtree(root)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_forget_bears_being_killed_at_every_call(when: str, calls: Any, make: Callable[[int], Path]) -> None:
    for number in range(calls[0]):
        root = make(number)
        plan = plan_of(root)
        ended = in_a_child(lambda root=root, plan=plan, number=number: forget(root, plan, Faults(number, when, die)))
        assert ended == 9, number
        assert live(root) in (BEFORE, SURVIVORS)
        require_end_state(root, forget(root, plan, Faults()))
        shutil.rmtree(root)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("blow", [fail, die], ids=["fails", "is killed"])
def test_a_purge_bears_every_call(when: str, blow: Callable[[], None], calls: Any, make: Callable[[int], Path]) -> None:
    for number in range(calls[1]):
        root = make(number)
        outcome = forget(root, plan_of(root), Faults())

        def purging(root: Path = root, number: int = number) -> None:
            try:
                purge(root, Faults(number, when, blow))
            except TableUnavailable:
                assert blow is fail

        in_a_child(purging)
        assert live(root) == SURVIVORS
        require_end_state(root, outcome)
        shutil.rmtree(root)


@pytest.mark.parametrize("blow", [fail, die], ids=["fails", "is killed"])
def test_a_drop_bears_every_call(blow: Callable[[], None], calls: Any, make: Callable[[int], Path]) -> None:
    for number in range(calls[2]):
        root = make(number)

        def dropping(root: Path = root, number: int = number) -> None:
            try:
                engine(root, Faults(number, "after", blow)).drop(target(root), NOW)
            except TableUnavailable:
                assert blow is fail

        in_a_child(dropping)
        assert engine(root, Faults()).drop(target(root), NOW).clean
        assert list(root.iterdir()) == []


def test_a_find_bears_the_failure_of_every_call(make: Callable[[int], Path]) -> None:
    root, counting = make(0), Faults()
    expected = engine(root, counting).find(target(root, BY_ID), WANTED)
    for number in range(counting.calls):
        with pytest.raises(TableUnavailable):
            engine(root, Faults(number, "after", fail)).find(target(root), WANTED)
    assert engine(root, Faults()).find(target(root), WANTED) == expected


def test_a_pruned_inline_vector_needs_no_call(tmp_path: Path) -> None:
    root = write(tmp_path, people("bob", "cy"))
    hide(root, 1, adds(root)[0], inline_vector(0))
    faults = Faults()
    engine(root, faults).find(target(root), WANTED)
    assert faults.names.count("open") == 2
