"""Every I/O call of forget and purge fails, or is the process's last; the next run ends in the same state."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, asked, order
from engines.faults import Faults, FaultyStorage, die, fail
from engines.plugs import BY_ID, LATER, VERIFIER
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.domain.plan import TablePlan
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import (
    DidNotHappen,
    Forgotten,
    Marker,
    MayHaveHappened,
    Outcome,
    PurgePolicy,
    PurgeReport,
    TableUnavailable,
    Target,
)
from lethe.engines.ndjson.format import NdjsonFormat
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.storage.local import LocalStorage
from lethe.engines.storage.objects import ObjectStorage

WANTED = asked(order(CRM, "ann", "dee"), order(CRM, "ann", "zoe"))
MARKER = Marker("bundle-1/forget")
SURVIVORS = ["bob", "cy", None, "eve", "fay"]
COUNTS = [(4, 1), (4, 0)]
FILES = {
    "d=1/a.parquet": ["ann", "bob", "cy", None],
    "d=1/b.parquet": ["eve", "fay"],
    "d=2/c.parquet": ["ann", "dee"],
    "d=3/d.parquet": ["ann", "ann"],
}


def make(root: Path) -> None:
    for path, people in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"id": pa.array(people, pa.string())}), root / path, compression="zstd")
    (root / "_metadata").write_bytes(b"stale: ann")
    (root / "d=1" / ".a.parquet.crc").write_bytes(b"crc\0")


def live(root: Path) -> list[str | None]:
    """What a reader of the live directory sees, and it sees whole files only."""
    found: list[str | None] = []
    for path in sorted(root.rglob("*.parquet")):
        found += pq.ParquetFile(path).read().column("id").to_pylist()
    return found


def engine(root: Path, faults: Faults) -> DirectoryEngine:
    return DirectoryEngine(
        ParquetFormat(), lambda _: FaultyStorage(LocalStorage(str(root)), faults), InlineExecutor(), VERIFIER
    )


def target(root: Path) -> Target:
    return Target(DatasetId("ds"), TableReference(TableFormat.PARQUET, str(root)), BY_ID)


def forget(root: Path, plan: TablePlan, faults: Faults) -> Outcome:
    return engine(root, faults).forget(target(root), WANTED, plan, MARKER)


def purge(root: Path, faults: Faults) -> PurgeReport:
    return engine(root, faults).purge(target(root), PurgePolicy(), LATER)


def plan_of(root: Path) -> TablePlan:
    return engine(root, Faults()).find(target(root), WANTED).plan


def require_nothing_lost(root: Path) -> None:
    seen = live(root)
    assert [row for row in seen if row not in {"ann", "dee"}] == SURVIVORS
    assert seen.count("ann") <= 4
    assert seen.count("dee") <= 1


def require_end_state(root: Path, outcome: Outcome) -> None:
    assert isinstance(outcome, Forgotten), outcome
    assert [o.rows_by_identity for o in outcome.tally.orders] == COUNTS
    assert live(root) == SURVIVORS
    assert purge(root, Faults()).clean
    assert sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()) == [
        "d=1/a.parquet",
        "d=1/b.parquet",
    ]
    evidence = engine(root, Faults()).verify(target(root), WANTED)
    assert evidence.gone, evidence.residues


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int]:
    """How many I/O calls a whole forget and a whole purge make."""
    root = tmp_path_factory.mktemp("calls")
    make(root)
    faults, purging = Faults(), Faults()
    require_forgotten = forget(root, plan_of(root), faults)
    purge(root, purging)
    require_end_state(root, require_forgotten)
    assert faults.calls > 30
    assert {"put", "replace", "remove", "create", "write", "created", "open", "stat", "read", "list"} <= set(
        faults.names
    )
    return faults.calls, purging.calls


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_forget_bears_the_failure_of_every_call(when: str, calls: tuple[int, int], tmp_path: Path) -> None:
    for number in range(calls[0]):
        root = tmp_path / str(number)
        make(root)
        plan = plan_of(root)
        before = live(root)
        first = forget(root, plan, Faults(number, when, fail))
        assert isinstance(first, (DidNotHappen, MayHaveHappened, Forgotten)), (number, first)
        if isinstance(first, DidNotHappen):
            assert live(root) == before
        require_nothing_lost(root)
        require_end_state(root, forget(root, plan, Faults()))
        shutil.rmtree(root)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_forget_bears_two_failures_in_a_row(when: str, calls: tuple[int, int], tmp_path: Path) -> None:
    for number in range(0, calls[0], 3):
        root = tmp_path / str(number)
        make(root)
        plan = plan_of(root)
        forget(root, plan, Faults(number, when, fail))
        forget(root, plan, Faults(number // 2, when, fail))
        require_nothing_lost(root)
        require_end_state(root, forget(root, plan, Faults()))
        shutil.rmtree(root)


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
def test_a_forget_bears_being_killed_at_every_call(when: str, calls: tuple[int, int], tmp_path: Path) -> None:
    for number in range(calls[0]):
        root = tmp_path / str(number)
        make(root)
        plan = plan_of(root)
        ended = in_a_child(lambda root=root, plan=plan, number=number: forget(root, plan, Faults(number, when, die)))
        assert ended == 9, number
        require_nothing_lost(root)
        require_end_state(root, forget(root, plan, Faults()))
        shutil.rmtree(root)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("blow", [fail, die], ids=["fails", "is killed"])
def test_a_purge_bears_every_call(when: str, blow: Callable[[], None], calls: tuple[int, int], tmp_path: Path) -> None:
    for number in range(calls[1]):
        root = tmp_path / str(number)
        make(root)
        (root / ".hidden").write_bytes(b"ann")
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


def test_a_failed_removal_is_a_failure(tmp_path: Path) -> None:
    make(tmp_path)
    forget(tmp_path, plan_of(tmp_path), Faults())
    (tmp_path / ".hidden").write_bytes(b"x")
    removals = Faults()
    purge_calls = Faults()
    storage = FaultyStorage(LocalStorage(str(tmp_path)), removals)
    number = 1  # the first call is the listing
    report = DirectoryEngine(ParquetFormat(), lambda _: storage, InlineExecutor(), VERIFIER)
    removals.at, removals.blow = number, fail
    result = report.purge(target(tmp_path), PurgePolicy(), LATER)
    assert purge_calls.calls == 0
    assert not result.clean
    assert len(result.failed) == 1


def test_object_stores_bear_the_failure_of_every_call() -> None:
    """The same over objects, where a replacement is a copy and a removal."""
    from obstore.store import MemoryStore

    class Torn(ObjectStorage):
        """A crash between the copy and the removal."""

        def replace(self, source: str, destination: str) -> None:
            self.put(destination, self.read(source))
            raise_now = fail
            raise_now()

    total = None
    number = 0
    while total is None or number < total:
        inner = ObjectStorage("memory://t", MemoryStore())
        for path, people in FILES.items():
            sink = pa.BufferOutputStream()
            pq.write_table(pa.table({"id": pa.array(people, pa.string())}), sink)
            inner.put(path, sink.getvalue().to_pybytes())
        where = Target(DatasetId("ds"), TableReference(TableFormat.PARQUET, "memory://t"), BY_ID)

        def with_(faults: Faults, inner: ObjectStorage = inner) -> DirectoryEngine:
            return DirectoryEngine(ParquetFormat(), lambda _: FaultyStorage(inner, faults), InlineExecutor(), VERIFIER)

        plan = with_(Faults()).find(where, WANTED).plan
        faults = Faults(number, "after", fail) if total is not None else Faults()
        if total is not None and number % 2:
            torn = Torn("memory://t", inner.store)
            DirectoryEngine(ParquetFormat(), lambda _, torn=torn: torn, InlineExecutor(), VERIFIER).forget(
                where, WANTED, plan, MARKER
            )
        with_(faults).forget(where, WANTED, plan, MARKER)
        outcome = with_(Faults()).forget(where, WANTED, plan, MARKER)
        assert isinstance(outcome, Forgotten)
        assert [o.rows_by_identity for o in outcome.tally.orders] == COUNTS
        assert with_(Faults()).purge(where, PurgePolicy(), LATER).clean
        left = [stat.path for stat in inner.list()]
        assert left == ["d=1/a.parquet", "d=1/b.parquet"]
        rows = [r for p in left for r in pq.read_table(pa.BufferReader(inner.read(p))).column("id").to_pylist()]
        assert rows == SURVIVORS
        if total is None:
            total = faults.calls
        else:
            number += 1


def test_ndjson_bears_the_failure_of_every_call(tmp_path: Path) -> None:
    lines = [b'{"id":"ann"}\n', b'{ "id" : "bob" }\r\n', b"\n", b'{"id":"cy","x":1.50}']
    number, done = 0, False
    while not done:
        root = tmp_path / str(number)
        root.mkdir()
        (root / "a.json").write_bytes(b"".join(lines))
        where = Target(DatasetId("ds"), TableReference(TableFormat.NDJSON, str(root)), BY_ID)

        def with_(faults: Faults, root: Path = root) -> DirectoryEngine:
            storage = FaultyStorage(LocalStorage(str(root)), faults)
            return DirectoryEngine(NdjsonFormat(), lambda _: storage, InlineExecutor(), VERIFIER)

        plan = with_(Faults()).find(where, WANTED).plan
        faults = Faults(number, "after", fail)
        with_(faults).forget(where, WANTED, plan, MARKER)
        done = faults.calls <= number
        assert isinstance(with_(Faults()).forget(where, WANTED, plan, MARKER), Forgotten)
        assert (root / "a.json").read_bytes() == b"".join(lines[1:])
        number += 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_lost_its_lease_does_no_harm(when: str, calls: tuple[int, int], tmp_path: Path) -> None:
    """At every call of one worker another takes over, finishes, and purges or not; then the first goes on."""
    for number in range(calls[0]):
        for purged in (False, True):
            root = tmp_path / f"{number}-{purged}"
            make(root)
            plan = plan_of(root)
            outcomes: list[Outcome] = []

            def successor(
                root: Path = root, plan: TablePlan = plan, outcomes: list[Outcome] = outcomes, purged: bool = purged
            ) -> None:
                outcomes.append(forget(root, plan, Faults()))
                if purged:
                    purge(root, Faults())

            stale = forget(root, plan, Faults(number, when, successor))
            assert isinstance(stale, (Forgotten, DidNotHappen, MayHaveHappened)), stale
            assert live(root) == SURVIVORS
            assert isinstance(outcomes[0], Forgotten)
            assert [o.rows_by_identity for o in outcomes[0].tally.orders] == COUNTS
            again = forget(root, plan, Faults())
            assert isinstance(again, Forgotten), again
            if not purged:
                require_end_state(root, again)
            else:
                assert live(root) == SURVIVORS
                assert purge(root, Faults()).clean
            shutil.rmtree(root)
