"""The engines under the suite, a few lines each: how a table is made, read and appended to.

A new engine adds a `Plug` to `PLUGS`; a plug says what its format cannot hold.
"""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from obstore.store import MemoryStore

from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.delta.engine import DeltaEngine
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.executors.pool import PoolExecutor
from lethe.engines.interface import Engine, Evidence, Forgotten, Marker, PurgePolicy, Selector, Target, Wanted
from lethe.engines.memory import MemoryEngine, MemoryTable
from lethe.engines.ndjson.format import NdjsonFormat
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.storage.local import LocalStorage
from lethe.engines.storage.objects import ObjectStorage
from lethe.engines.storage.opening import storage_opener
from lethe.engines.verify.verifier import ByteVerifier

LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""A now at which every grace has passed."""

BY_ID = PrimaryIdentity(("id",), "CRM")


@dataclass
class Table:
    """One table under test."""

    engine: Engine
    location: str
    append: Callable[[pa.Table], None]
    rows: Callable[[], list[dict[str, Any]]]
    """Live rows, as plain Python values, read by another reader than the engine's."""
    schema: Callable[[], Any] = lambda: None
    """The physical schema of the live table, to be compared before and after."""
    format: TableFormat = TableFormat.PARQUET

    def target(self, selector: Selector = BY_ID) -> Target:
        return Target(DatasetId("ds"), TableReference(self.format, location=self.location), selector)

    def erase(
        self, wanted: Wanted, selector: Selector = BY_ID, marker: str = "bundle-1/forget"
    ) -> tuple[Forgotten, Evidence]:
        """The whole way of an order."""
        target = self.target(selector)
        finding = self.engine.find(target, wanted)
        outcome = self.engine.forget(target, wanted, finding.plan, Marker(marker))
        assert isinstance(outcome, Forgotten), outcome
        report = self.engine.purge(target, PurgePolicy(), LATER)
        assert report.clean, report
        return outcome, self.engine.verify(target, wanted)


@dataclass(frozen=True)
class Plug:
    """An engine in the suite."""

    name: str
    make: Callable[[Path, Sequence[pa.Table], pa.Schema], Table]
    """A table of these files, in a directory of its own."""
    lacks: frozenset[str] = field(default_factory=frozenset)
    """What the format cannot hold: `partitions`, `schema`, `binary`, `empty`, `columns evolve`."""

    def __str__(self) -> str:
        return self.name


def _parquet_local(directory: Path, files: Sequence[pa.Table], schema: pa.Schema, executor: Any = None) -> Table:
    root = directory / "tabelle ü%20#" / "t"
    root.mkdir(parents=True)
    numbers = count()

    def append(table: pa.Table) -> None:
        pq.write_table(table, root / f"part {next(numbers):04}.parquet", row_group_size=5, compression="zstd")

    for table in files or [schema.empty_table()]:
        append(table)
    engine = DirectoryEngine(ParquetFormat(), LocalStorage, executor or InlineExecutor(), VERIFIER)
    return Table(
        engine, str(root), append, lambda: _sorted(ds.dataset(root).to_table().to_pylist()), lambda: _schemas(root)
    )


VERIFIER = ByteVerifier(InlineExecutor(), full=True)


def _schemas(root: Path) -> set[str]:
    found = {pq.read_metadata(path) for path in root.rglob("*.parquet")}
    return {str(m.schema).split("\n", 1)[1] + str(m.metadata) for m in found}


def _parquet_objects(directory: Path, files: Sequence[pa.Table], schema: pa.Schema) -> Table:
    storage = ObjectStorage("memory://t", MemoryStore())
    numbers = count()

    def append(table: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, row_group_size=5)
        storage.put(f"a b/ü%2F/part-{next(numbers):04}.parquet", sink.getvalue().to_pybytes())

    def rows() -> list[dict[str, Any]]:
        live = [stat.path for stat in storage.list() if not stat.path.startswith("_")]
        return _sorted([row for p in live for row in pq.read_table(pa.BufferReader(storage.read(p))).to_pylist()])

    for table in files or [schema.empty_table()]:
        append(table)
    return Table(
        DirectoryEngine(ParquetFormat(), lambda _: storage, InlineExecutor(), VERIFIER), "memory://t", append, rows
    )


