"""Deciding, for each live file, what a deletion does to it. Nothing is changed here.

A file is kept, unread, when metadata excludes a match: its partition value where that is the identity, or its
statistics. Otherwise the identity's column alone is read. Rows hidden by a deletion vector match nothing and count
for nobody; but as long as their file stays they are still in it, so a file whose hidden rows match is rewritten too.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from lethe.domain.ids import DatasetId
from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.delta.actions import AddFile, FileKey
from lethe.engines.delta.column_mapping import ColumnMapping, selector_path
from lethe.engines.delta.deletion_vectors import hidden_rows
from lethe.engines.delta.judge import DeltaJudge
from lethe.engines.delta.partition_identity import PartitionIdentity
from lethe.engines.delta.snapshot import Snapshot
from lethe.engines.delta.statistics import excludes_match, row_count
from lethe.engines.executors.interface import Executor, Job
from lethe.engines.interface import TRACE, TableRefused
from lethe.engines.matching import Matcher
from lethe.engines.progress import Meter
from lethe.engines.rewrite.scan import scan
from lethe.engines.storage.interface import FileMissing, Storage
from lethe.engines.tally import Counts, Numbers, Share

SCAN_MEMORY: Final = 1
"""Expected memory as a multiple of a file's size, for the budget of a pool."""

_NO_ROWS: Final[Numbers] = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Decided:
    """One file's fate, and the counts behind it."""

    add: AddFile
    action: FileAction
    rows: int
    """Live rows."""
    counts: Counts
    reason: str
    stored: Counts = field(default_factory=Counts)
    """Rows of the file that match, hidden or not; where the partition tells, of a single row."""

    def planned(self, name: str) -> PlannedFile:
        """As a plan tells it."""
        return PlannedFile(name, self.action, self.rows, self.counts.rows, self.add.size_bytes, self.reason)

    def of(self, share: Share) -> "Decided":
        """The fate of the file for one order alone."""
        alone = decide(self.add, self.rows, share.of(self.counts), share.of(self.stored))
        is_alike = alone.action is self.action and bool(alone.counts.rows) is bool(self.counts.rows)
        return replace(alone, reason=self.reason) if is_alike else alone


@dataclass(frozen=True, slots=True)
class Examine:
    """The task of an executor: read one file's identities."""

    storage: Storage
    matcher: Matcher
    mapping: ColumnMapping

    def __call__(self, add: AddFile) -> Decided:
        """Scan. Raises TableRefused, StorageFailed."""
        hidden = hidden_rows(self.storage, add.deletion_vector)
        try:
            with self.storage.open(add.file_path) as source:
                seen = scan(source, DeltaJudge(self.matcher, self.mapping, hidden))
            physical = seen
            if len(hidden):
                with self.storage.open(add.file_path) as source:
                    physical = scan(source, DeltaJudge(self.matcher, self.mapping, _NO_ROWS))
        except FileMissing as error:
            raise FileMissing("a live file of the table does not exist") from error
        if len(hidden) and hidden[-1] >= seen.rows:
            raise TableRefused("a deletion vector hides rows that its file does not have")
        live = seen.rows - len(hidden)
        decided = decide(add, live, seen.counts, physical.counts)
        if decided.action is FileAction.REWRITE and seen.method:
            return replace(decided, reason=f"{decided.reason}; {seen.method}")
        return decided


def decide(add: AddFile, rows_live: int, counts: Counts, stored: Counts) -> Decided:
    """What a file's rows, live and stored, mean for the file."""
    if not stored.rows:
        return Decided(add, FileAction.KEEP, rows_live, counts, "no row matches", stored)
    if counts.rows == rows_live:
        reason = "every row matches" if rows_live else "every row was deleted before, and one of them matches"
        return Decided(add, FileAction.DROP, rows_live, counts, reason, stored)
    reason = "some rows match" if counts.rows else "rows that were deleted before match; they are still in the file"
    return Decided(add, FileAction.REWRITE, rows_live, counts, reason, stored)


