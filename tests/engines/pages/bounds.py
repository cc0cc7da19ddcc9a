"""Claims about what repeats values: statistics, page indexes, dictionaries, bloom filters, checksums."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.pages import thrift
from engines.pages.order import Key, key_of
from engines.pages.thrift import Typed
from engines.pages.walk import DATA_V1, Column, Page, Walked
from lethe.engines.verify.parquet import bloom
from lethe.engines.verify.parquet.footer import BOOLEAN
from lethe.engines.verify.parquet.pages import DELTA_BYTE_ARRAY

_ASCENDING, _DESCENDING = 1, 2


class Untrue(AssertionError):
    """A structure says of the rows what is not so."""


def crc(page: Page) -> int:
    """The checksum of a page's bytes as they are stored."""
    return zlib.crc32(page.raw[page.body_start - page.start :])


def statistics_are_true(walked: Walked) -> None:
    """Every bound is a bound, every null count exact; of chunks, of page headers, of column indexes."""
    for number, group in enumerate(walked.groups):
        for column in group.columns:
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
            _page_index_is_true(where, walked.data, column, key)


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
    for low, exact in ((6, 8), (2, None)):
        _bound(f"{where}: minimum", said.get(low), exact and said.get(exact), min(keys, default=None), key, 1)
    for high, exact in ((5, 7), (1, None)):
        _bound(f"{where}: maximum", said.get(high), exact and said.get(exact), max(keys, default=None), key, -1)


def _bound(where: str, said: bytes | None, exact: Any, found: Any, key: Key, sign: int) -> None:
    if said is None or found is None:
        return
    bound = key(said)
    if bound is None:
        raise Untrue(f"{where} is not a number")
    if (bound > found) if sign > 0 else (bound < found):
        raise Untrue(f"{where} is none")
    if exact and bound != found:
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
            _histogram(f"{where}: histogram {field}", [v.value for v in said.get(field)], levels, maximum)


def _histogram(where: str, said: Sequence[int], levels: NDArray[np.int64], maximum: int) -> None:
    if list(said) != np.bincount(levels, minlength=maximum + 1).tolist():
        raise Untrue(where)


def _page_index_is_true(where: str, data: bytes, column: Column, key: Key | None) -> None:
    offsets = _at(data, column.chunk, 4, 5)
    index = _at(data, column.chunk, 6, 7)
    pages = column.data
    if offsets is not None:
        found = [(page.start, len(page.raw), page.rows[0]) for page in pages]
        said = [(p.get(1), p.get(2), p.get(3)) for p in offsets.get(1)]
        if said != found:
            raise Untrue(f"{where}: offset index")
        lengths = offsets.get(2) if all(page.encoding != DELTA_BYTE_ARRAY for page in pages) else None
        if lengths and [v.value for v in lengths] != [sum(map(len, page.values)) for page in pages]:
            raise Untrue(f"{where}: offset index, unencoded bytes")
    if index is None:
        return
    if offsets is None:
        raise Untrue(f"{where}: a column index without an offset index")
    empty = [v.value for v in index.get(1)]
    if empty != [not page.values for page in pages]:
        raise Untrue(f"{where}: null pages")
    nulls = index.get(5)
    if nulls is not None and [v.value for v in nulls] != [len(p.definition) - len(p.values) for p in pages]:
        raise Untrue(f"{where}: null counts of pages")
    lows, highs = [v.value for v in index.get(2)], [v.value for v in index.get(3)]
    if not len(lows) == len(highs) == len(pages):
        raise Untrue(f"{where}: column index has another number of pages")
    if key is not None:
        for page, low, high in zip(pages, lows, highs, strict=True):
            keys = [k for k in map(key, page.values) if k is not None]
            if not page.values:
                if low or high:
                    raise Untrue(f"{where}: bounds of a page without values")
            elif keys and not (key(low) <= min(keys) and key(high) >= max(keys)):
                raise Untrue(f"{where}: bounds of a page")
        _ordered(
            where, index.get(4), [(key(lo), key(hi)) for lo, hi, no in zip(lows, highs, empty, strict=True) if not no]
        )
    leaf = column.leaf
    for field, name, maximum in ((6, "repetition", leaf.repetition_max), (7, "definition", leaf.definition_max)):
        if index.get(field):
            flat = [v.value for v in index.get(field)]
            for number, page in enumerate(pages):
                of = flat[number * (maximum + 1) : (number + 1) * (maximum + 1)]
                _histogram(f"{where}: histogram of {name} levels of a page", of, getattr(page, name), maximum)


def _ordered(where: str, order: int, bounds: Sequence[tuple[Any, Any]]) -> None:
    steps = list(zip(bounds, bounds[1:], strict=False))
    if order == _ASCENDING and not all(a[0] <= b[0] and a[1] <= b[1] for a, b in steps):
        raise Untrue(f"{where}: pages are not ascending")
    if order == _DESCENDING and not all(a[0] >= b[0] and a[1] >= b[1] for a, b in steps):
        raise Untrue(f"{where}: pages are not descending")


def _at(data: bytes, chunk: Typed, offset: int, length: int) -> Typed | None:
    if chunk.get(offset) is None:
        return None
    start, size = chunk.get(offset), chunk.get(length)
    found, end = thrift.read(data, start)
    if end != start + size:
        raise Untrue("an index does not have the length that the footer says")
    return found


def bounds_of(data: bytes, column: Column) -> list[tuple[bytes, str]]:
    """Everything that repeats a value, each with where it stands."""
    found = [(bound, "statistics") for bound in _said(column.meta.value.get(12))]
    for page in column.data:
        found += [(bound, "page header") for bound in of_page(page)]
    index = _at(data, column.chunk, 6, 7)
    if index is not None:
        found += [(v.value, "column index") for n in (2, 3) for v in index.get(n) if v.value]
    return found


def of_page(page: Page) -> list[bytes]:
    """The bounds in a page's header."""
    field = 5 if page.kind == DATA_V1 else 8
    return _said(page.header[field].value.get(field))


def _said(statistics: Typed | None) -> list[bytes]:
    return [] if statistics is None else [statistics.get(n) for n in (1, 2, 5, 6) if statistics.get(n)]


def filter_is_exact(where: str, data: bytes, column: Column) -> None:
    """A bloom filter is that of the chunk's values, bit for bit."""
    bits = filter_of(data, column)
    if bits is None:
        return
    values = set(column.values)
    if not all(bloom.may_hold(bits, value) for value in values):
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
