"""Copying one file without the rows that go, and describing the copy for the log.

Order: the copy is written under a temporary name, compared with its source, and takes its own name in one rename;
then it is nobody's until a commit names it. A crash between any two leaves files that the table does not refer to.
Names begin with the marker's, so that a purge knows whose they were once the marker is committed, and are each
attempt's own: a worker that lost its lease, and a purge that slept, never meet the files of who came after them.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import pyarrow.parquet as pq

from lethe.engines.delta.actions import AddFile
from lethe.engines.delta.column_mapping import ColumnMapping
from lethe.engines.delta.deletion_vectors import hidden_rows
from lethe.engines.delta.judge import DeltaJudge
from lethe.engines.delta.statistics import fresh
from lethe.engines.interface import Marker
from lethe.engines.matching import Matcher
from lethe.engines.rewrite.gate import require_same_form
from lethe.engines.rewrite.interface import Rewriter
from lethe.engines.storage.interface import RemovalForbidden, Storage
from lethe.engines.tally import Counts

REWRITE_MEMORY: Final = 4
"""Expected memory as a multiple of a file's size, for the budget of a pool."""

_PREFIX: Final = "lethe-"
_DIGITS: Final = 24


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of one file."""

    add: AddFile | None
    """The copy; None when nothing would be in it."""
    changed: bool
    """Whether any row stayed out, or all is encoded anew. The copy of an unchanged file is not written into the log."""
    rows_live: int
    """Live rows of the source."""
    counts: Counts
    fell_back: Mapping[int, str] = field(default_factory=dict)
    """Row groups that were not written the way of the plan, each with the reason."""


@dataclass(frozen=True, slots=True)
class ToCopy:
    """One file to copy."""

    add: AddFile
    anew: bool
    """Nothing that is encoded may be taken over, and the copy counts though no row stays out."""


@dataclass(frozen=True, slots=True)
class Copy:
    """The task of an executor: rewrite one file."""

    storage: Storage
    matcher: Matcher
    mapping: ColumnMapping
    rewriter: Rewriter
    marker: Marker
    attempt: str
    """A name that no other attempt bears."""
    now: datetime

    def __call__(self, job: ToCopy) -> Copied:
        """Write, compare, rename. Raises TableRefused, StorageFailed."""
        add = job.add
        hidden = hidden_rows(self.storage, add.deletion_vector)
        path, temporary = copy_paths(add, self.marker, self.attempt)
        judge = DeltaJudge(self.matcher, self.mapping, hidden)
        with self.storage.open(add.file_path) as source, self.storage.create(temporary) as sink:
            rewritten = self.rewriter.rewrite(source, sink, judge, anew=job.anew)
        rows_live = rewritten.rows_before - len(hidden)
        changed = job.anew or rewritten.rows_after != rewritten.rows_before
        if not rewritten.rows_after or not changed:
            with suppress(RemovalForbidden):
                self.storage.remove(temporary)
            return Copied(None, changed=changed, rows_live=rows_live, counts=rewritten.counts)
        with self.storage.open(add.file_path) as source, self.storage.open(temporary) as result:
            footer = pq.read_metadata(result)
            require_same_form(pq.read_metadata(source), footer, rewritten)
        size_bytes = self.storage.stat(temporary).size_bytes
        self.storage.replace(temporary, path)
        described = self._described(add, footer, size_bytes)
        return Copied(
            described, changed=True, rows_live=rows_live, counts=rewritten.counts, fell_back=rewritten.fell_back
        )

    def _described(self, source: AddFile, footer: Any, size_bytes: int) -> AddFile:
        """The copy as the log will have it: the source's place and partition, and statistics of its own."""
        directory, slash, _ = source.path.rpartition("/")
        name = copy_paths(source, self.marker, self.attempt)[0].rpartition("/")[2]
        return AddFile(
            f"{directory}{slash}{name}",
            source.partition_values,
            size_bytes,
            int(self.now.timestamp() * 1000),
            fresh(source.stats, footer),
            source.tags,
            None,
            source.clustering_provider,
        )


def copy_paths(add: AddFile, marker: Marker, attempt: str) -> tuple[str, str]:
    """Where the copy of a file goes, and where it is while it is written."""
    directory, slash, _ = add.file_path.rpartition("/")
    facts = "\0".join((*add.key, marker, attempt))
    name = f"{marker_prefix(marker)}{hashlib.sha256(facts.encode()).hexdigest()[:_DIGITS]}"
    return f"{directory}{slash}{name}.parquet", f"{directory}{slash}.{name}.tmp"


def marker_prefix(marker: str) -> str:
    """How the names of a marker's files begin, but for a leading dot."""
    return f"{_PREFIX}{hashlib.sha256(marker.encode()).hexdigest()[:_DIGITS]}-"
