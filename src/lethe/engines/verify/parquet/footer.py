"""The footer's structures, as far as an examination needs them (parquet-format, `parquet.thrift`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lethe.engines.verify.findings import Unreadable
from lethe.engines.verify.parquet.thrift import Reader
from lethe.engines.verify.parts import Sliced

MAGIC: Final = b"PAR1"
MAGIC_ENCRYPTED: Final = b"PARE"
BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED = range(8)
_TEMPORAL: Final = frozenset(range(6, 11))
"""Of `ConvertedType`: DATE to TIMESTAMP_MICROS."""
_TEMPORAL_LOGICAL: Final = frozenset({6, 7, 8})
"""Of `LogicalType`: DATE, TIME, TIMESTAMP."""
_REQUIRED, _OPTIONAL, _REPEATED = range(3)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One column of the schema."""

    path: tuple[str, ...]
    physical: int
    length: int
    definition_max: int
    repetition_max: int
    scale: int
    decimal: bool
    temporal: bool
    """Dates, times and instants are integers that nobody writes as one."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Bounds that some structure repeats; all may be shortened."""

    bounds: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column of one row group."""

    leaf: Leaf
    codec: int
    values: int
    start: int
    size_bytes: int
    statistics: Statistics
    bloom: int | None
    column_index: tuple[int, int] | None
    offset_index: tuple[int, int] | None
    extra: Sequence[bytes]
    """Key-value metadata of the chunk."""


@dataclass(frozen=True, slots=True)
class Footer:
    """All that the footer says."""

    length: int
    """Bytes, without the eight behind it."""
    rows: int
    leaves: Sequence[Leaf]
    groups: Sequence[tuple[int, Sequence[Chunk]]]
    """Rows and chunks of each row group."""
    metadata: Sequence[tuple[bytes, bytes]]
    names: Sequence[str]
    """Names in the schema, groups included."""


def read_footer(data: Sliced) -> Footer:
    """Read the footer of a whole file. Raises Unreadable."""
    if len(data) < 12 or data[:4] != MAGIC or data[-4:] != MAGIC:  # noqa: PLR2004 - two magics and a length
        raise Unreadable("not a whole Parquet file, or an encrypted one")
    length = int.from_bytes(data[-8:-4], "little")
    try:
        raw = Reader(data[-8 - length : -8]).struct()
    except (IndexError, KeyError) as error:
        raise Unreadable("the footer cannot be read") from error
    if 8 in raw:  # noqa: PLR2004 - FileMetaData.encryption_algorithm
        raise Unreadable("the file is encrypted")
    leaves, names = _schema(raw[2])
    groups = [(group[3], [_chunk(c, leaf) for c, leaf in zip(group[1], leaves, strict=True)]) for group in raw[4]]
    return Footer(length, raw[3], leaves, groups, [(kv[1], kv.get(2, b"")) for kv in raw.get(5, [])], names)


def _schema(elements: Sequence[dict[int, Any]]) -> tuple[list[Leaf], list[str]]:
    """Leaves, depth first, with their levels."""
    leaves: list[Leaf] = []
    rest: Iterator[dict[int, Any]] = iter(elements)

    def walk(path: tuple[str, ...], definition: int, repetition: int, *, root: bool) -> None:
        element = next(rest)
        kind = _REQUIRED if root else element.get(3, _REQUIRED)
        here = path if root else (*path, element[4].decode("utf-8", "replace"))
        definition += kind != _REQUIRED
        repetition += kind == _REPEATED
        children = element.get(5, 0)
        if children or 1 not in element:
            for _ in range(children):
                walk(here, definition, repetition, root=False)
            return
        decimal = element.get(6) == 5 or 5 in element.get(10, {})  # noqa: PLR2004 - DECIMAL, old and new
        scale = element.get(7, element.get(10, {}).get(5, {}).get(1, 0) if decimal else 0)
        temporal = element.get(6) in _TEMPORAL or not _TEMPORAL_LOGICAL.isdisjoint(element.get(10, {}))
        leaves.append(Leaf(here, element[1], element.get(2, 0), definition, repetition, scale, decimal, temporal))

    walk((), 0, 0, root=True)
    return leaves, [element[4].decode("utf-8", "replace") for element in elements]


def _chunk(raw: dict[int, Any], leaf: Leaf) -> Chunk:
    if 3 not in raw or 8 in raw or raw.get(1):  # noqa: PLR2004 - meta_data, crypto_metadata, file_path
        raise Unreadable("a column is encrypted or stands in another file")
    meta = raw[3]
    # A chunk without pages, of a row group without rows, may have no offset either.
    start = min((offset for offset in (meta[9], meta.get(11), meta.get(10)) if offset), default=0)
    return Chunk(
        leaf=leaf,
        codec=meta[4],
        values=meta[5],
        start=start,
        size_bytes=meta[7],
        statistics=statistics(meta.get(12)),
        bloom=meta.get(14),
        column_index=(raw[6], raw[7]) if 6 in raw else None,  # noqa: PLR2004
        offset_index=(raw[4], raw[5]) if 4 in raw else None,  # noqa: PLR2004
        extra=[part for kv in meta.get(8, []) for part in (kv[1], kv.get(2, b""))],
    )


def statistics(raw: dict[int, Any] | None) -> Statistics:
    """Of a chunk or a page; the deprecated bounds speak as loudly as the new ones."""
    if raw is None:
        return Statistics()
    return Statistics(tuple(raw[number] for number in (1, 2, 5, 6) if number in raw))
