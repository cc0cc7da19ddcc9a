"""One commit: new manifests, their list, and the swap of the catalog's entry, which happens or does not.

pyiceberg's own overwrite can neither remove delete files nor add files to an older partition spec, and it copies bounds
of deleted values into the new manifests; so the snapshot is put together here from its public parts, and handed to the
catalog with the requirement that the branch has not moved. Every concurrent commit is thereby seen, never overwritten.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pyiceberg.exceptions import (
    AuthorizationExpiredError,
    BadRequestError,
    CommitFailedException,
    CommitStateUnknownException,
    ForbiddenError,
    NoSuchTableError,
    UnauthorizedError,
    ValidationError,
)
from pyiceberg.manifest import DataFile, ManifestEntry, ManifestFile, write_manifest_list
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from pyiceberg.table.snapshots import (
    Operation,
    Snapshot,
    SnapshotSummaryCollector,
    Summary,
    ancestors_of,
    update_snapshot_summaries,
)
from pyiceberg.table.update import (
    AddSnapshotUpdate,
    AssertRefSnapshotId,
    AssertTableUUID,
    SetPropertiesUpdate,
    SetSnapshotRefUpdate,
    TableRequirement,
    TableUpdate,
)

from lethe.engines.iceberg.manifests import Added, ManifestFactory, avro_codec
from lethe.engines.iceberg.state import TableState
from lethe.engines.interface import Marker
from lethe.engines.storage.interface import StorageFailed
from lethe.engines.tally import Counts

MARKER_PROPERTY: Final = "lethe.marker"
"""The key in a snapshot's summary under which a commit is recognised."""

COUNTS_PROPERTY: Final = "lethe.counts"
"""The key under which a commit says what it counted, by position and never by value, when that is short."""

DONE_PROPERTY: Final = "lethe.forgotten"
"""The table's property that remembers the newest forgets whose snapshots were expired."""

_DONE_MAX: Final = 8
"""How many; a worker comes back to ask for one soon or never."""

_COUNTS_LENGTH_MAX: Final = 65_536
"""Characters; a summary stands in the metadata file, which every reader loads."""

_TOTALS: Final = "total-"
"""The keys of a summary that hold for the table and not for the commit alone."""


class Conflict(Exception):
    """Another commit came first."""


class Refused(Exception):
    """The catalog said no, and would again."""


class Unknown(Exception):
    """Whether the commit happened cannot be told."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit does to the files of the table."""

    removed: Sequence[ManifestEntry] = ()
    added: Sequence[Added] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    """For the snapshot's summary; never anything that came from a row."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A snapshot whose manifests are written, and which nothing refers to yet."""

    snapshot: Snapshot
    locations: Sequence[str]
    """Files that are removed when the commit does not happen."""
    updates: tuple[TableUpdate, ...]


class Committer:
    """Makes snapshots of one loaded table."""

    def __init__(self, state: TableState, name: str, at: datetime) -> None:
        self._state = state
        self._name = name
        self._at_ms = max(int(at.timestamp() * 1000), state.metadata.last_updated_ms + 1)

    def overwrite(self, change: Change) -> Staged:
        """Stage a snapshot with other files."""
        snapshot_id = self._state.metadata.new_snapshot_id()
        factory = self._factory(snapshot_id)
        removed = {e.data_file.file_path for e in change.removed}
        manifests = factory.of_added(change.added)
        manifests += self._rewritten(factory, removed, forget_deleted=False)
        operation = Operation.OVERWRITE if change.added else Operation.DELETE
        files = [e.data_file for e in change.removed]
        summary = Summary(
            operation,
            **_collected(self._state, [a.file for a in change.added], files),
            **change.properties,
        )
        previous = self._state.snapshot.summary if self._state.snapshot is not None else None
        return self._staged(
            snapshot_id, factory, manifests, update_snapshot_summaries(summary, previous_summary=previous)
        )

    def refresh(self) -> Staged:
        """Stage a snapshot of the same files, whose manifests and summary speak of no other."""
        snapshot_id = self._state.metadata.new_snapshot_id()
        factory = self._factory(snapshot_id)
        manifests = self._rewritten(factory, (), forget_deleted=True)
        previous = self._state.snapshot.summary if self._state.snapshot is not None else None
        known = {} if previous is None else previous.additional_properties
        totals = {key: value for key, value in known.items() if key.startswith(_TOTALS)}
        return self._staged(snapshot_id, factory, manifests, Summary(Operation.REPLACE, **totals))

    def _factory(self, snapshot_id: int) -> ManifestFactory:
        location = self._state.table.location_provider().new_metadata_location
        return ManifestFactory(self._state.metadata, snapshot_id, self._state.io, location, self._name)

    def _rewritten(
        self, factory: ManifestFactory, removed: Collection[str], *, forget_deleted: bool
    ) -> list[ManifestFile]:
        found = (factory.without(m, removed, forget_deleted=forget_deleted) for m in self._state.files.manifests)
        return [manifest for manifest in found if manifest is not None]

    def _staged(
        self, snapshot_id: int, factory: ManifestFactory, manifests: list[ManifestFile], summary: Summary
    ) -> Staged:
        metadata, parent = self._state.metadata, self._state.snapshot
        parent_id = None if parent is None else parent.snapshot_id
        location = self._state.table.location_provider().new_metadata_location(
            f"snap-{snapshot_id}-0-{self._name}.avro"
        )
        sequence_number = metadata.next_sequence_number()
        with write_manifest_list(
            format_version=metadata.format_version,
            output_file=self._state.io.new_output(location),
            snapshot_id=snapshot_id,
            parent_snapshot_id=parent_id,
            sequence_number=sequence_number,
            avro_compression=avro_codec(metadata),
        ) as writer:
            if manifests:
                writer.add_manifests(manifests)
        snapshot = Snapshot(
            snapshot_id=snapshot_id,
            parent_snapshot_id=parent_id,
            manifest_list=location,
            sequence_number=sequence_number,
            timestamp_ms=self._at_ms,
            summary=summary,
            schema_id=metadata.current_schema_id,
        )
        return Staged(
            snapshot, (*factory.locations, location), (AddSnapshotUpdate(snapshot=snapshot), self._moved(snapshot_id))
        )

    def _moved(self, snapshot_id: int) -> SetSnapshotRefUpdate:
        """The branch at the new snapshot; what it says of retention stays."""
        ref = self._state.metadata.refs.get(MAIN_BRANCH)
        return SetSnapshotRefUpdate(
            ref_name=MAIN_BRANCH,
            type=SnapshotRefType.BRANCH,
            snapshot_id=snapshot_id,
            max_ref_age_ms=ref.max_ref_age_ms if ref else None,
            max_snapshot_age_ms=ref.max_snapshot_age_ms if ref else None,
            min_snapshots_to_keep=ref.min_snapshots_to_keep if ref else None,
        )


