"""The whole way of an order and of an expiration, on a table of each format, with the graces that are the default."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.sql import SqlCatalog

from lethe.clock import system_now
from lethe.domain.dataset import TableFormat, TableReference
from lethe.engines.delta.engine import DeltaEngine
from lethe.engines.delta.retention import FILES, VERSIONS
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.iceberg.engine import IcebergEngine
from lethe.engines.interface import PurgePolicy
from lethe.engines.ndjson.format import NdjsonFormat
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.storage.opening import storage_opener
from lethe.engines.verify.verifier import ByteVerifier
from lethe.storage.store import SqlStore
from support.api import World
from support.clock import Clock
from support.workshop import Workshop

ANN, BOB, CY = "ann@example.com", "bob@example.com", "cy@example.com"
ROWS = pa.table({"person": [{"id": each} for each in (ANN, BOB, None, ANN, CY)], "n": list(range(5))})


@dataclass
class Kind:
    """A format, how a table of it is made and how it is read."""

    format: TableFormat
    make: Callable[["Shelf", Path], TableReference]
    read: Callable[["Shelf", Path], list[Any]]

    def __str__(self) -> str:
        return self.format.value


@dataclass
class Shelf:
    """Where tables of the test are."""

    catalog: SqlCatalog


def _make_iceberg(shelf: Shelf, path: Path) -> TableReference:
    shelf.catalog.create_namespace_if_not_exists("db")
    table = shelf.catalog.create_table("db.people", ROWS.schema, location=path.as_uri())
    table.append(ROWS.slice(0, 3))
    table.append(ROWS.slice(3))
    return TableReference(TableFormat.ICEBERG, catalog="lake", identifier="db.people")


def _read_iceberg(shelf: Shelf, path: Path) -> list[Any]:
    return _people(shelf.catalog.load_table("db.people").scan().to_arrow())


def _make_delta(_: Shelf, path: Path) -> TableReference:
    write_deltalake(path, ROWS.slice(0, 3))
    write_deltalake(path, ROWS.slice(3), mode="append")
    return TableReference(TableFormat.DELTA, str(path))


def _make_parquet(_: Shelf, path: Path) -> TableReference:
    path.mkdir()
    pq.write_table(ROWS.slice(0, 3), path / "a.parquet")
    pq.write_table(ROWS.slice(3), path / "b.parquet")
    return TableReference(TableFormat.PARQUET, str(path))


def _make_ndjson(_: Shelf, path: Path) -> TableReference:
    path.mkdir()
    (path / "a.json").write_text("".join(json.dumps(row) + "\n" for row in ROWS.to_pylist()))
    return TableReference(TableFormat.NDJSON, str(path))


def _read_ndjson(_: Shelf, path: Path) -> list[Any]:
    rows = [json.loads(line) for line in (path / "a.json").read_text().splitlines()]
    return [row["person"]["id"] for row in rows]


def _people(table: Any) -> list[Any]:
    return [row["person"]["id"] for row in sorted(table.to_pylist(), key=lambda row: row["n"])]


KINDS = [
    Kind(TableFormat.ICEBERG, _make_iceberg, _read_iceberg),
    Kind(TableFormat.DELTA, _make_delta, lambda _, path: _people(DeltaTable(path).to_pyarrow_table())),
    Kind(TableFormat.PARQUET, _make_parquet, lambda _, path: _people(pq.read_table(path))),
    Kind(TableFormat.NDJSON, _make_ndjson, _read_ndjson),
]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(SqlCatalog("lake", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=str(tmp_path / "warehouse")))


@pytest.fixture
def lake(sqlite_url: str, open_store: Any, clock: Clock, tmp_path: Path, shelf: Shelf) -> Workshop:
    """A workshop with the engine of every format, at the real time, for files have real times."""
    executor, opener, rewriter = InlineExecutor(), storage_opener(), best_rewriter()
    verifier = ByteVerifier(executor, full=True)
    clock.now = system_now()
    engines = {
        TableFormat.ICEBERG: IcebergEngine(
            {"lake": shelf.catalog},
            open_storage=opener,
            executor=executor,
            rewriter=rewriter,
            verifier=verifier,
            new_name=lambda: str(uuid4()),
            clock=system_now,
        ),
        TableFormat.DELTA: DeltaEngine(
            opener, executor, rewriter, verifier, new_name=lambda: str(uuid4()), clock=system_now
        ),
        TableFormat.PARQUET: DirectoryEngine(ParquetFormat(), opener, executor, verifier),
        TableFormat.NDJSON: DirectoryEngine(NdjsonFormat(), opener, executor, verifier),
    }
    store: SqlStore = open_store(sqlite_url)
    world = World(store, clock, tmp_path / "world", engines=engines)
    world.directory.mkdir()
    return Workshop(world, tmp_path / "tables", purge_policy=PurgePolicy())


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_an_order_is_completed_at_once_and_the_files_do_not_speak(
    lake: Workshop, shelf: Shelf, kind: Kind, tmp_path: Path
) -> None:
    path = tmp_path / "people"
    lake.register("ds", table=kind.make(shelf, path))
    order_id = lake.delete("ds", ANN)
    while lake.worker.run_once():
        pass
    assert lake.order(order_id)["status"] == "completed", _tasks(lake, order_id)
    assert kind.read(shelf, path) == [BOB, None, CY]
    for file in (each for each in path.rglob("*") if each.is_file()):
        assert ANN.encode() not in file.read_bytes(), file
    content = lake.world.call("GET", f"/workorder/{order_id}/certificate").json()["certificate"]
    assert content["datasets"][0]["rowsDeleted"] == 2


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_an_expired_table_is_gone_with_every_file(lake: Workshop, shelf: Shelf, kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "people"
    lake.register("ds", table=kind.make(shelf, path))
    expiry = lake.world.clock.now + timedelta(hours=25)
    ttl_id = lake.world.call("POST", "/ttl", {"datasetId": "ds", "expiry": expiry.isoformat()}).json()["ttlId"]
    lake.world.later(hours=26)
    while lake.worker.run_once():
        pass
    assert lake.world.call("GET", f"/ttl/{ttl_id}").json()["status"] == "completed"
    assert [each for each in path.rglob("*") if each.is_file()] == []
    content = lake.world.call("GET", f"/ttl/{ttl_id}/certificate").json()["certificate"]
    is_listed = kind.format is not TableFormat.ICEBERG  # of which the catalog alone knew where it is
    [dataset] = content["datasets"]
    assert (dataset["absence"], dataset["locationListed"], "filesLeft" in dataset) == ("verified", is_listed, is_listed)
    assert dataset["filesRemoved"] >= 1
    assert ("the table's location is listed empty" in content["checks"]) is is_listed
    if kind.format is TableFormat.ICEBERG:
        assert not shelf.catalog.table_exists("db.people")
        assert content["checks"][0].startswith("the table's catalog has no such table")


def _tasks(lake: Workshop, order_id: str) -> list[Any]:
    from uuid import UUID

    order = lake.order(order_id)
    with lake.world.store.read() as tx:
        subjects = [UUID(order_id.removeprefix("DI-")), UUID(order["bundleId"].removeprefix("BN-"))]
        return [(task.step.value, task.state.value, task.reason) for each in subjects for task in tx.tasks.of(each)]


@pytest.mark.parametrize("name", [FILES, VERSIONS])
def test_an_order_waits_for_a_table_s_own_retention_and_not_once_it_is_taken_away(
    lake: Workshop, shelf: Shelf, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "people"
    lake.register("ds", table=_make_delta(shelf, path))
    DeltaTable(path).alter.set_table_properties({name: "interval 30 days"})
    order_id = lake.delete("ds", ANN)
    while lake.worker.run_once():
        pass
    waiting = lake.order(order_id)
    assert lake.products(order_id)["Data Management"] == "waiting"
    assert [(held["step"], name in held["reason"]) for held in waiting["heldBy"]] == [("purge", True)]
    assert _people(DeltaTable(path).to_pyarrow_table()) == [BOB, None, CY]
    DeltaTable(path).alter.set_table_properties({name: "interval 0 days"})
    lake.world.later(hours=1)
    lake.work(order_id=order_id, until="completed")
    assert lake.order(order_id)["status"] == "completed"
    assert _people(DeltaTable(path).to_pyarrow_table()) == [BOB, None, CY]
