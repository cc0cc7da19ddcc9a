"""Replacing the files of a directory, so that a crash at any point is taken up again by the same call.

Order of effects:
1. new content is written aside, hidden, and checked against its source. A crash leaves hidden files, which the next
   attempt removes; the table is untouched.
2. the round is decided: one file of the journal, written if absent. From here the work only goes forward.
3. `_metadata` summaries go (they hold bounds of the old rows), then each file is replaced or removed (`apply`). A
   crash leaves whole files, old or new; the next attempt carries the decided rounds out again and skips what is done.
4. the table is listed again. Files that arrived or changed meanwhile are searched, and matches make another round.
5. the journal is closed: one more file, written if absent, in the place of the next round. Whoever prepared a round
   meanwhile, or wakes long after, finds no place for it, also after a purge.
6. the record is written: `counts.json`, then `done.json`. A repeat answers with it, after a purge with the former.

Between any two, a reader of the directory finds every row that does not match exactly once: files change by one rename,
under their own name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.directory.apply import Applied, apply
from lethe.engines.directory.journal import Change, Done, Forestalled, Journal
from lethe.engines.directory.listing import Listing, public_names
from lethe.engines.directory.table import DirectoryTable, planned
from lethe.engines.interface import Marker, Watcher
from lethe.engines.matching import Matcher
from lethe.engines.rewrite.choice import retold
from lethe.engines.storage.interface import FileMissing, StorageFailed
from lethe.engines.tally import summed

ROUNDS_MAX: Final = 20
"""After so many rounds somebody keeps writing matching rows; the forget is given back to be repeated."""


class StillChanging(StorageFailed):
    """Other writers keep adding rows that match."""


class Forgetting:
    """One attempt to carry out a plan."""

    def __init__(self, table: DirectoryTable, matcher: Matcher, marker: Marker, watch: Watcher) -> None:
        self._table = table
        self._matcher = matcher
        self._watch = watch
        self._journal = Journal(table.storage, marker)
        self._searched: dict[str, str] = {}
        """Versions of files that are known to hold no match."""
        self._carried_out: list[Change] = []
        self._attempt: int | None = None
        self.decided = False
        """Whether a round may have been written down."""

    def run(self, plan: TablePlan) -> tuple[Done, bool]:
        """Carry the plan out, or find that it was. Raises TableRefused, StorageFailed, BrokenProcessPool."""
        done = self._journal.done()
        if done is not None:
            return done, True
        decided = self._journal.decided()
        self.decided = bool(decided.rounds)
        for changes in decided.rounds:
            self._apply(changes)
        self._journal.clear_undecided()
        number = len(decided.rounds)
        listing = self._table.listing()
        if decided.closed:
            return self._finish(plan, listing, number), False
        intents = self._first_intents(plan, listing) if not decided.rounds else self._unsearched(listing)
        for _ in range(ROUNDS_MAX):
            if intents and self._round(number, intents):
                number += 1
            listing = self._table.listing()
            intents = self._unsearched(listing)
            if not intents and self._all_searched(listing):
                return self._finish(plan, listing, number), False
        raise StillChanging("other writers keep adding rows that match")

    def _first_intents(self, plan: TablePlan, listing: Listing) -> Sequence[PlannedFile]:
        """The plan's, where it holds; else those of a new search."""
        if listing.snapshot != plan.snapshot:
            return self._unsearched(listing)
        paths = {name: path for path, name in self._names(listing).items()}
        versions = {stat.path: stat.version for stat in listing.live}
        for file in plan.files:
            if file.action is FileAction.KEEP:
                self._searched[paths[file.path]] = versions[paths[file.path]]
        return [replace(file, path=paths[file.path]) for file in plan.touched]

    def _unsearched(self, listing: Listing) -> Sequence[PlannedFile]:
        """Search what is new or changed, and plan for it."""
        files = [stat for stat in listing.live if self._searched.get(stat.path) != stat.version]
        if not files:
            return []
        found = self._table.search(files, self._matcher, self._watch)
        self._searched |= {one.path: one.version for one in found if not one.counts.rows}
        whole = len(files) == len(listing.live)
        plan = planned(found, whole_table=whole, identity_column=self._table.identity_column)
        return [file for file in plan if file.action is not FileAction.KEEP]

    def _all_searched(self, listing: Listing) -> bool:
        return all(self._searched.get(stat.path) == stat.version for stat in listing.live)

    def _round(self, number: int, intents: Sequence[PlannedFile]) -> bool:
        """Prepare, decide, apply; whether there was anything to decide."""
        changes = self._table.prepare(intents, self._new_paths(number), self._matcher, self._watch)
        if not changes:
            return False
        self.decided = True
        try:
            self._journal.decide(number, changes)
        except Forestalled:
            # Copies of rows that nobody will put in place; the next purge may be far.
            self._journal.discard(changes)
            raise
        self._apply(changes)
        return True

    def _new_paths(self, round_: int) -> Iterator[str]:
        if self._attempt is None:
            self._attempt = self._journal.begin()
        number = 0
        while True:
            yield self._journal.new_path(self._attempt, round_, number)
            number += 1

    def _apply(self, changes: Sequence[Change]) -> None:
        storage = self._table.storage
        for summary in self._table.listing().summaries:
            storage.remove(summary.path)
        waiting = {change.path: self._version(change.new) for change in changes if change.new is not None}
        outcomes = apply(storage, changes)
        for change in changes:
            if outcomes[change.path] is Applied.OVERTAKEN:
                continue
            self._carried_out.append(change)
            # A rename keeps the version; where it does not, the file is searched once more.
            version = waiting.get(change.path)
            if version is not None:
                self._searched[change.path] = version

    def _version(self, path: str) -> str | None:
        try:
            return self._table.storage.stat(path).version
        except FileMissing:
            return None

    def _names(self, listing: Listing) -> Mapping[str, str]:
        return public_names(listing, self._table.identity_column)

    def _finish(self, plan: TablePlan, listing: Listing, rounds: int) -> Done:
        counts = summed(change.counts for change in self._carried_out)
        # A journal that has decided is ended even where others were faster everywhere: a purge waits for it.
        if not self.decided:
            return Done(listing.snapshot, replace(plan, files=_kept(plan)), counts)
        self._journal.close(rounds)
        return self._journal.finish(listing.snapshot, self._as_carried_out(plan, listing), counts)

    def _as_carried_out(self, plan: TablePlan, listing: Listing) -> TablePlan:
        """The plan itself where it was followed; else what was done instead."""
        names = self._names(listing)
        speaking = bool(names) and any(name != path for path, name in names.items())
        files = [
            PlannedFile(
                f"change {number}" if speaking else change.path,
                FileAction.DROP if change.new is None else FileAction.REWRITE,
                change.rows,
                change.counts.rows,
                change.size_bytes,
                "all rows match" if change.new is None else retold("some rows match", change.fell_back),
            )
            for number, change in enumerate(self._carried_out)
        ]
        followed = TablePlan(plan.dataset_id, plan.snapshot, files)
        if followed.hash == plan.hash:
            fell_back = {change.path: change.fell_back for change in self._carried_out}
            return replace(
                plan, files=[replace(f, reason=retold(f.reason, fell_back.get(f.path, {}))) for f in plan.files]
            )
        if speaking and followed.rows_matched == plan.rows_matched:
            return plan
        return replace(plan, files=[*_kept(plan), *files])


def _kept(plan: TablePlan) -> Sequence[PlannedFile]:
    return [file for file in plan.files if file.action is FileAction.KEEP]
