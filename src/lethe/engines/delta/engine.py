"""The engine for Delta Lake tables, named by their location."""

import json
from collections.abc import Callable, Collection, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import datetime

from lethe.domain.dataset import TableFormat
from lethe.domain.plan import TablePlan
from lethe.engines.delta.actions import FileKey
from lethe.engines.delta.drop import drop_table
from lethe.engines.delta.features import require_deletable
from lethe.engines.delta.find import Decided, Table, decide_all, public_path
from lethe.engines.delta.forget import CommitUncertain, Forgetting, Overtaken
from lethe.engines.delta.log import read_snapshot
from lethe.engines.delta.log_files import LOG
from lethe.engines.delta.partition_identity import may_be_in_paths
from lethe.engines.delta.purge import Purge, Removal
from lethe.engines.delta.snapshot import Snapshot
from lethe.engines.delta.surroundings import read_surroundings
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
from lethe.engines.progress import Meter
from lethe.engines.rewrite.interface import Rewriter
from lethe.engines.storage.interface import FileStat, Storage, StorageFailed
from lethe.engines.storage.opening import StorageOpener
from lethe.engines.superseded import superseded
from lethe.engines.tally import recalled, shares_of, summed, tally
from lethe.engines.verify.interface import Verifier

Clock = Callable[[], datetime]
"""Answers the present instant, aware."""


class DeltaEngine:
    """Deletes from Delta tables. See `forget`, `purge` and `drop` for the order of effects."""

    def __init__(
        self,
        open_storage: StorageOpener,
        executor: Executor,
        rewriter: Rewriter,
        verifier: Verifier,
        *,
        new_name: Callable[[], str],
        clock: Clock,
    ) -> None:
        """Credentials are the opener's; nothing of the kind is read from a table. `new_name` never repeats itself."""
        self._open_storage = open_storage
        self._executor = executor
        self._rewriter = rewriter
        self._verifier = verifier
        self._new_name = new_name
        self._clock = clock

    @property
    def traits(self) -> Traits:
        """One commit changes all files; a conflict is planned anew; old versions exist until a purge."""
        return Traits(
            formats=frozenset({TableFormat.DELTA}),
            commits_atomically=True,
            detects_conflicts=True,
            keeps_history=True,
        )

    def find(self, target: Target, wanted: Wanted, *, scrub: bool = False, watch: Watcher = unwatched) -> Finding:
        """Decide on every live file. Changes nothing."""
        table, decided = self._decided(target, wanted, watch, scrub=scrub)
        return Finding(table.plan(target.dataset_id, decided), tally(wanted, summed(one.counts for one in decided)))

    def find_each(self, target: Target, orders: Sequence[Order], *, watch: Watcher = unwatched) -> Sequence[Finding]:
        """Look at every live file once."""
        table, decided = self._decided(target, Wanted(tuple(orders)), watch)
        findings = []
        for order, share in zip(orders, shares_of(orders), strict=True):
            mine = [one.of(share) for one in decided]
            counts = summed(one.counts for one in mine)
            findings.append(Finding(table.plan(target.dataset_id, mine), tally(Wanted((order,)), counts)))
        return findings

    def forget(
        self, target: Target, wanted: Wanted, plan: TablePlan, marker: Marker, *, watch: Watcher = unwatched
    ) -> Outcome:
        """Copy, then commit once; see `delta.forget` for the order of effects."""
        try:
            forgetting = Forgetting(
                self._storage(target),
                target,
                compile_matcher(target.selector, wanted),
                marker,
                rewriter=self._rewriter,
                executor=self._executor,
                attempt=self._new_name(),
                now=self._clock(),
                watch=watch,
            )
            done, repeated = forgetting.run(plan)
        except TableRefused as error:
            return NeverWill(str(error))
        except CommitUncertain as error:
            return MayHaveHappened(str(error))
        except (Overtaken, StorageFailed, TableUnavailable, BrokenProcessPool) as error:
            return DidNotHappen(str(error))
        return Forgotten(str(done.version), done.plan or plan, recalled(wanted, done.counts), repeated=repeated)

    def purge(self, target: Target, policy: PurgePolicy, now: datetime, *, watch: Watcher = unwatched) -> PurgeReport:
        """Remove files and history; see `delta.purge` for the order of effects."""
        try:
            storage = self._storage(target)
            hides = may_be_in_paths(read_snapshot(storage).metadata, target.selector)
            removal = Removal(storage, lambda path: public_path(path, hide_directories=hides))
            report = Purge(storage, policy, now, removal, _meters(watch, Phase.PURGE)).run()
            return replace(report, held=(*report.held, *superseded([storage], policy.forgotten_at)))
        except StorageFailed as error:
            raise TableUnavailable(str(error)) from error

    def verify(self, target: Target, wanted: Wanted, *, watch: Watcher = unwatched) -> Evidence:
        """Let the independent reader look at every file under the location."""
        try:
            storage = self._storage(target)
            around = read_surroundings(storage, target.selector)
            return self._verifier.verify(storage, target.selector, wanted, around, watch=watch)
        except StorageFailed as error:
            raise TableUnavailable(str(error)) from error

    def drop(self, target: Target, now: datetime, *, watch: Watcher = unwatched) -> PurgeReport:  # noqa: ARG002
        """Remove every file under the location; see `delta.drop` for the order of effects."""
        try:
            storage = self._storage(target)
            # The log may be half gone already, so that nothing says whether directories are named by people.
            removal = Removal(storage, lambda path: public_path(path, hide_directories=True))
            report = drop_table(storage, removal, _meters(watch, Phase.DROP))
            return replace(report, held=(*report.held, *superseded([storage])))
        except StorageFailed as error:
            raise TableUnavailable(str(error)) from error

    def _decided(
        self, target: Target, wanted: Wanted, watch: Watcher, *, scrub: bool = False
    ) -> tuple[Table, Collection[Decided]]:
        try:
            storage = self._storage(target)
            snapshot = read_snapshot(storage)
            require_deletable(snapshot)
            table = Table.of(storage, snapshot, compile_matcher(target.selector, wanted))
            adds = list(snapshot.files.values())
            meter = Meter(watch, Phase.FIND, len(adds), sum(add.size_bytes for add in adds))
            suspects = self._suspects(storage, snapshot, target, wanted, watch) if scrub else frozenset[FileKey]()
            return table, decide_all(table, adds, self._executor, meter, suspects).values()
        except (StorageFailed, BrokenProcessPool) as error:
            raise TableUnavailable(str(error)) from error

    def _suspects(
        self, storage: Storage, snapshot: Snapshot, target: Target, wanted: Wanted, watch: Watcher
    ) -> frozenset[FileKey]:
        """Live files with a trace, in themselves or in what the log says of them."""
        around = read_surroundings(storage, target.selector)
        paths = self._verifier.suspects(storage, target.selector, wanted, around, watch=watch).paths
        described: dict[FileKey, bytes] = {}
        if any(path.startswith(f"{LOG}/") for path in paths):
            described = {key: json.dumps(dict(add.to_json())).encode() for key, add in snapshot.files.items()}
        speaking = self._verifier.speaking(target.selector, wanted, described)
        return speaking | {key for key, add in snapshot.files.items() if add.file_path in paths}

    def _storage(self, target: Target) -> Storage:
        if target.table.location is None:
            raise TableMissing("the table has no location")
        return self._open_storage(target.table.location)


def _meters(watch: Watcher, phase: Phase) -> Callable[[Sequence[FileStat]], Meter]:
    return lambda files: Meter(watch, phase, len(files), sum(stat.size_bytes for stat in files))
