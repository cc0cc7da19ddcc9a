"""Checkpoints: a version's whole state in Parquet, read in every form that there is and written in the plainest.

Written is one classic file with the live files and nothing that is gone: no tombstones, for the path and the partition
values of a removed file may name a person, and the files that they announce are removed already.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from lethe.engines.delta.actions import AddFile, Metadata, Protocol
from lethe.engines.delta.log_files import SIDECARS, Checkpoint
from lethe.engines.delta.snapshot import Snapshot
from lethe.engines.interface import TableRefused
from lethe.engines.storage.interface import Storage

_WHOLE: Final = ("metaData", "protocol", "txn", "domainMetadata", "sidecar", "remove")
_ADD: Final = (
    "path",
    "partitionValues",
    "size",
    "modificationTime",
    "stats",
    "tags",
    "deletionVector",
    "clusteringProvider",
)
_TEXTS: Final = pa.map_(pa.string(), pa.string())
_VECTOR: Final = pa.struct(
    [
        ("storageType", pa.string()),
        ("pathOrInlineDv", pa.string()),
        ("offset", pa.int32()),
        ("sizeInBytes", pa.int32()),
        ("cardinality", pa.int64()),
    ]
)
_SCHEMA: Final = pa.schema(
    [
        ("txn", pa.struct([("appId", pa.string()), ("version", pa.int64()), ("lastUpdated", pa.int64())])),
        (
            "add",
            pa.struct(
                [
                    ("path", pa.string()),
                    ("partitionValues", _TEXTS),
                    ("size", pa.int64()),
                    ("modificationTime", pa.int64()),
                    ("dataChange", pa.bool_()),
                    ("stats", pa.string()),
                    ("tags", _TEXTS),
                    ("deletionVector", _VECTOR),
                    ("baseRowId", pa.int64()),
                    ("defaultRowCommitVersion", pa.int64()),
                    ("clusteringProvider", pa.string()),
                ]
            ),
        ),
        (
            "remove",
            pa.struct(
                [
                    ("path", pa.string()),
                    ("deletionTimestamp", pa.int64()),
                    ("dataChange", pa.bool_()),
                    ("extendedFileMetadata", pa.bool_()),
                    ("partitionValues", _TEXTS),
                    ("size", pa.int64()),
                    ("deletionVector", _VECTOR),
                ]
            ),
        ),
        (
            "metaData",
            pa.struct(
                [
                    ("id", pa.string()),
                    ("name", pa.string()),
                    ("description", pa.string()),
                    ("format", pa.struct([("provider", pa.string()), ("options", _TEXTS)])),
                    ("schemaString", pa.string()),
                    ("partitionColumns", pa.list_(pa.string())),
                    ("configuration", _TEXTS),
                    ("createdTime", pa.int64()),
                ]
            ),
        ),
        (
            "protocol",
            pa.struct(
                [
                    ("minReaderVersion", pa.int32()),
                    ("minWriterVersion", pa.int32()),
                    ("readerFeatures", pa.list_(pa.string())),
                    ("writerFeatures", pa.list_(pa.string())),
                ]
            ),
        ),
        (
            "domainMetadata",
            pa.struct([("domain", pa.string()), ("configuration", pa.string()), ("removed", pa.bool_())]),
        ),
    ]
)


def read_checkpoint(
    storage: Storage, checkpoint: Checkpoint, kinds: frozenset[str] | None = None
) -> Iterator[Mapping[str, Any]]:
    """The actions of a checkpoint, each a mapping from its kind to its fields, sidecars included.

    `kinds` restricts them. Raises TableRefused for a file that is no checkpoint, StorageFailed.
    """
    for path in checkpoint.paths:
        yield from _read(storage, path, kinds)


def _read(storage: Storage, path: str, kinds: frozenset[str] | None) -> Iterator[Mapping[str, Any]]:
    for action in _actions(storage, path, kinds):
        if "sidecar" in action and (kinds is None or kinds & {"add", "remove"}):
            yield from _actions(storage, f"{SIDECARS}/{action['sidecar']['path']}", kinds)
        yield action


def _actions(storage: Storage, path: str, kinds: frozenset[str] | None) -> Iterator[Mapping[str, Any]]:
    if path.endswith(".json"):
        for line in storage.read(path).split(b"\n"):
            if line.strip():
                action = json.loads(line)
                if kinds is None or kinds & action.keys():
                    yield action
        return
    try:
        with storage.open(path) as source:
            yield from _rows(pq.ParquetFile(source), kinds)
    except pa.ArrowException as error:
        raise TableRefused("a checkpoint of the table cannot be read") from error


def _rows(file: Any, kinds: frozenset[str] | None) -> Iterator[Mapping[str, Any]]:
    there = {field.name: field.type for field in file.schema_arrow}
    wanted = [kind for kind in (*_WHOLE, "add") if kind in there and (kinds is None or kind in kinds)]
    columns = [kind for kind in wanted if kind != "add"]
    if "add" in wanted:
        columns += [f"add.{name}" for name in _ADD if there["add"].get_field_index(name) >= 0]
        if there["add"].get_field_index("stats_parsed") >= 0:
            columns.append("add.stats_parsed.numRecords")
    for batch in file.iter_batches(batch_size=8192, columns=columns, use_threads=False):
        for kind in batch.schema.names:
            for fields in batch.column(kind).drop_null().to_pylist():
                yield {kind: _with_row_count(fields) if kind == "add" else fields}


def _with_row_count(fields: dict[str, Any]) -> dict[str, Any]:
    """An add whose statistics are only parsed keeps their row count; the bounds are let go, which is allowed."""
    parsed = fields.pop("stats_parsed", None)
    if fields.get("stats") is None and parsed is not None and parsed.get("numRecords") is not None:
        fields["stats"] = json.dumps({"numRecords": parsed["numRecords"]})
    return fields


def checkpoint_bytes(snapshot: Snapshot) -> tuple[bytes, int]:
    """The classic checkpoint of a snapshot, and its number of actions."""
    rows: list[dict[str, Any]] = [
        {"protocol": _protocol(snapshot.protocol)},
        {"metaData": _metadata(snapshot.metadata)},
    ]
    rows += [dict(transaction.to_json()) for transaction in snapshot.transactions.values()]
    rows += [
        {"domainMetadata": {"domain": domain, "configuration": configuration, "removed": False}}
        for domain, configuration in snapshot.domains.items()
    ]
    rows += [{"add": _add(add)} for add in snapshot.files.values()]
    columns = [pa.array([row.get(field.name) for row in rows], type=field.type) for field in _SCHEMA]
    sink = io.BytesIO()
    pq.write_table(pa.table(columns, schema=_SCHEMA), sink, compression="zstd", store_schema=False)
    return sink.getvalue(), len(rows)


def _add(add: AddFile) -> dict[str, Any]:
    return {**add.to_json()["add"], "dataChange": False, "partitionValues": list(add.partition_values.items())} | (
        {} if add.tags is None else {"tags": list(add.tags.items())}
    )


def _protocol(protocol: Protocol) -> dict[str, Any]:
    return {
        "minReaderVersion": protocol.reader_version,
        "minWriterVersion": protocol.writer_version,
        "readerFeatures": _sorted(protocol.reader_features),
        "writerFeatures": _sorted(protocol.writer_features),
    }


def _sorted(features: frozenset[str] | None) -> Sequence[str] | None:
    return None if features is None else sorted(features)


def _metadata(metadata: Metadata) -> dict[str, Any]:
    return {
        "id": metadata.table_id,
        "name": metadata.name,
        "description": metadata.description,
        "format": {"provider": metadata.provider, "options": list(metadata.provider_options.items())},
        "schemaString": metadata.schema,
        "partitionColumns": list(metadata.partition_columns),
        "configuration": list(metadata.configuration.items()),
        "createdTime": metadata.created_at_ms,
    }
