"""Carrying out a forget: copies, then one commit.

The order of effects, and why a crash between any two is safe:
1. The marker is looked for in the history. If an earlier attempt committed, there is nothing to do.
2. Files that hold a match are copied without it, under new names. Nothing refers to a copy: a crash leaves leftovers.
3. Manifests and their list are written, under new names. The same. Every copy is still there.
4. The catalog swaps its entry, if no other commit came first. Readers see all of the change or nothing.
After a conflict the table is loaded anew: copies whose source and deletes are as they were are used again, new files
are searched, and the commit is tried again. When the answer of the catalog is lost nothing is removed, for the commit
may have happened: whoever repeats the forget finds the marker, or not. Replaced files stay where they are, for readers
and for an old snapshot's sake: the purge removes them.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from posixpath import dirname
from typing import Final

from pyiceberg.manifest import ManifestEntry
from pyiceberg.table.snapshots import Snapshot

from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.executors.interface import Job
from lethe.engines.iceberg.commit import (
    Change,
    Committer,
    Conflict,
    Refused,
    Remembered,
    Staged,
    Unknown,
    committed_as,
    counts_of,
    marked,
    remembered,
    remove_quietly,
    send,
)
from lethe.engines.iceberg.deletes import is_position_delete
from lethe.engines.iceberg.find import Decision, Finder
from lethe.engines.iceberg.judge import FileFacts
from lethe.engines.iceberg.manifests import Added
from lethe.engines.iceberg.public_names import PublicNames
from lethe.engines.iceberg.rewriting import Copied, Copy, Copying, described
from lethe.engines.iceberg.state import Question, TableState, question, why_not_writable
from lethe.engines.iceberg.tools import Tools
from lethe.engines.interface import (
    DidNotHappen,
    Forgotten,
    Marker,
    MayHaveHappened,
    NeverWill,
    Outcome,
    Phase,
    TableRefused,
    TableUnavailable,
    Target,
    Wanted,
    Watcher,
)
from lethe.engines.matching import compile_matcher
from lethe.engines.progress import Meter
from lethe.engines.rewrite.choice import retold
from lethe.engines.rewrite.interface import RewriteRefused
from lethe.engines.storage.interface import StorageFailed
from lethe.engines.tally import recalled, tally

_ATTEMPTS_MAX: Final = 20
"""Commits that may come first before the forget gives way; each attempt after the first only searches what is new."""

_COPIED: Final = frozenset({FileAction.REWRITE, FileAction.SCRUB})

_COPY_MEMORY: Final = 4
"""Expected memory of a copy, as a multiple of the file's size."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A copy that exists, and the delete files that it carries out."""

    job: Copy
    copied: Copied
    deletes: frozenset[str]


