"""The journal of one forget: written once, it is the decision; from then on the work only goes forward.

Under `_lethe/<digest of the marker>/` stand `round-<n>.json`, one for each round of replacements, and at the end
`counts.json` and `done.json`. New content waits beside them, in files whose names begin with the attempt's number: a
worker that lost its lease and still writes can therefore never write into what its successor puts in place. Nothing
here holds an identity, unless a path does; `counts.json`, which outlives the purge, holds no path.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.directory.listing import OURS
from lethe.engines.interface import Marker
from lethe.engines.storage.interface import FileExists, FileMissing, RemovalForbidden, Storage
from lethe.engines.tally import Counts

COUNTS: Final = "counts.json"


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

    def rounds(self) -> Sequence[Sequence[Change]]:
        """The decided rounds, in order."""
        decided: list[Sequence[Change]] = []
        while True:
            try:
                text = self._storage.read(self._round(len(decided)))
            except FileMissing:
                return decided
            decided.append([_change(entry) for entry in json.loads(text)])

    def decide(self, round_: int, changes: Sequence[Change]) -> None:
        """Write a round down; before this nothing has happened, after it everything will."""
        entries = [
            [c.path, c.version, c.new, c.rows, c.size_bytes, c.counts.to_json(), list(c.fell_back.items())]
            for c in changes
        ]
        self._storage.put(self._round(round_), json.dumps(entries).encode(), if_absent=True)

    def done(self) -> Done | None:
        """The record of a finished forget."""
        try:
            value = json.loads(self._storage.read(f"{self.directory}/done.json"))
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
        self._storage.put(f"{self.directory}/done.json", json.dumps(value).encode())
        return Done(snapshot, plan, counts)

    def clear_undecided(self) -> None:
        """Remove what an attempt left that never decided: content that waits for no round."""
        for stat in self._storage.list(self.directory):
            if not stat.path.endswith(".json"):
                with suppress(RemovalForbidden):
                    self._storage.remove(stat.path)

    def _round(self, number: int) -> str:
        return f"{self.directory}/round-{number}.json"


def _change(entry: Any) -> Change:
    path, version, new, rows, size_bytes, counts, *more = entry
    return Change(path, version, new, rows, size_bytes, Counts.from_json(counts), dict(*more))
