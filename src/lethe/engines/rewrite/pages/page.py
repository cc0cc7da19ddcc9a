"""Pages as they stand in a chunk: their headers, their bodies, and how they are written anew."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.codecs import compressed, decompressed
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import Chunk
from lethe.engines.rewrite.pages.thrift import I32, STRUCT, TRUE, Field, Struct, read_struct, write_struct

DATA, INDEX, DICTIONARY, DATA_V2 = range(4)
PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, RLE_DICTIONARY = 0, 2, 3, 4, 8
DICTIONARY_ENCODINGS: Final = frozenset({PLAIN_DICTIONARY, RLE_DICTIONARY})
VALUES_MAX: Final = 1 << 25
"""Pages of more values are not taken apart: what a header claims must not exhaust the memory."""

_DETAILS: Final = {DATA: 5, DICTIONARY: 7, DATA_V2: 8}
_STATISTICS: Final = {DATA: 5, DATA_V2: 8}
_CRC: Final = 4
_NO_BYTES: Final = memoryview(b"")


@dataclass(frozen=True)
class Page:
    """One page in its compressed form."""

    kind: int
    head: Any
    """The header's bytes."""
    start: int
    """Where its header begins, from the beginning of the chunk; -1 where it is written anew."""
    size: int
    """Bytes with the header."""
    unpacked_size: int
    """Bytes with the header, decompressed: what the footer counts."""
    body: memoryview
    values: int
    encoding: int

    @cached_property
    def header(self) -> Struct:
        """`PageHeader`: read when asked for, because a page that stays is never asked. Raises Damaged."""
        return read_struct(self.head)[0]

    @property
    def is_new(self) -> bool:
        """Whether it is written anew."""
        return self.start < 0

    @property
    def details(self) -> Struct:
        """The part of the header that is of its kind."""
        return self.header.struct(_DETAILS[self.kind])

    @property
    def statistics(self) -> Struct | None:
        """What a data page's header says of its values."""
        found = self.details.get(_STATISTICS[self.kind])
        return found if isinstance(found, Struct) else None

    @property
    def slim(self) -> "Page":
        """What it takes to write the page: a kept one is copied from the old file, whose bytes are let go."""
        if self.is_new:
            return self
        return Page(
            self.kind, _NO_BYTES, self.start, self.size, self.unpacked_size, _NO_BYTES, self.values, self.encoding
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A data page, decompressed, in the parts that the native module takes."""

    body: Any
    """All of it in version 1, the levels in version 2."""
    repetition_size: int
    """-1 in version 1, whose levels say their sizes themselves."""
    definition_size: int
    values: Any
    """In version 2."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a data page after rows have gone."""

    opened: Opened
    values: int
    nulls: int
    rows: int


def pages(chunk: Chunk, data: memoryview) -> Iterator[Page]:
    """Walk the pages of a chunk, whose bytes these are. Raises Damaged, Unfit, and the native module's Malformed."""
    for kind, unpacked, packed, *details, start, body in _native.heads(data):
        if kind == INDEX:
            continue
        if kind not in _DETAILS:
            raise Unfit("a page of an unknown kind")
        values, encoding = details[0], details[3 if kind == DATA_V2 else 1]
        if values < 0 or encoding < 0:
            raise Damaged("a page has a negative number of values, or no encoding")
        if values > VALUES_MAX:
            raise Unfit("a page of too many values")
        leaf, head_size = chunk.leaf, body - start
        levels = (leaf.definition_max and details[2], leaf.repetition_max and details[3])
        if kind == DATA and any(level not in {0, RLE} for level in levels):
            raise Unfit("levels in an encoding that is no longer written")
        whole = data[body : body + packed]
        yield Page(kind, data[start:body], start, head_size + packed, head_size + unpacked, whole, values, encoding)


def opened(page: Page, chunk: Chunk) -> Opened:
    """Decompress a data page; where it has a checksum, compare it. Raises Damaged, Unfit."""
    _require_checksum(page)
    size = page.header.integer(2)
    if page.kind == DATA:
        return Opened(decompressed(page.body, chunk.codec, size), -1, -1, b"")
    details = page.details
    definition, repetition = details.integer(5), details.integer(6)
    levels = definition + repetition
    if definition < 0 or repetition < 0 or levels > len(page.body) or levels > size:
        raise Damaged("levels lead out of their page")
    values: Any = page.body[levels:]
    if details.get(7, True):
        values = decompressed(values, chunk.codec, size - levels)
    return Opened(page.body[:levels], repetition, definition, values)


def dictionary_of(page: Page, chunk: Chunk) -> Any:
    """The plain entries of a dictionary page. Raises Damaged, Unfit."""
    _require_checksum(page)
    if page.encoding not in {PLAIN, PLAIN_DICTIONARY}:
        raise Unfit("a dictionary that is not plain")
    return decompressed(page.body, chunk.codec, page.header.integer(2))


def _require_checksum(page: Page) -> None:
    claimed = page.header.get(_CRC)
    if claimed is not None and claimed & 0xFFFFFFFF != zlib.crc32(page.body):
        raise Damaged("a page is not what its checksum says")


def _written(page: Page, body: Any, unpacked: int, details: Struct, values: int) -> Page:
    changes: dict[int, Field | None] = {
        2: Field(I32, unpacked),
        3: Field(I32, len(body)),
        _DETAILS[page.kind]: Field(STRUCT, details),
    }
    if _CRC in page.header.fields:
        checksum = zlib.crc32(body)
        changes[_CRC] = Field(I32, checksum - (1 << 32) if checksum >= 1 << 31 else checksum)
    head = write_struct(page.header.having(changes))
    size, unpacked_size = len(head) + len(body), len(head) + unpacked
    return Page(page.kind, head, -1, size, unpacked_size, memoryview(body), values, page.encoding)


def data_page(
    page: Page, content: Content, statistics: Struct | None, codec: int, compression: Mapping[str, int]
) -> Page:
    """A data page like another one, with another content."""
    changes: dict[int, Field | None] = {
        1: Field(I32, content.values),
        _STATISTICS[page.kind]: None if statistics is None else Field(STRUCT, statistics),
    }
    new = content.opened
    if page.kind == DATA:
        body = compressed(new.body, codec, compression)
        return _written(page, body, len(new.body), page.details.having(changes), content.values)
    changes |= {
        2: Field(I32, content.nulls),
        3: Field(I32, content.rows),
        5: Field(I32, new.definition_size),
        6: Field(I32, new.repetition_size),
    }
    values: Any = new.values
    # Not every reader can decompress nothing.
    packed = bool(page.details.get(7, True) and codec and values)
    if packed:
        values = compressed(values, codec, compression)
    if codec and (not packed or 7 in page.details.fields):  # noqa: PLR2004 - is_compressed
        changes[7] = Field(TRUE, packed)
    unpacked = len(new.body) + len(new.values)
    body = b"".join((new.body, memoryview(values)))
    return _written(page, body, unpacked, page.details.having(changes), content.values)


def reheaded(page: Page, statistics: Struct | None) -> Page:
    """A data page whose header says something else of its values; the body stays."""
    details = page.details.having({_STATISTICS[page.kind]: None if statistics is None else Field(STRUCT, statistics)})
    return _written(page, bytes(page.body), page.header.integer(2), details, page.values)


def dictionary_page(page: Page, entries: bytes, count: int, codec: int, compression: Mapping[str, int]) -> Page:
    """A dictionary page like another one, with other entries."""
    body = compressed(entries, codec, compression)
    changes: dict[int, Field | None] = {1: Field(I32, count)}
    if 3 in page.details.fields:  # noqa: PLR2004 - is_sorted
        changes[3] = Field(TRUE, value=False)
    return _written(page, body, len(entries), page.details.having(changes), count)
