"""Pages as they stand in a chunk: their headers, their bodies, and how they are written anew."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.codecs import compressed, decompressed
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import Chunk
from lethe.engines.rewrite.pages.statistics import Statistics

DATA, INDEX, DICTIONARY, DATA_V2 = range(4)
PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, RLE_DICTIONARY = 0, 2, 3, 4, 8
DICTIONARY_ENCODINGS: Final = frozenset({PLAIN_DICTIONARY, RLE_DICTIONARY})
VALUES_MAX: Final = 1 << 25
"""Pages of more values are not taken apart: what a header claims must not exhaust the memory."""

_LEVELS: Final = frozenset({0, RLE})
"""Encodings of levels: some writers say that of values."""
_CUT: Final = frozenset({DATA, DICTIONARY, DATA_V2})


class Page(NamedTuple):
    """One page in its compressed form."""

    kind: int
    start: int
    """Where its header begins, from the beginning of the chunk; -1 where it is written anew."""
    head_size: int
    size: int
    """Bytes with the header."""
    unpacked_size: int
    """Bytes with the header, decompressed: what the footer counts."""
    values: int
    encoding: int
    head: bytes = b""
    """Of a page that is written anew."""
    body: bytes = b""

    @property
    def is_new(self) -> bool:
        """Whether it is written anew."""
        return self.start < 0


class Said(NamedTuple):
    """What it takes of a page's header to open the page, and to write it anew."""

    checksum: int | None
    definition_size: int | None
    repetition_size: int | None
    flag: bool | None
    """Of a data page of version 2 whether it is compressed, of a dictionary whether it is sorted."""
    statistics: Statistics | None


class Words(NamedTuple):
    """What a new page's header says otherwise than the old one's. What is None stays, but for the statistics."""

    numbers: Sequence[int | None]
    """From the first field on of the part that is of its kind."""
    flag: bool | None
    statistics: Statistics | None


class Opened(NamedTuple):
    """A data page, decompressed, in the parts that the native module takes."""

    body: Any
    """All of it in version 1, the levels in version 2."""
    repetition_size: int
    """-1 in version 1, whose levels say their sizes themselves."""
    definition_size: int
    values: Any
    """In version 2."""


class Headed(NamedTuple):
    """A page whose header was read."""

    page: Page
    head: Any
    body: Any
    codec: int
    said: Said

    def require_checksum(self) -> None:
        """Raises Damaged where the body is another one."""
        claimed = self.said.checksum
        if claimed is not None and claimed & 0xFFFFFFFF != zlib.crc32(self.body):
            raise Damaged("a page is not what its checksum says")

    def anew(self, body: bytes, unpacked: int, words: Words, values: int) -> Page:
        """A page like this one, with another body and other words."""
        checksum = 0
        if self.said.checksum is not None:
            checksum = zlib.crc32(body)
            checksum -= checksum >> 31 << 32
        head = _native.reheaded(self.head, self.page.kind, unpacked, len(body), checksum, *words)
        size = len(head)
        return Page(
            kind=self.page.kind,
            start=-1,
            head_size=size,
            size=size + len(body),
            unpacked_size=size + unpacked,
            values=values,
            encoding=self.page.encoding,
            head=head,
            body=body,
        )


def opened(headed: Headed) -> Opened:
    """Decompress a data page; where it has a checksum, compare it. Raises Damaged, Unfit."""
    headed.require_checksum()
    page, body, codec, said = headed.page, headed.body, headed.codec, headed.said
    size = page.unpacked_size - page.head_size
    if page.kind == DATA:
        return Opened(decompressed(body, codec, size), -1, -1, b"")
    definition, repetition = said.definition_size, said.repetition_size
    if definition is None or repetition is None:
        raise Damaged("a page does not say how large its levels are")
    levels = definition + repetition
    if definition < 0 or repetition < 0 or levels > len(body) or levels > size:
        raise Damaged("levels lead out of their page")
    values: Any = body[levels:]
    if said.flag is not False:
        values = decompressed(values, codec, size - levels)
    return Opened(body[:levels], repetition, definition, values)


