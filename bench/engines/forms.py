"""One table in three forms: a plain directory, an Iceberg table, a Delta table, all over the same files.

Every contender starts from a copy in which data files are hard links, for no contender changes a file in place.
Iceberg's metadata names absolute paths, so a copy lies where the table was made.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.engines import tables

FORMS = ("plain", "iceberg", "delta")
IDENTIFIER = "db.events"


class Shelf:
    """The tables of one size and layout, made when they are first asked for, and the place where each is used."""

    def __init__(self, directory: Path, rows: int, layout: str) -> None:
        self._directory = directory / f"{rows}-{layout}"
        self._rows = rows
        self._layout = layout
        self.table = directory / "table"

    @property
    def plain(self) -> Path:
        """The table as a plain directory, untouched."""
        return self._made("plain")

    def lay_out(self, form: str) -> Path:
        """A fresh copy, at the place where contenders work."""
        source = self._made(form)
        shutil.rmtree(self.table, ignore_errors=True)
        _link(source, self.table)
        return self.table

    def clear(self) -> None:
        """Remove the tables of this size and layout."""
        shutil.rmtree(self.table, ignore_errors=True)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _made(self, form: str) -> Path:
        kept = self._directory / form
        if kept.exists():
            return kept
        self._directory.mkdir(parents=True, exist_ok=True)
        if form == "plain":
            new = self._directory / "new"
            shutil.rmtree(new, ignore_errors=True)
            tables.write(new, self._rows, self._layout)
        else:
            new = self.table
            plain = self.plain
            shutil.rmtree(new, ignore_errors=True)
            (_iceberg if form == "iceberg" else _delta)(plain, new)
        return Path(new.rename(kept))


def _link(source: Path, copy: Path) -> None:
    def linked(one: str, other: str) -> None:
        if one.endswith(".parquet"):
            Path(other).hardlink_to(one)
        else:
            shutil.copy2(one, other)

    shutil.copytree(source, copy, copy_function=linked)


def open_iceberg(root: Path) -> Any:
    """The `pyiceberg.table.Table`."""
    from pyiceberg.catalog.sql import SqlCatalog

    return SqlCatalog("bench", uri=f"sqlite:///{root}/catalog.db").load_table(IDENTIFIER)


def location(root: Path, form: str) -> Path:
    """Where the table's own files begin."""
    return root / "events" if form == "iceberg" else root


def live_files(root: Path, form: str) -> Sequence[str]:
    """Absolute paths of the data files that readers see."""
    if form == "iceberg":
        return [task.file.file_path.removeprefix("file://") for task in open_iceberg(root).scan().plan_files()]
    if form == "delta":
        from deltalake import DeltaTable

        return [str(uri).removeprefix("file://") for uri in DeltaTable(str(root)).file_uris()]
    return [str(path) for path in sorted(root.rglob("*.parquet"))]


def _iceberg(plain: Path, root: Path) -> None:
    """The plain files as they are, in one snapshot; pyiceberg's `add_files` takes none that bear field ids."""
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.io.pyarrow import pyarrow_to_schema

    root.mkdir()
    catalog = SqlCatalog("bench", uri=f"sqlite:///{root}/catalog.db")
    catalog.create_namespace("db")
    files = sorted(plain.glob("*.parquet"))
    schema = pq.read_schema(files[0])
    table = catalog.create_table(IDENTIFIER, schema, location=f"file://{root}/events")
    written = pyarrow_to_schema(schema).as_struct()
    assert written == table.schema().as_struct(), "Iceberg numbers the fields in another way"
    (root / "events/data").mkdir(parents=True)
    with table.transaction() as transaction, transaction.update_snapshot().fast_append() as append:
        for path in files:
            copy = root / "events/data" / path.name
            copy.hardlink_to(path)
            append.append_data_file(_data_file(table, copy))


def _data_file(table: Any, path: Path) -> Any:
    from pyiceberg.io.pyarrow import (
        compute_statistics_plan,
        data_file_statistics_from_parquet_metadata,
        parquet_path_to_id_mapping,
    )
    from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
    from pyiceberg.typedef import Record

    footer, schema = pq.read_metadata(path), table.schema()
    statistics = data_file_statistics_from_parquet_metadata(
        footer, compute_statistics_plan(schema, table.properties), parquet_path_to_id_mapping(schema)
    )
    file = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=f"file://{path}",
        file_format=FileFormat.PARQUET,
        partition=Record(),
        file_size_in_bytes=path.stat().st_size,
        **statistics.to_serialized_dict(),
    )
    file.spec_id = 0
    return file


def _delta(plain: Path, root: Path) -> None:
    """The plain files as they are, in one commit, with counts and bounds of the columns that everybody asks for."""
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction

    root.mkdir()
    files = sorted(plain.glob("*.parquet"))
    schema = pq.read_schema(files[0])
    bare = pa.schema([pa.field(field.name, _bare(field.type)) for field in schema])
    table = DeltaTable.create(str(root), bare)
    adds = []
    for path in files:
        (root / path.name).hardlink_to(path)
        stat = path.stat()
        adds.append(AddAction(path.name, stat.st_size, {}, stat.st_mtime_ns // 1_000_000, True, _bounds(path)))
    table.create_write_transaction(adds, "append", bare)


def _bare(kind: Any) -> Any:
    """Without the metadata of nested fields, which Delta would keep as its own."""
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(kind.field(i).name, _bare(kind.field(i).type)) for i in range(kind.num_fields)])
    if pa.types.is_map(kind):
        return pa.map_(_bare(kind.key_type), _bare(kind.item_type))
    if pa.types.is_list(kind):
        return pa.list_(_bare(kind.value_type))
    return kind


def _bounds(path: Path) -> str:
    footer = pq.read_metadata(path)
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    for column in range(footer.num_columns):
        chunks = [footer.row_group(group).column(column) for group in range(footer.num_row_groups)]
        name = chunks[0].path_in_schema
        if name in {"event_id", "email", "ecid", "quantity"}:
            low[name] = min(chunk.statistics.min for chunk in chunks)
            high[name] = max(chunk.statistics.max for chunk in chunks)
    nulls = dict.fromkeys(low, 0)
    return json.dumps({"numRecords": footer.num_rows, "minValues": low, "maxValues": high, "nullCount": nulls})
