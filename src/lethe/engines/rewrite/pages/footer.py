"""The footer: what it says of row groups and chunks, checked against the file before anything relies on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.leaves import Leaf, leaves_of
from lethe.engines.rewrite.pages.room import Room
from lethe.engines.rewrite.pages.thrift import (
    BINARY,
    I32,
    I64,
    LIST,
    STRUCT,
    Field,
    Items,
    Struct,
    read_struct,
    write_struct,
)

MAGIC: Final = b"PAR1"
_MAGIC_ENCRYPTED: Final = b"PARE"
_FOOTER_MAX: Final = 1 << 30
_ROWS_MAX: Final = 1 << 31
_CODEC_MAX: Final = 7
_ENCODING_MAX: Final = 9


@dataclass(frozen=True, slots=True)
class Span:
    """Some bytes of a file."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """The first byte behind."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column of one row group."""

    leaf: Leaf
    raw: Struct
    """`ColumnChunk`."""
    span: Span
    """Its pages."""

    @property
    def meta(self) -> Struct:
        """`ColumnMetaData`."""
        return self.raw.struct(3)

    @property
    def codec(self) -> int:
        """Number of the compression codec."""
        return self.meta.integer(4)

    @property
    def values(self) -> int:
        """Values, nulls included."""
        return self.meta.integer(5)

    @property
    def encodings(self) -> tuple[int, ...]:
        """Numbers of all encodings of its pages and levels."""
        return self.meta.items(2, I32)

    @property
    def statistics(self) -> Struct | None:
        """`Statistics`."""
        found = self.meta.get(12)
        return found if isinstance(found, Struct) else None

    @property
    def bloom_start(self) -> int | None:
        """Where its bloom filter begins."""
        return self.meta.integer(14) if 14 in self.meta.fields else None  # noqa: PLR2004

    @property
    def offset_index(self) -> Span | None:
        """Where its offset index stands."""
        return _span(self.raw, 4)

    @property
    def column_index(self) -> Span | None:
        """Where its column index stands."""
        return _span(self.raw, 6)


@dataclass(frozen=True, slots=True)
class Group:
    """A row group."""

    raw: Struct
    """`RowGroup`."""
    rows: int
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Footer:
    """All that the footer says."""

    raw: Struct
    """`FileMetaData`."""
    leaves: tuple[Leaf, ...]
    groups: tuple[Group, ...]
    start: int
    """Where it begins: what it speaks of lies before."""


def _span(raw: Struct, first: int) -> Span | None:
    return Span(raw.integer(first), raw.integer(first + 1)) if first in raw.fields else None


def read_at(source: Any, span: Span) -> memoryview:
    """Some bytes of a `pyarrow.NativeFile`. Raises Damaged where the file ends before."""
    source.seek(span.start)
    data = memoryview(source.read_buffer(span.size)).cast("B")
    if len(data) != span.size:
        raise Damaged("the file ends before one of its parts")
    return data


@dataclass(frozen=True, slots=True)
class OldFile:
    """The file that is rewritten."""

    source: Any
    """`pyarrow.NativeFile`."""
    footer: Footer
    room: Room = field(default_factory=Room)
    """For what is read."""
    page_room: Room = field(default_factory=Room)
    """For a page that is cut."""

    @property
    def end(self) -> int:
        """Where its footer begins: what the footer speaks of lies before."""
        return self.footer.start

    def read(self, span: Span) -> memoryview:
        """Some of its bytes. Raises Damaged."""
        return read_at(self.source, span)

    def read_for_now(self, span: Span) -> memoryview:
        """Some of its bytes, which stand there until this is asked again. Raises Damaged."""
        view = self.room.of(span.size)[: span.size]
        self.source.seek(span.start)
        if self.source.readinto(view) != span.size:
            raise Damaged("the file ends before one of its parts")
        return view