def _ndjson(directory: Path, files: Sequence[pa.Table], schema: pa.Schema, *, gz: bool) -> Table:
    root = directory / "t"
    root.mkdir()
    numbers = count()
    opened = gzip.open if gz else open

    def append(table: pa.Table) -> None:
        with opened(root / f"part-{next(numbers):04}.json{'.gz' * gz}", "wb") as sink:
            sink.writelines(
                json.dumps(_json(row), ensure_ascii=n % 2 == 0).encode() + b"\n"
                for n, row in enumerate(table.to_pylist())
            )

    def rows() -> list[dict[str, Any]]:
        found = []
        for path in sorted(root.glob("part-*")):
            with opened(path, "rb") as source:
                found += [json.loads(line) for line in source]
        return _sorted(found)

    for table in files:
        append(table)
    if not files:
        (root / "part-empty.json").touch()
    engine = DirectoryEngine(NdjsonFormat(), LocalStorage, InlineExecutor(), VERIFIER)
    return Table(engine, str(root), append, rows, format=TableFormat.NDJSON)


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return {key: _json(inner) for key, inner in value}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _memory(directory: Path, files: Sequence[pa.Table], schema: pa.Schema) -> Table:
    table = MemoryTable({f"f{number}": data for number, data in enumerate(files or [schema.empty_table()])})

    def append(data: pa.Table) -> None:
        table.files[f"f{len(table.files)}x"] = data
        table.version += 1

    return Table(
        MemoryEngine({"memory": table}),
        "memory",
        append,
        lambda: _sorted([row for data in table.files.values() for row in data.to_pylist()]),
    )


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["seq"])


def _delta(directory: Path, files: Sequence[pa.Table], schema: pa.Schema, *, checkpoints: bool = False) -> Table:
    root = directory / "tabelle ü" / "t"

    def append(table: pa.Table) -> None:
        write_deltalake(str(root), table, mode="append", schema_mode="merge")
        if checkpoints:
            DeltaTable(str(root)).create_checkpoint()

    def rows() -> list[dict[str, Any]]:
        return _sorted(DeltaTable(str(root)).to_pyarrow_table().to_pylist())

    def schemas() -> set[str]:
        found = {pq.read_metadata(root / uri.rpartition("/")[2]) for uri in DeltaTable(str(root)).file_uris()}
        return {str(m.schema).split("\n", 2)[2] + str(m.metadata) for m in found}

    for table in files or [schema.empty_table()]:
        append(table)
    engine = DeltaEngine(
        storage_opener(),
        InlineExecutor(),
        best_rewriter(),
        VERIFIER,
        new_name=lambda: str(uuid4()),
        clock=lambda: LATER,
    )
    return Table(engine, str(root), append, rows, schemas, TableFormat.DELTA)


PLUGS = [
    Plug("parquet", _parquet_local),
    Plug("parquet in a pool", lambda d, f, s: _parquet_local(d, f, s, PoolExecutor(2, 1 << 30))),
    Plug("parquet objects", _parquet_objects),
    Plug("ndjson", lambda d, f, s: _ndjson(d, f, s, gz=False), frozenset({"binary", "maps"})),
    Plug("ndjson gz", lambda d, f, s: _ndjson(d, f, s, gz=True), frozenset({"binary", "maps"})),
    Plug("delta", _delta),
    Plug("delta with checkpoints", lambda d, f, s: _delta(d, f, s, checkpoints=True)),
    Plug("memory", _memory),
]

from engines.iceberg.plug import ICEBERG  # noqa: E402 - it needs what stands above

PLUGS += ICEBERG
