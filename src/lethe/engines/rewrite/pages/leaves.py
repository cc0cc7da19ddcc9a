"""The columns of a schema: how deep each is nested, how its values are laid out, and in which order they stand."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import chain, count
from typing import Final

from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.thrift import Field, Struct

BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED = range(8)
_REQUIRED, _OPTIONAL, _REPEATED = _REPETITIONS = range(3)
_WIDTHS: Final = {INT32: 4, INT64: 8, INT96: 12, FLOAT: 4, DOUBLE: 8}
_LEVEL_MAX: Final = 255
_CHILDREN: Final = 5

_CONVERTED_DECIMAL: Final = 5
_CONVERTED_UNSIGNED: Final = frozenset({11, 12, 13, 14})
_CONVERTED_INTERVAL: Final = 21
_DECIMAL, _INTEGER, _FLOAT16 = 5, 10, 15
_LOGICAL_KNOWN: Final = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, _FLOAT16})


class Shape(IntEnum):
    """How plain values follow each other; the native module's numbers."""

    BITS = 0
    FIXED = 1
    STRINGS = 2


class Order(IntEnum):
    """How bounds compare; the native module's numbers."""

    SIGNED = 0
    UNSIGNED = 1
    FLOATING = 2
    BYTEWISE = 3
    BIG_ENDIAN = 4


@dataclass(frozen=True, slots=True)
class Leaf:
    """One column of the schema."""

    path: tuple[bytes, ...]
    physical: int
    width: int
    """Bytes of a value; 0 where each has its own length, or is a bit."""
    definition_max: int
    repetition_max: int
    order: Order | None
    """None where the format defines no order, or one that is not known here."""

    @property
    def shape(self) -> Shape:
        """How plain values follow each other."""
        if self.physical == BOOLEAN:
            return Shape.BITS
        return Shape.STRINGS if self.physical == BYTE_ARRAY else Shape.FIXED

    @property
    def plain_width(self) -> int:
        """Bytes of a value as the native module lays out plain ones: a boolean takes a byte."""
        return 1 if self.physical == BOOLEAN else self.width

    @property
    def name(self) -> str:
        """The path, for messages."""
        return ".".join(part.decode("utf-8", "replace") for part in self.path)


def leaves_of(elements: Sequence[Struct], column_orders: Sequence[Struct] | None) -> list[Leaf]:
    """The columns of a schema, depth first. Raises Damaged."""
    found: list[Leaf] = []
    rest = iter(elements)
    _walk(rest, (), 0, 0, found, root=True)
    if next(rest, None) is not None:
        raise Damaged("the schema does not end with its last column")
    if column_orders is None:
        return found
    if len(column_orders) != len(found):
        raise Damaged("the footer has orders for another number of columns")
    return [
        leaf if 1 in order.fields else replace(leaf, order=None)
        for leaf, order in zip(found, column_orders, strict=True)
    ]


def elements_of(elements: Sequence[Struct], leaves: Collection[int]) -> tuple[Struct, ...]:
    """A schema that `leaves_of` reads, with some of its leaves, by number, and without what is empty then."""
    return tuple(_with(iter(elements), count(), leaves))


def _with(rest: Iterator[Struct], numbers: Iterator[int], leaves: Collection[int]) -> list[Struct]:
    """The next element and those below."""
    element = next(rest)
    children = element.integer(_CHILDREN, 0)
    if not children and 1 in element.fields:
        return [element] if next(numbers) in leaves else []
    parts = [part for _ in range(children) if (part := _with(rest, numbers, leaves))]
    if not parts:
        return []
    counted = Field(element.fields[_CHILDREN].kind, len(parts))
    return [element.having({_CHILDREN: counted}), *chain.from_iterable(parts)]


def _walk(
    rest: Iterator[Struct], path: tuple[bytes, ...], definition: int, repetition: int, found: list[Leaf], *, root: bool
) -> None:
    element = next(rest, None)
    if element is None:
        raise Damaged("the schema ends before its last column")
    kind = _REQUIRED if root else element.integer(3, _REQUIRED)
    if kind not in _REPETITIONS:
        # What Arrow takes it for is not what others do; it ends the process where counts of levels differ.
        raise Damaged("a column is neither required nor optional nor repeated")
    if not root:
        path = (*path, element.binary(4) or b"")
        definition += kind != _REQUIRED
        repetition += kind == _REPEATED
    if definition > _LEVEL_MAX or len(path) > _LEVEL_MAX:
        raise Damaged("the schema is nested too deeply")
    children = element.integer(_CHILDREN, 0)
    if children < 0:
        raise Damaged("the schema has a negative number of columns")
    if children or 1 not in element.fields:
        for _ in range(children):
            _walk(rest, path, definition, repetition, found, root=False)
        return
    physical = element.integer(1)
    if not BOOLEAN <= physical <= FIXED:
        raise Damaged("a column has an unknown physical type")
    width = element.integer(2, 0) if physical == FIXED else _WIDTHS.get(physical, 0)
    if physical == FIXED and not 0 < width < 1 << 20:
        raise Damaged("a column has values of a width that is not possible")
    found.append(Leaf(path, physical, width, definition, repetition, _order(element, physical)))


def _order(element: Struct, physical: int) -> Order | None:
    converted = element.integer(6, -1)
    logical = element.get(10)
    known = next(iter(logical.fields), 0) if isinstance(logical, Struct) else 0
    if converted == _CONVERTED_INTERVAL or (known and known not in _LOGICAL_KNOWN) or physical == INT96:
        return None
    if physical in {FLOAT, DOUBLE} or (known == _FLOAT16 and physical == FIXED):
        return Order.FLOATING
    if physical in {BYTE_ARRAY, FIXED}:
        decimal = known == _DECIMAL or converted == _CONVERTED_DECIMAL
        return Order.BIG_ENDIAN if decimal else Order.BYTEWISE
    if physical == BOOLEAN or converted in _CONVERTED_UNSIGNED:
        return Order.UNSIGNED
    if known == _INTEGER and isinstance(logical, Struct) and logical.struct(known).get(2) is False:
        return Order.UNSIGNED
    return Order.SIGNED
