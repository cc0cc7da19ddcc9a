"""Row groups on their way into the new file: cut, moved as they are, or taken from another file.

Pages come first, then the bloom filters of their row group. The page index of all row groups stands before the footer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lethe.engines.rewrite.pages import described
from lethe.engines.rewrite.pages.bloom import empty_like, span_of
from lethe.engines.rewrite.pages.chunk import CutChunk, cut_chunk
from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.footer import Chunk, Group, OldFile, Span
from lethe.engines.rewrite.pages.indexes import column_index, edges_of, offset_index, read_index, shifted
from lethe.engines.rewrite.pages.output import Output
from lethe.engines.rewrite.pages.page import Held, Opened
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.seen import NOT_SEEN, Seen
from lethe.engines.rewrite.pages.thrift import Struct


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk whose pages are in the new file."""

    raw: Struct
    column_index: bytes | None
    offset_index: bytes | None


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A row group whose pages are in the new file."""

    raw: Struct
    """As it was."""
    rows: int
    start: int
    chunks: tuple[NewChunk, ...]


@dataclass(frozen=True, slots=True)
class CutGroup:
    """A row group that is cut and not yet written. Kept pages are still in the old file."""

    group: Group
    rows: int
    chunks: tuple[CutChunk | Chunk, ...]
    """Those that stay as they are in their old form."""


def cut_group(
    old: OldFile, group: Group, rows: Rows, compression: Mapping[str, int], seen: Seen = NOT_SEEN
) -> CutGroup:
    """Cut rows out of a row group. Raises Damaged, Unfit.

    All of it is cut before any of it is written, so that who meets a feature that is not cut can still go another way.
    In memory are the compressed pages that change, and one chunk at a time. Pages that were `seen` are open.
    """
    chunks = tuple(
        _cut(old, chunk, rows, compression, opened=seen.pages if number == seen.column else {})
        for number, chunk in enumerate(group.chunks)
    )
    return CutGroup(group, rows.kept, chunks)


def cleared_group(old: OldFile, group: Group, suspects: frozenset[int], compression: Mapping[str, int]) -> CutGroup:
    """A row group that keeps its rows, without what its suspect columns say of values that no row has."""
    rows = Rows.all_stay(group.rows)
    chunks = [
        _cut(old, chunk, rows, compression, opened={}, suspect=True) if number in suspects else chunk
        for number, chunk in enumerate(group.chunks)
    ]
    return CutGroup(
        group, group.rows, tuple(c.chunk if isinstance(c, CutChunk) and not c.changed else c for c in chunks)
    )


def _cut(
    old: OldFile,
    chunk: Chunk,
    rows: Rows,
    compression: Mapping[str, int],
    *,
    opened: Mapping[int, Opened],
    suspect: bool = False,
) -> CutChunk:
    edges = edges_of(read_index(old.source, chunk.column_index, old.end))
    bloom = None if chunk.bloom_start is None else empty_like(old.source, chunk, old.end)
    held = Held(chunk, old.read_for_now(chunk.span), opened)
    return cut_chunk(held, rows, edges=edges, bloom=bloom, compression=compression, room=old.page_room, suspect=suspect)


def write_cut(out: Output, old: OldFile, cut: CutGroup) -> NewGroup:
    """Write a row group that was cut. Raises Damaged."""
    indexes = [_new_index(old, chunk) for chunk in cut.chunks]
    start = out.position
    chunks, blooms = [], []
    for chunk, index in zip(cut.chunks, indexes, strict=True):
        here = out.position
        if isinstance(chunk, CutChunk):
            _write_pages(out, old, chunk)
            places = None if chunk.chunk.offset_index is None else offset_index(chunk, here)
            chunks.append(NewChunk(described.cut(chunk, here), index, places))
            blooms.append(chunk.bloom)
        else:
            out.copy(old.source, chunk.span)
            chunks.append(_moved(old, chunk, here - chunk.span.start))
            blooms.append(None)
    placed = _with_blooms(out, old, cut.group, chunks, blooms)
    return NewGroup(cut.group.raw, cut.rows, start, placed)


def _new_index(old: OldFile, chunk: CutChunk | Chunk) -> bytes | None:
    if not isinstance(chunk, CutChunk):
        return None
    index = read_index(old.source, chunk.chunk.column_index, old.end)
    return None if index is None else column_index(index, chunk)


def _write_pages(out: Output, old: OldFile, chunk: CutChunk) -> None:
    """New pages from memory, runs of kept ones as one range."""
    base = chunk.chunk.span.start
    run: Span | None = None
    for page in chunk.pages:
        if run is not None and (page.is_new or base + page.start != run.end):
            out.copy(old.source, run)
            run = None
        if page.is_new:
            out.write(page.head)
            out.write(page.body)
        else:
            run = Span(base + page.start, page.size) if run is None else Span(run.start, run.size + page.size)
    if run is not None:
        out.copy(old.source, run)


def move(out: Output, old: OldFile, group: Group) -> NewGroup:
    """Copy a row group as it is, range by range. Raises Damaged."""
    start = out.position
    shifts: dict[int, int] = {}
    for span in _runs(group):
        by = out.position - span.start
        out.copy(old.source, span)
        shifts |= {chunk.span.start: by for chunk in group.chunks if span.start <= chunk.span.start < span.end}
    new = [_moved(old, chunk, shifts.get(chunk.span.start, 0)) for chunk in group.chunks]
    placed = _with_blooms(out, old, group, new, [None] * len(new))
    return NewGroup(group.raw, group.rows, start, placed)


def _runs(group: Group) -> list[Span]:
    """The ranges in which the chunks of a row group stand one behind the other."""
    runs: list[Span] = []
    for span in sorted((chunk.span for chunk in group.chunks), key=lambda span: span.start):
        if runs and span.start < runs[-1].end:
            raise Damaged("two columns stand in the same place")
        if runs and span.start == runs[-1].end:
            runs[-1] = Span(runs[-1].start, runs[-1].size + span.size)
        else:
            runs.append(span)
    return runs


def _moved(old: OldFile, chunk: Chunk, by: int) -> NewChunk:
    span = chunk.column_index
    index = read_index(old.source, span, old.end)
    places = read_index(old.source, chunk.offset_index, old.end)
    return NewChunk(
        described.moved(chunk, by),
        None if span is None or index is None else bytes(old.read(span)),
        None if places is None else shifted(places, chunk, by),
    )


def _with_blooms(
    out: Output, old: OldFile, group: Group, new: list[NewChunk], blooms: list[bytes | None]
) -> tuple[NewChunk, ...]:
    """Write the bloom filters of a row group: those built anew, and the others as they are."""
    placed = []
    for before, chunk, bloom in zip(group.chunks, new, blooms, strict=True):
        if before.bloom_start is None:
            placed.append(chunk)
            continue
        start = out.position
        if bloom is not None:
            out.write(bloom)
        else:
            out.copy(old.source, span_of(old.source, before, old.end))
        raw = described.with_bloom(chunk.raw, before, start, out.position - start)
        placed.append(NewChunk(raw, chunk.column_index, chunk.offset_index))
    return tuple(placed)


def write_indexes(out: Output, groups: list[NewGroup]) -> list[Struct]:
    """Write the page index of all row groups; the answer is their words for the footer."""
    raws = [[chunk.raw for chunk in group.chunks] for group in groups]
    for number, group in enumerate(groups):
        for place, chunk in enumerate(group.chunks):
            if chunk.column_index is not None:
                raws[number][place] = described.with_column_index(
                    raws[number][place], out.position, len(chunk.column_index)
                )
                out.write(chunk.column_index)
    for number, group in enumerate(groups):
        for place, chunk in enumerate(group.chunks):
            if chunk.offset_index is not None:
                raws[number][place] = described.with_offset_index(
                    raws[number][place], out.position, len(chunk.offset_index)
                )
                out.write(chunk.offset_index)
    return [
        described.group(group.raw, raws[number], group.rows, group.start, number) for number, group in enumerate(groups)
    ]
