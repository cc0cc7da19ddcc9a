"""Claims about the page index: where pages stand, which rows they hold, and between which bounds."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.pages import thrift
from engines.pages.order import Key
from engines.pages.thrift import Typed
from engines.pages.walk import Column
from lethe.engines.verify.parquet.pages import DELTA_BYTE_ARRAY

OFFSET_INDEX: Final = 4
COLUMN_INDEX: Final = 6
_ASCENDING, _DESCENDING = 1, 2


class Untrue(AssertionError):
    """A structure says of the rows what is not so."""


def at(data: bytes, chunk: Typed, index: int) -> Typed | None:
    """One of the two indexes of a chunk."""
    if chunk.get(index) is None:
        return None
    start, size = chunk.get(index), chunk.get(index + 1)
    found, end = thrift.read(data, start)
    if end != start + size:
        raise Untrue("an index does not have the length that the footer says")
    return found


def page_index_is_true(where: str, data: bytes, column: Column, key: Key | None) -> None:
    """Both indexes of a chunk, if it has them."""
    offsets = at(data, column.chunk, OFFSET_INDEX)
    index = at(data, column.chunk, COLUMN_INDEX)
    if offsets is not None:
        _offsets(where, offsets, column)
    if index is None:
        return
    if offsets is None:
        raise Untrue(f"{where}: a column index without an offset index")
    _counts(where, index, column)
    if key is not None:
        _bounds(where, index, column, key)
    _histograms(where, index, column)


def _offsets(where: str, offsets: Typed, column: Column) -> None:
    found = [(page.start, len(page.raw), page.rows[0]) for page in column.data]
    if [(p.get(1), p.get(2), p.get(3)) for p in offsets.get(1)] != found:
        raise Untrue(f"{where}: offset index")
    # Arrow counts the bytes of suffixes alone where values share prefixes.
    lengths = offsets.get(2) if all(page.encoding != DELTA_BYTE_ARRAY for page in column.data) else None
    if lengths and _plain(lengths) != [sum(map(len, page.values)) for page in column.data]:
        raise Untrue(f"{where}: offset index, unencoded bytes")


def _counts(where: str, index: Typed, column: Column) -> None:
    pages = column.data
    if _plain(index.get(1)) != [not page.values for page in pages]:
        raise Untrue(f"{where}: null pages")
    nulls = index.get(5)
    if nulls is not None and _plain(nulls) != [len(p.definition) - len(p.values) for p in pages]:
        raise Untrue(f"{where}: null counts of pages")
    if not len(index.get(2)) == len(index.get(3)) == len(pages):
        raise Untrue(f"{where}: column index has another number of pages")


def _bounds(where: str, index: Typed, column: Column, key: Key) -> None:
    bounds = []
    for page, low, high in zip(column.data, _plain(index.get(2)), _plain(index.get(3)), strict=True):
        if not page.values:
            if low or high:
                raise Untrue(f"{where}: bounds of a page without values")
            continue
        bounds.append((key(low), key(high)))
        keys = [k for k in map(key, page.values) if k is not None]
        if keys and not (bounds[-1][0] <= min(keys) and bounds[-1][1] >= max(keys)):
            raise Untrue(f"{where}: bounds of a page")
    order = index.get(4)
    if order == _ASCENDING and not all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(bounds)):
        raise Untrue(f"{where}: pages are not ascending")
    if order == _DESCENDING and not all(a[0] >= b[0] and a[1] >= b[1] for a, b in pairwise(bounds)):
        raise Untrue(f"{where}: pages are not descending")


def _histograms(where: str, index: Typed, column: Column) -> None:
    leaf = column.leaf
    for field, name, maximum in ((6, "repetition", leaf.repetition_max), (7, "definition", leaf.definition_max)):
        flat = _plain(index.get(field) or [])
        for number, page in enumerate(column.data if flat else ()):
            of = flat[number * (maximum + 1) : (number + 1) * (maximum + 1)]
            histogram(f"{where}: histogram of {name} levels of a page", of, getattr(page, name), maximum)


def _plain(values: Sequence[Typed]) -> list[Any]:
    return [value.value for value in values]


def histogram(where: str, said: Sequence[int], levels: NDArray[np.int64], maximum: int) -> None:
    """How often each level occurs."""
    if list(said) != np.bincount(levels, minlength=maximum + 1).tolist():
        raise Untrue(where)
