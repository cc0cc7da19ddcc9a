"""Directories of files under the common suite: Parquet and lines of JSON, on a disk and in an object store."""

import gzip
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq
from obstore.store import MemoryStore

from engines.plug import VERIFIER, Hook, Plug, Table, Trait, by_seq
from engines.watched import Watched
from lethe.domain.dataset import TableFormat
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.executors.pool import PoolExecutor
from lethe.engines.interface import Engine
from lethe.engines.ndjson.format import NdjsonFormat
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.storage.interface import Storage
from lethe.engines.storage.local import LocalStorage
from lethe.engines.storage.objects import ObjectStorage

NULL = "__HIVE_DEFAULT_PARTITION__"
Rows = list[dict[str, Any]]
Lacks = Mapping[Trait, str] | None


class Writing(ABC):
    """How another writer writes and reads one file."""

    format: TableFormat
    engine_format: Any
    ending: str

    @abstractmethod
    def encoded(self, data: pa.Table) -> bytes: ...

    @abstractmethod
    def decoded(self, data: bytes) -> Rows: ...

    def form(self, data: bytes) -> Any:
        """The physical schema."""
        return None


class ParquetFiles(Writing):
    """Small row groups."""

    format = TableFormat.PARQUET
    engine_format = ParquetFormat()
    ending = ".parquet"

    def encoded(self, data: pa.Table) -> bytes:
        sink = io.BytesIO()
        pq.write_table(data, sink, row_group_size=5, compression="zstd")
        return sink.getvalue()

    def decoded(self, data: bytes) -> Rows:
        return pq.ParquetFile(io.BytesIO(data)).read().to_pylist()

    def form(self, data: bytes) -> Any:
        found = pq.read_metadata(io.BytesIO(data))
        return str(found.schema).split("\n", 1)[1] + str(found.metadata)


class Lines(Writing):
    """Every other line escapes what is not ASCII."""

    format = TableFormat.NDJSON
    engine_format = NdjsonFormat()
    ending = ".json"

    def encoded(self, data: pa.Table) -> bytes:
        lines = (json.dumps(_json(row), ensure_ascii=n % 2 == 0) + "\n" for n, row in enumerate(data.to_pylist()))
        return "".join(lines).encode()

    def decoded(self, data: bytes) -> Rows:
        return [json.loads(line) for line in data.splitlines()]


class GzippedLines(Lines):
    """The same, gzipped."""

    ending = ".json.gz"

    def encoded(self, data: pa.Table) -> bytes:
        return gzip.compress(super().encoded(data))

    def decoded(self, data: bytes) -> Rows:
        return super().decoded(gzip.decompress(data))


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return {key: _json(inner) for key, inner in value}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


class DirectoryTable(Table):
    """Files in a storage; the value of a partition's column is in the path alone."""

    def __init__(
        self, storage: Storage, writing: Writing, schema: pa.Schema, partition_by: Sequence[str], executor: Any
    ) -> None:
        super().__init__(
            DirectoryEngine(writing.engine_format, lambda _: storage, executor or InlineExecutor(), VERIFIER),
            storage.url,
        )
        self.format = writing.format
        self._storage = storage
        self._writing = writing
        self._schema = schema
        self._partition_by = partition_by
        self._numbers = count()

    def append(self, *files: pa.Table) -> None:
        for data in files:
            for directory, part in self._parts(data):
                self._write(directory, part)

    def rows(self) -> Rows:
        return by_seq([row for path in self._live() for row in self._rows_of(path)])

    def schema(self) -> Any:
        return {self._writing.form(self._storage.read(path)) for path in self._live()}

    def delete(self, *ids: str) -> None:
        """In bytes of its own: who wrote a file that is like Lethe's byte for byte, a directory does not tell."""
        schema = self._schema.with_metadata({"writer": "another"})
        for path in self._live():
            rows = self._rows_of(path)
            left = [row for row in rows if row.get("id") not in ids]
            if not left:
                self._storage.remove(path)
            elif left != rows:
                self._storage.put(path, self._writing.encoded(pa.Table.from_pylist(left, schema=schema)))

    def compact(self) -> None:
        old = self._live()
        self._write("", pa.Table.from_pylist(self.rows(), schema=self._schema))
        for path in old:
            self._storage.remove(path)

    def watched(self, before: Hook) -> Engine:
        storage: Any = Watched(self._storage, before)
        return DirectoryEngine(self._writing.engine_format, lambda _: storage, InlineExecutor(), VERIFIER)

    def is_commit(self, call: str, path: str) -> bool:
        return call == "put" and "/round-" in path

    def _live(self) -> list[str]:
        paths = (stat.path for stat in self._storage.list() if stat.path.endswith(self._writing.ending))
        return [path for path in paths if not path.startswith("_")]

    def _rows_of(self, path: str) -> Rows:
        pairs = (part.partition("=") for part in path.split("/")[:-1] if "=" in part)
        values = {unquote(name): None if value == NULL else unquote(value) for name, _, value in pairs}
        return [row | values for row in self._writing.decoded(self._storage.read(path))]

    def _write(self, directory: str, data: pa.Table) -> None:
        name = f"{directory}teil {next(self._numbers):04} ü%2F{self._writing.ending}"
        self._storage.put(name, self._writing.encoded(data))

    def _parts(self, data: pa.Table) -> list[tuple[str, pa.Table]]:
        if not self._partition_by:
            return [("", data)]
        numbers: dict[str, list[int]] = {}
        for number, row in enumerate(data.select(self._partition_by).to_pylist()):
            numbers.setdefault("".join(f"{_directory(*pair)}/" for pair in row.items()), []).append(number)
        rest = data.drop_columns(list(self._partition_by))
        return [(directory, rest.take(pa.array(of))) for directory, of in numbers.items()]


def _directory(name: str, value: Any) -> str:
    return f"{quote(name, safe='')}={NULL if value is None else quote(str(value), safe='')}"


def _plug(name: str, writing: Writing, *, objects: bool = False, pool: bool = False, lacks: Lacks = None) -> Plug:
    def make(directory: Path, files: Sequence[pa.Table], schema: pa.Schema, partition_by: Sequence[str], /) -> Table:
        root = directory / "tabelle ü%20# '\"=&+" / "t"
        storage: Storage = ObjectStorage("memory://t", MemoryStore()) if objects else LocalStorage(str(root))
        executor = PoolExecutor(2, 1 << 30) if pool else None
        table = DirectoryTable(storage, writing, schema, partition_by, executor)
        table.append(*(files or [schema.empty_table()]))
        return table

    return Plug(name, make, WITHOUT_A_SCHEMA | (lacks or {}), same_as="parquet" if pool else "")


WITHOUT_A_SCHEMA = {
    Trait.DROPS: "a directory has no schema beside those of its files",
    Trait.RENAMES: "a directory has no schema beside those of its files",
}
JSON_TYPES = {Trait.BYTES: "JSON knows texts and numbers alone", Trait.UUIDS: "a uuid is a text"}

DIRECTORIES = [
    _plug("parquet", ParquetFiles()),
    _plug("parquet in a pool", ParquetFiles(), pool=True),
    _plug("parquet objects", ParquetFiles(), objects=True),
    _plug("ndjson", Lines(), lacks=JSON_TYPES),
    _plug("ndjson gz", GzippedLines(), lacks=JSON_TYPES),
]
