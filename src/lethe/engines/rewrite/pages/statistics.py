"""What statistics say after rows have gone: of pages, of chunks, in the column index.

A bound is touched when a value that goes is it, or could be what it was shortened from. Only then is it computed anew,
from the values that stay; where that is not possible it is left out. Counts that nobody can check are left out too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.leaves import Leaf, Order
from lethe.engines.rewrite.pages.thrift import BINARY, I64, TRUE, Field, Struct

_OLD_MAX, _OLD_MIN, _NULLS, _DISTINCT, _MAX, _MIN, _MAX_EXACT, _MIN_EXACT = range(1, 9)
_BOUNDS: Final = (_OLD_MAX, _OLD_MIN, _MAX, _MIN)
_EXACTNESS: Final = {_MAX: _MAX_EXACT, _MIN: _MIN_EXACT}
_OLD_ORDERS: Final = frozenset({Order.SIGNED, Order.FLOATING})
"""Orders in which the old bounds, which knew no other, are right."""

Bounds = tuple[bytes, bytes]
"""Of some values, the least and the greatest, as plain values without a length."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The bounds for which a cut looks among the values that go."""

    values: tuple[bytes, ...]
    loose: int
    """A bit for each that may be shortened."""

    def __add__(self, other: "Marks") -> "Marks":
        return Marks(self.values + other.values, self.loose | other.loose << len(self.values))


NO_MARKS: Final = Marks((), 0)


def marks_of(statistics: Struct | None, leaf: Leaf) -> Marks:
    """The bounds of a `Statistics`. Raises Damaged."""
    if statistics is None:
        return NO_MARKS
    found: dict[bytes, bool] = {}
    for number in _BOUNDS:
        value = statistics.binary(number)
        if value is not None:
            exact = len(value) == leaf.plain_width or statistics.get(_EXACTNESS.get(number, 0)) is True
            found[value] = found.get(value, False) or not exact
    return loosely(found)


def bounds_in(statistics: Struct | None) -> frozenset[bytes]:
    """Every bound of a `Statistics`. Raises Damaged."""
    if statistics is None:
        return frozenset()
    found = (statistics.binary(number) for number in _BOUNDS)
    return frozenset(value for value in found if value is not None)


def loosely(found: Mapping[bytes, bool]) -> Marks:
    """Marks from bounds and whether each may be shortened."""
    return Marks(tuple(found), sum(loose << place for place, loose in enumerate(found.values())))


def zero_bound(statistics: Struct | None, leaf: Leaf) -> bool:
    """Whether a bound is a zero, which stands for zeros of both signs."""
    if statistics is None or leaf.order is not Order.FLOATING:
        return False
    return any(not any((statistics.binary(number) or b"\x01").replace(b"\x80", b"\x00")) for number in _BOUNDS)


def bounds_of(plain: Any, count: int, leaf: Leaf) -> Bounds | None:
    """The bounds of plain values; None where they have none, or their order is not known."""
    if leaf.order is None or not count:
        return None
    return holding(_native.bounds(plain, count, leaf.shape, leaf.plain_width, leaf.order), leaf)


def holding(found: Bounds | None, leaf: Leaf) -> Bounds | None:
    """The least and the greatest of some values as bounds.

    A zero is written with the sign that makes the bound hold for zeros of both.
    """
    if found is None or leaf.order is not Order.FLOATING:
        return found
    sign = b"\x00" * (leaf.width - 1)
    low = sign + b"\x80" if not any(found[0]) else found[0]
    high = sign + b"\x00" if found[1] == sign + b"\x80" else found[1]
    return low, high


def wider(one: Bounds | None, other: Bounds | None, leaf: Leaf) -> Bounds | None:
    """The bounds of two sets of values together."""
    if one is None or other is None:
        return one or other
    return bounds_of(_plain((*one, *other), leaf), 4, leaf)


def ascends(values: list[bytes], leaf: Leaf) -> bool:
    """Whether bounds stand in ascending order, each equal to or above the one before."""
    for before, after in pairwise(values):
        if before != after and (
            leaf.order is None or bounds_of(_plain((before, after), leaf), 2, leaf) != (before, after)
        ):
            return False
    return True


def _plain(values: tuple[bytes, ...], leaf: Leaf) -> bytes:
    """Bounds as plain values: strings with their lengths."""
    if leaf.plain_width:
        return b"".join(values)
    return b"".join(len(value).to_bytes(4, "little") + value for value in values)


def revised(
    statistics: Struct | None, nulls: int | None, bounds: Bounds | None, leaf: Leaf, *, touched: bool
) -> Struct | None:
    """A `Statistics` for the values that stay.

    `nulls` is their count of nulls, or None where it is not known. `bounds` counts where the old ones are touched.
    """
    if statistics is None:
        return None
    had = statistics.fields
    fields: dict[int, Field] = {}
    if nulls is not None and _NULLS in had:
        fields[_NULLS] = Field(I64, nulls)
    if not touched:
        fields |= {number: had[number] for number in (*_BOUNDS, _MAX_EXACT, _MIN_EXACT) if number in had}
    elif bounds is not None:
        for number, value in ((_MAX, bounds[1]), (_MIN, bounds[0])):
            if number in had:
                fields[number] = Field(BINARY, value)
                if _EXACTNESS[number] in had:
                    fields[_EXACTNESS[number]] = Field(TRUE, value=True)
        for number, value in ((_OLD_MAX, bounds[1]), (_OLD_MIN, bounds[0])):
            if number in had and leaf.order in _OLD_ORDERS:
                fields[number] = Field(BINARY, value)
    return Struct(fields)
