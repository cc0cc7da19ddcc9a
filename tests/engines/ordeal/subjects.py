"""The formats under the ordeal, a few lines each: how the table is made, opened with faults, read, and appended to.

Every table holds the same people: a file to rewrite, one to keep, one of which every row matches, and two more whose
rows all match together. Each is read by another reader than the engine's.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

from engines.asking import CRM, asked, order
from engines.delta import lake as delta
from engines.faults import Faults, FaultyStorage
from engines.iceberg import lake as iceberg
from engines.iceberg.deletes_by_hand import position_delete
from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.delta.deletion_vectors import hidden_rows
from lethe.engines.delta.engine import DeltaEngine
from lethe.engines.delta.log import read_snapshot
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.iceberg.engine import IcebergEngine
from lethe.engines.interface import Engine, Target
from lethe.engines.ndjson.format import NdjsonFormat
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.storage.interface import Storage
from lethe.engines.storage.local import LocalStorage
from lethe.engines.verify.verifier import ByteVerifier

ANN, DEE = "ann-annegret", "dee-deegret"
WANTED = asked(order(CRM, ANN, DEE), order(CRM, ANN, "zoe-zerlina"))
BY_ID = PrimaryIdentity(("id",), "CRM")
VERIFIER = ByteVerifier(InlineExecutor(), full=True)

FILES: dict[str, list[tuple[int, str | None]]] = {
    "a": [(0, ANN), (1, "bob"), (2, "cy"), (3, None)],
    "b": [(10, "eve"), (11, "fay")],
    "c": [(20, ANN), (21, DEE)],
    "d": [(30, ANN), (31, ANN)],
}
HIDDEN = 2
"""The row that Iceberg and Delta tables had deleted before, without rewriting its file."""
COUNTS = [(4, 1), (4, 0)]


def now() -> datetime:
    """A now at which everything that is written already is old enough."""
    return datetime.now(UTC) + timedelta(seconds=1)


def opener(faults: Faults) -> Callable[[str], Storage]:
    return lambda location: FaultyStorage(LocalStorage(location.removeprefix("file://")), faults)


class Subject(Protocol):
    """One format."""

    @property
    def name(self) -> str: ...

    @property
    def hides(self) -> bool:
        """Whether the row `HIDDEN` is deleted already."""
        ...

    @property
    def atomic(self) -> bool:
        """Whether readers see all of a forget or nothing; else file by file."""
        ...

    def make(self, home: Path) -> None:
        """The table, in a directory that is empty, and that is copied back to the same place before each trial."""
        ...

    def engine(self, home: Path, faults: Faults) -> Engine:
        """An engine of which every call to the storage, and to the catalog, goes through the faults."""
        ...

    def target(self, home: Path) -> Target: ...

    def rows(self, home: Path) -> list[int]:
        """The column n of the live rows, in order, by another reader."""
        ...

    def append(self, home: Path, number: int) -> None:
        """Another writer's commit of one row."""
        ...


def data(rows: list[tuple[int, str | None]]) -> pa.Table:
    schema = pa.schema([pa.field("n", pa.int64(), nullable=False), pa.field("id", pa.string())])
    return pa.Table.from_pylist([{"n": n, "id": who} for n, who in rows], schema=schema)


@dataclass(frozen=True)
class Directory:
    """Files in a directory."""

    name: str
    format: TableFormat
    file_format: Any
    hides: bool = False
    atomic: bool = False

    def make(self, home: Path) -> None:
        for name, rows in FILES.items():
            directory = home / "t" / f"part={'2' if name == 'd' else '1'}"
            directory.mkdir(parents=True, exist_ok=True)
            self._write(directory / name, rows)
        (home / "t" / "_metadata").write_bytes(f"stale: {ANN}".encode())
        (home / "t" / ".hidden").write_bytes(ANN.encode())
        (home / "t" / "part=1" / f".a{self._ending}.crc").write_bytes(b"crc\0")

    @property
    def _ending(self) -> str:
        return ".parquet" if self.format is TableFormat.PARQUET else ".json"

    def _write(self, path: Path, rows: list[tuple[int, str | None]]) -> None:
        if self.format is TableFormat.PARQUET:
            pq.write_table(data(rows), path.with_suffix(".parquet"), compression="zstd")
        else:
            path.with_suffix(".json").write_text("".join(json.dumps({"n": n, "id": who}) + "\n" for n, who in rows))

    def engine(self, home: Path, faults: Faults) -> Engine:
        return DirectoryEngine(self.file_format, opener(faults), InlineExecutor(), VERIFIER)

    def target(self, home: Path) -> Target:
        return Target(DatasetId("ds"), TableReference(self.format, str(home / "t")), BY_ID)

    def rows(self, home: Path) -> list[int]:
        found: list[int] = []
        for path in sorted((home / "t").rglob(f"part=*/*{self._ending}")):
            if self.format is TableFormat.PARQUET:
                found += pq.ParquetFile(path).read(["n"])["n"].to_pylist()
            else:
                found += [json.loads(line)["n"] for line in path.read_text().splitlines()]
        return sorted(found)

    def append(self, home: Path, number: int) -> None:
        self._write(home / "t" / "part=1" / f"z{number}", [(number, "zeno")])


