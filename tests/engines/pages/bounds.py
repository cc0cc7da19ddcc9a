"""Claims about what repeats values: statistics, bloom filters, checksums."""

import zlib
from collections.abc import Sequence
from typing import Any, Final

from engines.pages import thrift
from engines.pages.order import Key, key_of
from engines.pages.page_index import COLUMN_INDEX, Untrue, at, histogram, page_index_is_true
from engines.pages.thrift import Typed
from engines.pages.walk import DATA_V1, Column, Page, Walked
from lethe.engines.verify.parquet import bloom
from lethe.engines.verify.parquet.footer import BOOLEAN
from lethe.engines.verify.parquet.pages import DELTA_BYTE_ARRAY

_EXACT: Final = {5: 7, 6: 8}
"""The fields that say whether a bound is a value."""


def crc(page: Page) -> int:
    """The checksum of a page's bytes as they are stored."""
    return zlib.crc32(page.packed)


def statistics_are_true(walked: Walked, source: Walked | None = None) -> None:
    """Every bound is a bound, every null count exact; of chunks, of page headers, of column indexes.

    What the source says of a chunk of which nothing went is its own affair: DuckDB counts values that no row has.
    """
    for number, group in enumerate(walked.groups):
        for place, column in enumerate(group.columns):
            if source is not None and any(_same(column, old.columns[place]) for old in source.groups):
                continue
            where = f"row group {number}, column {'.'.join(column.leaf.path)}"
            key = key_of(column.leaf, column.element)
            nulls = int((column.definition < column.leaf.definition_max).sum())
            _true(f"{where}: statistics", column.meta.value.get(12), column.values, nulls, key)
            for page in column.data:
                details = page.header[5 if page.kind == DATA_V1 else 8]
                of_page = len(page.definition) - len(page.values)
                _true(
                    f"{where}: page header",
                    details.value.get(5 if page.kind == DATA_V1 else 8),
                    page.values,
                    of_page,
                    key,
                )
            _sizes_are_true(where, column)
            page_index_is_true(where, walked.data, column, key)


def _same(column: Column, other: Column) -> bool:
    """Whether two chunks have the same pages, and say the same of them."""
    statistics = [each.meta.value.get(12) for each in (column, other)]
    return statistics[0] == statistics[1] and [p.raw for p in column.pages] == [p.raw for p in other.pages]


def _true(where: str, said: Typed | None, values: Sequence[bytes], nulls: int, key: Key | None) -> None:
    if said is None:
        return
    if said.get(3) is not None and said.get(3) != nulls:
        raise Untrue(f"{where}: null count {said.get(3)}, {nulls} found")
    if said.get(4) is not None and said.get(4) != len(set(values)):
        raise Untrue(f"{where}: distinct count")
    if key is None:
        return
    keys = [k for k in map(key, values) if k is not None]
    for number in (1, 2, 5, 6):
        least = number in {2, 6}
        found = min(keys, default=None) if least else max(keys, default=None)
        _bound(f"{where}: {'minimum' if least else 'maximum'}", said, number, key, found)


def _bound(where: str, said: Typed, number: int, key: Key, found: Any) -> None:
    """A field of `Statistics`, where 5 and 1 are the greatest value and 6 and 2 the least."""
    value = said.get(number)
    if value is None or found is None:
        return
    bound = key(value)
    if bound is None:
        raise Untrue(f"{where} is not a number")
    if (bound > found) if number in {2, 6} else (bound < found):
        raise Untrue(f"{where} is none")
    if number in _EXACT and said.get(_EXACT[number]) and bound != found:
        raise Untrue(f"{where} is called exact and is not")


def _sizes_are_true(where: str, column: Column) -> None:
    """`SizeStatistics`: bytes of byte arrays, histograms of levels."""
    said = column.meta.value.get(16)
    if said is None:
        return
    leaf = column.leaf
    # Arrow counts the bytes of suffixes alone where values share prefixes.
    counted = all(page.encoding != DELTA_BYTE_ARRAY for page in column.data)
    if counted and said.get(1) is not None and said.get(1) != sum(map(len, column.values)):
        raise Untrue(f"{where}: unencoded bytes")
    for field, levels, maximum in (
        (2, column.repetition, leaf.repetition_max),
        (3, column.definition, leaf.definition_max),
    ):
        if said.get(field):
            histogram(f"{where}: histogram {field}", [v.value for v in said.get(field)], levels, maximum)


def bounds_of(data: bytes, column: Column) -> list[tuple[bytes, str]]:
    """Everything that repeats a value, each with where it stands."""
    found = [(bound, "statistics") for bound in _said(column.meta.value.get(12))]
    for page in column.data:
        found += [(bound, "page header") for bound in of_page(page)]
    index = at(data, column.chunk, COLUMN_INDEX)
    if index is not None:
        found += [(v.value, "column index") for n in (2, 3) for v in index.get(n) if v.value]
    return found


def of_chunk(column: Column) -> list[bytes]:
    """The bounds in the footer and in the headers of the pages."""
    return [*_said(column.meta.value.get(12)), *(bound for page in column.data for bound in of_page(page))]


def of_page(page: Page) -> list[bytes]:
    """The bounds in a page's header."""
    field = 5 if page.kind == DATA_V1 else 8
    return _said(page.header[field].value.get(field))


def _said(statistics: Typed | None) -> list[bytes]:
    return [] if statistics is None else [statistics.get(n) for n in (1, 2, 5, 6) if statistics.get(n) is not None]


def filter_is_exact(where: str, data: bytes, column: Column) -> None:
    """A bloom filter is that of the chunk's values, bit for bit."""
    bits = filter_of(data, column)
    if bits is None:
        return
    values = set(column.values)
    if not all(bloom.may_hold(bits, bloom.hashed([value])) for value in values):
        raise Untrue(f"{where}: bloom filter denies a value")
    if bits != bloom.rebuilt(values, len(bits)):
        raise Untrue(f"{where}: bloom filter knows more than the values")


def filter_of(data: bytes, column: Column) -> bytes | None:
    """The bits of a chunk's filter; booleans have none that counts."""
    offset = column.meta.get(14)
    if offset is None or column.leaf.physical == BOOLEAN:
        return None
    header, at = thrift.read(data, offset)
    size: int = header.get(1)
    return data[at : at + size]
