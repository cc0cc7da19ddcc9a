"""A broken file through a rewriter: a clear refusal, or a result that holds what Arrow reads in the source."""

import io
from collections.abc import Callable, Container, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engines.pages.arrow import column_bits
from engines.pages.cases import MaskJudge
from engines.pages.claims import Mask, require
from engines.pages.damage import Damaged
from engines.pages.subjects import Subject
from lethe.engines.interface import TableRefused
from lethe.engines.rewrite.source import leaves_by_field

_SENTENCE_LENGTH_MAX = 300


def rewrite_broken(damaged: Damaged, subject: Subject, judging: Callable[[], None] = lambda: None) -> str:
    """What became of it, in a word. Raises AssertionError, or what the rewriter raises and should not.

    `judging` is called when the rewriter is done and Arrow begins to look.
    """
    sink = io.BytesIO()
    compare = _sifting(damaged.data, damaged.deleted) if subject.cuts_pages else None
    try:
        rewritten = subject.rewriter.rewrite(pa.BufferReader(damaged.data), sink, MaskJudge(damaged.deleted))
    except TableRefused as error:
        require(0 < len(str(error)) < _SENTENCE_LENGTH_MAX, "the refusal says nothing, or too much")
        return "refused"
    judging()
    source = _opened(damaged.data)
    if compare is not None and source is not None:
        compare(source)
    return _compared(damaged, sink.getvalue(), rewritten.fell_back if subject.cuts_pages else None)


def _sifting(data: bytes, deleted: Mask) -> Callable[[Any], object]:
    """Look for people in the file's pages; what Arrow reads there is compared later."""
    from engines.pages.excerpting import excerpts
    from engines.pages.sifting import require_as_arrow_reads, sifted

    what = sifted(data)
    for _ in excerpts(data, deleted):
        pass
    return lambda source: require_as_arrow_reads(what, source)


def _compared(damaged: Damaged, result: bytes, through_arrow: Container[int] | None) -> str:
    """Column by column. Whoever cuts pages cuts each leaf by its own levels; Arrow reads those of a field together.

    `through_arrow` are the row groups that were not cut; None stands for all.
    """
    source = _opened(damaged.data)
    after = _opened(result)
    if source is None:
        return "not opened by Arrow"
    if after is None:
        raise AssertionError("Arrow opens the source and not the result")
    metadata, at, group_after, worst = source.metadata, 0, 0, "equal"
    judge = MaskJudge(damaged.deleted)
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if rows > len(damaged.deleted) * 4 + 1000:
            return "nonsense"
        deleted = judge.judge(pa.table({"": pa.nulls(max(rows, 0))}), at).leave_out
        at += rows
        keep = pa.compute.invert(deleted)
        if not pa.compute.any(keep).as_py():
            continue
        while group_after < after.metadata.num_row_groups and not after.metadata.row_group(group_after).num_rows:
            group_after += 1
        require(group_after < after.metadata.num_row_groups, f"row group {group} is missing")
        by_leaf = through_arrow is not None and group not in through_arrow
        for leaves in [[n] for n in range(metadata.num_columns)] if by_leaf else leaves_by_field(source):
            before, now = _column(source, group, leaves, rows), _column(after, group_after, leaves, None)
            where = f"row group {group}, leaves {leaves}"
            if before is None:
                worst = "unreadable as before" if now is None else "readable now"
                continue
            require(now is not None, f"{where}: Arrow reads the source and not the result")
            require(column_bits(before.filter(keep)).equals(column_bits(now)), f"{where}: wrong values")
        group_after += 1
    return worst


def _opened(data: bytes) -> Any:
    try:
        return pq.ParquetFile(pa.BufferReader(data))
    except (pa.ArrowException, OSError):
        return None


def _column(file: Any, group: int, leaves: Sequence[int], rows: int | None) -> Any:
    """Some leaves of a row group, or nothing where Arrow fails; where it answers with other rows, it failed as well."""
    try:
        column = file.reader.read_row_group(group, column_indices=leaves, use_threads=False).column(0)
        column.validate(full=True)
    except (pa.ArrowException, OSError, MemoryError):
        return None
    return None if rows is not None and len(column) != rows else column
