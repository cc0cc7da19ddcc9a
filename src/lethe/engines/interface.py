"""How rows leave a table, as its callers see it: six verbs, and the values that they pass.

The order of one work order is find → forget → purge → verify; an expiration is drop → verify. Every verb may run twice:
each first looks at what is already done. Nothing here holds an identity value except `Order`, which goes in and
never comes out: plans, tallies, reports and evidence speak of counts, paths and positions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType, Protocol

from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.identity import HashedIdentities, Identities
from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.domain.plan import TablePlan

Marker = NewType("Marker", str)
"""The name under which a commit is recognised when it is repeated: bundle and step, never an identity."""


TRACE: Final = "it holds a trace of a deleted row that no row of it explains"
"""Why a plan scrubs a file."""


# What to match


@dataclass(frozen=True, slots=True)
class IdentityMap:
    """Rows are named by a map column: namespace code → entries of `id` and `primary`."""

    column: str = "identityMap"


Selector = PrimaryIdentity | IdentityMap
"""What of a row names its person: one field at a path, or the primary entries of an identity map."""


@dataclass(frozen=True, slots=True)
class Target:
    """One dataset's table, and what of its rows names the person."""

    dataset_id: DatasetId
    table: TableReference
    selector: Selector


@dataclass(frozen=True, slots=True)
class Order:
    """One work order's share of a pass."""

    work_order_id: WorkOrderId
    identities: Identities


@dataclass(frozen=True, slots=True)
class HashedOrder:
    """An order whose identities are destroyed: rows are recognised by keyed hashes."""

    work_order_id: WorkOrderId
    identities: HashedIdentities


@dataclass(frozen=True, slots=True)
class Wanted:
    """The orders that go through one pass over a table together."""

    orders: tuple[Order, ...]
    hashed: tuple[HashedOrder, ...] = ()
    """For find alone: nothing but a row's own value can be hashed and compared. They count behind the others."""


# What was counted


