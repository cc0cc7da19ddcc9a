"""Removing every file that the live table does not need.

The order of effects, and why a crash between any two is safe:
1. The history is shortened (`expire`). Before it, everything is still needed; after it, the removed
   snapshots cannot be reached, and the files that they alone needed are garbage.
2. The files are listed, and then the table is loaded: a file that is listed and that the table, loaded later, does not
   refer to, is garbage, or belongs to a commit that is on its way. Old metadata files tell the two apart.
3. Garbage is removed: data and delete files first, then manifests, then lists, then old metadata files. Whoever names
   others goes after them, so that a purge that stopped anywhere finds by the same way what is left.
Each removal is of a file that no reader of the live table opens. A failed removal is reported, and those that name it
stay. Repeated, a purge finds less to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from posixpath import dirname
from typing import Final

from lethe.engines.iceberg.expire import expire
from lethe.engines.iceberg.places import Places, below, canonical
from lethe.engines.iceberg.references import Needed, References, formerly, needed
from lethe.engines.iceberg.retention import retention
from lethe.engines.iceberg.state import TableState, why_not_writable
from lethe.engines.iceberg.tools import Tools
from lethe.engines.interface import (
    NotRemoved,
    Phase,
    PurgePolicy,
    PurgeReport,
    TableRefused,
    Target,
    Watcher,
)
from lethe.engines.progress import Meter
from lethe.engines.storage.interface import FileMissing, FileStat, RemovalForbidden, StorageFailed
from lethe.engines.superseded import superseded

_HINT: Final = "metadata/version-hint.text"
"""A number that some readers without a catalog look for; it says nothing else."""


SHARED: Final = "the table's property gc.enabled is false: its files may belong to other tables"


@dataclass(frozen=True, slots=True)
class Garbage:
    """A file to remove."""

    location: str
    """Canonical."""
    size_bytes: int


def purge_table(target: Target, tools: Tools, policy: PurgePolicy, now: datetime, watch: Watcher) -> PurgeReport:
    """Purge, in the order that this module states. Raises TableRefused, TableUnavailable, StorageFailed."""
    state = tools.load(target)
    refusal = why_not_writable(state)
    if refusal is not None:
        raise TableRefused(refusal)
    if not may_collect(state):
        return PurgeReport(held=(NotRemoved(state.places.root, SHARED),))
    expire(target, tools, policy, now)
    listed = listed_files(state.places)
    beside = _listed_beside(state)
    state = tools.load(target)
    keep = needed(state, retention(state.metadata, policy, now).kept)
    past = formerly(state.places, state.io, _metadata_files(state, listed), keep.references)
    remove, held = _divide(listed, keep, past, policy, now)
    outside, unknown = _outside(state, past, keep, beside)
    report = remove_in_order([*remove, *outside], past, state.places, watch, Phase.PURGE)
    state.places.storage.remove_empty_directories()
    kept = superseded(state.places.opened, policy.forgotten_at)
    held_back = (*keep.held, *held, *unknown, *report.held, *kept)
    return PurgeReport(report.files_removed, report.bytes_removed, report.failed, held_back)


def may_collect(state: TableState) -> bool:
    """Whether the table owns its files."""
    return state.metadata.properties.get("gc.enabled", "true").lower() != "false"


def listed_files(places: Places) -> Mapping[str, FileStat]:
    """Every file under the location, by its canonical location."""
    return {f"{places.root}/{stat.path}": stat for stat in places.storage.list()}


def _listed_beside(state: TableState) -> Mapping[str, FileStat]:
    """Files in the directory outside of the location to which a property sends data files."""
    found = {}
    for key in ("write.data.path", "write.metadata.path", "write.folder-storage.path", "write.object-storage.path"):
        root = state.metadata.properties.get(key)
        if root and canonical(root) != state.places.root and below(state.places.root, canonical(root)) is None:
            storage = state.places.beside(root)
            found.update({f"{canonical(root)}/{stat.path}": stat for stat in storage.list()})
    return found


def _metadata_files(state: TableState, listed: Mapping[str, FileStat]) -> Sequence[str]:
    """Old metadata files. Raises TableRefused when there are some of another table below the location."""
    current = canonical(state.table.metadata_location)
    logged = {canonical(entry.metadata_file) for entry in state.metadata.metadata_log}
    require_alone(listed, {dirname(location) for location in (current, *logged)})
    found = logged | {location for location in listed if location.endswith(".metadata.json")}
    return sorted(found - {current})


def require_alone(listed: Mapping[str, FileStat], own: set[str]) -> None:
    """Refuse to remove anything where another table lives as well."""
    for location in listed:
        if location.endswith(".metadata.json") and dirname(location) not in own:
            raise TableRefused("the location of another table lies inside that of this one")


def _divide(
    listed: Mapping[str, FileStat], keep: Needed, past: References, policy: PurgePolicy, now: datetime
) -> tuple[list[Garbage], list[NotRemoved]]:
    """What lies under the location and is not needed: what goes, and what may be a writer's."""
    remove, held = [], []
    hint = [location for location in listed if location.endswith(f"/{_HINT}")]
    for location, stat in listed.items():
        if location in keep.references or location in hint:
            continue
        free = stat.modified_at + policy.writers_grace
        if location not in past and policy.writers_grace and free > now:
            held.append(NotRemoved(location, "it may belong to a commit that is on its way", free))
        else:
            remove.append(Garbage(location, stat.size_bytes))
    return remove, held


def _outside(
    state: TableState, past: References, keep: Needed, beside: Mapping[str, FileStat]
) -> tuple[list[Garbage], list[NotRemoved]]:
    """Files elsewhere: those that the table once referred to go; others there may be another table's."""
    root = state.places.root
    remove = stray(state.places, [p for p in past if below(root, p) is None and p not in keep.references])
    going = {garbage.location for garbage in remove}
    unknown = [
        NotRemoved(location, "it lies outside of the table's location, and the table does not know it")
        for location in beside
        if location not in going and location not in keep.references
    ]
    return remove, unknown


def stray(places: Places, locations: Sequence[str]) -> list[Garbage]:
    """Those of some files that still exist."""
    found = []
    for location in locations:
        storage, path = places.of(location)
        try:
            found.append(Garbage(location, storage.stat(path).size_bytes))
        except FileMissing:
            continue
    return found


def remove_in_order(
    garbage: Sequence[Garbage], past: References, places: Places, watch: Watcher, phase: Phase
) -> PurgeReport:
    """Content, then manifests, lists and metadata files; after a failure those that name others stay."""
    meter = Meter(watch, phase, len(garbage), sum(g.size_bytes for g in garbage))
    files = size = 0
    failed: list[NotRemoved] = []
    held: list[NotRemoved] = []
    failed_rank: int | None = None
    for rank, one in sorted(((past.rank(g.location), g) for g in garbage), key=lambda p: (p[0], p[1].location)):
        if failed_rank is not None and rank > failed_rank:
            (failed or held).append(NotRemoved(one.location, "it names a file that could not be removed"))
            continue
        storage, path = places.of(one.location)
        try:
            storage.remove(path)
        except RemovalForbidden as error:
            failed_rank = rank
            held.append(NotRemoved(one.location, str(error)))
            continue
        except StorageFailed as error:
            failed_rank = rank
            failed.append(NotRemoved(one.location, f"the storage refused: {error}"))
            continue
        files, size = files + 1, size + one.size_bytes
        meter.step(one.size_bytes)
    return PurgeReport(files, size, tuple(failed), tuple(held))
