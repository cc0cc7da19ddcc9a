"""An engine over tables in memory: for the tests of whatever calls engines. It passes the engines' own suite.

It keeps history like a table format does: a forget leaves the old rows behind, and only a purge removes them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lethe.domain.dataset import PrimaryIdentity, TableFormat
from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.interface import (
    Evidence,
    Finding,
    Forgotten,
    Marker,
    NeverWill,
    Order,
    Outcome,
    Phase,
    PurgePolicy,
    PurgeReport,
    Residue,
    ResidueKind,
    TableMissing,
    TableRefused,
    Target,
    Traits,
    Wanted,
    Watcher,
    unwatched,
)
from lethe.engines.matching import Matches, compile_matcher
from lethe.engines.progress import Meter
from lethe.engines.tally import Counts, shares_of, summed, tally


@dataclass(slots=True)
class MemoryTable:
    """One table: files by name, the files that were, and the commits that were made."""

    files: dict[str, Any]
    """`pyarrow.Table` by name."""
    version: int = 0
    history: list[Any] = field(default_factory=list)
    commits: dict[Marker, Forgotten] = field(default_factory=dict)

    @property
    def snapshot(self) -> str:
        """The version and what it holds."""
        facts = ",".join(f"{name}:{table.num_rows}" for name, table in sorted(self.files.items()))
        return hashlib.sha256(f"{self.version}/{facts}".encode()).hexdigest()


class MemoryEngine:
    """Deletes from `MemoryTable`s, which it knows by their location."""

    def __init__(
        self, tables: dict[str, MemoryTable], formats: frozenset[TableFormat] = frozenset(TableFormat)
    ) -> None:
        self.tables = tables
        self._formats = formats

    @property
    def traits(self) -> Traits:
        """A commit is one assignment."""
        return Traits(self._formats, commits_atomically=True, detects_conflicts=True, keeps_history=True)

    def find(self, target: Target, wanted: Wanted, *, scrub: bool = False, watch: Watcher = unwatched) -> Finding:  # noqa: ARG002
        """Match every file; rows in memory leave no trace to scrub."""
        table = self._table(target)
        found = self._count(table, target, wanted, watch)
        return Finding(_plan(target, table, found), tally(wanted, summed(found.values())))

    def find_each(self, target: Target, orders: Sequence[Order], *, watch: Watcher = unwatched) -> Sequence[Finding]:
        """Match every file once."""
        table = self._table(target)
        found = self._count(table, target, Wanted(tuple(orders)), watch)
        findings = []
        for order, share in zip(orders, shares_of(orders), strict=True):
            mine = {name: share.of(counts) for name, counts in found.items()}
            findings.append(Finding(_plan(target, table, mine), tally(Wanted((order,)), summed(mine.values()))))
        return findings

    def forget(
        self, target: Target, wanted: Wanted, plan: TablePlan, marker: Marker, *, watch: Watcher = unwatched
    ) -> Outcome:
        """Replace all files that match at once; the plan is made anew where the table has moved on."""
        try:
            table = self._table(target)
            if marker in table.commits:
                return replace(table.commits[marker], repeated=True)
            found = self._match(table, target, wanted, Phase.FORGET, watch)
        except TableRefused as error:
            return NeverWill(str(error))
        counts = {name: matches.counts for name, matches in found.items()}
        done = plan if table.snapshot == plan.snapshot else _plan(target, table, counts)
        left = {name: table.files[name].filter(pc.invert(matches.mask)) for name, matches in found.items()}
        if any(each.rows for each in counts.values()):
            table.history.append(table.files)
            table.version += 1
        table.files = {name: rows for name, rows in left.items() if rows.num_rows or not table.files[name].num_rows}
        table.commits[marker] = Forgotten(table.snapshot, done, tally(wanted, summed(counts.values())))
        return table.commits[marker]

    def purge(self, target: Target, policy: PurgePolicy, now: datetime, *, watch: Watcher = unwatched) -> PurgeReport:  # noqa: ARG002
        """Forget the history."""
        table = self._table(target)
        removed = sum(len(files) for files in table.history)
        table.history = []
        return PurgeReport(files_removed=removed)

    def verify(self, target: Target, wanted: Wanted, *, watch: Watcher = unwatched) -> Evidence:  # noqa: ARG002
        """Look at every row that is or was."""
        table = self.tables.get(target.table.location or "")
        if table is None:
            return Evidence("", 0, 0, 0, 0)
        residues, files, rows = [], 0, 0
        places = [(ResidueKind.LIVE_ROW, table.files), *((ResidueKind.STORED_ROW, old) for old in table.history)]
        for kind, held in places:
            for name, data in held.items():
                files, rows = files + 1, rows + data.num_rows
                matched = sum(_is_named(row, target, wanted) for row in data.to_pylist())
                if matched:
                    residues.append(Residue(name, kind, "rows", matched))
        return Evidence(table.snapshot, files, 0, rows, 0, residues)

    def drop(self, target: Target, now: datetime, *, watch: Watcher = unwatched) -> PurgeReport:  # noqa: ARG002
        """Forget the table."""
        table = self.tables.pop(target.table.location or "", None)
        return PurgeReport(files_removed=0 if table is None else len(table.files))

    def _table(self, target: Target) -> MemoryTable:
        table = self.tables.get(target.table.location or "")
        if table is None:
            raise TableMissing("there is no table at this location")
        return table

    def _count(self, table: MemoryTable, target: Target, wanted: Wanted, watch: Watcher) -> Mapping[str, Counts]:
        found = self._match(table, target, wanted, Phase.FIND, watch)
        return {name: matches.counts for name, matches in found.items()}

    @staticmethod
    def _match(
        table: MemoryTable, target: Target, wanted: Wanted, phase: Phase, watch: Watcher
    ) -> Mapping[str, Matches]:
        matcher = compile_matcher(target.selector, wanted)
        meter = Meter(watch, phase, len(table.files), sum(data.nbytes for data in table.files.values()))
        found = {}
        for name, data in sorted(table.files.items()):
            found[name] = matcher.match(data)
            meter.step(data.nbytes)
        return found


def _plan(target: Target, table: MemoryTable, found: Mapping[str, Counts]) -> TablePlan:
    files = [_planned(name, table.files[name], counts.rows) for name, counts in found.items()]
    return TablePlan(target.dataset_id, table.snapshot, files)


def _planned(name: str, data: Any, matched: int) -> PlannedFile:
    if not matched:
        action, reason = FileAction.KEEP, "no row matches"
    elif matched < data.num_rows:
        action, reason = FileAction.REWRITE, "some rows match"
    else:
        action, reason = FileAction.DROP, "all rows match"
    return PlannedFile(name, action, data.num_rows, matched, data.nbytes, reason)


def _is_named(row: dict[str, Any], target: Target, wanted: Wanted) -> bool:
    """Row by row, in plain Python: slow, and independent of the matcher."""
    return any(
        (str(value).casefold() == text.casefold() if namespace.case_insensitive else str(value) == text)
        for order in wanted.orders
        for namespace, text in order.identities
        for value in _identities(row, target, namespace.folded_code)
    )


def _identities(row: Any, target: Target, folded_code: str) -> Sequence[Any]:
    selector = target.selector
    if isinstance(selector, PrimaryIdentity):
        if selector.namespace_code.casefold() != folded_code:
            return []
        for name in selector.path:
            row = row.get(name) if isinstance(row, dict) else None
        return [] if row is None else [row.decode(errors="surrogateescape") if isinstance(row, bytes) else row]
    return [
        entry["id"]
        for code, entries in row.get(selector.column) or []
        if code.casefold() == folded_code
        for entry in entries or []
        if entry and entry["primary"] and entry["id"] is not None
    ]


def memory_table(*files: Any) -> MemoryTable:
    """A table of these `pyarrow.Table`s."""
    return MemoryTable({f"file-{number}": pa.table(data) for number, data in enumerate(files)})
