"""What a snapshot holds: live data files, and the delete files that speak of each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestContent, ManifestEntry, ManifestFile
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot

from lethe.engines.interface import TableRefused

PATH_FIELD_ID: Final = 2147483546
POSITION_FIELD_ID: Final = 2147483545
"""The reserved field ids of position delete files."""


@dataclass(frozen=True, slots=True)
class LiveFile:
    """One data file of a snapshot, and the delete files that may hide rows of it."""

    entry: ManifestEntry
    position_deletes: Sequence[ManifestEntry]
    """They may name the file; whether they do is known when they are read."""
    equality_deletes: Sequence[ManifestEntry]

    @property
    def file(self) -> DataFile:
        """The data file as its manifest describes it."""
        return self.entry.data_file

    @property
    def path(self) -> str:
        """Its location, spelled as in the manifest."""
        return self.entry.data_file.file_path

    @property
    def deletes(self) -> frozenset[str]:
        """The locations of its delete files, which tell whether a rewriting of it is still right."""
        return frozenset(e.data_file.file_path for e in (*self.position_deletes, *self.equality_deletes))


@dataclass(frozen=True, slots=True)
class SnapshotFiles:
    """The live files of one snapshot."""

    manifests: Sequence[ManifestFile]
    data: Sequence[LiveFile]
    deletes: Sequence[ManifestEntry]

    def spoken_of(self) -> Mapping[str, Sequence[LiveFile]]:
        """For each delete file, by its location, the data files of which it may hide rows."""
        found: dict[str, list[LiveFile]] = {}
        for file in self.data:
            for path in file.deletes:
                found.setdefault(path, []).append(file)
        return found


def live_files(metadata: TableMetadata, snapshot: Snapshot | None, io: FileIO) -> SnapshotFiles:
    """Read the manifests of a snapshot. Raises TableRefused for files that cannot be examined or written alike."""
    if snapshot is None:
        return SnapshotFiles((), (), ())
    manifests = snapshot.manifests(io)
    data: list[ManifestEntry] = []
    deletes: list[ManifestEntry] = []
    for manifest in manifests:
        if manifest.key_metadata is not None:
            raise TableRefused("the table's manifests are encrypted")
        entries = _entries(manifest, io)
        (data if manifest.content == ManifestContent.DATA else deletes).extend(entries)
    for entry in (*data, *deletes):
        _require_examinable(entry.data_file)
    index = _DeleteIndex(metadata, deletes)
    return SnapshotFiles(manifests, [index.attach(entry) for entry in data], deletes)


def _entries(manifest: ManifestFile, io: FileIO) -> Sequence[ManifestEntry]:
    try:
        return manifest.fetch_manifest_entry(io, discard_deleted=True)
    except (ValueError, KeyError, EOFError) as error:
        raise TableRefused("a manifest of the table cannot be read") from error


def _require_examinable(file: DataFile) -> None:
    if file.key_metadata is not None:
        raise TableRefused("files of the table are encrypted")
    known = {FileFormat.PARQUET} if file.content != DataFileContent.POSITION_DELETES else _POSITION_FORMATS
    if file.file_format not in known:
        raise TableRefused(f"the table holds files of format {file.file_format}; only Parquet can be rewritten")


_POSITION_FORMATS: Final = frozenset({FileFormat.PARQUET, FileFormat.PUFFIN})


def partition_key(file: DataFile) -> tuple[Any, ...]:
    """The spec and the values of a file's partition."""
    return (file.spec_id, *(file.partition[i] for i in range(len(file.partition))))


class _DeleteIndex:
    """Which delete files apply to which data file, by the specification's rules of scope.

    A position delete applies to files of its partition that are not younger; an equality delete to files of its
    partition that are older, or of every partition when its own spec has none.
    """

    def __init__(self, metadata: TableMetadata, deletes: Sequence[ManifestEntry]) -> None:
        unpartitioned = {spec.spec_id for spec in metadata.partition_specs if spec.is_unpartitioned()}
        self._positions: dict[tuple[Any, ...], list[ManifestEntry]] = defaultdict(list)
        self._positions_of: dict[str, list[ManifestEntry]] = defaultdict(list)
        self._equalities: dict[tuple[Any, ...], list[ManifestEntry]] = defaultdict(list)
        self._everywhere: list[ManifestEntry] = []
        for entry in deletes:
            file = entry.data_file
            if file.content == DataFileContent.POSITION_DELETES:
                low, high = path_bounds(file)
                if low is not None and low == high:
                    self._positions_of[low].append(entry)
                else:
                    self._positions[partition_key(file)].append(entry)
            elif file.spec_id in unpartitioned:
                self._everywhere.append(entry)
            else:
                self._equalities[partition_key(file)].append(entry)

    def attach(self, entry: ManifestEntry) -> LiveFile:
        """The data file with its deletes."""
        file, born = entry.data_file, _sequence(entry)
        key = partition_key(file)
        positions = (*self._positions_of.get(file.file_path, ()), *self._positions.get(key, ()))
        equalities = (*self._everywhere, *self._equalities.get(key, ()))
        return LiveFile(
            entry,
            [e for e in positions if _sequence(e) >= born and _may_name(e.data_file, file.file_path)],
            [e for e in equalities if _sequence(e) > born],
        )


def _sequence(entry: ManifestEntry) -> int:
    return entry.sequence_number or 0


def path_bounds(delete: DataFile) -> tuple[str | None, str | None]:
    """The least and the greatest data file path that a position delete file names, where its manifest says so."""
    low, high = (delete.lower_bounds or {}).get(PATH_FIELD_ID), (delete.upper_bounds or {}).get(PATH_FIELD_ID)
    return (low.decode() if low else None), (high.decode() if high else None)


def _may_name(delete: DataFile, path: str) -> bool:
    low, high = path_bounds(delete)
    raw = path.encode()
    return (low is None or low.encode() <= raw) and (high is None or raw <= high.encode())
