"""Iceberg under the common suite."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.expressions import In
from pyiceberg.io.pyarrow import _dataframe_to_data_files

from engines.iceberg.lake import IDENTIFIER, Lake, catalog_in
from engines.plug import BY_ID, Hook, Plug, Table, by_seq
from engines.watched import Watched
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.interface import Engine, Selector, Target
from lethe.engines.storage.opening import storage_opener


class Iceberg(Table):
    """Written by pyiceberg, in a SQLite catalog."""

    format = TableFormat.ICEBERG

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake.engine, lake.table.location())
        self._lake = lake

    def target(self, selector: Selector = BY_ID) -> Target:
        reference = TableReference(self.format, self.location, "lake", IDENTIFIER)
        return Target(DatasetId("ds"), reference, selector)

    def append(self, *files: pa.Table) -> None:
        table = self._lake.table
        with table.update_schema() as update:
            update.union_by_name(files[0].schema)
        table = self._lake.table
        with table.transaction() as change, change.update_snapshot().fast_append() as added:
            for data in files:
                for file in _dataframe_to_data_files(table.metadata, data, table.io):
                    added.append_data_file(file)

    def rows(self) -> list[dict[str, Any]]:
        return by_seq(self._lake.table.scan().to_arrow().to_pylist())

    def schema(self) -> set[str]:
        found = [pq.read_metadata(path.removeprefix("file://")) for path in self._lake.data_files()]
        return {str(m.schema).split("\n", 1)[1] + str(m.metadata) for m in found}

    def delete(self, *ids: str) -> None:
        self._lake.table.delete(In("id", ids))

    def compact(self) -> None:
        self._lake.table.overwrite(self._lake.table.scan().to_arrow())

    def drop_column(self, name: str) -> None:
        with self._lake.table.update_schema() as update:
            update.delete_column(name)

    def rename_column(self, old: str, new: str) -> None:
        with self._lake.table.update_schema() as update:
            update.rename_column(old, new)

    def watched(self, before: Hook) -> Engine:
        opener = storage_opener()
        watched = Lake(self._lake.directory, self._lake.catalog)
        watched.opener = lambda location: Watched(opener(location), before)  # type: ignore[return-value]
        return watched.engine

    def is_commit(self, call: str, path: str) -> bool:
        """The first manifest."""
        return call == "put" and path.endswith(".avro")


def _plug(name: str, version: str) -> Plug:
    def make(directory: Path, files: Sequence[pa.Table], schema: pa.Schema, partition_by: Sequence[str], /) -> Table:
        catalog = catalog_in(directory, "tabelle ü%20")
        made = catalog.create_table(IDENTIFIER, schema, properties={"format-version": version})
        with made.update_spec() as update:
            for column in partition_by:
                update.add_identity(column)
        table = Iceberg(Lake(directory, catalog))
        for data in files:
            table.append(data)
        return table

    return Plug(name, make)


ICEBERG = [_plug("iceberg v2", "2"), _plug("iceberg v1", "1")]
