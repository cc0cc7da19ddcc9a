"""Deciding: which files of a snapshot are dropped, rewritten or kept, and why. Changes nothing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from pyiceberg.manifest import DataFileContent, FileFormat, ManifestEntry

from lethe.domain.ids import DatasetId
from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.executors.interface import Executor, Job
from lethe.engines.iceberg.judge import FileFacts, Hidden, IcebergJudge
from lethe.engines.iceberg.live_files import LiveFile
from lethe.engines.iceberg.public_names import PublicNames
from lethe.engines.iceberg.state import Question
from lethe.engines.interface import TRACE, Order, Phase, Watcher
from lethe.engines.progress import Meter
from lethe.engines.rewrite.scan import Scanned, scan
from lethe.engines.storage.interface import Storage
from lethe.engines.tally import Counts, Share, shares_of, summed

_SEARCH_MEMORY: Final = 1
"""Expected memory of a search, as a multiple of the file's size."""


_NOTHING: Final[Mapping[str, PlannedFile]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One live data file and what is to become of it."""

    live: LiveFile
    action: FileAction
    rows: int
    rows_matched: int
    reason: str
    hidden: Hidden
    counts: Counts

    def planned(self, names: PublicNames) -> PlannedFile:
        """As the plan says it."""
        name, size = names.of(self.live.path), self.live.file.file_size_in_bytes
        return PlannedFile(name, self.action, self.rows, self.rows_matched, size, self.reason)


@dataclass(frozen=True, slots=True)
class FoundDelete:
    """A live delete file that itself names a match."""

    entry: ManifestEntry
    action: FileAction
    """`REWRITE`, `SCRUB`: without the rows that name a match. `DROP`: what it deletes is carried out in data files."""

    def planned(self, names: PublicNames) -> PlannedFile:
        """As the plan says it: a delete file has no rows of the table."""
        file = self.entry.data_file
        reasons = {FileAction.REWRITE: "its deletes name a match", FileAction.SCRUB: TRACE}
        reason = reasons.get(self.action, "it keeps a copy of a match")
        return PlannedFile(names.of(file.file_path), self.action, 0, 0, file.file_size_in_bytes, reason)


@dataclass(frozen=True, slots=True)
class Decision:
    """The fate of every file of a snapshot."""

    version: str
    files: Sequence[FoundFile]
    deletes: Sequence[FoundDelete]
    names: PublicNames

    @property
    def counts(self) -> Counts:
        """What the orders count."""
        return summed(f.counts for f in self.files)

    @property
    def touched(self) -> Sequence[FoundFile]:
        """Data files that are not simply kept."""
        return [f for f in self.files if f.action is not FileAction.KEEP]

    def plan(self, dataset_id: DatasetId) -> TablePlan:
        """The decision as the value that is shown and kept."""
        planned = [*(f.planned(self.names) for f in self.files), *(d.planned(self.names) for d in self.deletes)]
        return TablePlan(dataset_id, self.version, tuple(sorted(planned, key=lambda f: f.path)))


@dataclass(frozen=True, slots=True)
class Search:
    """One file to search, wherever a worker runs."""

    location: str
    storage: Storage
    path: str
    facts: FileFacts


@dataclass(frozen=True, slots=True)
class Searching:
    """The task, which holds the identities."""

    judge: IcebergJudge

    def __call__(self, search: Search) -> Scanned:
        """Read the columns that decide. Raises TableRefused, StorageFailed."""
        with search.storage.open(search.path) as source:
            return scan(source, self.judge.of(search.facts))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at a snapshot's files read, by path."""

    delete_files: Mapping[str, Scanned]
    reasons: Mapping[str, str | None]
    """Why a data file needs no look; None where it does."""
    stored: Mapping[str, Scanned]
    """Data files that were opened, whether or not a row is hidden."""
    hidden: Mapping[str, Hidden]
    """What delete files hide of those that store a match, or have to change."""
    live: Mapping[str, Scanned]
    """The same without the rows that are hidden, where some are."""

    def of(self, share: Share) -> "_Seen":
        """What a look for one order alone would have read, and some files more."""
        delete_files, stored, live = (
            {path: scanned.of(share) for path, scanned in files.items()}
            for files in (self.delete_files, self.stored, self.live)
        )
        return _Seen(delete_files, self.reasons, stored, self.hidden, live)


class Finder:
    """Decides over the files of one snapshot."""

    def __init__(self, asked: Question, executor: Executor, watch: Watcher, phase: Phase) -> None:
        self._asked = asked
        self._executor = executor
        self._watch = watch
        self._phase = phase

    def decide(
        self,
        known_clean: Collection[str] = (),
        suspects: Collection[str] = (),
        believed: Mapping[str, PlannedFile] = _NOTHING,
    ) -> Decision:
        """Find in every file but those of which it is known that they store no match: files never change.

        What is suspected of holding a trace is opened, whatever metadata says, and is not kept as it is. Of files that
        are believed to be as planned, it is for their copying to tell what they hold.
        """
        seen = self._look(known_clean, suspects, believed)
        return self._judged(seen, suspects, believed)

    def decide_each(self, orders: Sequence[Order]) -> Sequence[Decision]:
        """What `decide` answers to each of the orders alone; the question asked is that of all of them."""
        seen = self._look()
        return [self._judged(seen.of(share)) for share in shares_of(orders)]

    def _look(
        self,
        known_clean: Collection[str] = (),
        suspects: Collection[str] = (),
        believed: Collection[str] = (),
    ) -> _Seen:
        """Read what is to be read."""
        state = self._asked.state
        delete_files = self._delete_files()
        forced = self._forced(self._deletes(delete_files, suspects), suspects)
        reasons = {f.path: self._why_kept(f, known_clean, forced) for f in state.files.data}
        opened = [f for f in state.files.data if reasons[f.path] is None and f.path not in believed]
        sizes = {f.path: f.file.file_size_in_bytes for f in state.files.data}
        meter = Meter(self._watch, self._phase, len(sizes), sum(sizes.values()))
        for path, reason in reasons.items():
            if reason is not None or path in believed:
                meter.step(sizes[path])
        stored = {}
        for path, scanned in self._search((f.path, self._asked.facts_of(f)) for f in opened):
            stored[path] = scanned
            meter.step(sizes[path])
        hidden = {f.path: state.deletes.hidden(f) for f in opened if stored[f.path].rows_matched or f.path in forced}
        live = dict(
            self._search((f.path, self._asked.facts_of(f, hidden[f.path])) for f in opened if hidden.get(f.path))
        )
        return _Seen(delete_files, reasons, stored, hidden, live)

    def _judged(
        self,
        seen: _Seen,
        suspects: Collection[str] = (),
        believed: Mapping[str, PlannedFile] = _NOTHING,
    ) -> Decision:
        """Decide over what was seen. Pure."""
        state = self._asked.state
        deletes = self._deletes(seen.delete_files, suspects)
        forced = self._forced(deletes, suspects)
        files = []
        for file in state.files.data:
            if file.path in believed:
                files.append(_believed(file, believed[file.path]))
            elif (reason := seen.reasons[file.path]) is not None:
                files.append(_kept(file, reason))
            else:
                stored, live = seen.stored[file.path], seen.live.get(file.path, seen.stored[file.path])
                changes = stored.rows_matched or file.path in forced
                hidden = seen.hidden.get(file.path, Hidden()) if changes else Hidden()
                found = _found(file, stored, live, hidden)
                if file.path in suspects and found.action is not FileAction.DROP:
                    found = replace(found, action=FileAction.SCRUB, reason=TRACE)
                files.append(found)
        return Decision(state.version, files, deletes, self._asked.names)

    def _forced(self, deletes: Sequence[FoundDelete], suspects: Collection[str]) -> Collection[str]:
        """Data files that have to change, whatever is in them."""
        dissolved = {d.entry.data_file.file_path for d in deletes if d.action is FileAction.DROP}
        return {f.path for f in self._asked.state.files.data if f.deletes & dissolved or f.path in suspects}

    def _why_kept(self, file: LiveFile, known_clean: Collection[str], forced: Collection[str]) -> str | None:
        if file.path in forced:
            return None
        if file.path in known_clean:
            return "no row matches"
        if self._asked.pruner.excludes(file.file):
            return "its partition or its bounds admit no match"
        return None

    def _delete_files(self) -> Mapping[str, Scanned]:
        """What delete files that may name a match hold, in what they compare or in the copies of rows they keep."""
        state = self._asked.state
        to_search = []
        for entry in state.files.deletes:
            file = entry.data_file
            if self._asked.pruner.excludes(file):
                continue
            if file.content == DataFileContent.POSITION_DELETES and state.deletes.names_rows_alone(file):
                continue
            to_search.append((file.file_path, FileFacts()))
        return dict(self._search(to_search))

    def _deletes(self, seen: Mapping[str, Scanned], traced: Collection[str]) -> Sequence[FoundDelete]:
        """Delete files that name a match, or hold a trace. Pure."""
        state, judge = self._asked.state, self._asked.judge
        found = [
            FoundDelete(entry, FileAction.SCRUB)
            for entry in state.files.deletes
            if entry.data_file.file_path in traced and entry.data_file.file_format == FileFormat.PARQUET
        ]
        entries = {entry.data_file.file_path: entry for entry in state.files.deletes}
        for path, scanned in seen.items():
            if scanned.rows_matched:
                compares = judge.field_id in (entries[path].data_file.equality_ids or ())
                found = [one for one in found if one.entry.data_file.file_path != path]
                scrubbed = FileAction.SCRUB if path in traced else FileAction.REWRITE
                found.append(FoundDelete(entries[path], scrubbed if compares else FileAction.DROP))
        return sorted(found, key=lambda d: d.entry.data_file.file_path)

    def _search(self, asked: Iterable[tuple[str, FileFacts]]) -> Iterable[tuple[str, Scanned]]:
        state = self._asked.state
        sizes = {f.path: f.file.file_size_in_bytes for f in state.files.data}
        jobs = [
            Job(Search(path, *state.places.of(path), facts), sizes.get(path, 0) * _SEARCH_MEMORY)
            for path, facts in asked
        ]
        for search, scanned in self._executor.map(Searching(self._asked.judge), jobs):
            yield search.location, scanned


def _kept(file: LiveFile, reason: str) -> FoundFile:
    return FoundFile(file, FileAction.KEEP, file.file.record_count, 0, reason, Hidden(), Counts())


def _believed(file: LiveFile, planned: PlannedFile) -> FoundFile:
    """As the plan says it; the counts are the copy's."""
    return FoundFile(file, planned.action, planned.rows, planned.rows_matched, planned.reason, Hidden(), Counts())


def _found(file: LiveFile, stored: Scanned, live: Scanned, hidden: Hidden) -> FoundFile:
    """A file is kept only when no match is stored in it, hidden or not, and no delete file is dissolved into it."""
    if not stored.rows_matched and not hidden:
        return _kept(file, "no row matches")
    remain = live.rows - live.rows_left_out
    action = FileAction.REWRITE if remain else FileAction.DROP
    if live.rows_matched:
        reason = f"{live.rows_matched} of {live.rows_live} rows match"
    elif stored.rows_matched:
        reason = "rows that match are deleted but still stored"
    else:
        reason = "its deletes are in a file that keeps a copy of a match"
    if live.method:
        reason = f"{reason}; {live.method}"
    return FoundFile(file, action, live.rows_live, live.rows_matched, reason, hidden, live.counts)
