"""Finding in one file: read the columns that decide and no others."""

from dataclasses import dataclass, replace
from typing import Any

import pyarrow.compute as pc

from lethe.engines.rewrite.choice import method_of
from lethe.engines.rewrite.filters import BloomFilters
from lethe.engines.rewrite.interface import Judge
from lethe.engines.rewrite.judged import JudgedColumns
from lethe.engines.rewrite.source import open_with_footer
from lethe.engines.tally import Counts, Share


@dataclass(frozen=True, slots=True)
class Scanned:
    """What one file holds for a judge."""

    rows: int
    rows_left_out: int
    """Rows that would not be in a copy: matched now, or deleted before."""
    counts: Counts
    identified: bool
    """Whether the file has the column that names the person."""
    method: str
    """How the rows would leave the file; empty where none does, or all do."""

    @property
    def rows_matched(self) -> int:
        """Rows that match and are not deleted yet."""
        return self.counts.rows

    @property
    def rows_live(self) -> int:
        """Rows that are not deleted yet."""
        return self.rows - self.rows_left_out + self.rows_matched

    def of(self, share: Share) -> "Scanned":
        """What the file holds for one order alone."""
        mine = share.of(self.counts)
        return replace(self, rows_left_out=self.rows_left_out - self.rows_matched + mine.rows, counts=mine)


def scan(source: Any, judge: Judge) -> Scanned:
    """Judge every row of a Parquet file (`pyarrow.NativeFile`). Raises TableRefused.

    Row groups whose bounds or bloom filters exclude a match are not read.
    """
    file, footer = open_with_footer(source)
    metadata, schema = file.metadata, file.schema_arrow
    columns = JudgedColumns(source, file, footer, judge)
    counts, left_out, first_row = Counts(), 0, 0
    touched, filters = list[int](), BloomFilters(source, footer)
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        of_group = metadata.row_group(group)
        skipped = judge.can_skip(of_group, schema)
        if not skipped and not filters.exclude(group, of_group, judge.candidates(of_group, schema)):
            judgement = columns.judge(group, first_row)
            gone = pc.sum(judgement.leave_out).as_py() or 0
            left_out += gone
            if 0 < gone < rows:
                touched.append(group)
            counts += judgement.counts
        first_row += rows
    method = method_of(footer, touched) if 0 < left_out < metadata.num_rows else ""
    return Scanned(metadata.num_rows, left_out, counts, bool(columns.leaves), method)
