"""What Lethe deletes from, as a value: tables and a service. A person is one order's; a set of them is a bit mask."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from lethe.domain.dataset import TableFormat
from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId
from lethe.domain.plan import TablePlan
from lethe.domain.product import Product
from lethe.engines.interface import (
    Evidence,
    Finding,
    Forgotten,
    Marker,
    Order,
    OrderTally,
    Outcome,
    PurgePolicy,
    PurgeReport,
    Residue,
    ResidueKind,
    TableMissing,
    Tally,
    Target,
    Wanted,
)
from lethe.products.interface import Done, ProductAnswer, Request, RequestKey, Space, one_by_one
from model.facts import Facts


class Table(NamedTuple):
    """One table."""

    exists: bool
    rows: int
    """Whose rows are live."""
    history: int
    """Of whom older files still speak."""
    commits: tuple[tuple[str, int], ...] = ()
    """How many commits bear each marker."""


class World(NamedTuple):
    """Everything outside of Lethe."""

    tables: tuple[tuple[str, Table], ...]
    services: tuple[tuple[str, int], ...]
    """Of whom each service has traces."""


def initial_world(facts: Facts) -> World:
    tables, services = [], set()
    for dataset_id in facts.datasets:
        rows = sum(1 << number for number, order in enumerate(facts.orders) if dataset_id in order.datasets)
        tables.append((str(dataset_id), Table(exists=True, rows=rows, history=rows)))
    for order in facts.orders:
        services |= {each.value for each in order.products if each is not Product.DATA_LAKE}
    everybody = (1 << len(facts.orders)) - 1
    return World(tuple(tables), tuple((each, everybody) for each in sorted(services)))


def mask_of(identities: Identities) -> int:
    return sum(1 << int(value) for _, value in identities)


@dataclass
class Tables:
    """The engine of every format. When it replays, the work was done before and each verb says that it went well."""

    tables: dict[str, Table]
    replays: bool
    looks_up_markers: bool = True

    def find(self, target: Target, wanted: Wanted, *, scrub: bool = False, watch: Callable[..., None]) -> Finding:
        table = self._table(target)
        orders = tuple(
            OrderTally(each.work_order_id, (found := (table.rows & mask_of(each.identities)).bit_count()), (found,))
            for each in wanted.orders
        )
        plan = TablePlan(target.dataset_id, "", ())
        return Finding(plan, Tally(sum(each.rows_matched for each in orders), orders))

    def find_each(self, target: Target, orders: Sequence[Order], *, watch: Callable[..., None]) -> Sequence[Finding]:
        return [self.find(target, Wanted((each,)), watch=watch) for each in orders]

    def forget(
        self, target: Target, wanted: Wanted, plan: TablePlan, marker: Marker, *, watch: Callable[..., None]
    ) -> Outcome:
        tally = Tally(0, tuple(OrderTally(each.work_order_id, 0, (0,)) for each in wanted.orders))
        done = Forgotten("", plan, tally)
        if self.replays:
            return done
        table = self._table(target)
        commits = dict(table.commits)
        if marker in commits and self.looks_up_markers:
            return Forgotten("", plan, tally, repeated=True)
        going = _all(wanted)
        if going & table.rows or not self.looks_up_markers:
            commits[marker] = commits.get(marker, 0) + 1
            self.tables[target.dataset_id] = table._replace(
                rows=table.rows & ~going, commits=tuple(sorted(commits.items()))
            )
        return done

    def purge(self, target: Target, policy: PurgePolicy, now: datetime, *, watch: Callable[..., None]) -> PurgeReport:
        if not self.replays:
            table = self._table(target)
            self.tables[target.dataset_id] = table._replace(history=table.rows)
        return PurgeReport()

    def verify(self, target: Target, wanted: Wanted, *, watch: Callable[..., None]) -> Evidence:
        table = self.tables[target.dataset_id]
        if self.replays or not table.exists:
            return Evidence("", 0, 0, 0, 0)
        left = (table.rows | table.history) & _all(wanted)
        residues = [Residue("", ResidueKind.LIVE_ROW, "")] if left else []
        return Evidence("", 1, 0, 0, 0, residues)

    def drop(self, target: Target, now: datetime, *, watch: Callable[..., None]) -> PurgeReport:
        if not self.replays:
            table = self.tables[target.dataset_id]
            self.tables[target.dataset_id] = Table(exists=False, rows=0, history=0, commits=table.commits)
        return PurgeReport()

    def _table(self, target: Target) -> Table:
        table = self.tables[target.dataset_id]
        if not table.exists and not self.replays:
            raise TableMissing("there is no table")
        return table


@dataclass
class Service:
    """A service that forgets at once."""

    product: Product
    traces: dict[str, int]
    replays: bool

    def forget(self, space: Space, identities: Identities, key: RequestKey, *, beat: Any) -> ProductAnswer:
        if not self.replays:
            self.traces[self.product.value] &= ~mask_of(identities)
        return Done(0)

    def forget_each(self, space: Space, requests: Sequence[Request], *, beat: Any) -> Iterator[ProductAnswer]:
        return one_by_one(self, space, requests, beat)

    def found(self, space: Space, identities: Identities) -> None:
        return

    def remaining(self, space: Space, identities: Identities) -> int | None:
        return 0 if self.replays else (self.traces[self.product.value] & mask_of(identities)).bit_count()

    def forget_dataset(self, space: Space, dataset_id: DatasetId, key: RequestKey, *, beat: Any) -> ProductAnswer:
        return Done(0)

    def remaining_of_dataset(self, space: Space, dataset_id: DatasetId) -> int | None:
        return 0


def engines_of(tables: Tables) -> Mapping[TableFormat, Any]:
    return dict.fromkeys(TableFormat, tables)


def _all(wanted: Wanted) -> int:
    going = 0
    for order in wanted.orders:
        going |= mask_of(order.identities)
    return going
