"""A whole Parquet file decoded by the book: every level and every value of every page, as the bytes that they are.

Slow, and on purpose free of Arrow and of the rewriters: it leans on the verification's readers only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.pages import thrift
from engines.pages.thrift import Typed
from lethe.engines.verify.parquet.footer import BOOLEAN, BYTE_ARRAY, FIXED, Leaf, _schema
from lethe.engines.verify.parquet.pages import (
    BYTE_STREAM_SPLIT,
    DELTA_BINARY_PACKED,
    PLAIN,
    PLAIN_DICTIONARY,
    RLE,
    RLE_DICTIONARY,
)
from lethe.engines.verify.parquet.pages import (
    decompressed as _decompressed,
)
from lethe.engines.verify.parquet.values import _byte_arrays, delta, hybrid

DATA_V1, INDEX, DICTIONARY, DATA_V2 = range(4)
_WIDTHS: Final = {1: 4, 2: 8, 3: 12, 4: 4, 5: 8}
Levels = NDArray[np.int64]


class Odd(Exception):
    """The file breaks the format's rules."""


@dataclass(frozen=True)
class Page:
    """One page, decoded."""

    start: int
    body_start: int
    end: int
    kind: int
    header: Typed
    raw: bytes
    """Header and body as they stand in the file."""
    body: bytes
    """Decompressed, levels included."""
    encoding: int
    repetition: Levels
    definition: Levels
    values: Sequence[bytes]
    """Those that are not null; of a dictionary page its entries."""
    indices: Sequence[int] | None
    rows: tuple[int, int]
    """First row and the row behind the last, within the row group; a row may reach over pages."""

    @property
    def packed(self) -> bytes:
        """The body as it stands in the file."""
        return self.raw[self.body_start - self.start :]


@dataclass(frozen=True)
class Column:
    """One chunk."""

    leaf: Leaf
    element: Typed
    chunk: Typed
    pages: Sequence[Page]

    @property
    def meta(self) -> Typed:
        """Its `ColumnMetaData`."""
        return self.chunk[3]

    @property
    def dictionary(self) -> Page | None:
        """The dictionary page."""
        return next((page for page in self.pages if page.kind == DICTIONARY), None)

    @property
    def data(self) -> Sequence[Page]:
        """The data pages."""
        return [page for page in self.pages if page.kind != DICTIONARY]

    @cached_property
    def repetition(self) -> Levels:
        """Of all pages."""
        return np.concatenate([_EMPTY, *(page.repetition for page in self.data)])

    @cached_property
    def definition(self) -> Levels:
        """Of all pages."""
        return np.concatenate([_EMPTY, *(page.definition for page in self.data)])

    @cached_property
    def values(self) -> Sequence[bytes]:
        """Of all pages."""
        return [value for page in self.data for value in page.values]

    @cached_property
    def rows(self) -> Levels:
        """The row of each pair of levels."""
        return np.cumsum(self.repetition == 0) - 1

    def cut(self, keep: NDArray[np.bool_]) -> tuple[Levels, Levels, list[bytes]]:
        """What must be left when only some rows stay."""
        stays = keep[self.rows]
        of_values = stays[self.definition == self.leaf.definition_max]
        values = [value for value, kept in zip(self.values, of_values.tolist(), strict=True) if kept]
        return self.repetition[stays], self.definition[stays], values


@dataclass(frozen=True)
class Group:
    """One row group."""

    raw: Typed
    rows: int
    columns: Sequence[Column]


@dataclass(frozen=True)
class Walked:
    """A whole file."""

    data: bytes
    footer: Typed
    footer_start: int
    leaves: Sequence[Leaf]
    groups: Sequence[Group]

    @property
    def rows(self) -> int:
        """Rows of all groups."""
        return sum(group.rows for group in self.groups)


_EMPTY: Levels = np.zeros(0, dtype=np.int64)


def footer_of(data: bytes) -> tuple[Typed, int]:
    """The footer, and where it begins."""
    if data[:4] != b"PAR1" or data[-4:] != b"PAR1":
        raise Odd("no magic")
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    footer, end = thrift.read(data, start)
    if end != len(data) - 8:
        raise Odd("the footer does not end where it says")
    return footer, start


def decompressed(raw: bytes, codec: int, size: int) -> bytes:
    """No bytes are some bytes in most codecs."""
    return _decompressed(raw, codec, size) if size else b""


def walk(data: bytes) -> Walked:
    """Decode everything. Raises Odd, or what Python raises for bytes that make no sense."""
    footer, start = footer_of(data)
    leaves, _ = _schema(thrift.plain(footer[2]))
    elements = [e for e in footer[2].value if 1 in e.value]
    groups = []
    for group in footer[4].value:
        rows = group.get(3)
        columns = [
            Column(leaf, element, chunk, _pages(data, chunk[3], leaf, rows))
            for leaf, element, chunk in zip(leaves, elements, group[1].value, strict=True)
        ]
        groups.append(Group(group, rows, columns))
    return Walked(data, footer, start, leaves, groups)


def chunk_start(meta: Typed) -> int:
    """Where the pages of a chunk begin."""
    return min((at for at in (meta.get(9), meta.get(11), meta.get(10)) if at), default=0)


