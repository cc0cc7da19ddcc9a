"""Removing what a directory holds beside its live files.

Order of effects: `_metadata` summaries, leftovers of other writers, then of each journal its contents and rounds, and
its record last; a repeat of a forget that meets a record answers with it. The counts, and the names of the rounds,
emptied, stay for as long as a worker may come back: to ask for the counts, or to decide once more what was done.
Whoever comes later searches again and finds nothing to do. Then directories without files, whose names may hold a
partition's value. Every removal stands alone: a crash between any two leaves less to remove.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lethe.engines.directory.journal import COUNTS, DONE, is_round
from lethe.engines.directory.listing import Listing
from lethe.engines.interface import NotRemoved, Phase, PurgePolicy, PurgeReport, Watcher
from lethe.engines.progress import Meter
from lethe.engines.storage.interface import FileStat, RemovalForbidden, Storage, StorageFailed
from lethe.engines.superseded import superseded

COUNTS_KEPT: Final = timedelta(days=7)
"""How long the counts of a finished forget, and the names of its rounds, outlive its purge."""

_LAST: Final = {DONE: 1, COUNTS: 2}
"""What goes after the rest of its journal, for it tells that the journal has ended."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A file that goes, or whose content does."""

    file: FileStat
    emptied: bool = False

    def take(self, storage: Storage) -> None:
        if self.emptied:
            storage.put(self.file.path, b"")
        else:
            storage.remove(self.file.path)


_Chain = Sequence[_Step]
"""Steps in this order, the last only when all before it went well."""


def purge_leftovers(
    storage: Storage, listing: Listing, policy: PurgePolicy, now: datetime, watch: Watcher
) -> PurgeReport:
    """Remove what is nobody's; hold what may still be somebody's."""
    chains, held = _decide(listing, policy.writers_grace, now)
    report = _remove(storage, chains, Phase.PURGE, watch)
    held = [*held, *report.held, *superseded([storage], policy.forgotten_at)]
    return PurgeReport(report.files_removed, report.bytes_removed, report.failed, held)


def drop_everything(storage: Storage, watch: Watcher) -> PurgeReport:
    """Remove every file."""
    report = _remove(storage, [[_Step(stat)] for stat in storage.list()], Phase.DROP, watch)
    return replace(report, held=[*report.held, *superseded([storage])])


def _decide(listing: Listing, grace: timedelta, now: datetime) -> tuple[Sequence[_Chain], Sequence[NotRemoved]]:
    """What goes, and what is held. Pure."""
    goes: list[_Chain] = [[_Step(stat)] for stat in listing.summaries]
    held: list[NotRemoved] = []
    for number, stat in enumerate(listing.leftovers):
        if stat.modified_at + grace <= now:
            goes.append([_Step(stat)])
        else:
            why = "a hidden file of another writer, who may still be at work"
            held.append(NotRemoved(f"hidden file {number}", why, stat.modified_at + grace))
    for journal in _journals(listing.ours):
        names = {_name(stat) for stat in journal}
        newest = max(stat.modified_at for stat in journal)
        if DONE in names or COUNTS in names:
            goes.append(_ended(journal, now))
        elif any(map(is_round, names)):
            held.append(NotRemoved(journal[0].path, "a forget began here and has not ended; repeat it"))
        elif newest + grace <= now:
            goes.append([_Step(stat) for stat in journal])
        else:
            held.append(NotRemoved(journal[0].path, "a forget may be at work here", newest + grace))
    return goes, held


def _ended(journal: Sequence[FileStat], now: datetime) -> _Chain:
    """How an ended journal goes: to counts and the names of its rounds, and when those are old, altogether."""
    remembered = any(_name(stat) == COUNTS and stat.modified_at + COUNTS_KEPT > now for stat in journal)
    steps = []
    for stat in sorted(journal, key=lambda stat: _LAST.get(_name(stat), 0)):
        if remembered and is_round(_name(stat)):
            if stat.size_bytes:
                steps.append(_Step(stat, emptied=True))
        elif not remembered or _name(stat) != COUNTS:
            steps.append(_Step(stat))
    return steps


def _name(stat: FileStat) -> str:
    return stat.path.rpartition("/")[2]


def _journals(ours: Sequence[FileStat]) -> Iterator[Sequence[FileStat]]:
    by_directory: dict[str, list[FileStat]] = defaultdict(list)
    for stat in ours:
        by_directory[stat.path.rpartition("/")[0]].append(stat)
    yield from by_directory.values()


def _remove(storage: Storage, chains: Sequence[_Chain], phase: Phase, watch: Watcher) -> PurgeReport:
    """Remove chain by chain. Where a removal fails, the rest of its chain stays too, and is reported."""
    total = sum(map(len, chains))
    meter = Meter(watch, phase, total, sum(step.file.size_bytes for chain in chains for step in chain))
    removed, removed_bytes = 0, 0
    failed: list[NotRemoved] = []
    held: list[NotRemoved] = []
    for chain in chains:
        broken, kept = "", failed
        for step in chain:
            number = removed + len(failed) + len(held)
            try:
                if not broken:
                    step.take(storage)
            except StorageFailed as error:
                broken, kept = str(error), held if isinstance(error, RemovalForbidden) else failed
            if broken:
                kept.append(NotRemoved(f"file {number} of {total}", broken))
            else:
                removed += 1
                removed_bytes += step.file.size_bytes
            meter.step(step.file.size_bytes)
    storage.remove_empty_directories()
    return PurgeReport(removed, removed_bytes, failed, held)
