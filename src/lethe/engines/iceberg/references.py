"""Which files snapshots speak of: those that stay, and those of the past."""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyiceberg.io import FileIO
from pyiceberg.manifest import ManifestEntryStatus, ManifestFile, read_manifest_list

from lethe.engines.iceberg.expire import names_partitions
from lethe.engines.iceberg.places import Places, canonical
from lethe.engines.iceberg.retention import Kept
from lethe.engines.iceberg.state import TableState
from lethe.engines.interface import NotRemoved
from lethe.engines.storage.interface import StorageFailed


@dataclass(slots=True)
class References:
    """Canonical locations, by what the files are: the order in which they may be removed."""

    content: set[str] = field(default_factory=set)
    """Data files, delete files, statistics."""
    manifests: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    metadata: set[str] = field(default_factory=set)

    def __contains__(self, location: str) -> bool:
        return any(location in group for group in self._groups())

    def __iter__(self) -> Iterator[str]:
        for group in self._groups():
            yield from group

    def rank(self, location: str) -> int:
        """0 for content, then manifests, lists and metadata files: who names others goes after them."""
        for number, group in enumerate(self._groups()):
            if location in group:
                return number
        return _rank_by_name(location)

    def _groups(self) -> tuple[set[str], ...]:
        return (self.content, self.manifests, self.lists, self.metadata)


def _rank_by_name(location: str) -> int:
    name = location.rsplit("/", 1)[-1]
    if name.endswith(".metadata.json"):
        return 3
    if name.endswith(".avro"):
        return 2 if name.startswith("snap-") else 1
    return 0


@dataclass(slots=True)
class Needed:
    """What the table needs, and what of it only a kept snapshot needs."""

    references: References
    held: list[NotRemoved]


def needed(state: TableState, kept: Sequence[Kept]) -> Needed:
    """Everything that the current snapshot and the kept ones refer to.

    Held is what a kept snapshot alone needs and what speaks of a file that is not live: its data and delete files, and
    manifests and lists that name one. A kept snapshot whose files are all live holds nothing back.
    """
    gathering = _Gathering(state)
    for one in kept:
        gathering.keep(one)
    return Needed(gathering.references, list(gathering.held.values()))


class _Gathering:
    """The references of the current snapshot, to which those of kept ones are added."""

    def __init__(self, state: TableState) -> None:
        self._state = state
        self.references = references = References()
        self.held: dict[str, NotRemoved] = {}
        references.metadata.add(canonical(state.table.metadata_location))
        for statistics in (*state.metadata.statistics, *state.metadata.partition_statistics):
            references.content.add(canonical(statistics.statistics_path))
        if state.snapshot is not None:
            references.lists.add(canonical(state.snapshot.manifest_list))
        references.manifests.update(canonical(m.manifest_path) for m in state.files.manifests)
        references.content.update(canonical(f.path) for f in state.files.data)
        references.content.update(canonical(e.data_file.file_path) for e in state.files.deletes)
        self._live = frozenset(references.content)
        self._current = frozenset(references.manifests)

    def keep(self, one: Kept) -> None:
        """Add what a kept snapshot needs, and hold what of it is not live."""
        names_others = False
        for manifest in one.snapshot.manifests(self._state.io):
            path = canonical(manifest.manifest_path)
            self.references.manifests.add(path)
            if path in self._current:
                continue
            entries = manifest.fetch_manifest_entry(self._state.io, discard_deleted=False)
            alive = {canonical(e.data_file.file_path) for e in entries if e.status != ManifestEntryStatus.DELETED}
            self.references.content.update(alive)
            for location in alive - self._live:
                self._hold(location, one)
            if {canonical(e.data_file.file_path) for e in entries} - self._live:
                names_others = True
                self._hold(path, one)
        manifest_list = canonical(one.snapshot.manifest_list)
        self.references.lists.add(manifest_list)
        if names_others:
            self._hold(manifest_list, one)
        if names_partitions(one.snapshot):
            self._hold(canonical(self._state.table.metadata_location), one)

    def _hold(self, location: str, one: Kept) -> None:
        self.held.setdefault(location, NotRemoved(location, one.reason, one.until))


def formerly(places: Places, io: FileIO, metadata_files: Iterable[str], known: References) -> References:
    """What old metadata files speak of, and the files themselves. What cannot be read any more says nothing.

    A file that once belonged to the table and no longer does is no writer's: it may go without a grace.
    """
    past = References()
    for location in metadata_files:
        past.metadata.add(location)
        document = _document(places, location)
        for key in ("statistics", "partition-statistics"):
            past.content.update(canonical(s["statistics-path"]) for s in document.get(key, ()))
        past.metadata.update(canonical(entry["metadata-file"]) for entry in document.get("metadata-log", ()))
        for snapshot in document.get("snapshots", ()):
            if "manifest-list" in snapshot:
                past.lists.add(canonical(snapshot["manifest-list"]))
            past.manifests.update(canonical(path) for path in snapshot.get("manifests", ()))
    for location in sorted(past.lists - known.lists):
        for manifest in _manifests(io, location):
            path = canonical(manifest.manifest_path)
            if path in past.manifests:
                continue
            past.manifests.add(path)
            past.content.update(_content(io, manifest))
    return past


def _document(places: Places, location: str) -> Any:
    storage, path = places.of(location)
    try:
        raw = storage.read(path)
        found = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except (StorageFailed, OSError, ValueError, EOFError):
        return {}
    return found if isinstance(found, dict) else {}


def _manifests(io: FileIO, location: str) -> Sequence[ManifestFile]:
    try:
        return list(read_manifest_list(io.new_input(location)))
    except (StorageFailed, OSError, ValueError, EOFError):
        return ()


def _content(io: FileIO, manifest: ManifestFile) -> set[str]:
    try:
        entries = manifest.fetch_manifest_entry(io, discard_deleted=False)
    except (StorageFailed, OSError, ValueError, EOFError):
        return set()
    return {canonical(e.data_file.file_path) for e in entries}
