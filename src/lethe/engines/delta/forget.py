"""Carrying out a deletion: copies first, then one commit.

Order of effects:
1. the newest version is read; a marker in it means that everything below has happened;
2. every file that must change is copied without its rows (`rewriting`); nothing refers to the copies;
3. one commit takes the old files out, brings the copies in and bears the marker.
A crash before 3 leaves the table as it was, and files that a repeat writes anew or a purge removes. 3 is one file,
put where no file is: it happened whole or not at all, and a repeat finds its marker. Whether it counts is looked at
once more, for a worker may have slept before it while others purged the log.

Another writer's commit takes the version that 3 wanted. Then the newest version is read again: files that are still
there, with the same deletion vector, keep their decision and their copy; what arrived or changed meanwhile is decided
and copied as well, and 3 is tried on top. So an append is kept and searched, and a compaction or a deletion of the
same rows is planned anew; no version lies between what was read and what is committed.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.delta.actions import AddFile, FileKey
from lethe.engines.delta.commit import (
    Done,
    done_before,
    forget_lines,
    in_commit_timestamp_ms,
    marker_of,
    ms,
    put_commit,
)
from lethe.engines.delta.features import require_deletable
from lethe.engines.delta.find import Decided, Table, decide_all
from lethe.engines.delta.log import read_snapshot, snapshot_and_listing
from lethe.engines.delta.log_files import commit_path
from lethe.engines.delta.rewriting import REWRITE_MEMORY, Copied, Copy, ToCopy
from lethe.engines.delta.snapshot import Snapshot
from lethe.engines.executors.interface import Executor, Job
from lethe.engines.interface import Marker, Phase, TableUnavailable, Target, Watcher
from lethe.engines.matching import Matcher
from lethe.engines.progress import Meter
from lethe.engines.rewrite.choice import retold
from lethe.engines.rewrite.interface import Rewriter
from lethe.engines.storage.interface import FileExists, FileMissing, Storage, StorageFailed
from lethe.engines.tally import Counts, summed

_COPIED: Final = frozenset({FileAction.REWRITE, FileAction.SCRUB})

_ATTEMPTS: Final = 50
"""How often other writers may be faster before the work is given back; each is one more small decision."""


class CommitUncertain(Exception):
    """The answer of the commit was lost: it may have happened."""


class Overtaken(Exception):
    """Other writers committed first, again and again; nothing happened."""


class Forgetting:
    """One forget, over as many attempts as other writers make necessary."""

    def __init__(
        self,
        storage: Storage,
        target: Target,
        matcher: Matcher,
        marker: Marker,
        *,
        rewriter: Rewriter,
        executor: Executor,
        attempt: str,
        now: datetime,
        watch: Watcher,
    ) -> None:
        self._storage = storage
        self._target = target
        self._matcher = matcher
        self._marker = marker
        self._rewriter = rewriter
        self._executor = executor
        self._attempt = attempt
        self._now = now
        self._watch = watch
        self._decided: dict[FileKey, Decided] = {}
        self._copied: dict[FileKey, Copied] = {}
        self._planned: Mapping[str, PlannedFile] = {}

    def run(self, plan: TablePlan) -> tuple[Done, bool]:
        """What is in the log now, and whether an earlier attempt had put it there.

        Raises TableRefused, StorageFailed and Overtaken when nothing happened, CommitUncertain when it may have.
        """
        self._planned = {file.path: file for file in plan.files}
        uncertain = False
        for _ in range(_ATTEMPTS):
            snapshot = read_snapshot(self._storage)
            before = done_before(self._storage, snapshot, self._marker, self._target.dataset_id)
            if before is not None:
                return replace(before, plan=before.plan or plan), not uncertain
            require_deletable(snapshot)
            table = Table.of(self._storage, snapshot, self._matcher)
            try:
                done, lines = self._prepared(table, plan)
            except FileMissing:
                # A file of the version that was read is gone: another writer removed it and cleaned up after.
                if read_snapshot(self._storage).version == snapshot.version:
                    raise
                continue
            if done.version == snapshot.version:
                self._remove_unused(snapshot)
                return done, False
            try:
                put_commit(self._storage, done.version, lines)
            except FileExists:
                continue
            except StorageFailed as error:
                if not self._is_taken(done.version):
                    raise CommitUncertain(str(error)) from error
                uncertain = True
                continue
            if not self._counts(done.version):
                continue
            self._remove_unused(snapshot)
            return done, False
        raise Overtaken("other writers committed first, again and again")

    def _counts(self, version: int) -> bool:
        """Whether the commit that was just put is part of the table; else it is taken away again.

        A worker that slept may put its commit where a purge, which no grace held back, has removed that of another:
        below the checkpoint, where no reader looks. Raises CommitUncertain.
        """
        try:
            snapshot, listing = snapshot_and_listing(self._storage)
            ours = marker_of(snapshot, self._marker)
            below = any(checkpoint.version >= version for checkpoint in listing.checkpoints)
            if not below or (ours is not None and (ours.version, ours.updated_at_ms) == (version, ms(self._now))):
                return True
            self._storage.remove(commit_path(version))
        except (StorageFailed, TableUnavailable) as error:
            raise CommitUncertain(str(error)) from error
        return False

    def _is_taken(self, version: int) -> bool:
        """Whether the version exists now, by us or by another: then a lost commit cannot appear any more."""
        try:
            return read_snapshot(self._storage).version >= version
        except StorageFailed:
            return False

    def _prepared(self, table: Table, plan: TablePlan) -> tuple[Done, Sequence[Mapping[str, object]]]:
        """Everything before the commit. When nothing is to be done, the version is the one that was read."""
        snapshot = table.snapshot
        self._decide(table, plan)
        self._copy(table)
        changes = self._changes(table)
        carried_out = table.plan(self._target.dataset_id, (change for change, _ in changes))
        counts = summed(change.counts for change, _ in changes)
        if not changes:
            return Done(snapshot.version, carried_out, counts), ()
        timestamp = in_commit_timestamp_ms(self._storage, snapshot, self._now)
        lines = [*forget_lines(snapshot, self._marker, carried_out, counts, now=self._now, in_commit_ms=timestamp)]
        deleted_at_ms = int(self._now.timestamp() * 1000)
        lines += [change.add.to_remove(deleted_at_ms) for change, _ in changes]
        lines += [copy.to_json() for _, copy in changes if copy is not None]
        return Done(snapshot.version + 1, carried_out, counts), lines

    def _decide(self, table: Table, plan: TablePlan) -> None:
        """Decide on the files on which nothing is decided yet, as far as the plan does not.

        What the plan keeps is kept, by whatever version: files do not change, and no row of it matches, live or hidden.
        What the plan rewrites is judged while it is rewritten. All else is looked at.
        """
        files = table.snapshot.files
        unknown = [add for key, add in files.items() if key not in self._decided]
        if table.partition is None:
            unknown = [add for add in unknown if not self._believes(table, plan, add)]
        meter = Meter(self._watch, Phase.FIND, len(unknown), sum(add.size_bytes for add in unknown))
        self._decided.update(decide_all(table, unknown, self._executor, meter))

    def _believes(self, table: Table, plan: TablePlan, add: AddFile) -> bool:
        known = self._planned.get(table.public_name(add))
        if known is None and plan.snapshot != str(table.snapshot.version):
            return False
        action = FileAction.KEEP if known is None else known.action
        if action is FileAction.DROP:
            return False
        rows, reason = (0, "") if known is None else (known.rows, known.reason)
        self._decided[add.key] = Decided(add, action, rows, Counts(), reason)
        return True

    def _copy(self, table: Table) -> None:
        """Copy what is to be rewritten and has no copy yet."""
        jobs = [
            Job(ToCopy(one.add, anew=one.action is FileAction.SCRUB), one.add.size_bytes * REWRITE_MEMORY)
            for key, one in self._decided.items()
            if one.action in _COPIED and key in table.snapshot.files and key not in self._copied
        ]
        meter = Meter(self._watch, Phase.FORGET, len(jobs), sum(job.item.add.size_bytes for job in jobs))
        task = Copy(self._storage, self._matcher, table.mapping, self._rewriter, self._marker, self._attempt, self._now)
        for job, copied in self._executor.map(task, jobs):
            self._copied[job.add.key] = copied
            meter.step(job.add.size_bytes)

    def _changes(self, table: Table) -> Sequence[tuple[Decided, AddFile | None]]:
        """The live files that go, each with what takes its place."""
        changes = list[tuple[Decided, AddFile | None]]()
        for key in table.snapshot.files:
            one = self._decided[key]
            match one.action:
                case FileAction.KEEP:
                    continue
                case FileAction.DROP:
                    changes.append((one, None))
                case FileAction.REWRITE | FileAction.SCRUB:
                    copied = self._copied[key]
                    if copied.changed:
                        action = FileAction.DROP if copied.add is None else one.action
                        reason = retold(one.reason, copied.fell_back)
                        changed = replace(
                            one, action=action, rows=copied.rows_live, counts=copied.counts, reason=reason
                        )
                        changes.append((changed, copied.add))
        return changes

    def _remove_unused(self, snapshot: Snapshot) -> None:
        """Copies of files that another writer took away before the commit. What fails here, a purge removes."""
        for key, copied in self._copied.items():
            if copied.add is not None and key not in snapshot.files:
                with suppress(StorageFailed):
                    self._storage.remove(copied.add.file_path)
