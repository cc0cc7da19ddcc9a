"""What was asked for, and so what must be left."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from torture.tables import KINDS, Kind

PEOPLE: Final = 720
"""So many that in a long run some are left in every table to its end: a point of a forget needs somebody to forget."""
FEW: Final = 5
"""People of a dataset that is to be destroyed."""
ROWS_EACH: Final = 3


def person(number: int) -> str:
    return f"person-{number:03}@example.com"


@dataclass(frozen=True, slots=True)
class Asked:
    """One record delete."""

    work_order_id: str
    tables: frozenset[str]
    people: tuple[str, ...]
    everywhere: bool
    """Whether from all datasets."""


@dataclass
class Ledger:
    """The tables of a run, and what was asked of them."""

    tables: dict[str, Kind]
    """Those of which records are deleted."""
    expiring: dict[str, Kind]
    """Those that expire."""
    dropped: dict[str, Kind]
    """Those that an order deletes as a whole."""
    orders: list[Asked] = field(default_factory=list)
    drops: dict[str, str] = field(default_factory=dict)
    """Orders that delete a dataset, and which."""
    expirations: dict[str, str] = field(default_factory=dict)
    """Expirations, and of which dataset."""

    @property
    def datasets(self) -> dict[str, Kind]:
        return self.tables | self.expiring | self.dropped

    @property
    def identities(self) -> int:
        return sum(len(order.people) for order in self.orders)

    def passed_by(self) -> set[str]:
        """Datasets to be destroyed that orders over all of them pass by.

        A few are in the way of such orders; all of them would make each order a hundred finds.
        """
        kinds = len(KINDS)
        return {*list(self.expiring)[kinds:], *list(self.dropped)[kinds:]}

    def people_of(self, dataset_id: str) -> list[str]:
        """Who is in a dataset at the beginning."""
        return [person(each) for each in range(PEOPLE if dataset_id in self.tables else FEW)]

    def gone_from(self, dataset_id: str) -> set[str]:
        is_met_by_all = dataset_id not in self.passed_by()
        return {
            each
            for order in self.orders
            if dataset_id in order.tables or (order.everywhere and is_met_by_all)
            for each in order.people
        }

    def survivors(self, dataset_id: str) -> Counter[str]:
        gone = self.gone_from(dataset_id)
        return Counter({each: ROWS_EACH for each in self.people_of(dataset_id) if each not in gone})

    def gone_everywhere(self) -> set[str]:
        """People of whom no table may hold anything."""
        return set.intersection(*(self.gone_from(each) for each in self.tables))

    def asked_for(self) -> set[str]:
        """People of whom the services may hold nothing."""
        return {each for order in self.orders for each in order.people}


def ledger(tables_of_a_kind: int, expiring: int, dropped: int) -> Ledger:
    """So many tables of every format, and so many to be destroyed, their formats by turns."""
    return Ledger(
        {f"{kind.name}-{number}": kind for kind in KINDS for number in range(tables_of_a_kind)},
        {f"expiring-{number}": KINDS[number % len(KINDS)] for number in range(expiring)},
        {f"dropped-{number}": KINDS[number % len(KINDS)] for number in range(dropped)},
    )
