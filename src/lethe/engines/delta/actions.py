"""What a Delta log says, one value for each kind of action.

Keys and units are the protocol's; everything that must survive a checkpoint is kept, whatever it means. Paths in the
log are URL-encoded; `AddFile.file_path` is the name under which the storage knows the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NewType
from urllib.parse import unquote, urlsplit

from lethe.engines.interface import TableRefused

FileKey = NewType("FileKey", tuple[str, str])
"""What adds and removes are reconciled by: the decoded path, and the deletion vector's unique id or nothing."""


@dataclass(frozen=True, slots=True)
class DeletionVector:
    """Which rows of a file are hidden, and where that is written."""

    storage_type: str
    """`i` inline, `u` a file under the table's root, `p` a file anywhere."""
    path_or_inline: str
    size_bytes: int
    cardinality: int
    offset: int | None = None

    @property
    def unique_id(self) -> str:
        """The protocol's derived id."""
        base = self.storage_type + self.path_or_inline
        return base if self.offset is None else f"{base}@{self.offset}"

    def to_json(self) -> Mapping[str, Any]:
        """As an action's `deletionVector`."""
        found: dict[str, Any] = {
            "storageType": self.storage_type,
            "pathOrInlineDv": self.path_or_inline,
            "sizeInBytes": self.size_bytes,
            "cardinality": self.cardinality,
        }
        return found if self.offset is None else found | {"offset": self.offset}


@dataclass(frozen=True, slots=True)
class AddFile:
    """A live data file."""

    path: str
    """As the log spells it."""
    partition_values: Mapping[str, str | None]
    size_bytes: int
    modified_at_ms: int
    stats: str | None = None
    tags: Mapping[str, str | None] | None = None
    deletion_vector: DeletionVector | None = None
    clustering_provider: str | None = None

    @property
    def file_path(self) -> str:
        """The path below the table's root."""
        return decoded(self.path)

    @property
    def key(self) -> FileKey:
        """What a remove must name."""
        return file_key(self.path, self.deletion_vector)

    def to_json(self) -> Mapping[str, Any]:
        """As a line of a commit."""
        found: dict[str, Any] = {
            "path": self.path,
            "partitionValues": dict(self.partition_values),
            "size": self.size_bytes,
            "modificationTime": self.modified_at_ms,
            "dataChange": True,
        }
        if self.stats is not None:
            found["stats"] = self.stats
        if self.tags is not None:
            found["tags"] = dict(self.tags)
        if self.deletion_vector is not None:
            found["deletionVector"] = self.deletion_vector.to_json()
        if self.clustering_provider is not None:
            found["clusteringProvider"] = self.clustering_provider
        return {"add": found}

    def to_remove(self, deleted_at_ms: int) -> Mapping[str, Any]:
        """The line that takes the file, with exactly this deletion vector, out of the table.

        Without tags and statistics: they would outlive the rows of which they speak.
        """
        found: dict[str, Any] = {
            "path": self.path,
            "deletionTimestamp": deleted_at_ms,
            "dataChange": True,
            "extendedFileMetadata": True,
            "partitionValues": dict(self.partition_values),
            "size": self.size_bytes,
        }
        if self.deletion_vector is not None:
            found["deletionVector"] = self.deletion_vector.to_json()
        return {"remove": found}


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a reader and a writer of the table must know."""

    reader_version: int
    writer_version: int
    reader_features: frozenset[str] | None = None
    writer_features: frozenset[str] | None = None

    @property
    def features(self) -> frozenset[str]:
        """Everything listed by name."""
        return (self.reader_features or frozenset()) | (self.writer_features or frozenset())


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the table is."""

    table_id: str
    schema: str
    """JSON."""
    partition_columns: tuple[str, ...]
    configuration: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    description: str | None = None
    provider: str = "parquet"
    provider_options: Mapping[str, str] = field(default_factory=dict)
    created_at_ms: int | None = None

    def is_on(self, setting: str) -> bool:
        """Whether a yes-or-no property says yes."""
        return self.configuration.get(setting, "false").lower() == "true"


@dataclass(frozen=True, slots=True)
class Transaction:
    """The newest version that an application recorded."""

    app_id: str
    version: int
    updated_at_ms: int | None = None

    def to_json(self) -> Mapping[str, Any]:
        """As a line of a commit."""
        found: dict[str, Any] = {"appId": self.app_id, "version": self.version}
        return {"txn": found if self.updated_at_ms is None else found | {"lastUpdated": self.updated_at_ms}}


def decoded(path: str) -> str:
    """The file that a path of the log names, below the table's root.

    Raises TableRefused for a path to elsewhere: such files belong to another table, from which this one was cloned.
    """
    found = unquote(path)
    if urlsplit(path).scheme or found.startswith("/") or ".." in found.split("/"):
        raise TableRefused("the table refers to files outside of its location (a shallow clone)")
    return found


def file_key(path: str, vector: DeletionVector | None) -> FileKey:
    """The identity of a file in the log. A path to elsewhere stays as it is spelled."""
    return FileKey((unquote(path), "" if vector is None else vector.unique_id))


def vector_of(value: Mapping[str, Any] | None) -> DeletionVector | None:
    """Read `deletionVector`."""
    if value is None or value.get("storageType") is None:
        return None
    offset = value.get("offset")
    return DeletionVector(
        value["storageType"],
        value["pathOrInlineDv"],
        int(value["sizeInBytes"]),
        int(value["cardinality"]),
        None if offset is None else int(offset),
    )


def add_of(value: Mapping[str, Any]) -> AddFile:
    """Read `add`."""
    return AddFile(
        value["path"],
        _texts(value.get("partitionValues")) or {},
        int(value["size"]),
        int(value["modificationTime"]),
        value.get("stats"),
        _texts(value.get("tags")),
        vector_of(value.get("deletionVector")),
        value.get("clusteringProvider"),
    )


def protocol_of(value: Mapping[str, Any]) -> Protocol:
    """Read `protocol`."""
    readers, writers = value.get("readerFeatures"), value.get("writerFeatures")
    return Protocol(
        int(value["minReaderVersion"]),
        int(value["minWriterVersion"]),
        None if readers is None else frozenset(readers),
        None if writers is None else frozenset(writers),
    )


def metadata_of(value: Mapping[str, Any]) -> Metadata:
    """Read `metaData`."""
    form = value.get("format") or {}
    created = value.get("createdTime")
    settings = {key: text for key, text in (_texts(value.get("configuration")) or {}).items() if text is not None}
    options = {key: text for key, text in (_texts(form.get("options")) or {}).items() if text is not None}
    return Metadata(
        value["id"],
        value["schemaString"],
        tuple(value.get("partitionColumns") or ()),
        settings,
        value.get("name"),
        value.get("description"),
        form.get("provider") or "parquet",
        options,
        None if created is None else int(created),
    )


def transaction_of(value: Mapping[str, Any]) -> Transaction:
    """Read `txn`."""
    updated = value.get("lastUpdated")
    return Transaction(value["appId"], int(value["version"]), None if updated is None else int(updated))


def _texts(value: Any) -> dict[str, str | None] | None:
    """A map, which JSON gives as an object and Arrow as a list of pairs."""
    if value is None:
        return None
    pairs = value.items() if isinstance(value, Mapping) else value
    return {str(key): None if text is None else str(text) for key, text in pairs}
