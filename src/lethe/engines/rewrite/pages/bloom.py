"""Bloom filters: where one stands, what it excludes, and one built anew from the values that stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import Chunk, Span, read_at
from lethe.engines.rewrite.pages.leaves import BOOLEAN, BYTE_ARRAY, FIXED, INT32, INT64, INT96, Leaf
from lethe.engines.rewrite.pages.thrift import Struct, read_struct, write_struct

_HEADER_MAX: Final = 64
_FILTER_MAX: Final = 128 << 20
_BLOCK: Final = 32
_SHARE: Final = 4
"""Of how many parts of a column its filter may be one, to be worth reading before it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of some size, to be filled."""

    header: Struct
    bits: bytearray

    def add(self, plain: Any, count: int, leaf: Leaf) -> None:
        """Put plain values in."""
        _native.bloom_add(self.bits, plain, count, leaf.shape, leaf.plain_width)

    @property
    def written(self) -> bytes:
        """As it stands in a file."""
        return write_struct(self.header) + self.bits


def _header_of(source: Any, chunk: Chunk, end: int) -> tuple[Struct, Span]:
    start = chunk.bloom_start
    if start is None or not 0 < start < end:
        raise Damaged("a bloom filter leads out of its file")
    header, size = read_struct(read_at(source, Span(start, min(_HEADER_MAX, end - start))))
    length = header.integer(1)
    if not 0 < length <= min(_FILTER_MAX, end - start - size) or length % _BLOCK:
        raise Damaged("a bloom filter has a size that is not possible")
    return header, Span(start, size + length)


def span_of(source: Any, chunk: Chunk, end: int) -> Span:
    """Where a chunk's filter stands, of which `end` is an end. Raises Damaged."""
    return _header_of(source, chunk, end)[1]


def empty_like(source: Any, chunk: Chunk, end: int) -> Filter:
    """A filter of the size of a chunk's, without a value. Raises Damaged, Unfit."""
    header, span = _header_of(source, chunk, end)
    _require_known(header, chunk)
    return Filter(header, bytearray(span.size - len(write_struct(header))))


def _require_known(header: Struct, chunk: Chunk) -> None:
    kinds = [header.struct(number).fields for number in (2, 3, 4)]
    if any(list(kind) != [1] for kind in kinds) or chunk.leaf.physical in {BOOLEAN, INT96}:
        raise Unfit("a bloom filter of an unknown kind")


def may_hold(source: Any, chunk: Chunk, end: int, values: Sequence[int | bytes]) -> bool:
    """Whether one of these values may be in a chunk that has a filter, as far as reading that is worth it.

    Raises Damaged, Unfit.
    """
    header, span = _header_of(source, chunk, end)
    plain = [_plain(value, chunk.leaf) for value in values]
    if span.size * _SHARE > chunk.span.size or None in plain:
        return True
    _require_known(header, chunk)
    bits = read_at(source, span)[span.size - header.integer(1) :]
    joined = b"".join(value for value in plain if value is not None)
    return _native.bloom_any(bits, joined, len(plain), chunk.leaf.shape, chunk.leaf.plain_width)


def _plain(value: int | bytes, leaf: Leaf) -> bytes | None:
    """A value as a page would hold it; None where its column is not of its type."""
    if isinstance(value, bytes):
        if leaf.physical == BYTE_ARRAY:
            return len(value).to_bytes(4, "little") + value
        return value if leaf.physical == FIXED and len(value) == leaf.width else None
    if leaf.physical not in {INT32, INT64}:
        return None
    return (value & ((1 << 8 * leaf.width) - 1)).to_bytes(leaf.width, "little")
