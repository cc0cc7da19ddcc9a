"""What statistics say after rows have gone: of pages, of chunks, in the column index.

A bound is touched when a value that goes is it, or could be what it was shortened from. Only then is it computed anew,
from the values that stay; where that is not possible it is left out. Counts that nobody can check are left out too.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.footer import Chunk
from lethe.engines.rewrite.pages.leaves import Leaf, Order
from lethe.engines.rewrite.pages.thrift import BINARY, I64, TRUE, Field, Struct

_OLD_MAX, _OLD_MIN, _NULLS, _DISTINCT, _MAX, _MIN, _MAX_EXACT, _MIN_EXACT = range(1, 9)
_OLD_ORDERS: Final = frozenset({Order.SIGNED, Order.FLOATING})
"""Orders in which the old bounds, which knew no other, are right."""

Bounds = tuple[bytes, bytes]
"""Of some values, the least and the greatest, as plain values without a length."""


class Statistics(NamedTuple):
    """What is believed of a `Statistics`, in the order in which the native module takes it; None where it is silent."""

    old_max: bytes | None
    old_min: bytes | None
    nulls: int | None
    max: bytes | None
    min: bytes | None
    max_exact: bool | None
    min_exact: bool | None

    @classmethod
    def of(cls, chunk: Chunk) -> "Statistics | None":
        """What the footer says of a chunk. Raises Damaged."""
        struct = chunk.statistics
        if struct is None:
            return None
        nulls, exact = struct.get(_NULLS), [struct.get(number) for number in (_MAX_EXACT, _MIN_EXACT)]
        return cls(
            struct.binary(_OLD_MAX),
            struct.binary(_OLD_MIN),
            nulls if isinstance(nulls, int) else None,
            struct.binary(_MAX),
            struct.binary(_MIN),
            *(each if isinstance(each, bool) else None for each in exact),
        )

    @property
    def struct(self) -> Struct:
        """For a footer."""
        kinds = {_OLD_MAX: BINARY, _OLD_MIN: BINARY, _NULLS: I64, _MAX: BINARY, _MIN: BINARY}
        numbers = (_OLD_MAX, _OLD_MIN, _NULLS, _MAX, _MIN, _MAX_EXACT, _MIN_EXACT)
        given = ((number, value) for number, value in zip(numbers, self, strict=True) if value is not None)
        return Struct({number: Field(kinds.get(number, TRUE), value) for number, value in given})

    @property
    def bounds(self) -> Sequence[tuple[bytes, bool]]:
        """Every bound, and whether it is said to be a value."""
        old_max, old_min, _, high, low, high_exact, low_exact = self
        found = ((old_max, False), (old_min, False), (high, high_exact is True), (low, low_exact is True))
        return [(value, exact) for value, exact in found if value is not None]


class Marks(NamedTuple):
    """The bounds for which a cut looks among the values that go."""

    values: tuple[bytes, ...]
    loose: int
    """A bit for each that may be shortened."""

    def followed_by(self, *others: "Marks") -> "Marks":
        """With others behind them."""
        values, loose = self
        for more, of_more in others:
            loose |= of_more << len(values)
            values += more
        return Marks(values, loose)


NO_MARKS: Final = Marks((), 0)


def marks_of(statistics: Statistics | None, leaf: Leaf) -> Marks:
    """The bounds of statistics."""
    if statistics is None:
        return NO_MARKS
    found, width = dict[bytes, bool](), leaf.plain_width
    for value, exact in statistics.bounds:
        found[value] = found.get(value, False) or not (exact or len(value) == width)
    return loosely(found)


def bounds_in(statistics: Statistics | None) -> frozenset[bytes]:
    """Every bound of statistics."""
    return frozenset() if statistics is None else frozenset(value for value, _ in statistics.bounds)


def loosely(found: Mapping[bytes, bool]) -> Marks:
    """Marks from bounds and whether each may be shortened."""
    bits = 0
    for place, loose in enumerate(found.values()):
        bits |= loose << place
    return Marks(tuple(found), bits)


def zero_bound(statistics: Statistics | None, leaf: Leaf) -> bool:
    """Whether a bound is a zero, which stands for zeros of both signs."""
    if statistics is None or leaf.order is not Order.FLOATING:
        return False
    return any(not any(value.replace(b"\x80", b"\x00")) for value, _ in statistics.bounds)


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
    statistics: Statistics | None, nulls: int | None, bounds: Bounds | None, leaf: Leaf, *, touched: bool
) -> Statistics | None:
    """Statistics for the values that stay.

    `nulls` is their count of nulls, or None where it is not known. `bounds` counts where the old ones are touched.
    """
    if statistics is None:
        return None
    nulls = None if statistics.nulls is None else nulls
    if not touched:
        return statistics._replace(nulls=nulls)
    if bounds is None:
        return Statistics(None, None, nulls, None, None, None, None)
    low, high = bounds
    old = leaf.order in _OLD_ORDERS
    return Statistics(
        old_max=high if old and statistics.old_max is not None else None,
        old_min=low if old and statistics.old_min is not None else None,
        nulls=nulls,
        max=None if statistics.max is None else high,
        min=None if statistics.min is None else low,
        max_exact=None if statistics.max is None or statistics.max_exact is None else True,
        min_exact=None if statistics.min is None or statistics.min_exact is None else True,
    )
