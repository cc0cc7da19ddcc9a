"""Rewriting by pages: what has to go is cut out, and all else is copied as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from lethe.engines.rewrite.filters import BloomFilters
from lethe.engines.rewrite.interface import Judge, Judgement, Rewritten
from lethe.engines.rewrite.judged import JudgedColumns
from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import MAGIC, Footer, OldFile, with_groups
from lethe.engines.rewrite.pages.foreign import through_arrow
from lethe.engines.rewrite.pages.group import NewGroup, cleared_group, cut_group, move, write_cut, write_indexes
from lethe.engines.rewrite.pages.output import Output
from lethe.engines.rewrite.pages.repeats import Repeats
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.thrift import write_struct
from lethe.engines.rewrite.pages.traits import why_not
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter
from lethe.engines.rewrite.source import open_with_footer
from lethe.engines.tally import Counts


@dataclass(frozen=True, slots=True)
class PageRewriter:
    """Cuts rows out of the pages that hold them."""

    levels: Mapping[str, int] = field(default_factory=dict)
    """Compression level per codec (`ZSTD`, `GZIP`, `BROTLI`); a file does not record with which it was written."""

    def rewrite(self, source: Any, sink: IO[bytes], judge: Judge, *, anew: bool = False) -> Rewritten:
        """Copy what the judge leaves in; with `anew` through Arrow, which copies nothing. Raises RewriteRefused."""
        if anew:
            return PyarrowRewriter(self.levels).rewrite(source, sink, judge, anew=True)
        file, footer = open_with_footer(source)
        columns = JudgedColumns(source, file, footer, judge)
        judging = _Judging(file, judge, columns, BloomFilters(source, footer))
        old, out = OldFile(source, footer), Output(sink)
        counts, gone = judging.all(footer)
        edited = [group for group, bits in zip(footer.groups, gone, strict=True) if bits is not None]
        repeats = Repeats.of(edited, columns.leaves)
        del judging, columns  # with a buffer as large as the identity's column
        out.write(MAGIC)
        groups, fell_back = list[NewGroup](), dict[int, str]()
        for number, (group, bits) in enumerate(zip(footer.groups, gone, strict=True)):
            if bits is None:
                suspects = repeats.suspects(group) if edited else frozenset[int]()
                groups.append(self._whole(out, old, number, suspects, fell_back))
                continue
            rows = Rows.of(np.unpackbits(bits, count=group.rows))
            if rows.kept:
                groups.append(self._without(out, old, number, rows, fell_back))
        raws = write_indexes(out, groups)
        kept = sum(group.rows for group in groups)
        new = write_struct(with_groups(footer.raw, tuple(raws), kept))
        out.write(new)
        out.write(len(new).to_bytes(4, "little"))
        out.write(MAGIC)
        return Rewritten(footer.raw.integer(3), tuple(group.rows for group in groups), counts, fell_back)

    def _whole(
        self, out: Output, old: OldFile, number: int, suspects: frozenset[int], fell_back: dict[int, str]
    ) -> NewGroup:
        """A row group with all of its rows."""
        group = old.footer.groups[number]
        if not suspects:
            return move(out, old, group)
        try:
            return write_cut(out, old, cleared_group(old, group, suspects, self.levels))
        except _native.Malformed as error:
            raise Damaged(str(error)) from None
        except (Unfit, _native.Uncut) as error:
            fell_back[number] = str(error)
            return through_arrow(out, old, number, Rows.all_stay(group.rows), self.levels)

    def _without(self, out: Output, old: OldFile, number: int, rows: Rows, fell_back: dict[int, str]) -> NewGroup:
        """A row group without some rows: cut, or, where it has a feature that is not cut, through Arrow."""
        try:
            return write_cut(out, old, cut_group(old, old.footer.groups[number], rows, self.levels))
        except _native.Malformed as error:
            raise Damaged(str(error)) from None
        except (Unfit, _native.Uncut) as error:
            fell_back[number] = str(error)
            return through_arrow(out, old, number, rows, self.levels)


def reasons_against_cutting(footer: Footer) -> Mapping[int, str]:
    """Which row groups of a file would go through Arrow, and why, as far as its footer tells."""
    found = {number: why_not(group) for number, group in enumerate(footer.groups)}
    return {number: reason for number, reason in found.items() if reason is not None}


class _Judging:
    """Asks a judge about row groups."""

    def __init__(self, file: Any, judge: Judge, columns: JudgedColumns, filters: BloomFilters) -> None:
        self._file = file
        self._judge = judge
        self._columns = columns
        self._filters = filters

    def all(self, footer: Footer) -> tuple[Counts, list[Any]]:
        """What the orders count, and for each row group a bit for each row that goes; None where none goes.

        Raises Damaged, RewriteRefused.
        """
        counts, first_row = Counts(), 0
        gone: list[Any] = []
        for number, group in enumerate(footer.groups):
            judgement = self._of(number, first_row)
            first_row += group.rows
            if judgement is None:
                gone.append(None)
                continue
            if len(judgement.leave_out) != group.rows:
                raise Damaged("a row group has another number of rows than it says")
            counts += judgement.counts
            flags = judgement.leave_out.to_numpy(zero_copy_only=False)
            gone.append(np.packbits(flags) if flags.any() else None)
        return counts, gone

    def _of(self, group: int, first_row: int) -> Judgement | None:
        """What the judge says of a row group; None where it needs not be read."""
        metadata = self._file.metadata.row_group(group)
        schema = self._file.schema_arrow
        if self._judge.can_skip(metadata, schema):
            return None
        if self._filters.exclude(group, metadata, self._judge.candidates(metadata, schema)):
            return None
        return self._columns.judge(group, first_row)