@dataclass(frozen=True, slots=True)
class Table:
    """One version of a table, with everything that a decision needs."""

    storage: Storage
    snapshot: Snapshot
    mapping: ColumnMapping
    partition: PartitionIdentity | None
    matcher: Matcher

    @classmethod
    def of(cls, storage: Storage, snapshot: Snapshot, matcher: Matcher) -> "Table":
        """Raises TableRefused where the selector does not fit the table."""
        mapping = ColumnMapping.of(snapshot.metadata)
        selector = matcher.selector
        mapping.field(selector_path(selector))
        return cls(storage, snapshot, mapping, PartitionIdentity.of(snapshot.metadata, mapping, selector), matcher)

    def public_name(self, add: AddFile) -> str:
        """The name under which plans speak of a file: its path, without directories that name the identity."""
        return public_path(add.file_path, hide_directories=self.partition is not None)

    def plan(self, dataset_id: DatasetId, decided: Iterable[Decided]) -> TablePlan:
        """The decisions as a plan, in the order of the paths."""
        files = sorted((one.planned(self.public_name(one.add)) for one in decided), key=lambda file: file.path)
        return TablePlan(dataset_id, str(self.snapshot.version), files)


def public_path(path: str, *, hide_directories: bool) -> str:
    """A path for plans and reports. Where the identity is a partition column, directories are named by it."""
    directory, _, name = path.rpartition("/")
    return f"…/{name}" if hide_directories and directory else path


def decide_all(
    table: Table, adds: Sequence[AddFile], executor: Executor, meter: Meter, suspects: Collection[FileKey] = ()
) -> Mapping[FileKey, Decided]:
    """Decide on every one of the files; what is suspected is opened, whatever metadata says, and is not kept as it is.

    Raises TableRefused, StorageFailed.
    """
    if table.partition is not None:
        return _scrubbed(_by_partition(table, table.partition, adds, meter), suspects)
    decided, jobs = dict[FileKey, Decided](), list[Job[AddFile]]()
    for add in adds:
        if add.key not in suspects and excludes_match(add, table.mapping, table.matcher):
            rows = row_count(add) or 0
            decided[add.key] = Decided(add, FileAction.KEEP, rows, Counts(), "its statistics exclude a match")
            meter.step(add.size_bytes)
        else:
            jobs.append(Job(add, add.size_bytes * SCAN_MEMORY))
    for add, one in executor.map(Examine(table.storage, table.matcher, table.mapping), jobs):
        decided[add.key] = one
        meter.step(add.size_bytes)
    return _scrubbed(decided, suspects)


def _scrubbed(decided: Mapping[FileKey, Decided], suspects: Collection[FileKey]) -> Mapping[FileKey, Decided]:
    return {
        key: replace(one, action=FileAction.SCRUB, reason=TRACE)
        if key in suspects and one.action is not FileAction.DROP
        else one
        for key, one in decided.items()
    }


def _by_partition(
    table: Table, partition: PartitionIdentity, adds: Sequence[AddFile], meter: Meter
) -> Mapping[FileKey, Decided]:
    decided = {}
    matches = partition.matches(adds, table.matcher)
    for add in adds:
        rows = _live_rows(table.storage, add)
        of_a_row = partition.of_a_row(add, matches)
        if of_a_row.rows:
            counts = of_a_row.times(rows)
            decided[add.key] = Decided(add, FileAction.DROP, rows, counts, "its partition matches", of_a_row)
        else:
            decided[add.key] = Decided(add, FileAction.KEEP, rows, Counts(), "its partition does not match")
        meter.step(add.size_bytes)
    return decided


def _live_rows(storage: Storage, add: AddFile) -> int:
    """From the log, or from the file's footer."""
    rows = row_count(add)
    if rows is None:
        with storage.open(add.file_path) as source:
            rows = pq.read_metadata(source).num_rows
    return int(rows) - (0 if add.deletion_vector is None else add.deletion_vector.cardinality)
