"""Delta under the common suite: plain, with checkpoints, and with columns that are mapped by name."""

import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

from engines.delta.lake import commit, metadata, read
from engines.plug import LATER, VERIFIER, Hook, Plug, Table, Trait, by_seq
from engines.watched import Watched
from lethe.domain.dataset import TableFormat
from lethe.engines.delta.engine import DeltaEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import Engine
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.storage.opening import StorageOpener, storage_opener

_numbers = count()


def _engine(open_storage: StorageOpener) -> DeltaEngine:
    return DeltaEngine(
        open_storage,
        InlineExecutor(),
        best_rewriter(),
        VERIFIER,
        new_name=lambda: str(uuid4()),
        clock=lambda: LATER,
    )


class Delta(Table):
    """Written by deltalake."""

    format = TableFormat.DELTA

    def __init__(self, root: Path, partition_by: Sequence[str], *, checkpoints: bool, mapped: bool) -> None:
        super().__init__(_engine(storage_opener()), str(root))
        self._root = root
        self._partition_by = list(partition_by)
        self._checkpoints = checkpoints
        self._mapped = mapped

    def append(self, *files: pa.Table) -> None:
        nested = any(pa.types.is_nested(field.type) for field in files[0].schema)
        if len(files) > 1 and not (self._mapped and nested):
            commit(self._root, DeltaTable(self.location).version() + 1, *(self._added(data) for data in files))
        elif self._mapped:
            for data in files:
                self._append_mapped(data)
        else:
            write_deltalake(
                self.location, files[0], mode="append", schema_mode="merge", partition_by=self._partition_by
            )
        if self._checkpoints:
            DeltaTable(self.location).create_checkpoint()

    def rows(self) -> list[dict[str, Any]]:
        found = read(self._root) if self._mapped else DeltaTable(self.location).to_pyarrow_table().to_pylist()
        return by_seq(found)

    def schema(self) -> set[str]:
        found = [pq.read_metadata(path) for path in self._live()]
        return {str(m.schema).split("\n", 2)[2] + str(m.metadata) for m in found}

    def delete(self, *ids: str) -> None:
        DeltaTable(self.location).delete(" or ".join(f"id = '{one}'" for one in ids))

    def compact(self) -> None:
        if self._mapped:  # deltalake's own refuses such tables
            found = pa.Table.from_pylist(self.rows(), schema=self._fields())
            write_deltalake(self.location, found, mode="overwrite")
        else:
            DeltaTable(self.location).optimize.compact()

    def drop_column(self, name: str) -> None:
        self._change_fields(lambda fields: [field for field in fields if field["name"] != name])

    def rename_column(self, old: str, new: str) -> None:
        self._change_fields(lambda fields: [f | {"name": new} if f["name"] == old else f for f in fields])

    def watched(self, before: Hook) -> Engine:
        opener = storage_opener()
        return _engine(lambda location: Watched(opener(location), before))  # type: ignore[return-value]

    def is_commit(self, call: str, path: str) -> bool:
        return call == "put" and path.startswith("_delta_log/")

    def _fields(self) -> pa.Schema:
        return pa.schema(DeltaTable(self.location).schema().to_arrow())

    def _live(self) -> list[Path]:
        live = {Path(uri).name for uri in DeltaTable(self.location).file_uris()}
        return [path for path in self._root.rglob("*.parquet") if path.name in live]

    def _change_fields(self, change: Any) -> None:
        """As `ALTER TABLE` does, which deltalake does not know: the metadata change, and no file."""
        line = metadata(self._root)
        schema = json.loads(line["metaData"]["schemaString"])
        line["metaData"]["schemaString"] = json.dumps(schema | {"fields": change(schema["fields"])})
        commit(self._root, DeltaTable(self.location).version() + 1, line)

    def _append_mapped(self, data: pa.Table) -> None:
        """deltalake writes mapped columns, but evolves no schema that has some."""
        if DeltaTable.is_deltatable(self.location):
            for name in set(data.column_names) - set(self._fields().names):
                self._add_column(name)
            known, fields = set(data.column_names), self._fields()
            columns = [data[f.name] if f.name in known else pa.nulls(len(data), f.type) for f in fields]
            data = pa.table(columns, names=fields.names)
        options = {"partition_by": self._partition_by, "configuration": {"delta.columnMapping.mode": "name"}}
        write_deltalake(self.location, data, mode="append", **options)  # type: ignore[arg-type]

    def _add_column(self, name: str) -> None:
        mapping = {
            "delta.columnMapping.id": 1_000 + next(_numbers),
            "delta.columnMapping.physicalName": f"col-{uuid4()}",
        }
        field = {"name": name, "type": "string", "nullable": True, "metadata": mapping}
        self._change_fields(lambda fields: [*fields, field])

    def _added(self, data: pa.Table) -> dict[str, Any]:
        """A file, written by hand, as an action."""
        path = self._root / f"part-{uuid4()}.parquet"
        names = {field.name: _physical(field) for field in self._fields()}
        pq.write_table(data.rename_columns([names[name] for name in data.column_names]), path)
        facts = {"size": path.stat().st_size, "modificationTime": 1, "dataChange": True}
        return {"add": {"path": path.name, "partitionValues": {}, "stats": f'{{"numRecords":{len(data)}}}'} | facts}


def _physical(field: pa.Field) -> str:
    found = (field.metadata or {}).get(b"delta.columnMapping.physicalName")
    return field.name if found is None else found.decode()


def _plug(name: str, *, checkpoints: bool = False, mapped: bool = False) -> Plug:
    def make(directory: Path, files: Sequence[pa.Table], schema: pa.Schema, partition_by: Sequence[str], /) -> Table:
        # deltalake itself does not find what is below a directory with a percent sign
        root = directory / "tabelle ü # '\"=&+" / "t"
        table = Delta(root, partition_by, checkpoints=checkpoints, mapped=mapped)
        for data in files or [schema.empty_table()]:
            table.append(data)
        return table

    lacks = {Trait.UUIDS: "Delta has no such type"}
    if not mapped:
        lacks |= dict.fromkeys((Trait.DROPS, Trait.RENAMES), "a column that is not mapped is found by its name")
    return Plug(name, make, lacks)


DELTA = [
    _plug("delta"),
    _plug("delta with checkpoints", checkpoints=True),
    _plug("delta by mapped names", mapped=True),
]
