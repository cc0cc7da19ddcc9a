"""Removing everything that the newest version does not need: files first, then the log's history.

Order of effects:
1. everything under the location is listed, and after that the newest version is read: a file that is committed in
   between is live, a file that appears later is not in the listing;
2. data files, deletion vectors and change data that the newest version does not name are removed, while the log still
   tells them from the files of a commit that is on its way; when one of them cannot be removed now, the log's history
   stays, so that a repeat still knows it, and so it does while the table's own properties keep it (`retention`);
3. when the log tells of nothing but the live table, that was all; otherwise a commit that changes nothing becomes the
   newest version (the seal): readers want the newest commit's own file, and
   that of a deletion speaks; when another writer is faster, everything begins again from 1;
4. the seal's state is written as one checkpoint without tombstones, and `_last_checkpoint` points to it;
5. every file of the log that the newest version does not need is removed, oldest first: commits, checkpoints,
   checksums, compacted commits, sidecars, unfinished files. A commit that is younger than the writers' grace is
   replaced by one that says nothing: its version must stay taken, or a writer that read the table before it would
   put its own commit there, where no reader looks;
6. directories that are empty now are removed, for a partition's directory may be named by a person.
A crash between any two leaves a table that every reader can read at its newest version: before 4 nothing that it needs
is touched, after 4 it needs the checkpoint and the seal only. A repeat finds the seal and does not seal again.

The promise about time travel is the opposite one: there is nothing left to travel to.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from lethe.engines.delta.actions import decoded
from lethe.engines.delta.checkpoint import checkpoint_bytes
from lethe.engines.delta.commit import in_commit_timestamp_ms, is_seal, place_holder, put_commit, seal_lines
from lethe.engines.delta.deletion_vectors import vector_path
from lethe.engines.delta.features import require_deletable
from lethe.engines.delta.history import History, read_history
from lethe.engines.delta.log import read_commit, snapshot_and_listing
from lethe.engines.delta.log_files import (
    LAST_CHECKPOINT,
    LOG,
    SIDECARS,
    LogListing,
    checkpoint_path,
    commit_path,
    is_commit,
    version_of,
)
from lethe.engines.delta.retention import FILES, VERSIONS, floors
from lethe.engines.delta.snapshot import Snapshot
from lethe.engines.interface import NotRemoved, PurgePolicy, PurgeReport, TableUnavailable
from lethe.engines.progress import Meter
from lethe.engines.storage.interface import FileExists, FileMissing, FileStat, RemovalForbidden, Storage, StorageFailed

_ATTEMPTS: Final = 20

_COUNTS_KEPT: Final = 8
"""Of how many forgets, the newest, a seal tells the counts; a worker comes back to ask for them soon or never."""


@dataclass(slots=True)
class Removal:
    """Files on their way out, and what became of them."""

    storage: Storage
    public: Callable[[str], str]
    """From a path to the name under which a report may speak of it."""
    files: int = 0
    size_bytes: int = 0
    failed: dict[str, NotRemoved] = field(default_factory=dict)
    held: dict[str, NotRemoved] = field(default_factory=dict)
    forbidden: bool = False
    """Whether the store keeps one of them on purpose, so that what names it must stay too."""

    def remove(self, stat: FileStat) -> None:
        """Try once; a failure is counted, not raised."""
        self._try(stat, lambda: self.storage.remove(stat.path))

    def blank(self, stat: FileStat, content: bytes) -> None:
        """Put other content in the file's place, and count it as removed."""
        self._try(stat, lambda: self.storage.put(stat.path, content))

    def _try(self, stat: FileStat, act: Callable[[], None]) -> None:
        self.failed.pop(stat.path, None)
        try:
            act()
        except RemovalForbidden as error:
            self.forbidden = True
            self.hold(stat.path, str(error))
        except StorageFailed as error:
            self.failed[stat.path] = NotRemoved(self.public(stat.path), str(error))
        else:
            self.files += 1
            self.size_bytes += stat.size_bytes

    def hold(self, path: str, reason: str, until: datetime | None = None) -> None:
        """It may not go yet."""
        self.held[path] = NotRemoved(self.public(path), reason, until)

    def report(self) -> PurgeReport:
        """What a caller is told."""
        return PurgeReport(self.files, self.size_bytes, tuple(self.failed.values()), tuple(self.held.values()))


