"""The step between finding and forgetting: close the bundle, lock its datasets, hand its orders to the products.

It only writes to Lethe's own database, all of it in one transaction.
"""

from collections.abc import Collection, Mapping, Sequence

from lethe.domain.bundle import Bundle
from lethe.domain.ids import BundleId, DatasetId, WorkOrderId
from lethe.domain.product import Product, ProductProgress, ProductStatus
from lethe.domain.task import Step, Task, promise
from lethe.domain.work_order import Action, OpenStatus, WorkOrder
from lethe.operations.own_call import own_event
from lethe.operations.work_orders import datasets_of_each
from lethe.pipeline.holding import who_has
from lethe.pipeline.outcome import Did, Later, StepOutcome
from lethe.pipeline.settling import settle
from lethe.pipeline.shop import Hold, Shop
from lethe.storage.work_interface import WorkTransaction


def bundle(shop: Shop, task: Task, _: Hold) -> StepOutcome:
    """Submit the bundle's validated orders, once its window has passed and no dataset of it is in other hands."""

    def record(tx: WorkTransaction) -> Later | None:
        found = tx.bundles.find(BundleId(task.subject_id))
        if found is None:
            return None
        if found.closed_at is None:
            if tx.now < found.closes_at:
                return Later(found.closes_at - tx.now, "the bundle takes more orders until its window has passed")
            tx.bundles.save(found.closed(tx.now))
        orders = tx.work_orders.of_bundle(found.bundle_id)
        if any(order.status is OpenStatus.RECEIVED for order in orders):
            return Later(shop.patience, "orders of the bundle are still being planned")
        going = [order for order in orders if order.status is OpenStatus.VALIDATED]
        datasets = datasets_of_each(tx, going)
        needed = sorted(set().union(*datasets.values()))
        held = tx.dataset_locks.acquire(found.org_id, found.sandbox_name, needed, found.bundle_id)
        if held:
            return Later(shop.patience, who_has(tx, task, held[0]))
        _promise(tx, found, going, datasets)
        _submit(tx, going)
        settle(tx, task)
        return None

    return Did(record)


def _promise(
    tx: WorkTransaction,
    found: Bundle,
    orders: Sequence[WorkOrder],
    datasets: Mapping[WorkOrderId, Collection[DatasetId]],
) -> None:
    """Promise the deleting task of every place that an order of the bundle touches, once."""
    places: dict[tuple[Step, Product, DatasetId | None], None] = {}
    for order in orders:
        step = Step.DROP if order.action is Action.DELETE_DATASET else Step.FORGET
        mine = sorted(datasets[order.work_order_id])
        for product in order.target_products:
            is_by_dataset = product is Product.DATA_LAKE or step is Step.DROP
            places |= {(step, product, dataset_id): None for dataset_id in (mine if is_by_dataset else [None])}
        if step is Step.DROP:
            for dataset_id in mine:
                tx.datasets.mark_deleting(found.org_id, found.sandbox_name, dataset_id)
    for step, product, place in places:
        promised = promise(
            step, found.bundle_id, found.org_id, found.sandbox_name, tx.now, product=product, dataset_id=place
        )
        tx.tasks.add(promised)


def _submit(tx: WorkTransaction, orders: Sequence[WorkOrder]) -> None:
    tx.work_orders.save_products(
        {
            order.work_order_id: [
                ProductProgress(product, ProductStatus.WAITING, tx.now) for product in order.target_products
            ]
            for order in orders
        }
    )
    tx.work_orders.save_each([order.advanced(tx.now) for order in orders])
    for order in orders:
        tx.audit.append(own_event(order.org_id, "work_order.submitted", str(order.work_order_id)))
