"""Iceberg under the shared suite."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engines.iceberg.lake import IDENTIFIER, Lake, catalog_in
from engines.plugs import BY_ID, Plug, Table
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.interface import Selector, Target


class _IcebergTable(Table):
    def target(self, selector: Selector = BY_ID) -> Target:
        reference = TableReference(self.format, self.location, "lake", IDENTIFIER)
        return Target(DatasetId("ds"), reference, selector)


def _make(directory: Path, files: Sequence[pa.Table], schema: pa.Schema, version: str) -> Table:
    catalog = catalog_in(directory, "tabelle ü%20")
    first = catalog.create_table(IDENTIFIER, schema, properties={"format-version": version})
    made = Lake(directory, catalog)

    def append(data: pa.Table) -> None:
        table = made.table
        with table.update_schema() as update:
            update.union_by_name(data.schema)
        made.table.append(data)

    def rows() -> list[dict[str, Any]]:
        return sorted(made.table.scan().to_arrow().to_pylist(), key=lambda row: row["seq"])

    def physical() -> set[str]:
        found = [pq.read_metadata(path.removeprefix("file://")) for path in made.data_files()]
        return {str(m.schema).split("\n", 1)[1] + str(m.metadata) for m in found}

    for data in files:
        append(data)
    return _IcebergTable(made.engine, first.location(), append, rows, physical, TableFormat.ICEBERG)


ICEBERG = [
    Plug("iceberg v2", lambda d, f, s: _make(d, f, s, "2")),
    Plug("iceberg v1", lambda d, f, s: _make(d, f, s, "1")),
]
