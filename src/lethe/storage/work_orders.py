"""Work orders. Their identities are in `identities`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from lethe.domain.actor import Author
from lethe.domain.event import work_order_event
from lethe.domain.ids import BundleId, DatasetId, OrgId, SandboxName, WorkOrderId
from lethe.domain.listing import By, Listing, Page
from lethe.domain.product import Product, ProductProgress
from lethe.domain.work_order import Action, AllDatasets, NamedDatasets, Scope, SkippedDataset, WorkOrder, status_of
from lethe.storage import lists
from lethe.storage.events import SqlEvents
from lethe.storage.folding import folded, joined, sort_key
from lethe.storage.order_interface import WorkOrderFilter, WorkOrderOrder
from lethe.storage.products import progress_of, progress_of_each, save_progress
from lethe.storage.schema import spaces, work_order_changes, work_order_products, work_orders
from lethe.storage.session import Row, Session
from lethe.storage.spaces import ensure_space, space_of
from lethe.storage.tallies import Tallies
from lethe.storage.work_order_pages import find_page

_STORED: Final = sa.select(work_orders, spaces.c.org_id, spaces.c.sandbox_name).join(spaces)

_CHANGES: Final = (
    sa.select(sa.func.count())
    .where(work_order_changes.c.work_order_id == work_orders.c.work_order_id)
    .scalar_subquery()
    .label("changes")
)
_STANDING: Final = sa.select(
    work_orders.c.work_order_id,
    work_orders.c.space_id,
    work_orders.c.action,
    work_orders.c.status,
    work_orders.c.updated_by,
    _CHANGES,
).order_by(work_orders.c.work_order_id)
_UPDATE: Final = work_orders.update().where(work_orders.c.work_order_id == sa.bindparam("of_order"))

ORDER_COLUMNS: Final[Mapping[WorkOrderOrder, sa.Column[Any]]] = {
    WorkOrderOrder.DISPLAY_NAME: work_orders.c.display_name,
    WorkOrderOrder.DESCRIPTION: work_orders.c.description_key,
    WorkOrderOrder.DATASET_NAME: work_orders.c.dataset_name_key,
    WorkOrderOrder.ID: work_orders.c.work_order_id,
    WorkOrderOrder.CREATED_BY: work_orders.c.created_by,
    WorkOrderOrder.CREATED_AT: work_orders.c.created_at,
    WorkOrderOrder.UPDATED_BY: work_orders.c.updated_by,
    WorkOrderOrder.UPDATED_AT: work_orders.c.updated_at,
    WorkOrderOrder.OPERATION: work_orders.c.action,
    WorkOrderOrder.OPERATION_COUNT: work_orders.c.operation_count,
    WorkOrderOrder.STATUS: work_orders.c.status,
}


class SqlWorkOrders:
    """Implements `work_interface.WorkableOrders`."""

    def __init__(self, session: Session, events: SqlEvents) -> None:
        """Every status that an order takes is an event, too."""
        self._session = session
        self._events = events
        self._tallies = Tallies(session)

    def add(self, order: WorkOrder) -> None:
        """Insert an accepted order."""
        space_id = ensure_space(self._session, order.org_id, order.sandbox_name)
        self._session.run(work_orders.insert(), _values(order) | {"space_id": space_id})
        self._tallies.add(space_id, order.action, order.status, order.updated_by, 1)
        self._session.run(work_order_changes.insert(), _change(order, space_id, 1))
        self._events.add(work_order_event(order, (), 1))

    def find(self, org_id: OrgId, sandbox_name: SandboxName, work_order_id: WorkOrderId) -> WorkOrder | None:
        """The order. In a writing transaction its row is locked."""
        space_id = space_of(self._session, org_id, sandbox_name)
        query = sa.select(work_orders).where(
            work_orders.c.space_id == space_id, work_orders.c.work_order_id == work_order_id
        )
        row = self._session.row(self._session.locked(query))
        return None if row is None else _work_order({**row, "org_id": org_id, "sandbox_name": sandbox_name})

    def find_any(self, work_order_id: WorkOrderId) -> WorkOrder | None:
        """The order, whosever it is. In a writing transaction its row is locked."""
        query = _STORED.where(work_orders.c.work_order_id == work_order_id)
        row = self._session.row(self._session.locked(query))
        return None if row is None else _work_order(row)

    def of_bundle(self, bundle_id: BundleId) -> Sequence[WorkOrder]:
        """The orders of a bundle, by id. In a writing transaction their rows are locked."""
        query = _STORED.where(work_orders.c.bundle_id == bundle_id).order_by(work_orders.c.work_order_id)
        return [_work_order(row) for row in self._session.rows(self._session.locked(query))]

    def save(self, order: WorkOrder) -> None:
        """Update the order and note the change with its instant. Raises KeyError for one that was never added."""
        self.save_each([order])

    def save_each(self, orders: Sequence[WorkOrder]) -> None:
        """The same of several; an order that comes more than once goes through a change for each."""
        latest = {order.work_order_id: order for order in orders}
        standing = self._session.rows_among(
            self._session.locked(_STANDING), work_orders.c.work_order_id, sorted(latest)
        )
        before = {row["work_order_id"]: dict(row) for row in standing}
        changes, moved = [], []
        for order in orders:
            stood = before[order.work_order_id]
            space_id, number = stood["space_id"], stood["changes"] + 1
            self._tallies.add(space_id, stood["action"], stood["status"], stood["updated_by"], -1)
            self._tallies.add(space_id, order.action, order.status, order.updated_by, 1)
            changes.append(_change(order, space_id, number))
            if stood["status"] != order.status:
                moved.append((order, number))
            stood |= {"status": order.status, "updated_by": order.updated_by, "changes": number}
        self._session.run_each(_UPDATE, [_values(each) | {"of_order": key} for key, each in latest.items()])
        self._session.run_each(work_order_changes.insert(), changes)
        products = self.products_of([order.work_order_id for order, _ in moved])
        for order, number in moved:
            self._events.add(work_order_event(order, products.get(order.work_order_id, ()), number))

    def products(self, work_order_id: WorkOrderId) -> Sequence[ProductProgress]:
        """How far each targeted product is; empty before the order is submitted."""
        return progress_of(self._session, work_order_products, work_order_products.c.work_order_id, work_order_id)

    def products_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[ProductProgress]]:
        """How far each targeted product of several orders is; those that are not submitted are missing."""
        found = progress_of_each(
            self._session, work_order_products, work_order_products.c.work_order_id, work_order_ids
        )
        return {WorkOrderId(each): progress for each, progress in found.items()}

    def save_products(self, progress: Mapping[WorkOrderId, Sequence[ProductProgress]]) -> None:
        """Record how far these products of these orders are."""
        save_progress(self._session, work_order_products, work_order_products.c.work_order_id, progress)

    def list(self, where: WorkOrderFilter, order: Sequence[By[WorkOrderOrder]], page: Page) -> Listing[WorkOrder]:
        """One page. Long texts are ordered by their first 500 characters, equal keys by id."""
        keys = [(ORDER_COLUMNS[by.key], by.descending) for by in order]
        ids, total = find_page(self._session, where, lists.Ordering.of(work_orders.c.work_order_id, keys), page)
        rows = lists.rows_by_id(self._session, _STORED, work_orders.c.work_order_id, ids)
        return Listing([_work_order(row) for row in rows], total, page)


def _change(order: WorkOrder, space_id: int, number: int) -> dict[str, Any]:
    return {
        "work_order_id": order.work_order_id,
        "number": number,
        "space_id": space_id,
        "status": order.status,
        "at": order.updated_at,
    }


def _values(order: WorkOrder) -> dict[str, Any]:
    return {
        "work_order_id": order.work_order_id,
        "bundle_id": order.bundle_id,
        "action": order.action,
        "dataset_ids": list(order.scope.ids) if isinstance(order.scope, NamedDatasets) else None,
        "dataset_name": order.dataset_name,
        "operation_count": order.operation_count,
        "target_products": list(order.target_products),
        "status": order.status,
        "display_name": order.display_name,
        "description": order.description,
        "created_at": order.created_at,
        "created_by": order.created_by,
        "updated_at": order.updated_at,
        "updated_by": order.updated_by,
        "skipped": [[one.dataset_id, one.reason] for one in order.skipped],
        "dataset_name_key": sort_key(order.dataset_name),
        "description_key": sort_key(order.description),
        "display_name_folded": folded(order.display_name),
        "description_folded": folded(order.description),
        "search_text": joined(order.updated_by, order.display_name, order.description, order.dataset_name),
    }


def _work_order(row: Row | Mapping[str, Any]) -> WorkOrder:
    return WorkOrder(
        work_order_id=WorkOrderId(row["work_order_id"]),
        org_id=OrgId(row["org_id"]),
        sandbox_name=SandboxName(row["sandbox_name"]),
        bundle_id=BundleId(row["bundle_id"]),
        action=Action(row["action"]),
        scope=_scope(row["dataset_ids"]),
        dataset_name=row["dataset_name"],
        operation_count=row["operation_count"],
        target_products=tuple(map(Product, row["target_products"])),
        status=status_of(row["status"]),
        display_name=row["display_name"],
        description=row["description"],
        created_at=row["created_at"],
        created_by=Author(row["created_by"]),
        updated_at=row["updated_at"],
        updated_by=Author(row["updated_by"]),
        skipped=tuple(SkippedDataset(DatasetId(dataset_id), reason) for dataset_id, reason in row["skipped"]),
    )


def _scope(dataset_ids: Sequence[str] | None) -> Scope:
    return AllDatasets() if dataset_ids is None else NamedDatasets(tuple(map(DatasetId, dataset_ids)))