@dataclass(frozen=True)
class Delta:
    """A Delta table with a deletion vector."""

    name: str = "delta"
    hides: bool = True
    atomic: bool = True

    def make(self, home: Path) -> None:
        for rows in FILES.values():
            delta.write(home / "t", data(rows))
        first = delta.adds(home / "t")[0]
        _, *upgrade = delta.protocol("deletionVectors"), delta.metadata(home / "t", delta__enableDeletionVectors="true")
        remove = {key: first[key] for key in ("path", "partitionValues", "size")}
        vector = delta.stored_vector(home / "t", HIDDEN)
        lines = [
            delta.protocol("deletionVectors"),
            *upgrade,
            {"remove": remove | {"deletionTimestamp": 1, "dataChange": True, "extendedFileMetadata": True}},
            {"add": {**first, "deletionVector": vector}},
        ]
        delta.commit(home / "t", 4, *lines)

    def engine(self, home: Path, faults: Faults) -> Engine:
        return DeltaEngine(
            opener(faults), InlineExecutor(), best_rewriter(), VERIFIER, new_name=lambda: str(uuid4()), clock=now
        )

    def target(self, home: Path) -> Target:
        return Target(DatasetId("ds"), TableReference(TableFormat.DELTA, str(home / "t")), BY_ID)

    def rows(self, home: Path) -> list[int]:
        """deltalake says which files are live; a session of DataFusion for each trial takes too long."""
        table, storage = DeltaTable(str(home / "t")), LocalStorage(str(home / "t"))
        hidden = {
            add.file_path: set(hidden_rows(storage, add.deletion_vector).tolist())
            for add in read_snapshot(storage).files.values()
        }
        names = [Path(uri.removeprefix("file://")).name for uri in table.file_uris()]
        assert sorted(names) == sorted(hidden)
        found: list[int] = []
        for name in names:
            numbers = pq.ParquetFile(home / "t" / name).read(["n"])["n"].to_pylist()
            found += [n for position, n in enumerate(numbers) if position not in hidden[name]]
        return sorted(found)

    def append(self, home: Path, number: int) -> None:
        write_deltalake(str(home / "t"), data([(number, "zeno")]), mode="append")


class FaultyCatalog(iceberg.QuietCatalog):
    """A catalog whose calls can fail, be the last, or hang."""

    faults: Faults

    def load_table(self, identifier: Any) -> Any:
        with self.faults.call("load_table"):
            return super().load_table(identifier)

    def commit_table(self, table: Any, requirements: Any, updates: Any) -> Any:
        with self.faults.call("commit_table"):
            return super().commit_table(table, requirements, updates)


@dataclass(frozen=True)
class Iceberg:
    """An Iceberg table with a position delete, in a SQLite catalog."""

    name: str = "iceberg"
    hides: bool = True
    atomic: bool = True

    def make(self, home: Path) -> None:
        made = iceberg.lake(home, *(data(rows) for rows in FILES.values()), schema=data([]).schema)
        [first] = [path for path in made.data_files() if pq.read_metadata(path.removeprefix("file://")).num_rows == 4]
        position_delete(made, [(first, HIDDEN)])

    def engine(self, home: Path, faults: Faults) -> Engine:
        catalog = FaultyCatalog("lake", uri=f"sqlite:///{home}/catalog.db", warehouse=f"file://{home}/warehouse")
        catalog.faults = faults
        return IcebergEngine(
            {"lake": catalog},
            open_storage=opener(faults),
            executor=InlineExecutor(),
            rewriter=best_rewriter(),
            verifier=VERIFIER,
            new_name=lambda: str(uuid4()),
            clock=now,
        )

    def target(self, home: Path) -> Target:
        reference = TableReference(TableFormat.ICEBERG, None, "lake", iceberg.IDENTIFIER)
        return Target(DatasetId("ds"), reference, BY_ID)

    def rows(self, home: Path) -> list[int]:
        table = iceberg.catalog_in(home).load_table(iceberg.IDENTIFIER)
        return sorted(table.scan(selected_fields=("n",)).to_arrow()["n"].to_pylist())

    def append(self, home: Path, number: int) -> None:
        iceberg.catalog_in(home).load_table(iceberg.IDENTIFIER).append(data([(number, "zeno")]))


SUBJECTS: dict[str, Subject] = {
    subject.name: subject
    for subject in (
        Directory("parquet", TableFormat.PARQUET, ParquetFormat()),
        Directory("ndjson", TableFormat.NDJSON, NdjsonFormat()),
        Delta(),
        Iceberg(),
    )
}
