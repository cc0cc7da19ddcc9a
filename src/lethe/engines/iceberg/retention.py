"""Which snapshots stay, why, and until when. Pure: reads no file and no clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRef, SnapshotRefType
from pyiceberg.table.snapshots import Snapshot, ancestors_of

from lethe.engines.interface import PurgePolicy

_KEEP_COUNT: Final = "history.expire.min-snapshots-to-keep"
_KEEP_AGE: Final = "history.expire.max-snapshot-age-ms"
"""Table properties that set a floor; their defaults, which nobody asked for, do not."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot beside the current one that may not go yet."""

    snapshot: Snapshot
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Retention:
    """The fate of every snapshot."""

    kept: Sequence[Kept]
    expired: Sequence[Snapshot]
    expired_refs: Sequence[str]
    """Tags and branches past the age that they set themselves."""


def retention(metadata: TableMetadata, policy: PurgePolicy, now: datetime) -> Retention:
    """Keep what a tag, a branch, a floor or a grace holds; expire the rest. The current snapshot is neither."""
    expired_refs = [name for name, ref in metadata.refs.items() if _ended(metadata, name, ref, now)]
    refs = {name: ref for name, ref in metadata.refs.items() if name not in expired_refs}
    kept: dict[int, Kept] = {}
    for one in _held(metadata, refs, policy, now):
        known = kept.get(one.snapshot.snapshot_id)
        if known is None or (known.until is not None and (one.until is None or one.until > known.until)):
            kept[one.snapshot.snapshot_id] = one
    gone = [
        s for s in metadata.snapshots if s.snapshot_id not in kept and s.snapshot_id != metadata.current_snapshot_id
    ]
    staying = [k for k in kept.values() if k.snapshot.snapshot_id != metadata.current_snapshot_id]
    return Retention(staying, gone, expired_refs)


def _held(
    metadata: TableMetadata, refs: Mapping[str, SnapshotRef], policy: PurgePolicy, now: datetime
) -> Iterator[Kept]:
    reached: set[int] = set()
    for name, ref in refs.items():
        head = metadata.snapshot_by_id(ref.snapshot_id)
        history = list(ancestors_of(head, metadata)) if ref.snapshot_ref_type == SnapshotRefType.BRANCH else []
        reached.update(s.snapshot_id for s in history)
        if head is not None and name != MAIN_BRANCH:
            until = None if ref.max_ref_age_ms is None else _after(head, ref.max_ref_age_ms)
            yield Kept(head, f"the {ref.snapshot_ref_type} {name} pins snapshot {head.snapshot_id}", until)
        yield from _floors(metadata, name, ref, history, now)
        for child, parent in pairwise(history):
            free = _instant(child.timestamp_ms) + policy.readers_grace
            if policy.readers_grace and free > now:
                yield Kept(parent, f"readers may still use snapshot {parent.snapshot_id}", free)
    pinned = {ref.snapshot_id for ref in refs.values()}
    for snapshot in metadata.snapshots:
        free = _instant(snapshot.timestamp_ms) + policy.writers_grace
        if policy.writers_grace and snapshot.snapshot_id not in reached | pinned and free > now:
            yield Kept(snapshot, f"snapshot {snapshot.snapshot_id} may be staged for a branch", free)


def _floors(
    metadata: TableMetadata, name: str, ref: SnapshotRef, history: Sequence[Snapshot], now: datetime
) -> Iterator[Kept]:
    """What the branch, or a property of the table, says must stay."""
    count = ref.min_snapshots_to_keep or int(metadata.properties.get(_KEEP_COUNT, 1))
    for snapshot in history[1:count]:
        yield Kept(snapshot, f"the branch {name} keeps its last {count} snapshots", None)
    age = ref.max_snapshot_age_ms or int(metadata.properties.get(_KEEP_AGE, 0))
    for snapshot in history[1:]:
        free = _after(snapshot, age)
        if age and free > now:
            yield Kept(snapshot, f"the branch {name} keeps snapshots for {timedelta(milliseconds=age)}", free)


def _ended(metadata: TableMetadata, name: str, ref: SnapshotRef, now: datetime) -> bool:
    head = metadata.snapshot_by_id(ref.snapshot_id)
    return (
        name != MAIN_BRANCH
        and ref.max_ref_age_ms is not None
        and head is not None
        and _after(head, ref.max_ref_age_ms) <= now
    )


def _after(snapshot: Snapshot, age_ms: int) -> datetime:
    return _instant(snapshot.timestamp_ms) + timedelta(milliseconds=age_ms)


def _instant(timestamp_ms: int) -> datetime:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
