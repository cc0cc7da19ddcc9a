"""What is particular to plain Parquet directories."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, asked, order
from engines.plug import BY_ID, LATER, VERIFIER
from engines.tables import wide
from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.domain.plan import FileAction, TablePlan
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import (
    DidNotHappen,
    Forgotten,
    IdentityMap,
    Marker,
    MayHaveHappened,
    NeverWill,
    PurgePolicy,
    ResidueKind,
    TableRefused,
    TableUnavailable,
    Target,
)
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.storage.interface import FileStat, Storage
from lethe.engines.storage.local import LocalStorage

ENGINE = DirectoryEngine(ParquetFormat(), LocalStorage, InlineExecutor(), VERIFIER)


def target(root: Path) -> Target:
    return Target(DatasetId("ds"), TableReference(TableFormat.PARQUET, str(root)), BY_ID)


def put(path: Path, ids: list[str | None], **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": pa.array(ids, pa.string()), "seq": range(len(ids))}), path, **options)


def erase(root: Path, *ids: str, engine: DirectoryEngine = ENGINE) -> Forgotten:
    wanted = asked(order(CRM, *ids))
    outcome = engine.forget(target(root), wanted, engine.find(target(root), wanted).plan, Marker("b/1"))
    assert isinstance(outcome, Forgotten), outcome
    assert engine.purge(target(root), PurgePolicy(), LATER).clean
    evidence = engine.verify(target(root), wanted)
    assert evidence.gone, evidence.residues
    return outcome


def test_partitions_named_with_anything(tmp_path: Path) -> None:
    root = tmp_path / "t"
    for number, day in enumerate(["2024-01-01", "a b%2Fc", "ü=ö", "__HIVE_DEFAULT_PARTITION__", "'; drop"]):
        put(root / f"_day={day}" / "h=1" / "x.parquet", ["annegret", f"keep-{number}"])
    put(root / "_day=2024-01-01" / "h=2" / "whole.parquet", ["annegret"])
    outcome = erase(root, "annegret")
    assert outcome.tally.rows_matched == 6
    left = {
        str(p.relative_to(root)): pq.ParquetFile(p).read()["id"].to_pylist() for p in root.rglob("*") if p.is_file()
    }
    assert sorted(v[0] for v in left.values()) == [f"keep-{n}" for n in range(5)]
    assert not (root / "_day=2024-01-01" / "h=2").exists()


def test_an_identity_that_is_a_partition(tmp_path: Path) -> None:
    """The value stands in paths alone: the file is dropped unread, the directory goes, and no report names it."""
    root = tmp_path / "t"
    for name in ("annegret%40example.com", "annegret%40example.org", "__HIVE_DEFAULT_PARTITION__"):
        (root / f"id={name}").mkdir(parents=True)
        pq.write_table(pa.table({"x": [1, 2]}), root / f"id={name}" / "p.parquet")
    wanted = asked(order(CRM, "annegret@example.com"))
    assert ResidueKind.LIVE_ROW in {r.kind for r in ENGINE.verify(target(root), wanted).residues}
    finding = ENGINE.find(target(root), wanted)
    assert [(f.action, f.rows_matched) for f in finding.plan.touched] == [(FileAction.DROP, 2)]
    outcome = ENGINE.forget(target(root), wanted, finding.plan, Marker("b/1"))
    assert isinstance(outcome, Forgotten)
    assert outcome.tally.orders[0].rows_by_identity == (2,)
    assert ENGINE.purge(target(root), PurgePolicy(), LATER).clean
    evidence = ENGINE.verify(target(root), wanted)
    assert evidence.gone, evidence.residues
    assert sorted(p.name for p in root.iterdir()) == ["id=__HIVE_DEFAULT_PARTITION__", "id=annegret%40example.org"]
    for value in (finding, outcome, evidence):
        assert "annegret" not in str(value)


def test_summaries_and_checksums_do_not_outlive_their_files(tmp_path: Path) -> None:
    root = tmp_path / "t"
    put(root / "a.parquet", ["annegret", "bob"])
    put(root / "b.parquet", ["cy"])
    for name in ("_metadata", ".a.parquet.crc", ".b.parquet.crc", "_SUCCESS", "_common_metadata"):
        (root / name).write_bytes(b"")
    erase(root, "annegret")
    assert {p.name for p in root.iterdir()} == {
        "a.parquet",
        "b.parquet",
        ".b.parquet.crc",
        "_SUCCESS",
        "_common_metadata",
    }


def test_leftovers_of_others_wait_for_their_grace(tmp_path: Path) -> None:
    root = tmp_path / "t"
    put(root / "a.parquet", ["bob"])
    put(root / "_temporary" / "0" / "x.parquet", ["annegret"])
    wanted = asked(order(CRM, "annegret"))
    written = datetime.fromtimestamp((root / "_temporary/0/x.parquet").stat().st_mtime, UTC)
    report = ENGINE.purge(target(root), PurgePolicy(), written + timedelta(minutes=59))
    assert [held.until for held in report.held] == [written + timedelta(hours=1)]
    assert ResidueKind.STORED_ROW in {r.kind for r in ENGINE.verify(target(root), wanted).residues}
    report = ENGINE.purge(target(root), PurgePolicy(), written + timedelta(hours=1))
    assert (report.files_removed, report.clean) == (1, True)
    assert not (root / "_temporary").exists()
    assert ENGINE.verify(target(root), wanted).gone


def test_symbolic_links_other_formats_and_encrypted_tables_are_refused(tmp_path: Path) -> None:
    wanted = asked(order(CRM, "annegret"))
    linked = tmp_path / "linked"
    put(linked / "a.parquet", ["bob"])
    (linked / "b.parquet").symlink_to(linked / "a.parquet")
    delta = tmp_path / "delta"
    put(delta / "a.parquet", ["bob"])
    (delta / "_delta_log").mkdir()
    (delta / "_delta_log" / "0.json").write_text("{}")
    foreign = tmp_path / "foreign"
    put(foreign / "a.parquet", ["bob"])
    (foreign / "b.csv").write_text("id\nannegret\n")
    for root in (linked, delta, foreign):
        with pytest.raises(TableRefused):
            ENGINE.find(target(root), wanted)
        outcome = ENGINE.forget(target(root), wanted, TablePlan(DatasetId("ds"), "", []), Marker("b/1"))
        assert isinstance(outcome, NeverWill)
        assert not (root / "_lethe").exists()


class Interrupting:
    """A storage that lets something happen once, when a call is made for the n-th time."""

    def __init__(self, inner: Storage, call: str, happen: Any, number: int = 0) -> None:
        self._inner, self._call, self._happen, self._number = inner, call, happen, number

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name != self._call:
            return method

        def once(*args: Any, **kwargs: Any) -> Any:
            if self._number == 0:
                self._happen()
            self._number -= 1
            return method(*args, **kwargs)

        return once


@pytest.mark.parametrize("moment", ["create", "put", "replace", "remove"])
def test_other_writers_come_between(tmp_path: Path, moment: str) -> None:
    """An append is found, a rewrite by another is respected and searched again, a compaction is followed."""
    root = tmp_path / "t"
    put(root / "a.parquet", ["annegret", "bob"])
    put(root / "b.parquet", ["annegret", "cy"])
    put(root / "c.parquet", ["dee"])
    plan = ENGINE.find(target(root), asked(order(CRM, "annegret"))).plan

    def happen() -> None:
        put(root / "d.parquet", ["annegret", "eve"])
        put(root / "swap", ["annegret", "cy", "fay", "annegret"])
        (root / "swap").rename(root / "b.parquet")
        put(root / "ac", ["annegret", "bob", "dee"])
        (root / "ac").rename(root / "ac.parquet")
        (root / "a.parquet").unlink()
        (root / "c.parquet").unlink()

    storage = Interrupting(LocalStorage(str(root)), moment, happen)
    engine = DirectoryEngine(ParquetFormat(), lambda _: storage, InlineExecutor(), VERIFIER)  # type: ignore[arg-type, return-value]
    wanted = asked(order(CRM, "annegret"))
    outcome = engine.forget(target(root), wanted, plan, Marker("b/1"))
    assert isinstance(outcome, Forgotten), outcome
    rows = sorted(r for p in root.glob("*.parquet") for r in pq.ParquetFile(p).read()["id"].to_pylist())
    assert rows in (["bob", "cy", "dee", "eve", "fay"], ["bob", "bob", "cy", "dee", "eve", "fay"])
    assert ENGINE.purge(target(root), PurgePolicy(), LATER).clean
    assert ENGINE.verify(target(root), wanted).gone


def test_a_writer_that_never_rests_gets_the_forget_given_back(tmp_path: Path) -> None:
    root = tmp_path / "t"
    put(root / "a.parquet", ["annegret", "bob"])
    plan = ENGINE.find(target(root), asked(order(CRM, "annegret"))).plan
    numbers = iter(range(1000))

    class Restless(LocalStorage):
        def put(self, path: str, data: bytes, *, if_absent: bool = False) -> None:
            put(root / f"new-{next(numbers)}.parquet", ["annegret"])
            super().put(path, data, if_absent=if_absent)

    engine = DirectoryEngine(ParquetFormat(), Restless, InlineExecutor(), VERIFIER)
    assert isinstance(engine.forget(target(root), asked(order(CRM, "annegret")), plan, Marker("b/1")), MayHaveHappened)


def test_readers_see_every_other_row_exactly_once_all_the_time(tmp_path: Path) -> None:
    root = tmp_path / "t"
    for number in range(12):
        put(root / f"p={number % 3}" / f"{number}.parquet", ["annegret", f"row-{number}", None])
    stop, seen, wrong = threading.Event(), 0, []

    def read() -> None:
        nonlocal seen
        while not stop.is_set():
            rows = []
            for path in sorted(root.rglob("*.parquet")):
                rows += pq.ParquetFile(path).read()["id"].to_pylist()
            others = sorted(row for row in rows if row not in {None, "annegret"})
            if others != sorted(f"row-{n}" for n in range(12)) or rows.count(None) != 12:
                wrong.append(rows)
            seen += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(5):
            wanted = asked(order(CRM, "annegret"))
            plan = ENGINE.find(target(root), wanted).plan
            assert isinstance(ENGINE.forget(target(root), wanted, plan, Marker(f"b/{number}")), Forgotten)
            for path in list(root.rglob("*.parquet")):
                put(path.with_suffix(".x"), ["annegret", f"row-{path.stem}", None])
                path.with_suffix(".x").rename(path)
    finally:
        stop.set()
        reader.join()
    assert seen > 3
    assert not wrong


def test_other_readers_agree_after_an_erasure(tmp_path: Path) -> None:
    root = tmp_path / "t"
    root.mkdir()
    table = wide(["annegret", "bob", None, "cy"] * 5).drop_columns(["half", "uid", "real", "clock", "big"])
    pq.write_table(table.slice(0, 11), root / "a.parquet", compression="zstd", row_group_size=4)
    pq.write_table(table.slice(11), root / "b.parquet", write_page_index=True, data_page_version="2.0")
    erase(root, "annegret")
    keep = [n for n in range(20) if n % 4]
    by_arrow = ds.dataset(root).to_table().sort_by("seq")
    assert by_arrow.equals(table.take(keep).cast(by_arrow.schema))
    names = ["seq", "id", "price", "day", "flag", "fixed", "identityMap", "attributes"]
    files = f"read_parquet('{root}/*.parquet')"
    by_duckdb = duckdb.sql(f"SELECT {', '.join(names)} FROM {files} ORDER BY seq").fetchall()
    by_polars = pl.read_parquet(f"{root}/*.parquet").sort("seq")
    assert [row[0] for row in by_duckdb] == by_polars["seq"].to_list() == keep
    for place, name in enumerate(names[:6]):
        assert [row[place] for row in by_duckdb] == by_polars[name].to_list() == by_arrow[name].to_pylist()


def test_a_thousand_files(tmp_path: Path) -> None:
    root = tmp_path / "t"
    root.mkdir()
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": ["annegret", "bob"]}), sink)
    data = sink.getvalue().to_pybytes()
    for number in range(1000):
        (root / f"{number}.parquet").write_bytes(data)
    outcome = erase(root, "annegret")
    assert outcome.tally.rows_matched == 1000
    assert ds.dataset(root).to_table()["id"].to_pylist() == ["bob"] * 1000


def test_a_storage_that_fails_is_unavailable(tmp_path: Path) -> None:
    root = tmp_path / "t"
    put(root / "a.parquet", ["annegret", "bob"])
    wanted = asked(order(CRM, "annegret"))
    plan = ENGINE.find(target(root), wanted).plan
    (root / "a.parquet").chmod(0)

    class Refusing(LocalStorage):
        def stat(self, _path: str) -> FileStat:
            from lethe.engines.storage.interface import StorageFailed

            raise StorageFailed("stat: EACCES")

    engine = DirectoryEngine(ParquetFormat(), Refusing, InlineExecutor(), VERIFIER)
    with pytest.raises(TableUnavailable):
        engine.find(target(root), wanted)
    assert isinstance(engine.forget(target(root), wanted, plan, Marker("b/1")), DidNotHappen)


def test_a_path_that_no_file_has_is_refused_and_one_that_some_have_is_not(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["ann", "bob"]}), tmp_path / "newer.parquet")
    pq.write_table(pa.table({"note": ["x"]}), tmp_path / "older.parquet")
    table = TableReference(TableFormat.PARQUET, location=str(tmp_path))
    wanted = asked(order(CRM, "ann"))
    found = ENGINE.find(Target(DatasetId("ds"), table, PrimaryIdentity(("id",), "CRM")), wanted)
    assert found.tally.rows_matched == 1
    for path in (("Id",), ("id", "value"), ("note", "id"), ("nothing",)):
        with pytest.raises(TableRefused):
            ENGINE.find(Target(DatasetId("ds"), table, PrimaryIdentity(path, "CRM")), wanted)
    with pytest.raises(TableRefused, match="no file"):
        ENGINE.find(Target(DatasetId("ds"), table, IdentityMap()), wanted)
