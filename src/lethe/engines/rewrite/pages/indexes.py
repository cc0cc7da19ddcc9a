"""The page index: bounds and places of pages, for the pages that there are now."""

from collections.abc import Sequence
from typing import Any, Final

from lethe.engines.rewrite.pages.chunk import CutChunk
from lethe.engines.rewrite.pages.cutting import Kept
from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.footer import Chunk, Span, read_at
from lethe.engines.rewrite.pages.leaves import Leaf
from lethe.engines.rewrite.pages.statistics import NO_MARKS, Marks, ascends, loosely
from lethe.engines.rewrite.pages.thrift import (
    BINARY,
    FALSE,
    I32,
    I64,
    LIST,
    STRUCT,
    TRUE,
    Field,
    Items,
    Struct,
    read_struct,
    write_struct,
)

_UNORDERED, _ASCENDING, _DESCENDING = range(3)
_INDEX_MAX: Final = 1 << 28


def read_index(source: Any, span: Span | None, end: int) -> Struct | None:
    """A column index or an offset index, of which `end` is an end. Raises Damaged."""
    if span is None:
        return None
    if not (span.start > 0 and 0 < span.size <= _INDEX_MAX and span.end <= end):
        raise Damaged("a page index leads out of its file")
    return read_struct(read_at(source, span))[0]


def edges_of(index: Struct | None) -> Sequence[Marks] | None:
    """The bounds of each page in a column index; any may be shortened."""
    if index is None:
        return None
    nulls, lows, highs = _flags(index), index.items(2, BINARY), index.items(3, BINARY)
    if not len(nulls) == len(lows) == len(highs):
        raise Damaged("a column index contradicts itself")
    return [
        NO_MARKS if null else loosely({low: True, high: True})
        for null, low, high in zip(nulls, lows, highs, strict=True)
    ]


def _flags(index: Struct) -> tuple[bool, ...]:
    """The list of booleans, whose items either of two types may announce."""
    found = index.get(1)
    if not isinstance(found, Items) or (found.values and found.kind not in {TRUE, FALSE}):
        raise Damaged("a column index contradicts itself")
    return tuple(value == b"\x01" for value in found.values)


def column_index(old: Struct, cut: CutChunk) -> bytes | None:
    """The column index of a cut chunk. Histograms and what is not understood are left out. Raises Damaged.

    None when a page has no bounds any more, because their order is not known, or all of its values are NaN: an index
    has no word for that.
    """
    nulls, lows, highs = _flags(old), old.items(2, BINARY), old.items(3, BINARY)
    if len(nulls) != cut.source_pages:
        raise Damaged("a column index has another number of pages than its chunk")
    counts = old.items(5, I64) if 5 in old.fields else None  # noqa: PLR2004 - null_counts
    if counts is not None and len(counts) != len(nulls):
        raise Damaged("a column index contradicts itself")
    found = [_edge(kept, nulls[kept.number], lows[kept.number], highs[kept.number]) for kept in cut.kept]
    edges = [edge for edge in found if edge is not None]
    if len(edges) < len(found):
        return None
    bounded = [(low, high) for null, low, high in edges if not null]
    fields = {
        1: Field(LIST, Items(TRUE, tuple(b"\x01" if null else b"\x02" for null, _, _ in edges))),
        2: Field(LIST, Items(BINARY, tuple(low for _, low, _ in edges))),
        3: Field(LIST, Items(BINARY, tuple(high for _, _, high in edges))),
        4: Field(I32, _boundary_order(old.integer(4), bounded, cut.chunk.leaf)),
    }
    if counts is not None:
        new = [_null_count(kept, counts[kept.number], cut.chunk.leaf) for kept in cut.kept]
        if None not in new:
            fields[5] = Field(LIST, Items(I64, tuple(new)))
    return write_struct(Struct(fields))


def _edge(kept: Kept, null: bool, low: bytes, high: bytes) -> tuple[bool, bytes, bytes] | None:
    if not null and kept.edited and kept.nulls == kept.values:
        return True, b"", b""
    if null or not kept.edge_touched:
        return null, low, high
    return None if kept.bounds is None else (False, *kept.bounds)


def _null_count(kept: Kept, old: int, leaf: Leaf) -> int | None:
    """Of a list's values no one says what a null is; there the count stays away when it was another one before."""
    if not kept.edited:
        return old
    return kept.nulls if not leaf.repetition_max or old == kept.nulls_before else None


def _boundary_order(old: int, bounded: Sequence[tuple[bytes, bytes]], leaf: Leaf) -> int:
    """The old order, if it holds for the new bounds: narrower ones need not be in it."""
    if old not in {_ASCENDING, _DESCENDING}:
        return _UNORDERED
    ordered = list(bounded) if old == _ASCENDING else list(bounded)[::-1]
    both = (ascends([low for low, _ in ordered], leaf), ascends([high for _, high in ordered], leaf))
    return old if all(both) else _UNORDERED


def offset_index(cut: CutChunk, start: int) -> bytes:
    """Where the pages of a cut chunk stand, when it begins at `start`."""
    position = start + (0 if cut.dictionary is None else cut.dictionary.size)
    places = []
    for kept in cut.kept:
        places.append(Struct({1: Field(I64, position), 2: Field(I32, kept.page.size), 3: Field(I64, kept.first_row)}))
        position += kept.page.size
    return write_struct(Struct({1: Field(LIST, Items(STRUCT, tuple(places)))}))


def shifted(index: Struct, chunk: Chunk, by: int) -> bytes:
    """An offset index of a chunk that was moved whole. Raises Damaged."""
    places = index.items(1, STRUCT)
    moved = []
    for place in places:
        offset = place.integer(1)
        if not chunk.span.start <= offset < chunk.span.end:
            raise Damaged("an offset index leads out of its chunk")
        moved.append(place.having({1: Field(place.fields[1].kind, offset + by)}))
    return write_struct(index.having({1: Field(LIST, Items(STRUCT, tuple(moved)))}))
