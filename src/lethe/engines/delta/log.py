"""Reading the log: the newest version of the table, exactly.

Read straight from the files, through the same storage as everything else. The listing decides which version is the
newest; `_last_checkpoint` is only a hint and may be stale, so it is not asked.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from lethe.engines.delta.checkpoint import read_checkpoint
from lethe.engines.delta.log_files import LOG, LogListing, commit_path, listing_of
from lethe.engines.delta.snapshot import Replay, Snapshot
from lethe.engines.interface import TableMissing, TableRefused, TableUnavailable
from lethe.engines.storage.interface import FileMissing, Storage

_ATTEMPTS: Final = 3
"""Another cleaner may remove a log file between the listing and the reading."""


def read_snapshot(storage: Storage) -> Snapshot:
    """The newest version. Raises TableMissing, TableRefused, TableUnavailable, StorageFailed."""
    return snapshot_and_listing(storage)[0]


def snapshot_and_listing(storage: Storage) -> tuple[Snapshot, LogListing]:
    """The newest version, and the files of the log in which it stands."""
    for _ in range(_ATTEMPTS):
        listing = listing_of(storage.list(LOG))
        try:
            return _replay(storage, listing), listing
        except FileMissing:
            continue
    raise TableUnavailable("the log was cleaned while it was read, again and again")


def _replay(storage: Storage, listing: LogListing) -> Snapshot:
    newest = listing.newest
    if newest is None:
        raise TableMissing("there is no Delta table at this location")
    replay = Replay()
    first = 0
    if listing.checkpoints:
        checkpoint = listing.checkpoints[-1]
        first = checkpoint.version + 1
        replay.apply(action for action in read_checkpoint(storage, checkpoint) if "remove" not in action)
    versions = [version for version in listing.commits if version >= first]
    if versions and (versions[0] != first or any(after - before != 1 for before, after in pairwise(versions))):
        raise TableRefused("the table's log has a gap")
    for version in versions:
        replay.apply(read_commit(storage, version))
    return replay.snapshot(newest)


def read_commit(storage: Storage, version: int) -> Sequence[dict[str, Any]]:
    """The actions of one commit. Raises FileMissing, TableRefused."""
    try:
        lines = [line for line in storage.read(commit_path(version)).split(b"\n") if line.strip()]
        actions = [json.loads(line) for line in lines]
    except ValueError:
        raise TableRefused(f"the commit of version {version} is not JSON") from None
    if not all(isinstance(action, dict) for action in actions):
        raise TableRefused(f"the commit of version {version} is not a list of actions")
    return actions