@dataclass(slots=True)
class Forgetting:
    """One forget of one table."""

    tools: Tools
    target: Target
    wanted: Wanted
    plan: TablePlan
    marker: Marker
    watch: Watcher
    _made: dict[str, _Made] = field(default_factory=dict)
    _clean: set[str] = field(default_factory=set)
    _suspects: set[str] = field(default_factory=set)

    def run(self) -> Outcome:
        """Forget, in the order that this module states. Raises TableRefused, TableUnavailable."""
        state: TableState | None = None
        for _ in range(_ATTEMPTS_MAX):
            try:
                state = self.tools.load(self.target)
                done = self._earlier(state)
                if done is not None:
                    self._discard(state)
                return done or self._attempt(state)
            except Conflict:
                continue
            except Refused as error:
                self._discard(state)
                return NeverWill(str(error))
            except Unknown as error:
                return self._unknown(str(error))
            except (TableRefused, TableUnavailable):
                self._discard(state)
                raise
            except (StorageFailed, OSError, BrokenProcessPool) as error:
                self._discard(state)
                return DidNotHappen(f"a file could not be read or written: {type(error).__name__}")
        self._discard(state)
        return DidNotHappen(f"{_ATTEMPTS_MAX} other commits came first")

    def _attempt(self, state: TableState) -> Outcome:
        refusal = why_not_writable(state)
        if refusal is not None:
            return NeverWill(refusal)
        asked = question(state, compile_matcher(self.target.selector, self.wanted), self.target.selector)
        decision = self._carried_out(state, asked)
        if not decision.touched and not decision.deletes:
            self._discard(state)
            return self._forgotten(state.version, decision)
        self._require_agreement(decision)
        change = self._change(state, decision)
        staged = Committer(state, self.tools.new_name(), self.tools.clock()).overwrite(change)
        self._require_present(state, change)
        self._send(state, staged)
        kept = {a.file.file_path for a in change.added}
        remove_quietly(state, [m.job.copy_location for m in self._made.values() if m.job.copy_location not in kept])
        return self._forgotten(str(staged.snapshot.snapshot_id), self._told(decision))

    def _carried_out(self, state: TableState, asked: Question) -> Decision:
        """Decide, and copy what is to be copied.

        What the plan rewrites is searched while it is copied. If the two count differently, the plan answered another
        question, and the files are searched after all.
        """
        finder = Finder(asked, self.tools.executor, self.watch, Phase.FORGET)
        planned = self._planned(state, asked.names)
        self._clean.update(path for path, file in planned.items() if file.action is FileAction.KEEP)
        self._suspects.update(path for path, file in planned.items() if file.action is FileAction.SCRUB)
        believed = self._believed(state, planned)
        decision = finder.decide(self._clean, self._suspects, believed)
        self._copy(state, asked, decision)
        if believed:
            decision = self._counted(decision, believed)
            if not self._agrees(decision):
                decision = finder.decide(self._clean, self._suspects)
                self._copy(state, asked, decision)
        self._clean.update(f.live.path for f in decision.files if f.action is FileAction.KEEP)
        return decision

    def _send(self, state: TableState, staged: Staged) -> None:
        try:
            send(state, staged.updates)
        except (Conflict, Refused):
            remove_quietly(state, staged.locations)
            raise

    def _require_present(self, state: TableState, change: Change) -> None:
        """A process that slept may wake after a purge took its copies for leftovers; it must not commit them.

        Raises FileMissing.
        """
        for added in change.added:
            storage, path = state.places.of(added.file.file_path)
            storage.stat(path)

    def _copy(self, state: TableState, asked: Question, decision: Decision) -> None:
        """Make the copies that do not exist yet."""
        live = {f.live.path: f.live for f in decision.touched}
        for path in [p for p, made in self._made.items() if p in live and made.deletes != live[p].deletes]:
            remove_quietly(state, [self._made.pop(path).job.copy_location])
        wanted: list[tuple[ManifestEntry, FileFacts, frozenset[str]]] = []
        for found in decision.touched:
            if found.action in _COPIED:
                facts = asked.facts_of(found.live, found.hidden)
                wanted.append((found.live.entry, facts, found.live.deletes))
        wanted += [(d.entry, FileFacts(), frozenset()) for d in decision.deletes if d.action in _COPIED]
        jobs = {e.data_file.file_path: self._job(state, e, facts) for e, facts, _ in wanted}
        deletes = {e.data_file.file_path: d for e, _, d in wanted}
        sizes = {e.data_file.file_path: e.data_file.file_size_in_bytes for e, _, _ in wanted}
        todo = [job for path, job in jobs.items() if path not in self._made]
        meter = Meter(self.watch, Phase.FORGET, len(todo), sum(sizes[job.location] for job in todo))
        try:
            work = [Job(job, sizes[job.location] * _COPY_MEMORY) for job in todo]
            for job, copied in self.tools.executor.map(Copying(asked.judge, self.tools.rewriter), work):
                self._made[job.location] = _Made(job, copied, deletes[job.location])
                meter.step(sizes[job.location])
        except BaseException:
            remove_quietly(state, [job.copy_location for job in todo if job.location not in self._made])
            raise

    def _planned(self, state: TableState, names: PublicNames) -> Mapping[str, PlannedFile]:
        """By its location, what the plan says of a file."""
        locations = [*(f.path for f in state.files.data), *(e.data_file.file_path for e in state.files.deletes)]
        return names.meant(self.plan, state.version, locations)

    def _believed(self, state: TableState, planned: Mapping[str, PlannedFile]) -> Mapping[str, PlannedFile]:
        """Files that the plan rewrites and that need no search before: the plan is of this very snapshot.

        Not where there are delete files: which rows they hide is known only when they are read.
        """
        if self.plan.snapshot != state.version or state.files.deletes:
            return {}
        return {path: file for path, file in planned.items() if file.action is FileAction.REWRITE}

    def _counted(self, decision: Decision, believed: Mapping[str, PlannedFile]) -> Decision:
        """With the copies' counts for the files that were not searched."""
        return replace(
            decision,
            files=[
                replace(f, counts=self._made[f.live.path].copied.rewritten.counts) if f.live.path in believed else f
                for f in decision.files
            ],
        )

    def _job(self, state: TableState, entry: ManifestEntry, facts: FileFacts) -> Copy:
        """The copy goes where its source is: what a path says of a partition stays true."""
        source = entry.data_file.file_path
        copy = f"{dirname(source)}/{self.tools.new_name()}.parquet"
        anew = source in self._suspects
        return Copy(source, state.places.of(source), copy, state.places.of(copy), facts, anew)

    def _told(self, decision: Decision) -> Decision:
        """With the row groups that went another way than the plan says."""
        fell_back = {path: made.copied.rewritten.fell_back for path, made in self._made.items()}
        files = [replace(f, reason=retold(f.reason, fell_back.get(f.live.path, {}))) for f in decision.files]
        return replace(decision, files=files)

    def _require_agreement(self, decision: Decision) -> None:
        """Search and copy read the same rows; if they count differently, nothing is committed."""
        if not self._agrees(decision):
            raise RewriteRefused("the copy of a file does not hold the rows that were to stay")

    def _agrees(self, decision: Decision) -> bool:
        """Whether every copy left out as many rows as were found."""
        for found in decision.touched:
            made = self._made.get(found.live.path)
            if found.action in _COPIED and (
                made is None
                or made.copied.rewritten.counts.rows != found.rows_matched
                or made.copied.rewritten.rows_after != found.rows - found.rows_matched
            ):
                return False
        return True

    def _change(self, state: TableState, decision: Decision) -> Change:
        removed = [f.live.entry for f in decision.touched] + [d.entry for d in decision.deletes]
        added = [self._added(state, f.live.entry) for f in decision.touched if f.action in _COPIED]
        # A delete file keeps its age: were it younger, it would delete rows that came after it.
        added += [
            self._added(state, d.entry, d.entry.sequence_number)
            for d in decision.deletes
            if d.action in _COPIED and self._rows_left(d.entry)
        ]
        removed += _without_object(state, decision)
        return Change(removed, added, marked(self.marker, decision.counts))

    def _rows_left(self, entry: ManifestEntry) -> int:
        return self._made[entry.data_file.file_path].copied.rewritten.rows_after

    def _added(self, state: TableState, entry: ManifestEntry, sequence_number: int | None = None) -> Added:
        made = self._made[entry.data_file.file_path]
        table = state.table
        file = described(entry.data_file, made.job, made.copied, table.name_mapping(), table.properties)
        return Added(file, sequence_number)

    def _unknown(self, reason: str) -> Outcome:
        """Look whether it happened. Whatever is seen, nothing is removed: the commit may still be on its way."""
        try:
            state = self.tools.load(self.target)
            done = self._earlier(state)
            if done is not None:
                return done
        except Exception as error:  # noqa: BLE001 - the look itself may fail in any way, and then nothing is known
            return MayHaveHappened(f"{reason}; looking for it ended with {type(error).__name__}")
        return MayHaveHappened(reason)

    def _earlier(self, state: TableState) -> Forgotten | None:
        """What an earlier attempt did, if one did."""
        done = committed_as(state, self.marker)
        if done is not None:
            return self._repeated(state, done)
        told = remembered(state.metadata, self.marker)
        return None if told is None else self._recalled(told)

    def _repeated(self, state: TableState, done: Snapshot) -> Forgotten:
        """What the earlier attempt did, as it noted it, or seen again in the snapshot on which it built."""
        parent = None
        if done.parent_snapshot_id is not None:
            parent = state.metadata.snapshot_by_id(done.parent_snapshot_id)
        if parent is None:
            return self._recalled(Remembered(str(done.snapshot_id), counts_of(done)))
        before = state.at(parent)
        asked = question(before, compile_matcher(self.target.selector, self.wanted), self.target.selector)
        decision = Finder(asked, self.tools.executor, self.watch, Phase.FORGET).decide()
        return self._forgotten(str(done.snapshot_id), decision, repeated=True)

    def _recalled(self, told: Remembered) -> Forgotten:
        """What an earlier attempt noted, where the snapshot on which it built is gone."""
        return Forgotten(told.snapshot_id, self.plan, recalled(self.wanted, told.counts), repeated=True)

    def _forgotten(self, snapshot: str, decision: Decision, *, repeated: bool = False) -> Forgotten:
        plan = decision.plan(self.target.dataset_id)
        return Forgotten(snapshot, plan, tally(self.wanted, decision.counts), repeated)

    def _discard(self, state: TableState | None) -> None:
        if state is not None:
            remove_quietly(state, [made.job.copy_location for made in self._made.values()])
            self._made.clear()


def _without_object(state: TableState, decision: Decision) -> Sequence[ManifestEntry]:
    """Delete files that speak only of data files that leave: nothing is left for them to hide."""
    leaving = {f.live.path for f in decision.touched}
    staying = {f.path for f in state.files.data} - leaving
    handled = {d.entry.data_file.file_path for d in decision.deletes}
    spoken_of = state.files.spoken_of()
    found = []
    for entry in state.files.deletes:
        path = entry.data_file.file_path
        objects = {f.path for f in spoken_of.get(path, ())}
        if path in handled or not objects & leaving:
            continue
        named = state.deletes.positions(entry.data_file).keys() if is_position_delete(entry) else objects
        if not staying & set(named):
            found.append(entry)
    return found