@dataclass(frozen=True, slots=True)
class Held:
    """A chunk of the old file, whose bytes are in memory."""

    chunk: Chunk
    data: memoryview
    seen: Mapping[int, Opened] = field(default_factory=dict)
    """Pages that somebody opened before, by where they begin."""

    def headed(self, page: Page) -> Headed:
        """A page of the chunk, or a new one of it, with its header. Raises the native module's Malformed."""
        if page.is_new:
            head, body = memoryview(page.head), memoryview(page.body)
        else:
            start, end = page.start + page.head_size, page.start + page.size
            head, body = self.data[page.start : start], self.data[start:end]
        checksum, definition, repetition, flag, statistics = _native.said(head, page.kind)
        told = None if statistics is None else Statistics(*statistics)
        return Headed(page, head, body, self.chunk.codec, Said(checksum, definition, repetition, flag, told))

    def opened(self, headed: Headed) -> Opened:
        """A data page, decompressed, unless it was before. Raises Damaged, Unfit."""
        return self.seen.get(headed.page.start) or opened(headed)


class Content(NamedTuple):
    """What is in a data page after rows have gone."""

    opened: Opened
    values: int
    nulls: int
    rows: int


def pages(chunk: Chunk, data: memoryview) -> Iterator[Page]:
    """Walk the pages of a chunk, whose bytes these are. Raises Damaged, Unfit, and the native module's Malformed."""
    leaf = chunk.leaf
    for kind, unpacked, packed, first, second, third, fourth, start, body in _native.heads(data):
        if kind == INDEX:
            continue
        if kind not in _CUT:
            raise Unfit("a page of an unknown kind")
        encoding = fourth if kind == DATA_V2 else second
        if first < 0 or encoding < 0:
            raise Damaged("a page has a negative number of values, or no encoding")
        if first > VALUES_MAX:
            raise Unfit("a page of too many values")
        if kind == DATA and (
            (leaf.definition_max and third not in _LEVELS) or (leaf.repetition_max and fourth not in _LEVELS)
        ):
            raise Unfit("levels in an encoding that is no longer written")
        head_size = body - start
        yield Page(kind, start, head_size, head_size + packed, head_size + unpacked, first, encoding)


def dictionary_of(headed: Headed) -> Any:
    """The plain entries of a dictionary page. Raises Damaged, Unfit."""
    headed.require_checksum()
    page = headed.page
    if page.encoding not in {PLAIN, PLAIN_DICTIONARY}:
        raise Unfit("a dictionary that is not plain")
    return decompressed(headed.body, headed.codec, page.unpacked_size - page.head_size)


def data_page(old: Headed, content: Content, statistics: Statistics | None, compression: Mapping[str, int]) -> Page:
    """A data page like another one, with another content."""
    new, codec, said = content.opened, old.codec, old.said
    if old.page.kind == DATA:
        body = compressed(new.body, codec, compression)
        return old.anew(body, len(new.body), Words((content.values,), None, statistics), content.values)
    numbers = (content.values, content.nulls, content.rows, None, new.definition_size, new.repetition_size)
    values: Any = new.values
    # Not every reader can decompress nothing.
    packed = bool(said.flag is not False and codec and values)
    if packed:
        values = compressed(values, codec, compression)
    flag = packed if codec and (not packed or said.flag is not None) else None
    unpacked = len(new.body) + len(new.values)
    body = b"".join((new.body, memoryview(values)))
    return old.anew(body, unpacked, Words(numbers, flag, statistics), content.values)


def reheaded(old: Headed, statistics: Statistics | None) -> Page:
    """A data page whose header says something else of its values; the body stays."""
    page = old.page
    return old.anew(bytes(old.body), page.unpacked_size - page.head_size, Words((), None, statistics), page.values)


def dictionary_page(old: Headed, entries: bytes, count: int, compression: Mapping[str, int]) -> Page:
    """A dictionary page like another one, with other entries."""
    body = compressed(entries, old.codec, compression)
    unsorted = None if old.said.flag is None else False
    return old.anew(body, len(entries), Words((count,), unsorted, None), count)
