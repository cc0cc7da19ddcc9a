"""A table at one moment: its metadata, the snapshot that is current, and what is needed to ask about its files."""

from dataclasses import dataclass, replace
from typing import Final

from pyiceberg.io import FileIO
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot

from lethe.engines.iceberg.deletes import DeleteReader
from lethe.engines.iceberg.fields import FieldPaths, field_paths, identity_field, require_same_entry_names
from lethe.engines.iceberg.file_io import StorageFileIO
from lethe.engines.iceberg.judge import FileFacts, Hidden, IcebergJudge
from lethe.engines.iceberg.live_files import LiveFile, SnapshotFiles, live_files
from lethe.engines.iceberg.places import Places
from lethe.engines.iceberg.prune import Pruner, partition_constants
from lethe.engines.iceberg.public_names import PublicNames
from lethe.engines.interface import IdentityMap, Selector, TableRefused
from lethe.engines.matching import Matcher
from lethe.engines.storage.opening import StorageOpener

NO_SNAPSHOT: Final = "none"
"""The table version of a table that nobody wrote to."""


@dataclass(frozen=True, slots=True)
class TableState:
    """What one loading of a table showed."""

    table: Table
    places: Places
    io: FileIO
    snapshot: Snapshot | None
    files: SnapshotFiles
    paths: FieldPaths
    deletes: DeleteReader

    @property
    def metadata(self) -> TableMetadata:
        """The table's metadata."""
        return self.table.metadata

    @property
    def version(self) -> str:
        """The table version for which a plan made now holds."""
        return NO_SNAPSHOT if self.snapshot is None else str(self.snapshot.snapshot_id)

    def at(self, snapshot: Snapshot) -> "TableState":
        """The same table as it was in one of its snapshots."""
        return replace(self, snapshot=snapshot, files=live_files(self.metadata, snapshot, self.io))


def table_state(table: Table, open_storage: StorageOpener) -> TableState:
    """Read the live files of a table. Raises TableRefused, StorageFailed."""
    places = Places(table.location(), open_storage)
    io = StorageFileIO(places)
    snapshot = table.current_snapshot()
    paths = field_paths(table.name_mapping())
    return TableState(
        table,
        places,
        io,
        snapshot,
        live_files(table.metadata, snapshot, io),
        paths,
        DeleteReader(table.metadata, paths, places),
    )


_NOTHING_HIDDEN: Final = Hidden()


@dataclass(frozen=True, slots=True)
class Question:
    """A matcher, asked of the files of a table."""

    state: TableState
    judge: IcebergJudge
    """Without what is particular to one file."""
    pruner: Pruner
    names: PublicNames

    def facts_of(self, file: LiveFile, hidden: Hidden = _NOTHING_HIDDEN) -> FileFacts:
        """What the judge must know of one data file."""
        spec = self.state.metadata.specs()[file.file.spec_id]
        return FileFacts(partition_constants(file.file, spec, self.state.metadata.schema()), hidden)


def question(state: TableState, matcher: Matcher, selector: Selector) -> Question:
    """Ask for a selector by the field that it means now. Raises TableRefused."""
    schema = state.metadata.schema()
    field = identity_field(schema, selector)
    if isinstance(selector, IdentityMap):
        for other in state.metadata.schemas:
            require_same_entry_names(schema, other, field.field_id)
    judge = IcebergJudge(matcher, field.field_id, state.paths)
    names = PublicNames.of_table(state.metadata, field.field_id)
    return Question(state, judge, Pruner(judge, field, state.metadata.specs()), names)


def require_readable(state: TableState) -> None:
    """Refuse what cannot be examined at all."""
    if any(key.startswith("encryption.") for key in state.metadata.properties):
        raise TableRefused("the table is encrypted")


def why_not_writable(state: TableState) -> str | None:
    """Why no commit is possible, whatever it holds; None when one is."""
    if state.metadata.format_version > _WRITABLE_VERSION_MAX:
        return f"the table has format version {state.metadata.format_version}, which is read but not written"
    return None


_WRITABLE_VERSION_MAX: Final = 2
