"""The footer's words for chunks and row groups that were cut, or moved as they are."""

from collections.abc import Mapping, Sequence
from typing import Final

from lethe.engines.rewrite.pages.chunk import CutChunk
from lethe.engines.rewrite.pages.footer import Chunk
from lethe.engines.rewrite.pages.page import DICTIONARY
from lethe.engines.rewrite.pages.thrift import I32, I64, LIST, STRUCT, Field, Items, Struct

Changes = dict[int, Field | None]

_FILE_OFFSET, _META = 2, 3
_VALUES, _UNPACKED, _PACKED, _DATA_AT, _INDEX_AT, _DICTIONARY_AT, _STATISTICS, _PAGE_KINDS = 5, 6, 7, 9, 10, 11, 12, 13
_BLOOM_AT, _BLOOM_SIZE, _SIZES, _GEOMETRY = 14, 15, 16, 17
_OFFSET_INDEX, _COLUMN_INDEX = 4, 6
_WITHOUT_INDEXES: Final[Changes] = {4: None, 5: None, 6: None, 7: None}


def moved(chunk: Chunk, by: int) -> Struct:
    """A chunk that was moved whole, without its indexes and bloom filter, which are placed later."""
    changes: Changes = {_BLOOM_AT: None, _BLOOM_SIZE: None}
    for number in (_DATA_AT, _INDEX_AT, _DICTIONARY_AT):
        offset = chunk.meta.integer(number, 0)
        if offset:
            changes[number] = Field(I64, offset + by)
    start = chunk.span.start + by
    return _chunk(chunk, chunk.meta.having(changes), start, start + chunk.span.size)


def bare(chunk: Chunk) -> Struct:
    """A chunk of which nothing is said that its pages do not say."""
    meta = chunk.meta.having({_STATISTICS: None, _BLOOM_AT: None, _BLOOM_SIZE: None})
    return chunk.raw.having({**_WITHOUT_INDEXES, _META: Field(STRUCT, meta)})


def cut(of: CutChunk, start: int) -> Struct:
    """A chunk that was cut and begins at `start`, without its indexes and bloom filter, which are placed later."""
    chunk, pages = of.chunk, of.pages
    size = sum(page.size for page in pages)
    first = start if of.dictionary is None else start + of.dictionary.size
    old_dictionary = chunk.meta.integer(_DICTIONARY_AT, 0)
    changes: Changes = {
        _VALUES: Field(I64, of.values),
        _UNPACKED: Field(I64, sum(page.unpacked_size for page in pages)),
        _PACKED: Field(I64, size),
        # Some writers speak of a dictionary's place as that of the first page.
        _DATA_AT: Field(I64, start if of.dictionary is not None and not old_dictionary else first),
        _INDEX_AT: None,
        _STATISTICS: None if of.statistics is None else Field(STRUCT, of.statistics.struct),
        _BLOOM_AT: None,
        _BLOOM_SIZE: None,
        _SIZES: None,
        _GEOMETRY: None,
    }
    if old_dictionary:
        changes[_DICTIONARY_AT] = None if of.dictionary is None else Field(I64, start)
    kinds = chunk.meta.get(_PAGE_KINDS)
    if isinstance(kinds, Items) and all(isinstance(each, Struct) for each in kinds.values):
        changes[_PAGE_KINDS] = Field(LIST, Items(STRUCT, tuple(_counted(kinds.values, of.page_kinds))))
    return _chunk(chunk, chunk.meta.having(changes), start, start + size)


def _counted(old: Sequence[Struct], new: Mapping[tuple[int, int], int]) -> Sequence[Struct]:
    """How many pages there are of each kind and encoding, in the order in which the writer counted them."""
    listed = {(each.integer(1), each.integer(2)) for each in old}
    unlisted = {pair: number for pair, number in new.items() if pair not in listed}
    found = []
    for each in old:
        kind, encoding = each.integer(1), each.integer(2)
        # A writer may count dictionary pages under the older of two names, and data pages of either version as one.
        alike = (
            number
            for (other, how), number in unlisted.items()
            if (other == kind if kind == DICTIONARY else other != DICTIONARY and how == encoding)
        )
        count = new.get((kind, encoding), 0) or sum(alike)
        if count:
            found.append(each.having({3: Field(I32, count)}))
    return found


def _chunk(chunk: Chunk, meta: Struct, start: int, end: int) -> Struct:
    changes: Changes = {**_WITHOUT_INDEXES, _META: Field(STRUCT, meta)}
    offset = chunk.raw.integer(_FILE_OFFSET, 0)
    if offset:
        # By writers of old the place of the chunk, or of a copy of its description behind it.
        changes[_FILE_OFFSET] = Field(I64, {chunk.span.start: start, chunk.span.end: end}.get(offset, 0))
    return chunk.raw.having(changes)


def with_bloom(raw: Struct, had: Chunk, start: int, size: int) -> Struct:
    """A chunk whose bloom filter stands there."""
    changes: Changes = {_BLOOM_AT: Field(I64, start)}
    if _BLOOM_SIZE in had.meta.fields:
        changes[_BLOOM_SIZE] = Field(I32, size)
    return raw.having({_META: Field(STRUCT, raw.struct(_META).having(changes))})


def with_column_index(raw: Struct, start: int, size: int) -> Struct:
    """A chunk whose column index stands there."""
    return raw.having({_COLUMN_INDEX: Field(I64, start), _COLUMN_INDEX + 1: Field(I32, size)})


def with_offset_index(raw: Struct, start: int, size: int) -> Struct:
    """A chunk whose offset index stands there."""
    return raw.having({_OFFSET_INDEX: Field(I64, start), _OFFSET_INDEX + 1: Field(I32, size)})


def group(raw: Struct, chunks: Sequence[Struct], rows: int, start: int, ordinal: int) -> Struct:
    """A row group of these chunks."""
    metas = [chunk.struct(_META) for chunk in chunks]
    changes: Changes = {
        1: Field(LIST, Items(STRUCT, tuple(chunks))),
        2: Field(I64, sum(meta.integer(_UNPACKED) for meta in metas)),
        3: Field(I64, rows),
    }
    if raw.integer(5, 0):
        changes[5] = Field(I64, start)
    if 6 in raw.fields:  # noqa: PLR2004 - total_compressed_size
        changes[6] = Field(I64, sum(meta.integer(_PACKED) for meta in metas))
    if 7 in raw.fields:  # noqa: PLR2004 - ordinal
        changes[7] = Field(raw.fields[7].kind, ordinal)
    return raw.having(changes)
