"""Reading delete files: which rows of a data file are hidden already."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile, FileFormat, ManifestEntry
from pyiceberg.schema import Schema
from pyiceberg.table.deletion_vector import deletion_vectors_from_puffin_file
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.puffin import PuffinFile
from pyiceberg.types import NestedField

from lethe.engines.columns import at_path, plain
from lethe.engines.iceberg.fields import FieldPaths, field_type
from lethe.engines.iceberg.judge import EqualityDelete, Hidden
from lethe.engines.iceberg.live_files import PATH_FIELD_ID, POSITION_FIELD_ID, LiveFile
from lethe.engines.iceberg.places import Places
from lethe.engines.interface import TableRefused
from lethe.engines.rewrite.source import leaves_of, open_parquet


class DeleteReader:
    """Reads the delete files of one snapshot, each once."""

    def __init__(self, metadata: TableMetadata, paths: FieldPaths, places: Places) -> None:
        self._metadata = metadata
        self._paths = paths
        self._places = places
        self._positions: dict[str, Mapping[str, Any]] = {}
        self._equalities: dict[str, EqualityDelete] = {}

    def hidden(self, file: LiveFile) -> Hidden:
        """The rows of a data file that its deletes hide. Raises TableRefused, StorageFailed."""
        named = [self.positions(e.data_file).get(file.path) for e in file.position_deletes]
        arrays = [positions for positions in named if positions is not None]
        return Hidden(
            np.unique(np.concatenate(arrays)) if arrays else np.zeros(0, dtype=np.int64),
            _merged([self._equality(e.data_file) for e in file.equality_deletes]),
        )

    def positions(self, delete: DataFile) -> Mapping[str, Any]:
        """Positions by the location of the data file, of one position delete file or deletion vector."""
        known = self._positions.get(delete.file_path)
        if known is None:
            storage, path = self._places.of(delete.file_path)
            if delete.file_format == FileFormat.PUFFIN:
                known = _vectors(storage.read(path))
            else:
                known = _named(self._table(delete, (PATH_FIELD_ID, POSITION_FIELD_ID)))
            self._positions[delete.file_path] = known
        return known

    def names_rows_alone(self, delete: DataFile) -> bool:
        """Whether a position delete file holds nothing but paths and positions: it may keep copies of deleted rows."""
        if delete.file_format == FileFormat.PUFFIN:
            return True
        storage, path = self._places.of(delete.file_path)
        with storage.open(path) as source:
            return bool(open_parquet(source).metadata.num_columns == 2)  # noqa: PLR2004 - path and position

    def _equality(self, delete: DataFile) -> EqualityDelete:
        known = self._equalities.get(delete.file_path)
        if known is None:
            if not delete.equality_ids:
                raise TableRefused("an equality delete file does not say which columns it compares")
            known = EqualityDelete(self._table(delete, delete.equality_ids))
            self._equalities[delete.file_path] = known
        return known

    def _table(self, delete: DataFile, field_ids: Sequence[int]) -> Any:
        """Columns of a delete file, named by field id, in plain types of the table."""
        storage, path = self._places.of(delete.file_path)
        with storage.open(path) as source:
            file = open_parquet(source)
            paths = self._paths.of(file.schema_arrow)
            if any(i not in paths for i in field_ids):
                raise TableRefused("a delete file lacks a column that it compares")
            leaves = leaves_of(file, [".".join(paths[i]) for i in field_ids])
            table = file.reader.read_all(column_indices=leaves, use_threads=False)
        columns = {str(i): plain(at_path(table, paths[i])) for i in field_ids}
        return pa.table({name: column.cast(self._kind(int(name))) for name, column in columns.items()})

    def _kind(self, field_id: int) -> Any:
        if field_id == PATH_FIELD_ID:
            return pa.string()
        if field_id == POSITION_FIELD_ID:
            return pa.int64()
        return arrow_type(field_type(self._metadata, field_id))


def arrow_type(kind: Any) -> Any:
    """The plain `pyarrow.DataType` in which values of an Iceberg type are compared."""
    schema = schema_to_pyarrow(Schema(NestedField(1, "x", kind, required=False)), include_field_ids=False)
    return plain(pa.nulls(0, schema.field(0).type)).type


def _named(table: Any) -> Mapping[str, Any]:
    paths, positions = table.column(str(PATH_FIELD_ID)), table.column(str(POSITION_FIELD_ID)).to_numpy()
    distinct = pc.unique(paths)
    numbers = pc.index_in(paths, value_set=distinct).to_numpy()
    order = np.argsort(numbers, kind="stable")
    runs = np.split(positions[order].astype(np.int64), np.cumsum(np.bincount(numbers, minlength=len(distinct)))[:-1])
    return dict(zip(distinct.to_pylist(), runs, strict=True)) if len(distinct) else {}


def _merged(deletes: Sequence[EqualityDelete]) -> tuple[EqualityDelete, ...]:
    """Deletes that compare the same columns, as one."""
    groups: dict[tuple[int, ...], list[Any]] = {}
    for delete in deletes:
        key = tuple(sorted(delete.field_ids))
        groups.setdefault(key, []).append(delete.rows.select([str(number) for number in key]))
    return tuple(EqualityDelete(pa.concat_tables(tables).combine_chunks()) for tables in groups.values())


def _vectors(raw: bytes) -> Mapping[str, Any]:
    vectors = deletion_vectors_from_puffin_file(PuffinFile(raw))
    return {v.referenced_data_file: v.to_vector().to_numpy().astype(np.int64) for v in vectors}


def is_position_delete(entry: ManifestEntry) -> bool:
    """Whether a delete file names rows by position."""
    return not entry.data_file.equality_ids