@dataclass(frozen=True, slots=True)
class OrderTally:
    """What one order found."""

    work_order_id: WorkOrderId
    rows_matched: int
    """Rows named by at least one of the order's identities."""
    rows_by_identity: tuple[int, ...]
    """Rows per identity, in the order in which the order's identities iterate; 0 says: not found."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the orders of one pass found."""

    rows_matched: int
    """Rows named by at least one identity; orders may share rows, so this is not the sum over them."""
    orders: tuple[OrderTally, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a find answers: the plan, which may be shown and kept, and the counts behind it."""

    plan: TablePlan
    tally: Tally


# What became of a commit


@dataclass(frozen=True, slots=True)
class Forgotten:
    """It happened: no live row matches in this snapshot."""

    snapshot: str
    plan: TablePlan
    """The plan as carried out; it differs from the one asked for where other commits came between."""
    tally: Tally | None
    """None when an earlier attempt did it and what it counted is gone: what was recorded before it stands."""
    repeated: bool = False
    """The marker was found: an earlier attempt had done it."""


@dataclass(frozen=True, slots=True)
class DidNotHappen:
    """Nothing was committed and nothing is left behind that a repeat would not clean. Repeat it."""

    reason: str


@dataclass(frozen=True, slots=True)
class MayHaveHappened:
    """The answer of the commit was lost. Delete nothing; repeat it: the marker is looked up first."""

    reason: str


@dataclass(frozen=True, slots=True)
class NeverWill:
    """The table cannot be changed this way. Stop."""

    reason: str


Outcome = Forgotten | DidNotHappen | MayHaveHappened | NeverWill


# What purge removed and kept


@dataclass(frozen=True, slots=True)
class PurgePolicy:
    """What a purge must leave for others."""

    readers_grace: timedelta = timedelta(0)
    """How long a file stays after the table stopped referring to it, for queries that began before."""
    writers_grace: timedelta = timedelta(hours=1)
    """How long a file that nothing refers to may belong to a commit that is still on its way."""
    forgotten_at: datetime | None = None
    """When the last row had left; an old version of a file that was stored later holds none. None: nobody knows."""


@dataclass(frozen=True, slots=True)
class NotRemoved:
    """A file that should be gone and is not."""

    path: str
    reason: str
    until: datetime | None = None
    """When it may go; None when no date is known."""


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """What a purge did. The table is clean only when nothing failed and nothing is held."""

    files_removed: int = 0
    bytes_removed: int = 0
    failed: Sequence[NotRemoved] = ()
    """Removal was tried and did not work: repeat the purge."""
    held: Sequence[NotRemoved] = ()
    """Removal is not allowed yet: a tag or branch, an object lock, a grace."""

    @property
    def clean(self) -> bool:
        """Whether nothing stands in the way of a proof."""
        return not self.failed and not self.held


# What the independent reader saw


class ResidueKind(StrEnum):
    """Where a trace of an identity was found."""

    LIVE_ROW = "live row"
    STORED_ROW = "row of a file that is not live"
    VALUE = "value that no surviving row explains"
    UNREADABLE = "file that could not be examined"


@dataclass(frozen=True, slots=True)
class Residue:
    """A find that nothing explains. It names the place, never the value."""

    path: str
    kind: ResidueKind
    where: str
    """The part of the file: a page, a footer, a column bound, a log entry."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the verification examined and found."""

    snapshot: str
    files_examined: int
    bytes_examined: int
    rows_examined: int
    finds_explained: int
    """Places where a value stands rightly: in a surviving row that does not match."""
    residues: Sequence[Residue] = ()

    @property
    def gone(self) -> bool:
        """Whether absence is proven."""
        return not self.residues


# Progress


class Phase(StrEnum):
    """What an engine is doing."""

    FIND = "find"
    FORGET = "forget"
    PURGE = "purge"
    VERIFY = "verify"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verb is; sent after every file."""

    phase: Phase
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int


Watcher = Callable[[Progress], None]


def unwatched(_: Progress) -> None:
    """The watcher of whoever does not look."""


# Refusals of an engine


class TableRefused(Exception):
    """The table, as it is, cannot be deleted from with certainty; the reason names the feature."""


class TableMissing(TableRefused):
    """There is no table at this location or under this name."""


class TableUnavailable(Exception):
    """The table could not be read this time."""


# The engine


@dataclass(frozen=True, slots=True)
class Traits:
    """What callers may rely on."""

    formats: frozenset[TableFormat]
    commits_atomically: bool
    """All files of a forget appear changed at once; otherwise file by file, each whole."""
    detects_conflicts: bool
    """A concurrent writer's change to the same file is refused or re-planned, never lost."""
    keeps_history: bool
    """Old snapshots exist until a purge."""
    selectors: frozenset[type[PrimaryIdentity] | type[IdentityMap]] = field(
        default_factory=lambda: frozenset({PrimaryIdentity, IdentityMap})
    )


class Engine(Protocol):
    """Deletes rows from tables of some formats, and proves it."""

    @property
    def traits(self) -> Traits:
        """What callers may rely on."""
        ...

    def find(self, target: Target, wanted: Wanted, *, scrub: bool = False, watch: Watcher = unwatched) -> Finding:
        """Decide which files to drop, rewrite or keep. Changes nothing.

        With `scrub` the independent reader looks first, as in `verify`, and live files that hold a trace which no row
        explains are planned to be encoded anew: a careless deletion of others may have left it in a dictionary, in
        statistics, or in rows that only metadata hides.

        Raises TableMissing, TableRefused (never will), TableUnavailable (repeat).
        """
        ...

    def find_each(self, target: Target, orders: Sequence[Order], *, watch: Watcher = unwatched) -> Sequence[Finding]:
        """What `find` answers to each of the orders alone, in one pass over the table. Raises as `find` does."""
        ...

    def forget(
        self, target: Target, wanted: Wanted, plan: TablePlan, marker: Marker, *, watch: Watcher = unwatched
    ) -> Outcome:
        """Carry out the plan in one commit that bears the marker; first look whether it already did.

        Files that other commits brought or changed since the plan are found and done as well.
        """
        ...

    def purge(self, target: Target, policy: PurgePolicy, now: datetime, *, watch: Watcher = unwatched) -> PurgeReport:
        """Remove every file and every piece of metadata that the live table does not need.

        Raises TableMissing, TableRefused, TableUnavailable. A single file's failure is in the report.
        """
        ...

    def verify(self, target: Target, wanted: Wanted, *, watch: Watcher = unwatched) -> Evidence:
        """Look for the identities everywhere under the location, with a reader that shares no code with the writer.

        A table that is missing holds nothing. Raises TableUnavailable.
        """
        ...

    def drop(self, target: Target, now: datetime, *, watch: Watcher = unwatched) -> PurgeReport:
        """Remove the table: its entry in a catalog, then every file under its location. A missing table is removed."""
        ...