@dataclass(frozen=True, slots=True)
class Purge:
    """One purge of one table."""

    storage: Storage
    policy: PurgePolicy
    now: datetime
    removal: Removal
    meter: Callable[[Sequence[FileStat]], Meter]

    def run(self) -> PurgeReport:
        """See the order of effects above. Raises TableMissing, TableRefused, TableUnavailable, StorageFailed."""
        for _ in range(_ATTEMPTS):
            self.removal.held.clear()
            files = list(self.storage.list())
            snapshot, listing = snapshot_and_listing(self.storage)
            require_deletable(snapshot)
            history = read_history(self.storage, snapshot, listing)
            kept_back = self._remove_data(files, snapshot, history)
            if kept_back is not None or self.removal.failed or self.removal.forbidden:
                self._keep_log(listing.commits[:-1], kept_back)
                return self.removal.report()
            if history.speaks and self._keeps_versions(snapshot, listing):
                return self.removal.report()
            if history.speaks:
                try:
                    snapshot = self._sealed(snapshot, history)
                except FileExists:
                    continue
                self._checkpoint(snapshot)
            self._remove_log(snapshot, listing, history)
            self.storage.remove_empty_directories()
            return self.removal.report()
        raise TableUnavailable("other writers committed first, again and again")

    def _remove_data(self, files: Sequence[FileStat], snapshot: Snapshot, history: History) -> datetime | None:
        """Remove what is not live; answer until when readers may still need a file, or None."""
        live = live_paths(snapshot)
        nested = tables_below(files)
        graces = [
            (self.policy.readers_grace, "queries that began before its removal may still read it"),
            (floors(snapshot.metadata.configuration).files, f"the table's property {FILES} keeps it"),
        ]
        grace, reason = max(graces, key=lambda pair: pair[0])
        due, kept_back = list[FileStat](), None
        for stat in files:
            if stat.path.startswith(f"{LOG}/") or stat.path in live or _original(stat.path) in live:
                continue
            if any(stat.path.startswith(root) for root in nested):
                self.removal.hold(stat.path, "it belongs to another Delta table inside this one")
                continue
            until = self._readers_until(stat, history, grace)
            if until is not None:
                self.removal.hold(stat.path, reason, until)
                kept_back = until if kept_back is None else max(until, kept_back)
            elif self._may_remove(stat, history):
                due.append(stat)
        meter = self.meter(due)
        for stat in due:
            self.removal.remove(stat)
            meter.step(stat.size_bytes)
        return kept_back

    def _readers_until(self, stat: FileStat, history: History, grace: timedelta) -> datetime | None:
        removed_at = history.removed_at(stat.path)
        if removed_at is None or removed_at + grace <= self.now:
            return None
        return removed_at + grace if grace > timedelta(0) else None

    def _may_remove(self, stat: FileStat, history: History) -> bool:
        """Whether the file cannot belong to a commit that is still on its way; else it is held."""
        until = stat.modified_at + self.policy.writers_grace
        if history.knows(stat.path) or until <= self.now:
            return True
        self.removal.hold(stat.path, "it may belong to a commit that is still on its way", until)
        return False

    def _keeps_versions(self, snapshot: Snapshot, listing: LogListing) -> bool:
        """Hold the history while one of its versions is younger than the table's own floor."""
        floor = floors(snapshot.metadata.configuration).versions
        old = {commit_path(version) for version in listing.commits[:-1]}
        free = {stat.path: stat.modified_at + floor for stat in listing.files if stat.path in old}
        until = max(free.values(), default=self.now)
        if not floor or until <= self.now:
            return False
        for path in sorted(free):
            self.removal.hold(path, f"the table's property {VERSIONS} keeps its versions", until)
        return True

    def _keep_log(self, versions: Iterable[int], until: datetime | None) -> None:
        reason = "the log's history stays until every file that it names is gone"
        for version in versions:
            self.removal.hold(commit_path(version), reason, until)

    def _sealed(self, snapshot: Snapshot, history: History) -> Snapshot:
        """The version that ends the history. Raises FileExists when another writer's commit came between."""
        try:
            if is_seal(read_commit(self.storage, snapshot.version)):
                return snapshot
        except FileMissing:
            pass
        timestamp = in_commit_timestamp_ms(self.storage, snapshot, self.now)
        counts = dict(list(history.counts.items())[-_COUNTS_KEPT:])
        put_commit(self.storage, snapshot.version + 1, seal_lines(self.now, timestamp, counts))
        return snapshot.at(snapshot.version + 1)

    def _checkpoint(self, sealed: Snapshot) -> None:
        data, actions = checkpoint_bytes(sealed)
        self.storage.put(checkpoint_path(sealed.version), data)
        hint = {
            "version": sealed.version,
            "size": actions,
            "sizeInBytes": len(data),
            "numOfAddFiles": len(sealed.files),
        }
        self.storage.put(LAST_CHECKPOINT, json.dumps(hint, separators=(",", ":")).encode())

    def _remove_log(self, snapshot: Snapshot, listing: LogListing, history: History) -> None:
        """Everything up to the newest version that it can be read without; what came later is another writer's.

        A sealed log needs the seal and its checkpoint; one that tells of nothing else keeps its newest checkpoint and
        its commits, but for those that an interrupted purge left apart.
        """
        kept = {commit_path(snapshot.version), checkpoint_path(snapshot.version), LAST_CHECKPOINT}
        if not history.speaks:
            kept |= {commit_path(version) for version in listing.unbroken}
            kept |= {path for checkpoint in listing.checkpoints[-1:] for path in checkpoint.paths}
            kept |= {path for path in history.named if path.startswith(f"{SIDECARS}/")}
        due = [
            stat
            for stat in self.storage.list(LOG)
            if stat.path not in kept and _original(stat.path) not in kept and self._is_old(stat, snapshot, history)
        ]
        meter = self.meter(due)
        for stat in due:
            if is_commit(stat.path) and stat.modified_at + self.policy.writers_grace > self.now:
                self.removal.blank(stat, place_holder(snapshot.metadata, self.now))
            else:
                self.removal.remove(stat)
            meter.step(stat.size_bytes)

    def _is_old(self, stat: FileStat, snapshot: Snapshot, history: History) -> bool:
        """Whether a file of the log speaks of the newest version or an older one, or of none and belongs to nobody."""
        version = version_of(stat.path)
        return self._may_remove(stat, history) if version is None else version <= snapshot.version


def live_paths(snapshot: Snapshot) -> frozenset[str]:
    """Every file that the table reads: data and deletion vectors."""
    vectors = (add.deletion_vector for add in snapshot.files.values())
    paths = {path for vector in vectors if vector is not None and (path := vector_path(vector)) is not None}
    return frozenset(paths | {decoded(add.path) for add in snapshot.files.values()})


def tables_below(files: Iterable[FileStat]) -> frozenset[str]:
    """The roots, with a final slash, of other Delta tables under the location: their files are not this table's."""
    marks = (stat.path.partition(f"/{LOG}/") for stat in files if not stat.path.startswith(f"{LOG}/"))
    return frozenset(f"{root}/" for root, mark, _ in marks if mark)


def _original(path: str) -> str:
    """The file whose checksums Hadoop's local file system keeps in `.<name>.crc`; else the path itself."""
    directory, slash, name = path.rpartition("/")
    if name.startswith(".") and name.endswith(".crc"):
        return f"{directory}{slash}{name[1:-4]}"
    return path