def _collected(state: TableState, added: Sequence[DataFile], removed: Sequence[DataFile]) -> dict[str, str]:
    """The counts of a summary, of no single partition: a partition's name may be an identity."""
    collector = SnapshotSummaryCollector(partition_summary_limit=0)
    specs, schema = state.metadata.specs(), state.metadata.schema()
    for file in added:
        collector.add_file(file, schema, specs[file.spec_id])
    for file in removed:
        collector.remove_file(file, schema, specs[file.spec_id])
    return collector.build()


def send(state: TableState, updates: tuple[TableUpdate, ...], *, all_refs: bool = False) -> None:
    """Ask the catalog to apply updates if the branch has not moved since the table was loaded.

    With `all_refs` no tag or branch may have moved. Raises Conflict, Refused, Unknown.
    """
    refs = state.metadata.refs
    asserted = {MAIN_BRANCH, *refs} if all_refs else {MAIN_BRANCH}
    requirements: tuple[TableRequirement, ...] = (
        AssertTableUUID(uuid=state.metadata.table_uuid),
        *(
            AssertRefSnapshotId(ref=name, snapshot_id=refs[name].snapshot_id if name in refs else None)
            for name in sorted(asserted)
        ),
    )
    try:
        state.table.catalog.commit_table(state.table, requirements, updates)
    except CommitFailedException as error:
        raise Conflict from error
    except CommitStateUnknownException as error:
        raise Unknown("the catalog does not know whether it committed") from error
    except NoSuchTableError as error:
        raise Refused("the table is gone") from error
    except (BadRequestError, ForbiddenError, UnauthorizedError, AuthorizationExpiredError, ValidationError) as error:
        raise Refused(f"the catalog refused the commit: {type(error).__name__}") from error
    except Exception as error:  # a lost answer has as many names as there are catalogs
        raise Unknown(f"the commit ended with {type(error).__name__}") from error


def committed_as(state: TableState, marker: Marker) -> Snapshot | None:
    """The snapshot in the current history that bears a marker."""
    for snapshot in ancestors_of(state.snapshot, state.metadata):
        if snapshot.summary is not None and snapshot.summary.get(MARKER_PROPERTY) == marker:
            return snapshot
    return None


def marked(marker: Marker, counts: Counts) -> Mapping[str, str]:
    """The properties by which a repeated forget knows its commit, and can answer as the first did."""
    text = counts.to_text()
    return {MARKER_PROPERTY: marker, **({COUNTS_PROPERTY: text} if len(text) <= _COUNTS_LENGTH_MAX else {})}


def counts_of(snapshot: Snapshot) -> Counts | None:
    """What the commit counted, if it says so."""
    return None if snapshot.summary is None else Counts.from_text(snapshot.summary.get(COUNTS_PROPERTY))


@dataclass(frozen=True, slots=True)
class Remembered:
    """A forget whose snapshot was expired."""

    snapshot_id: str
    counts: Counts | None


def remembered(metadata: TableMetadata, marker: Marker) -> Remembered | None:
    """What the table's property says of a marker."""
    for known, snapshot_id, text in _remembered(metadata):
        if known == marker:
            return Remembered(snapshot_id, Counts.from_text(text))
    return None


def remember(metadata: TableMetadata, expired: Sequence[Snapshot]) -> SetPropertiesUpdate | None:
    """Make the property tell of the forgets among snapshots that are about to go; None where there are none."""
    told = [
        (s.summary[MARKER_PROPERTY], str(s.snapshot_id), s.summary.get(COUNTS_PROPERTY))
        for s in sorted(expired, key=lambda s: s.sequence_number or 0)
        if s.summary is not None and s.summary.get(MARKER_PROPERTY) is not None
    ]
    if not told:
        return None
    newest = {one[0]: one for one in (*_remembered(metadata), *told)}
    text = json.dumps(list(newest.values())[-_DONE_MAX:], separators=(",", ":"))
    return SetPropertiesUpdate(updates={DONE_PROPERTY: text})


def _remembered(metadata: TableMetadata) -> Sequence[tuple[str, str, str | None]]:
    try:
        return [(one[0], one[1], one[2]) for one in json.loads(metadata.properties.get(DONE_PROPERTY, "[]"))]
    except (ValueError, IndexError, TypeError, KeyError):
        return ()


def remove_quietly(state: TableState, locations: Sequence[str]) -> None:
    """Remove files that nothing refers to; one that stays is found by a purge."""
    for location in locations:
        storage, path = state.places.of(location)
        try:
            storage.remove(path)
        except StorageFailed:
            continue
