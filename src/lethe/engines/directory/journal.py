"""The journal of one forget: written once, it is the decision; from then on the work only goes forward.

Under `_lethe/<digest of the marker>/` stand `round-<n>.json`, one for each round of replacements. Each is written if
absent, and so is the empty one that closes the journal: whoever would decide once more, however late, meets a name that
is taken. At the end come `counts.json` and `done.json`. New content waits beside them, in files whose names begin with
the attempt's number: a worker that lost its lease and still writes can therefore never write into what its successor
puts in place. Nothing here holds an identity, unless a path does. A purge empties the rounds and keeps their names for
as long as `counts.json`, which holds no path.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.directory.listing import OURS
from lethe.engines.interface import Marker
from lethe.engines.storage.interface import FileExists, FileMissing, RemovalForbidden, Storage
from lethe.engines.tally import Counts

COUNTS: Final = "counts.json"
DONE: Final = "done.json"


@dataclass(frozen=True, slots=True)
class Change:
    """One file's change, prepared and checked."""

    path: str
    version: str
    """Of the file that is replaced or removed; another version is another writer's work and is left alone."""
    new: str | None
    """Where the new content waits; None when the file is removed."""
    rows: int
    size_bytes: int
    counts: Counts
    fell_back: Mapping[int, str] = field(default_factory=dict)
    """Row groups of the new content that were not written the way of the plan, each with the reason."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a journal holds."""

    rounds: Sequence[Sequence[Change]]
    """In order."""
    closed: bool
    """Whether no other will come."""


class Forestalled(FileExists):
    """Another worker has decided this round, or closed the journal before it."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a finished forget has done."""

    snapshot: str
    plan: TablePlan | None
    """None when a purge has taken it; the counts stay longer."""
    counts: Counts | None


class Journal:
    """The journal of one marker."""

    def __init__(self, storage: Storage, marker: Marker) -> None:
        self._storage = storage
        self.directory = f"{OURS}/{hashlib.sha256(marker.encode()).hexdigest()[:32]}"

    def begin(self) -> int:
        """Claim the next attempt's number."""
        number = 0
        while True:
            try:
                self._storage.put(f"{self.directory}/attempt-{number}.json", b"", if_absent=True)
            except FileExists:
                number += 1
            else:
                return number

    def new_path(self, attempt: int, round_: int, number: int) -> str:
        """Where the new content of a round's file waits."""
        return f"{self.directory}/{attempt}-{round_}-{number}.new"

    def decided(self) -> Decided:
        """The decided rounds."""
        rounds: list[Sequence[Change]] = []
        while True:
            try:
                text = self._storage.read(self._round(len(rounds)))
            except FileMissing:
                return Decided(rounds, closed=False)
            if not text:
                return Decided(rounds, closed=True)
            rounds.append([_change(entry) for entry in json.loads(text)])

    def decide(self, round_: int, changes: Sequence[Change]) -> None:
        """Write a round down; before this nothing has happened, after it everything will. Raises Forestalled."""
        entries = [
            [c.path, c.version, c.new, c.rows, c.size_bytes, c.counts.to_json(), list(c.fell_back.items())]
            for c in changes
        ]
        self._claim(round_, json.dumps(entries).encode())

    def close(self, round_: int) -> None:
        """Leave no place for this round or a later one. Raises Forestalled where it was decided meanwhile."""
        self._claim(round_, b"")

    def _claim(self, round_: int, text: bytes) -> None:
        try:
            self._storage.put(self._round(round_), text, if_absent=True)
        except FileExists:
            # It may be this very call's: a client sends a request again whose answer was lost.
            if self._storage.read(self._round(round_)) != text:
                raise Forestalled("another worker has decided on this forget") from None

    def done(self) -> Done | None:
        """The record of a finished forget."""
        try:
            value = json.loads(self._storage.read(f"{self.directory}/{DONE}"))
        except FileMissing:
            return self._counted()
        files = [PlannedFile(p, FileAction(a), r, m, s, why) for p, a, r, m, s, why in value["files"]]
        plan = TablePlan(value["dataset"], value["planned_for"], files)
        return Done(value["snapshot"], plan, Counts.from_text(value["counts"]))

    def _counted(self) -> Done | None:
        """What is left of the record after a purge."""
        try:
            value = json.loads(self._storage.read(f"{self.directory}/{COUNTS}"))
        except FileMissing:
            return None
        return Done(value["snapshot"], None, Counts.from_text(value["counts"]))

    def finish(self, snapshot: str, plan: TablePlan, counts: Counts) -> Done:
        """Write the record; the rounds may go after that. What an earlier attempt has counted stands."""
        text = counts.to_text()
        counted = {"snapshot": snapshot, "counts": text}
        try:
            self._storage.put(f"{self.directory}/{COUNTS}", json.dumps(counted).encode(), if_absent=True)
        except FileExists:
            earlier = self._counted()
            if earlier is not None and earlier.counts is not None:
                counts = earlier.counts
                text = counts.to_text()
        value = {
            "snapshot": snapshot,
            "dataset": plan.dataset_id,
            "planned_for": plan.snapshot,
            "files": [[f.path, f.action, f.rows, f.rows_matched, f.size_bytes, f.reason] for f in plan.files],
            "counts": text,
        }
        self._storage.put(f"{self.directory}/{DONE}", json.dumps(value).encode())
        return Done(snapshot, plan, counts)

    def clear_undecided(self) -> None:
        """Remove what an attempt left that never decided: content that waits for no round."""
        self._remove(stat.path for stat in self._storage.list(self.directory) if not stat.path.endswith(".json"))

    def discard(self, changes: Iterable[Change]) -> None:
        """Remove the content of a round that was not decided."""
        self._remove(change.new for change in changes if change.new is not None)

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            with suppress(RemovalForbidden):
                self._storage.remove(path)

    def _round(self, number: int) -> str:
        return f"{self.directory}/round-{number}.json"


def is_round(name: str) -> bool:
    """Whether a file of a journal is a round, or what closes it."""
    return re.fullmatch(r"round-\d+\.json", name) is not None


def _change(entry: Any) -> Change:
    path, version, new, rows, size_bytes, counts, *more = entry
    return Change(path, version, new, rows, size_bytes, Counts.from_json(counts), dict(*more))
