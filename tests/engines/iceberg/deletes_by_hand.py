"""Delete files written by hand, and a reader slow and simple enough to be believed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestContent
from pyiceberg.typedef import Record

from engines.iceberg.lake import Lake, write_parquet
from lethe.engines.iceberg.commit import Change, Committer, send
from lethe.engines.iceberg.manifests import Added
from lethe.engines.iceberg.state import table_state


def with_id(name: str, kind: pa.DataType, number: int) -> pa.Field:
    return pa.field(name, kind, metadata={b"PARQUET:field_id": str(number).encode()})


PATH = with_id("file_path", pa.string(), 2147483546)
POSITION = with_id("pos", pa.int64(), 2147483545)


def position_delete(
    made: Lake, rows: Sequence[tuple[str, int]], *, copies: pa.Array | None = None, partition: Sequence[Any] = ()
) -> str:
    """Delete rows by file and position; `copies` are the deleted rows, which the format allows to be kept."""
    rows = sorted(rows)
    arrays = [pa.array([p for p, _ in rows]), pa.array([n for _, n in rows], pa.int64())]
    fields = [PATH, POSITION]
    if copies is not None:
        arrays.append(copies)
        fields.append(with_id("row", copies.type, 2147483544))
    data = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    return _commit(made, data, DataFileContent.POSITION_DELETES, None, partition)


def equality_delete(made: Lake, data: pa.Table, field_ids: Sequence[int], partition: Sequence[Any] = ()) -> str:
    """Delete the rows that equal one of these in these columns."""
    return _commit(made, data, DataFileContent.EQUALITY_DELETES, list(field_ids), partition)


def _commit(
    made: Lake, data: pa.Table, content: DataFileContent, field_ids: list[int] | None, partition: Sequence[Any]
) -> str:
    location = write_parquet(made, data)
    path = location.removeprefix("file://")
    file = DataFile.from_args(
        content=content,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=Record(*partition),
        record_count=data.num_rows,
        file_size_in_bytes=pq.ParquetFile(path).metadata.serialized_size,
        equality_ids=field_ids,
    )
    file.spec_id = made.table.metadata.default_spec_id
    state = table_state(made.table, made.opener)
    staged = Committer(state, str(uuid4()), datetime.now(UTC)).overwrite(Change(added=[Added(file)]))
    send(state, staged.updates)
    return location


def delete_files(made: Lake) -> list[str]:
    """Locations of the live delete files."""
    return _files(made, ManifestContent.DELETES)


def data_files(made: Lake) -> list[str]:
    """Locations of the live data files, whatever hides their rows: pyiceberg plans no scan over equality deletes."""
    return _files(made, ManifestContent.DATA)


def _files(made: Lake, content: ManifestContent) -> list[str]:
    table = made.table
    snapshot = table.current_snapshot()
    return sorted(
        entry.data_file.file_path
        for manifest in (snapshot.manifests(table.io) if snapshot is not None else ())
        if manifest.content == content
        for entry in manifest.fetch_manifest_entry(table.io)
    )


def live_rows(made: Lake) -> list[Mapping[str, Any]]:
    """Every live row, row by row, with all deletes applied as the specification says; for unpartitioned tables."""
    table = made.table
    snapshot = table.current_snapshot()
    if snapshot is None:
        return []
    names = {field.field_id: field.name for field in table.schema().fields}
    entries = [e for m in snapshot.manifests(table.io) for e in m.fetch_manifest_entry(table.io)]
    by_content: dict[DataFileContent, list[Any]] = {content: [] for content in DataFileContent}
    for entry in entries:
        by_content[entry.data_file.content].append(entry)
    found = []
    for entry in by_content[DataFileContent.DATA]:
        path = entry.data_file.file_path
        gone = {
            row["pos"]
            for delete in by_content[DataFileContent.POSITION_DELETES]
            if delete.sequence_number >= entry.sequence_number
            for row in _rows(delete.data_file.file_path)
            if row["file_path"] == path
        }
        equal = [
            (tuple(names[i] for i in delete.data_file.equality_ids), row)
            for delete in by_content[DataFileContent.EQUALITY_DELETES]
            if delete.sequence_number > entry.sequence_number
            for row in _rows(delete.data_file.file_path)
        ]
        for number, row in enumerate(_rows(path)):
            if number not in gone and not any(all(row[n] == wanted[n] for n in of) for of, wanted in equal):
                found.append(row)
    return sorted(found, key=lambda row: row["seq"])


def _rows(location: str) -> list[dict[str, Any]]:
    return pq.ParquetFile(location.removeprefix("file://")).read().to_pylist()