def _pages(data: bytes, meta: Typed, leaf: Leaf, rows: int) -> list[Page]:
    found: list[Page] = []
    at = chunk_start(meta)
    end = at + meta.get(7)
    chunk = _Chunk(data, meta.get(4), leaf)
    dictionary: Sequence[bytes] = ()
    row = 0
    while at < end:
        header, body_start = thrift.read(data, at)
        page_end = body_start + header.get(3)
        if page_end > end:
            raise Odd("a page leads out of its chunk")
        page = _page(chunk, (at, body_start, page_end), header, dictionary, row)
        if page.kind == DICTIONARY:
            if found:
                raise Odd("a dictionary behind other pages")
            dictionary = page.values
        row = page.rows[1]
        found.append(page)
        at = page_end
    if at != end:
        raise Odd("the pages do not fill their chunk")
    if row != rows:
        raise Odd(f"{row} rows in the pages of a group of {rows}")
    return found


@dataclass(frozen=True)
class _Chunk:
    """What all pages of a chunk share."""

    data: bytes
    codec: int
    leaf: Leaf


def _page(chunk: _Chunk, at: tuple[int, int, int], header: Typed, dictionary: Sequence[bytes], row: int) -> Page:
    """`at` is where header, body and the next page begin."""
    start, body_start, end = at
    data, codec, leaf = chunk.data, chunk.codec, chunk.leaf
    kind, size = header.get(1), header.get(2)
    raw = data[body_start:end]
    repetition = definition = _EMPTY
    if kind == DICTIONARY:
        details = header[7]
        body = values = decompressed(raw, codec, size)
        count, encoding = details.get(1), PLAIN
    elif kind == DATA_V1:
        details = header[5]
        body = decompressed(raw, codec, size)
        count, encoding = details.get(1), details.get(2)
        repetition, values = _levels_v1(body, leaf.repetition_max, count)
        definition, values = _levels_v1(values, leaf.definition_max, count)
    elif kind == DATA_V2:
        details = header[8]
        count, encoding = details.get(1), details.get(4)
        split = details.get(6)
        split_ = split + details.get(5)
        values = raw[split_:]
        if details.get(7) is not False:
            values = decompressed(values, codec, size - split_)
        body = raw[:split_] + values
        repetition = _levels(raw[:split], leaf.repetition_max, count)
        definition = _levels(raw[split:split_], leaf.definition_max, count)
        _same("num_nulls", details.get(2), int((definition < leaf.definition_max).sum()))
        _same("num_rows", details.get(3), int((repetition == 0).sum()))
    else:
        raise Odd("a page of an unknown kind")
    _same("uncompressed_page_size", len(body), size)
    if kind == DICTIONARY:
        return Page(start, body_start, end, kind, header, data[start:end], body, encoding, _EMPTY, _EMPTY,
                    _decoded(values, leaf, PLAIN, count), None, (row, row))  # fmt: skip
    present = int((definition == leaf.definition_max).sum())
    indices = None
    if encoding in {PLAIN_DICTIONARY, RLE_DICTIONARY}:
        indices = hybrid(values[1:], values[0], present).tolist() if present else []
        found: Sequence[bytes] = [dictionary[index] for index in indices]
    else:
        found = _decoded(values, leaf, encoding, present)
    return Page(start, body_start, end, kind, header, data[start:end], body, encoding, repetition, definition,
                found, indices, (row, row + int((repetition == 0).sum())))  # fmt: skip


def _levels_v1(body: bytes, maximum: int, count: int) -> tuple[Levels, bytes]:
    if not maximum:
        return np.zeros(count, dtype=np.int64), body
    length = int.from_bytes(body[:4], "little")
    return _levels(body[4 : 4 + length], maximum, count), body[4 + length :]


def _levels(encoded: bytes, maximum: int, count: int) -> Levels:
    found = hybrid(encoded, maximum.bit_length(), count) if maximum else np.zeros(count, dtype=np.int64)
    if count and found.max() > maximum:
        raise Odd("a level above its maximum")
    return found


def _same(what: str, said: Any, found: Any) -> None:
    if said != found:
        raise Odd(f"a page's {what}: {said}, {found} found")


def _decoded(body: bytes, leaf: Leaf, encoding: int, count: int) -> Sequence[bytes]:
    """Values as the bytes of their plain encoding."""
    if leaf.physical == BOOLEAN:
        if encoding == RLE:
            bits: Any = hybrid(body[4:], 1, count) if count else _EMPTY
        else:
            bits = np.unpackbits(np.frombuffer(body, dtype=np.uint8), bitorder="little")[:count]
        if len(bits) != count:
            raise Odd("too few booleans")
        return [bytes([bit]) for bit in bits.tolist()]
    if leaf.physical == BYTE_ARRAY or (leaf.physical == FIXED and encoding not in {PLAIN, BYTE_STREAM_SPLIT}):
        if not count and not body:
            return []
        return _byte_arrays(body, encoding, count)
    return _of_one_width(body, leaf.length if leaf.physical == FIXED else _WIDTHS[leaf.physical], encoding, count)


def _of_one_width(body: bytes, width: int, encoding: int, count: int) -> Sequence[bytes]:
    if encoding == DELTA_BINARY_PACKED:
        body = delta(body, count)[0].astype(f"<i{width}").tobytes() if count else b""
    elif encoding == BYTE_STREAM_SPLIT:
        body = np.frombuffer(body, dtype=np.uint8).reshape(width, count).T.tobytes() if count else b""
    elif encoding != PLAIN:
        raise Odd("an encoding that does not fit")
    if len(body) != count * width:
        raise Odd("values do not fill their page")
    return [body[i : i + width] for i in range(0, len(body), width)] if width else [b""] * count