def read_footer(source: Any) -> Footer:
    """The footer of a `pyarrow.NativeFile`. Raises Damaged."""
    size = source.size()
    if size < 12:  # noqa: PLR2004 - two magics and a length
        raise Damaged("the file is too short")
    tail = bytes(read_at(source, Span(size - 8, 8)))
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] == _MAGIC_ENCRYPTED:
        raise Damaged("the file is encrypted")
    if tail[4:] != MAGIC or length > min(size - 12, _FOOTER_MAX):
        raise Damaged("the file does not end with a footer")
    start = size - 8 - length
    raw, end = read_struct(read_at(source, Span(start, length)))
    if 8 in raw.fields or 9 in raw.fields:  # noqa: PLR2004 - encryption_algorithm, footer_signing_key_metadata
        raise Damaged("the file is encrypted, or its footer is signed")
    if end != length:
        raise Damaged("the footer has another length than it says")
    orders = raw.items(7, STRUCT) if 7 in raw.fields else None  # noqa: PLR2004 - column_orders
    leaves = tuple(leaves_of(raw.items(2, STRUCT), orders))
    groups = tuple(_group(group, leaves, start) for group in raw.items(4, STRUCT))
    if sum(group.rows for group in groups) != raw.integer(3):
        raise Damaged("the row groups have another number of rows than the file")
    return Footer(raw, leaves, groups, start)


def _group(raw: Struct, leaves: tuple[Leaf, ...], end: int) -> Group:
    rows = raw.integer(3)
    chunks = raw.items(1, STRUCT)
    if not 0 <= rows < _ROWS_MAX or len(chunks) != len(leaves):
        raise Damaged("a row group has a number of rows or columns that is not possible")
    return Group(raw, rows, tuple(_chunk(chunk, leaf, end) for chunk, leaf in zip(chunks, leaves, strict=True)))


def _chunk(raw: Struct, leaf: Leaf, end: int) -> Chunk:
    if 8 in raw.fields or 9 in raw.fields:  # noqa: PLR2004 - crypto_metadata, encrypted_column_metadata
        raise Damaged("a column is encrypted")
    if raw.get(1):
        raise Damaged("a column stands in another file")
    meta = raw.struct(3)
    if meta.integer(1) != leaf.physical or meta.items(3, BINARY) != leaf.path:
        raise Damaged("a column has another type or path than the schema says")
    if not 0 <= meta.integer(4) <= _CODEC_MAX or not all(0 <= e <= _ENCODING_MAX for e in meta.items(2, I32)):
        raise Damaged("a column has a codec or encoding that does not exist")
    if min(meta.integer(number) for number in (5, 6, 7)) < 0:
        raise Damaged("a column has a negative size")
    _require_statistics(meta, leaf)
    offsets = [meta.integer(number, 0) for number in (9, 10, 11)]
    span = Span(min((offset for offset in offsets if offset), default=0), meta.integer(7))
    if span.size and not (len(MAGIC) <= span.start and span.size > 0 and span.end <= end):
        raise Damaged("a column leads out of its file")
    return Chunk(leaf, raw, span)


def _require_statistics(meta: Struct, leaf: Leaf) -> None:
    """Arrow reads bounds without looking at their size, and ends the process over histograms of another length."""
    statistics, sizes = meta.get(12), meta.get(16)
    if isinstance(statistics, Struct) and leaf.plain_width:
        bounds = [statistics.binary(number) for number in (1, 2, 5, 6)]
        if any(bound is not None and len(bound) != leaf.plain_width for bound in bounds):
            raise Damaged("a column has bounds of another width than its values")
    if isinstance(sizes, Struct):
        levels = {2: leaf.repetition_max, 3: leaf.definition_max}
        lengths = {n: len(sizes.items(n, I64)) if n in sizes.fields else 0 for n in levels}
        if any(lengths[n] not in {0, levels[n] + 1} for n in levels) or (1 in sizes.fields and leaf.plain_width):
            raise Damaged("a column has statistics of sizes that contradict its schema")


def ending(raw: Struct) -> bytes:
    """The bytes with which a file ends that has this footer."""
    footer = write_struct(raw)
    return footer + len(footer).to_bytes(4, "little") + MAGIC


def with_groups(raw: Struct, groups: tuple[Struct, ...], rows: int) -> Struct:
    """A `FileMetaData` with other row groups; all else stays."""
    changes: Mapping[int, Field | None] = {
        3: Field(raw.fields[3].kind, rows),
        4: Field(LIST, Items(STRUCT, groups)),
    }
    return raw.having(changes)
