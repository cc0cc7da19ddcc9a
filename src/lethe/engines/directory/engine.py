"""The engine for tables that are files in a directory."""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from lethe.domain.plan import TablePlan
from lethe.engines.directory.forget import Forgetting
from lethe.engines.directory.formats import FileFormat
from lethe.engines.directory.listing import Listing, listing_of, public_names
from lethe.engines.directory.prepare import FileFound
from lethe.engines.directory.purge import drop_everything, purge_leftovers
from lethe.engines.directory.table import DirectoryTable, planned
from lethe.engines.executors.interface import Executor
from lethe.engines.interface import (
    DidNotHappen,
    Evidence,
    Finding,
    Forgotten,
    Marker,
    MayHaveHappened,
    NeverWill,
    Order,
    Outcome,
    PurgePolicy,
    PurgeReport,
    TableMissing,
    TableRefused,
    TableUnavailable,
    Target,
    Traits,
    Wanted,
    Watcher,
    unwatched,
)
from lethe.engines.matching import compile_matcher
from lethe.engines.storage.interface import StorageFailed
from lethe.engines.storage.opening import StorageOpener
from lethe.engines.tally import recalled, shares_of, summed, tally
from lethe.engines.verify.interface import Surroundings, Verifier


class DirectoryEngine:
    """Deletes from directories of single files.

    The order of effects of a forget stands in `directory.forget`, that of a purge in `directory.purge`.
    """

    def __init__(
        self, file_format: FileFormat, open_storage: StorageOpener, executor: Executor, verifier: Verifier
    ) -> None:
        self._format = file_format
        self._open_storage = open_storage
        self._executor = executor
        self._verifier = verifier

    @property
    def traits(self) -> Traits:
        """The table changes file by file, each at once; there is no history, and nobody refuses a conflict."""
        return Traits(
            formats=frozenset({self._format.format}),
            commits_atomically=False,
            detects_conflicts=False,
            keeps_history=False,
        )

    def find(self, target: Target, wanted: Wanted, *, scrub: bool = False, watch: Watcher = unwatched) -> Finding:
        """Search the identities of every live file. Changes nothing.

        Refuses a table of which no file has the identity's column: who misspelt its path would be told that nobody
        is there.
        """
        with _unavailable():
            table = self._table(target)
            listing = table.listing()
            suspects = frozenset[str]()
            if scrub:
                around = _surroundings(listing)
                suspects = self._verifier.suspects(table.storage, target.selector, wanted, around, watch=watch).paths
            found = _searched(table, listing, wanted, watch)
        return Finding(_plan(table, listing, found, suspects), tally(wanted, summed(one.counts for one in found)))

    def find_each(self, target: Target, orders: Sequence[Order], *, watch: Watcher = unwatched) -> Sequence[Finding]:
        """Search every live file once."""
        with _unavailable():
            table = self._table(target)
            listing = table.listing()
            found = _searched(table, listing, Wanted(tuple(orders)), watch)
        findings = []
        for order, share in zip(orders, shares_of(orders), strict=True):
            mine = [replace(one, counts=share.of(one.counts)) for one in found]
            counts = summed(one.counts for one in mine)
            findings.append(Finding(_plan(table, listing, mine), tally(Wanted((order,)), counts)))
        return findings

    def forget(
        self, target: Target, wanted: Wanted, plan: TablePlan, marker: Marker, *, watch: Watcher = unwatched
    ) -> Outcome:
        """Replace files, file by file."""
        forgetting = None
        try:
            matcher = compile_matcher(target.selector, wanted)
            forgetting = Forgetting(self._table(target), matcher, marker, watch)
            done, repeated = forgetting.run(plan)
        except TableRefused as error:
            return NeverWill(str(error))
        except (StorageFailed, BrokenProcessPool) as error:
            decided = forgetting is not None and forgetting.decided
            return MayHaveHappened(str(error)) if decided else DidNotHappen(str(error))
        return Forgotten(done.snapshot, done.plan or plan, recalled(wanted, done.counts), repeated=repeated)

    def purge(self, target: Target, policy: PurgePolicy, now: datetime, *, watch: Watcher = unwatched) -> PurgeReport:
        """Remove journals and leftovers."""
        with _unavailable():
            table = self._table(target)
            return purge_leftovers(table.storage, table.listing(), policy, now, watch)

    def verify(self, target: Target, wanted: Wanted, *, watch: Watcher = unwatched) -> Evidence:
        """Let the independent reader look at every file under the location."""
        with _unavailable():
            storage = self._table(target).storage
            listing = listing_of(storage)
            return self._verifier.verify(storage, target.selector, wanted, _surroundings(listing), watch=watch)

    def drop(self, target: Target, now: datetime, *, watch: Watcher = unwatched) -> PurgeReport:  # noqa: ARG002
        """Remove every file under the location."""
        with _unavailable():
            return drop_everything(self._table(target).storage, watch)

    def _table(self, target: Target) -> DirectoryTable:
        if target.table.location is None:
            raise TableMissing("the table has no location")
        return DirectoryTable(target, self._open_storage(target.table.location), self._format, self._executor)


def _searched(table: DirectoryTable, listing: Listing, wanted: Wanted, watch: Watcher) -> Sequence[FileFound]:
    found = table.search(listing.live, compile_matcher(table.target.selector, wanted), watch)
    if found and not any(one.identified for one in found):
        raise TableRefused("no file of the table has a column at the identity's path")
    return found


def _plan(
    table: DirectoryTable, listing: Listing, found: Sequence[FileFound], suspects: Collection[str] = ()
) -> TablePlan:
    names = public_names(listing, table.identity_column)
    plans = planned(found, whole_table=True, identity_column=table.identity_column, suspects=suspects)
    files = [replace(file, path=names[file.path]) for file in plans]
    return TablePlan(table.target.dataset_id, listing.snapshot, files)


def _surroundings(listing: Listing) -> Surroundings:
    return Surroundings(listing.snapshot, frozenset(stat.path for stat in listing.live))


@contextmanager
def _unavailable() -> Iterator[None]:
    """What the storage or the pool could not do this time may be repeated."""
    try:
        yield
    except (StorageFailed, BrokenProcessPool) as error:
        raise TableUnavailable(str(error)) from error
