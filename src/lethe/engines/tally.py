"""Counting a pass: counts that files add up to, and the tally that orders get back."""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lethe.engines.interface import HashedOrder, Order, OrderTally, Tally, Wanted

Numbers = NDArray[np.int64]


def _none() -> Numbers:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What some rows matched. Positions, never values: counts travel between processes and into journals."""

    rows: int = 0
    """Rows that matched at all."""
    by_order: Numbers = field(default_factory=_none)
    """Rows per order, by the order's position in the pass; empty when nothing matched."""
    by_slot: Numbers = field(default_factory=_none)
    """Rows per identity, by its position when the identities of all orders are strung together; or empty."""

    def __add__(self, other: "Counts") -> "Counts":
        if not other.rows:
            return self
        if not self.rows:
            return other
        return Counts(self.rows + other.rows, self.by_order + other.by_order, self.by_slot + other.by_slot)

    def times(self, rows: int) -> "Counts":
        """What so many rows count, of which each counts the same as these."""
        return Counts(self.rows * rows, self.by_order * rows, self.by_slot * rows) if rows else Counts()

    def to_json(self) -> Mapping[str, Any]:
        """The counts, sparse, for a journal."""
        return {
            "rows": self.rows,
            "orders": _sparse(self.by_order),
            "slots": _sparse(self.by_slot),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Counts":
        """The counts that `to_json` wrote."""
        return cls(int(value["rows"]), _dense(*value["orders"]), _dense(*value["slots"]))

    def to_text(self) -> str:
        """The counts as one run of hexadecimal digits, for a table's own metadata.

        Digits and words apart could be somebody's short id, and a verification would have to take them for it.
        """
        return zlib.compress(json.dumps(self.to_json(), separators=(",", ":")).encode()).hex()

    @classmethod
    def from_text(cls, text: object) -> "Counts | None":
        """The counts that `to_text` wrote; None for anything else."""
        try:
            return cls.from_json(json.loads(zlib.decompress(bytes.fromhex(str(text)))))
        except (ValueError, KeyError, TypeError, IndexError, zlib.error):
            return None


def summed(several: Iterable[Counts]) -> Counts:
    """What all of these count together."""
    return sum(several, Counts())


def _sparse(numbers: Numbers) -> tuple[int, list[int], list[int]]:
    """How many they are, where they are not zero, and what they are there."""
    places = np.flatnonzero(numbers)
    return len(numbers), places.tolist(), numbers[places].tolist()


def _dense(width: int, places: list[int], counts: list[int]) -> Numbers:
    numbers = np.zeros(width, dtype=np.int64)
    numbers[np.array(places, dtype=np.int64)] = counts
    return numbers


@dataclass(frozen=True, slots=True)
class Share:
    """One order's part in what a pass counts."""

    position: int
    """The order's, in the pass."""
    slots: slice
    """The order's identities among those of all orders strung together."""

    def of(self, counts: Counts) -> Counts:
        """What the order would have counted in a pass of its own."""
        rows = int(counts.by_order[self.position]) if counts.rows else 0
        if not rows:
            return Counts()
        return Counts(rows, counts.by_order[self.position : self.position + 1], counts.by_slot[self.slots])


def shares_of(orders: Sequence[Order | HashedOrder]) -> Sequence[Share]:
    """The parts of a pass, in the order of its orders."""
    shares, first = list[Share](), 0
    for position, order in enumerate(orders):
        following = first + order.identities.count
        shares.append(Share(position, slice(first, following)))
        first = following
    return shares


def tally(wanted: Wanted, counts: Counts) -> Tally:
    """The counts as each order sees them."""
    everyone: Sequence[Order | HashedOrder] = (*wanted.orders, *wanted.hashed)
    orders = []
    for order, share in zip(everyone, shares_of(everyone), strict=True):
        mine = share.of(counts)
        rows_by_identity = mine.by_slot.tolist() if mine.rows else [0] * order.identities.count
        orders.append(OrderTally(order.work_order_id, mine.rows, tuple(rows_by_identity)))
    return Tally(counts.rows, tuple(orders))


def recalled(wanted: Wanted, counts: Counts | None) -> Tally | None:
    """The counts of an earlier attempt as each order sees them; None when they are gone or count other orders."""
    if counts is None:
        return None
    identities = sum(order.identities.count for order in wanted.orders)
    if counts.rows and (len(counts.by_order), len(counts.by_slot)) != (len(wanted.orders), identities):
        return None
    return tally(wanted, counts)
