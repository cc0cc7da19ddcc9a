"""Shortening the history to the current snapshot, made clean, and what must stay."""

from datetime import datetime
from typing import Final

from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update import (
    RemovePartitionStatisticsUpdate,
    RemoveSnapshotRefUpdate,
    RemoveSnapshotsUpdate,
    RemoveStatisticsUpdate,
    TableUpdate,
)

from lethe.engines.iceberg.commit import (
    Committer,
    Conflict,
    Refused,
    Staged,
    Unknown,
    remember,
    remove_quietly,
    send,
)
from lethe.engines.iceberg.retention import Retention, retention
from lethe.engines.iceberg.state import TableState
from lethe.engines.iceberg.tools import Tools
from lethe.engines.interface import PurgePolicy, TableRefused, TableUnavailable, Target

_ATTEMPTS_MAX: Final = 20

_PARTITIONS: Final = "partitions."
"""The keys of a summary that spell out the partitions that a commit changed."""


def expire(target: Target, tools: Tools, policy: PurgePolicy, now: datetime) -> None:
    """Commit until nothing is left to shorten.

    1. The manifests of the current snapshot may still list deleted files, and its summary may name partitions; then a
       snapshot of the same files takes its place. A crash before this commit leaves manifests that nothing refers to.
    2. Snapshots that nothing holds are removed from the metadata, and expired refs and statistics with them; in the
       same commit a property of the table takes over what they said of finished forgets. A crash before this commit
       leaves them to the next purge; after it the purge goes on with the files.
    Neither happens if a tag or branch moved since the table was loaded; then it is decided anew.

    Raises TableRefused, TableUnavailable, StorageFailed.
    """
    for _ in range(_ATTEMPTS_MAX):
        state = tools.load(target)
        staged: Staged | None = None
        try:
            if state.snapshot is not None and speaks_of_others(state, state.snapshot):
                staged = Committer(state, tools.new_name(), tools.clock()).refresh()
                send(state, staged.updates, all_refs=True)
                continue
            updates = _removals(state, retention(state.metadata, policy, now))
            if updates:
                send(state, updates, all_refs=True)
        except Conflict:
            _discard(state, staged)
            continue
        except Refused as error:
            _discard(state, staged)
            raise TableRefused(str(error)) from error
        except Unknown as error:
            raise TableUnavailable(str(error)) from error
        return
    raise TableUnavailable(f"{_ATTEMPTS_MAX} other commits came before the expiry of snapshots")


def speaks_of_others(state: TableState, snapshot: Snapshot) -> bool:
    """Whether a snapshot's manifests or summary speak of files or partitions beyond those that are live in it."""
    if any(m.deleted_files_count != 0 for m in state.files.manifests):
        return True
    return names_partitions(snapshot)


def names_partitions(snapshot: Snapshot) -> bool:
    """Whether the summary, which stands in the metadata file, spells out partitions."""
    summary = snapshot.summary
    return summary is not None and any(key.startswith(_PARTITIONS) for key in summary.additional_properties)


def _removals(state: TableState, fate: Retention) -> tuple[TableUpdate, ...]:
    metadata = state.metadata
    expired = {s.snapshot_id for s in fate.expired}
    updates: list[TableUpdate] = [RemoveSnapshotRefUpdate(ref_name=name) for name in fate.expired_refs]
    updates += [
        RemoveStatisticsUpdate(snapshot_id=s.snapshot_id) for s in metadata.statistics if s.snapshot_id in expired
    ]
    updates += [
        RemovePartitionStatisticsUpdate(snapshot_id=s.snapshot_id)
        for s in metadata.partition_statistics
        if s.snapshot_id in expired
    ]
    if expired:
        told = remember(metadata, fate.expired)
        updates += [told] if told is not None else []
        updates.append(RemoveSnapshotsUpdate(snapshot_ids=sorted(expired)))
    return tuple(updates)


def _discard(state: TableState, staged: Staged | None) -> None:
    if staged is not None:
        remove_quietly(state, staged.locations)
