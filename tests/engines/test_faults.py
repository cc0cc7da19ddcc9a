"""Failures in a row, failed removals, and object stores; every single call of forget and purge: `engines/ordeal`."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, asked, order
from engines.faults import Faults, FaultyStorage, fail
from engines.plug import BY_ID, LATER, VERIFIER
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.domain.plan import TablePlan
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import (
    Forgotten,
    Marker,
    Outcome,
    PurgePolicy,
    PurgeReport,
    Target,
)
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
def calls(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many I/O calls a whole forget makes."""
    root = tmp_path_factory.mktemp("calls")
    make(root)
    faults = Faults()
    require_end_state(root, forget(root, plan_of(root), faults))
    assert faults.calls > 30
    return faults.calls


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_forget_bears_two_failures_in_a_row(when: str, calls: int, tmp_path: Path) -> None:
    for number in range(0, calls, 3):
        root = tmp_path / str(number)
        make(root)
        plan = plan_of(root)
        forget(root, plan, Faults(number, when, fail))
        forget(root, plan, Faults(number // 2, when, fail))
        require_nothing_lost(root)
        require_end_state(root, forget(root, plan, Faults()))
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
