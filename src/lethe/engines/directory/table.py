"""One table in a directory, with what it takes to work on it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.plan import FileAction, PlannedFile
from lethe.engines.directory.formats import FileFormat
from lethe.engines.directory.journal import Change
from lethe.engines.directory.listing import Listing, listing_of, partition_values
from lethe.engines.directory.prepare import FileFound, FileRefused, Intent, Preparing, Searching
from lethe.engines.executors.interface import Executor, Job
from lethe.engines.interface import TRACE, Phase, TableMissing, TableRefused, Target, Watcher
from lethe.engines.matching import Matcher
from lethe.engines.progress import Meter
from lethe.engines.storage.interface import FileStat, Storage

_ResultT = TypeVar("_ResultT")

_COPY_MEMORY: Final = 4
"""Expected memory of preparing a change, as a multiple of the file's size."""


@dataclass(frozen=True, slots=True)
class DirectoryTable:
    """A table, its storage, and the workers."""

    target: Target
    storage: Storage
    format: FileFormat
    executor: Executor

    def listing(self) -> Listing:
        """The files as they are now. Raises TableMissing, TableRefused, StorageFailed."""
        listing = listing_of(self.storage)
        if not (listing.live or listing.ours):
            raise TableMissing("there are no files at the table's location")
        return listing

    @property
    def identity_column(self) -> str:
        """The top-level name under which the identity may also be a partition column; empty when it cannot."""
        selector = self.target.selector
        return selector.path[0] if isinstance(selector, PrimaryIdentity) and len(selector.path) == 1 else ""

    def search(self, files: Sequence[FileStat], matcher: Matcher, watch: Watcher) -> Sequence[FileFound]:
        """Search some files; those that are gone meanwhile are left out. In the order of their paths."""
        meter = Meter(watch, Phase.FIND, len(files), sum(stat.size_bytes for stat in files))
        sizes = {stat.path: stat.size_bytes for stat in files}
        found = []
        jobs = [Job(path, size) for path, size in sizes.items()]
        results = self.executor.map(Searching(self.storage, self.format, matcher), jobs)
        for path, one in _numbered(results, sizes):
            meter.step(sizes[path])
            if one is not None:
                found.append(one)
        return sorted(found, key=lambda one: one.path)

    def prepare(
        self, planned: Sequence[PlannedFile], new_paths: Iterator[str], matcher: Matcher, watch: Watcher
    ) -> Sequence[Change]:
        """Prepare the changes of a plan; those that another writer forestalled are left out. In the order of paths."""
        meter = Meter(watch, Phase.FORGET, len(planned), sum(f.size_bytes for f in planned))
        jobs = [Job(Intent(f.path, f.action, next(new_paths)), f.size_bytes * _COPY_MEMORY) for f in planned]
        sizes = {f.path: f.size_bytes for f in planned}
        changes = []
        results = self.executor.map(Preparing(self.storage, self.format, matcher), jobs)
        for intent, change in _numbered(results, sizes):
            meter.step(sizes[intent.path])
            if change is not None:
                changes.append(change)
        return sorted(changes, key=lambda change: change.path)


def _numbered(results: Iterator[_ResultT], paths: Collection[str]) -> Iterator[_ResultT]:
    """The results; a refusal of one file tells which of them it is by its number, for a path may hold an identity."""
    refused: FileRefused | None = None
    try:
        yield from results
    except FileRefused as error:
        refused = error
    if refused is not None:
        number = sorted(paths).index(refused.path) + 1
        raise TableRefused(f"file {number} of {len(paths)} by name: {refused}")


def planned(
    found: Sequence[FileFound], *, whole_table: bool, identity_column: str, suspects: Collection[str] = ()
) -> Sequence[PlannedFile]:
    """Drop what matches whole, rewrite what matches in part, scrub what is suspected, keep the rest. Pure.

    When nothing of the whole table would be left, the first file stays without rows: it is all that knows the schema.
    One whose directory names a person does not: without a row it would name them still.
    """
    nothing_left = whole_table and all(one.counts.rows == one.rows for one in found)
    staying = next(
        (number for number, one in enumerate(found) if identity_column not in partition_values(one.path)), None
    )
    plan = []
    for number, one in enumerate(found):
        if not one.counts.rows:
            action, reason = FileAction.KEEP, "no row matches"
        elif one.counts.rows < one.rows:
            action, reason = FileAction.REWRITE, f"some rows match; {one.method}" if one.method else "some rows match"
        elif nothing_left and number == staying:
            action, reason = FileAction.REWRITE, "all rows match; the file stays without rows, for the schema"
        else:
            action, reason = FileAction.DROP, "all rows match"
        if one.path in suspects and action in {FileAction.KEEP, FileAction.REWRITE}:
            action, reason = FileAction.SCRUB, TRACE
        plan.append(PlannedFile(one.path, action, one.rows, one.counts.rows, one.size_bytes, reason))
    return plan
