"""The engine for tables of Apache Iceberg."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import datetime

import pyarrow as pa
from pyiceberg.catalog import Catalog

from lethe.domain.dataset import TableFormat
from lethe.domain.plan import TablePlan
from lethe.engines.executors.interface import Executor
from lethe.engines.iceberg.catalogs import Catalogs
from lethe.engines.iceberg.drop import drop_table
from lethe.engines.iceberg.evidence import whole
from lethe.engines.iceberg.find import Finder
from lethe.engines.iceberg.forget import Forgetting
from lethe.engines.iceberg.places import Places, canonical
from lethe.engines.iceberg.purge import purge_table
from lethe.engines.iceberg.state import TableState, question, require_readable, table_state
from lethe.engines.iceberg.tools import Tools
from lethe.engines.interface import (
    DidNotHappen,
    Evidence,
    Finding,
    Marker,
    NeverWill,
    Order,
    Outcome,
    Phase,
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
from lethe.engines.rewrite.interface import Rewriter
from lethe.engines.storage.interface import StorageFailed
from lethe.engines.storage.opening import StorageOpener
from lethe.engines.tally import tally
from lethe.engines.verify.interface import Surroundings, Verifier


class IcebergEngine:
    """Deletes from Iceberg tables. See `forget`, `purge` and `drop` for the order of effects.

    `catalogs` gives for each name a loaded catalog, or the properties from which pyiceberg loads one; credentials stand
    there and in `open_storage`, and are never taken from a table. `new_name` answers a name that no file bears yet.
    """

    def __init__(
        self,
        catalogs: Mapping[str, Catalog | Mapping[str, str]],
        *,
        open_storage: StorageOpener,
        executor: Executor,
        rewriter: Rewriter,
        verifier: Verifier,
        new_name: Callable[[], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._catalogs = Catalogs(catalogs)
        self._open_storage = open_storage
        self._verifier = verifier
        self._tools = Tools(self._load, executor, rewriter, new_name, clock)

    @property
    def traits(self) -> Traits:
        """One commit changes every file; whoever comes first is seen; history stays until a purge."""
        return Traits(
            formats=frozenset({TableFormat.ICEBERG}),
            commits_atomically=True,
            detects_conflicts=True,
            keeps_history=True,
        )

    def find(self, target: Target, wanted: Wanted, *, scrub: bool = False, watch: Watcher = unwatched) -> Finding:
        """Search the current snapshot. Changes nothing."""
        with _unavailable():
            state = self._load(target)
            suspects = self._suspects(state, target, wanted, watch) if scrub else frozenset[str]()
            decision = self._finder(state, target, wanted, watch).decide(suspects=suspects)
            return Finding(decision.plan(target.dataset_id), tally(wanted, decision.counts))

    def find_each(self, target: Target, orders: Sequence[Order], *, watch: Watcher = unwatched) -> Sequence[Finding]:
        """Search the current snapshot once."""
        with _unavailable():
            decided = self._finder(self._load(target), target, Wanted(tuple(orders)), watch).decide_each(orders)
        return [
            Finding(decision.plan(target.dataset_id), tally(Wanted((order,)), decision.counts))
            for order, decision in zip(orders, decided, strict=True)
        ]

    def forget(
        self, target: Target, wanted: Wanted, plan: TablePlan, marker: Marker, *, watch: Watcher = unwatched
    ) -> Outcome:
        """Rewrite and commit once."""
        try:
            with _unavailable():
                return Forgetting(self._tools, target, wanted, plan, marker, watch).run()
        except TableRefused as error:
            return NeverWill(str(error))
        except TableUnavailable as error:
            return DidNotHappen(str(error))

    def purge(self, target: Target, policy: PurgePolicy, now: datetime, *, watch: Watcher = unwatched) -> PurgeReport:
        """Shorten the history and remove what nothing needs."""
        with _unavailable():
            return purge_table(target, self._tools, policy, now, watch)

    def verify(self, target: Target, wanted: Wanted, *, watch: Watcher = unwatched) -> Evidence:
        """Let the independent reader look at every file under the location."""
        with _unavailable():
            try:
                table = self._catalogs.table(target.table)
            except TableMissing:
                return self._verify_missing(target, wanted, watch)
            places = Places(table.location(), self._open_storage)
            shown = whole(places, table.metadata_location, target.selector)
            return self._verifier.verify(shown.storage, target.selector, wanted, shown.around, watch=watch)

    def drop(self, target: Target, now: datetime, *, watch: Watcher = unwatched) -> PurgeReport:  # noqa: ARG002
        """Remove the table's entry and its files."""
        with _unavailable():
            return drop_table(self._catalogs, target.table, self._open_storage, watch)

    def _finder(self, state: TableState, target: Target, wanted: Wanted, watch: Watcher) -> Finder:
        asked = question(state, compile_matcher(target.selector, wanted), target.selector)
        return Finder(asked, self._tools.executor, watch, Phase.FIND)

    def _suspects(self, state: TableState, target: Target, wanted: Wanted, watch: Watcher) -> frozenset[str]:
        """Live files with a trace, in themselves or in the bounds that a manifest keeps of them."""
        shown = whole(state.places, state.table.metadata_location, target.selector)
        suspects = self._verifier.suspects(shown.storage, target.selector, wanted, shown.around, watch=watch)
        locations = {shown.location(path) for path in suspects.paths} | {canonical(p) for p in suspects.described}
        entries = [file.entry for file in state.files.data] + list(state.files.deletes)
        return frozenset(e.data_file.file_path for e in entries if canonical(e.data_file.file_path) in locations)

    def _load(self, target: Target) -> TableState:
        with _unavailable():
            state = table_state(self._catalogs.table(target.table), self._open_storage)
        require_readable(state)
        return state

    def _verify_missing(self, target: Target, wanted: Wanted, watch: Watcher) -> Evidence:
        """Without a table, whatever is under its location is nobody's row."""
        if target.table.location is None:
            return Evidence("none", 0, 0, 0, 0)
        storage = Places(target.table.location, self._open_storage).storage
        return self._verifier.verify(storage, target.selector, wanted, Surroundings("none"), watch=watch)


@contextmanager
def _unavailable() -> Iterator[None]:
    """What the storage or the pool could not do this time may be repeated; what does not decode never will."""
    try:
        yield
    except (StorageFailed, BrokenProcessPool) as error:
        raise TableUnavailable(str(error)) from error
    except OSError as error:
        raise TableUnavailable(f"a file could not be read: {type(error).__name__}") from error
    except pa.ArrowException as error:
        raise TableRefused("a file of the table cannot be decoded") from error
