"""Rewriting by pages: what has to go is cut out, and all else is copied as it is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from lethe.engines.rewrite.filters import BloomFilters
from lethe.engines.rewrite.interface import Judge, Judgement, Rewritten
from lethe.engines.rewrite.judged import JudgedColumns
from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import MAGIC, Footer, Group, OldFile, ending, with_groups
from lethe.engines.rewrite.pages.foreign import through_arrow
from lethe.engines.rewrite.pages.group import (
    CutGroup,
    NewGroup,
    cleared_group,
    cut_group,
    move,
    write_cut,
    write_indexes,
)
from lethe.engines.rewrite.pages.output import Output
from lethe.engines.rewrite.pages.repeats import Repeats
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.seen import NOT_SEEN, SEEN_BYTES_MAX, Seen
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
        columns = JudgedColumns(source, file, footer, judge, SEEN_BYTES_MAX)
        judging = _Judging(file, judge, columns, BloomFilters(source, footer))
        out = Output(sink)
        out.write(MAGIC)
        new = _Writing(OldFile(source, footer), out, self.levels)
        counts, edited, waiting = Counts(), list[Group](), list[tuple[int, Any]]()
        for number, (group, (told, bits)) in enumerate(zip(footer.groups, judging.each(footer), strict=True)):
            counts += told
            if bits is not None:
                edited.append(group)
            if bits is None or waiting:
                # What becomes of a row group that keeps its rows depends on all others; these stand behind it.
                waiting.append((number, bits))
            else:
                new.cut(number, bits, columns.seen)
        repeats = Repeats.of(edited, columns.leaves)
        del judging, columns  # with a buffer as large as the identity's column
        for number, bits in waiting:
            if bits is None:
                new.keep(number, repeats.suspects(footer.groups[number]) if edited else frozenset())
            else:
                new.cut(number, bits, NOT_SEEN)
        raws = write_indexes(out, new.groups)
        kept = sum(group.rows for group in new.groups)
        out.write(ending(with_groups(footer.raw, tuple(raws), kept)))
        return Rewritten(footer.raw.integer(3), tuple(group.rows for group in new.groups), counts, new.fell_back)


def reasons_against_cutting(footer: Footer) -> Mapping[int, str]:
    """Which row groups of a file would go through Arrow, and why, as far as its footer tells."""
    found = {number: why_not(group) for number, group in enumerate(footer.groups)}
    return {number: reason for number, reason in found.items() if reason is not None}


class _Writing:
    """The row groups of the new file, one after the other."""

    def __init__(self, old: OldFile, out: Output, levels: Mapping[str, int]) -> None:
        self._old = old
        self._out = out
        self._levels = levels
        self.groups: list[NewGroup] = []
        self.fell_back: dict[int, str] = {}
        """Those that went through Arrow, each with the reason."""

    def keep(self, number: int, suspects: frozenset[int]) -> None:
        """One with all of its rows, without what its suspect columns say of values that no row has."""
        group = self._old.footer.groups[number]
        if not suspects:
            self.groups.append(move(self._out, self._old, group))
        else:
            rows = Rows.all_stay(group.rows)
            self._write(number, rows, lambda: cleared_group(self._old, group, suspects, self._levels))

    def cut(self, number: int, bits: Any, seen: Seen) -> None:
        """One without the rows that have a bit, if any row is left. Pages that were `seen` are open."""
        group = self._old.footer.groups[number]
        rows = Rows.of(np.unpackbits(bits, count=group.rows))
        if rows.kept:
            self._write(number, rows, lambda: cut_group(self._old, group, rows, self._levels, seen))

    def _write(self, number: int, rows: Rows, cut: Callable[[], CutGroup]) -> None:
        """As it is cut, or, where it has a feature that is not cut, through Arrow."""
        try:
            new = write_cut(self._out, self._old, cut())
        except _native.Malformed as error:
            raise Damaged(str(error)) from None
        except (Unfit, _native.Uncut) as error:
            self.fell_back[number] = str(error)
            new = through_arrow(self._out, self._old, number, rows, self._levels)
        self.groups.append(new)


class _Judging:
    """Asks a judge about row groups."""

    def __init__(self, file: Any, judge: Judge, columns: JudgedColumns, filters: BloomFilters) -> None:
        self._file = file
        self._judge = judge
        self._columns = columns
        self._filters = filters

    def each(self, footer: Footer) -> Iterator[tuple[Counts, Any]]:
        """Of each row group, what the orders count, and a bit for each row that goes; None where none goes.

        Raises Damaged, RewriteRefused.
        """
        first_row = 0
        for number, group in enumerate(footer.groups):
            judgement = self._of(number, first_row)
            first_row += group.rows
            if judgement is None:
                yield Counts(), None
                continue
            if len(judgement.leave_out) != group.rows:
                raise Damaged("a row group has another number of rows than it says")
            flags = judgement.leave_out.to_numpy(zero_copy_only=False)
            yield judgement.counts, np.packbits(flags) if flags.any() else None

    def _of(self, group: int, first_row: int) -> Judgement | None:
        """What the judge says of a row group; None where it needs not be read."""
        metadata = self._file.metadata.row_group(group)
        schema = self._file.schema_arrow
        if self._judge.can_skip(metadata, schema):
            return None
        if self._filters.exclude(group, metadata, self._judge.candidates(metadata, schema)):
            return None
        return self._columns.judge(group, first_row)
