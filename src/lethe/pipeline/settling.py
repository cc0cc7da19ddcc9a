"""Letting orders and expirations follow their tasks.

Called in every transaction that changes a task of theirs. What a client sees is derived from the tasks and stored in
the same transaction, so the two cannot drift apart.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from lethe.domain.expiration import Executing
from lethe.domain.ids import BundleId, DatasetId, ExpirationId, WorkOrderId
from lethe.domain.product import ALL_PRODUCTS, Product, ProductProgress, ProductStatus
from lethe.domain.rollup import Stage, order_status, product_status, stage_of
from lethe.domain.task import Step, Task, TaskState
from lethe.domain.work_order import Action, EndStatus, NamedDatasets, OpenStatus, WorkOrder
from lethe.operations.expirations import complete_execution
from lethe.operations.own_call import own_event
from lethe.pipeline.certifying import certify_expiration, certify_order
from lethe.storage.work_interface import WorkTransaction


def settle(tx: WorkTransaction, task: Task) -> None:
    """Advance whatever follows from the task, as all tasks of its subject stand in this transaction."""
    if task.step is Step.FIND:
        _settle_finding(tx, task)
    elif tx.bundles.find(BundleId(task.subject_id)) is not None:
        _settle_bundle(tx, task)
    else:
        _settle_expiration(tx, task)


def _settle_finding(tx: WorkTransaction, task: Task) -> None:
    """An order whose find was given up fails, and nothing of it was touched."""
    order = tx.work_orders.find_any(WorkOrderId(task.subject_id))
    given_up = any(each.state is TaskState.FAILED for each in tx.tasks.of(task.subject_id))
    if order is not None and order.status is OpenStatus.RECEIVED and given_up:
        _save(tx, order.failed(tx.now))


def _settle_bundle(tx: WorkTransaction, task: Task) -> None:
    """Advance the bundle's orders; give the datasets back when none is open any more."""
    tasks = tx.tasks.of(task.subject_id)
    bundling_failed = any(each.step is Step.BUNDLE and each.state is TaskState.FAILED for each in tasks)
    open_orders = 0
    for order in tx.work_orders.of_bundle(BundleId(task.subject_id)):
        if order.status in {OpenStatus.SUBMITTED, OpenStatus.INGESTED}:
            order = _settle_order(tx, order, tasks)  # noqa: PLW2901 - the same order, further on
        elif order.status is OpenStatus.VALIDATED and bundling_failed:
            order = _save(tx, order.failed(tx.now))  # noqa: PLW2901 - likewise
        open_orders += not isinstance(order.status, EndStatus)
    if not open_orders:
        tx.dataset_locks.release(task.subject_id)


def _settle_expiration(tx: WorkTransaction, task: Task) -> None:
    """Complete the expiration when every product has proven that the dataset is gone."""
    expiration_id = ExpirationId(task.subject_id)
    expiration = tx.expirations.find(task.org_id, task.sandbox_name, expiration_id)
    if not isinstance(expiration, Executing):
        return
    stages = _stages(tx.tasks.of(expiration_id), ALL_PRODUCTS)
    _note_products(
        tx.expirations.products(expiration_id),
        stages,
        tx,
        lambda changed: tx.expirations.save_products(expiration_id, changed),
    )
    if any(stage is not Stage.DONE for stage in stages.values()):
        return
    completed = complete_execution(tx, task.org_id, task.sandbox_name, expiration_id)
    if completed is not None:
        certify_expiration(tx, completed)
    tx.datasets.remove(expiration.org_id, expiration.sandbox_name, expiration.dataset_id)
    tx.dataset_locks.release(expiration_id)


def _settle_order(tx: WorkTransaction, order: WorkOrder, tasks: Sequence[Task]) -> WorkOrder:
    """Advance one order as far as its tasks allow."""
    datasets = datasets_of(tx, order)
    stages = _stages([task for task in tasks if _concerns(task, order, datasets)], order.target_products)
    _note_products(
        tx.work_orders.products(order.work_order_id),
        stages,
        tx,
        lambda changed: tx.work_orders.save_products(order.work_order_id, changed),
    )
    goal = order_status(order.status, stages)
    while order.status != goal and not isinstance(order.status, EndStatus):
        order = _save(tx, order.failed(tx.now) if goal is EndStatus.FAILED else order.advanced(tx.now))
    if order.status is EndStatus.COMPLETED:
        certify_order(tx, order)
        tx.identities.destroy(order.work_order_id)
        if order.action is Action.DELETE_DATASET and isinstance(order.scope, NamedDatasets):
            for dataset_id in order.scope.ids:
                tx.datasets.remove(order.org_id, order.sandbox_name, dataset_id)
    return order


def _save(tx: WorkTransaction, order: WorkOrder) -> WorkOrder:
    """Store the order's new status, with its audit record."""
    tx.work_orders.save(order)
    tx.audit.append(own_event(order.org_id, f"work_order.{order.status.value}", str(order.work_order_id)))
    return order


def _concerns(task: Task, order: WorkOrder, datasets: Collection[DatasetId]) -> bool:
    """Whether the task is part of what the order waits for."""
    if task.product is None or task.product not in order.target_products:
        return False
    dropping = task.step in {Step.DROP, Step.CONFIRM}
    if dropping != (order.action is Action.DELETE_DATASET):
        return False
    return task.dataset_id is None or task.dataset_id in datasets


def datasets_of(tx: WorkTransaction, order: WorkOrder) -> frozenset[DatasetId]:
    """The datasets that the order changes: those that it planned, or the one that it deletes as a whole."""
    if order.action is Action.DELETE_DATASET and isinstance(order.scope, NamedDatasets):
        return frozenset(order.scope.ids)
    return frozenset(tx.plans.datasets(order.work_order_id))


def _stages(tasks: Collection[Task], products: Collection[Product]) -> Mapping[Product, Stage]:
    return {product: stage_of([task for task in tasks if task.product is product]) for product in products}


def _note_products(
    before: Sequence[ProductProgress],
    stages: Mapping[Product, Stage],
    tx: WorkTransaction,
    save: Callable[[Sequence[ProductProgress]], None],
) -> None:
    """Store the products whose status changed, with the instant since which it holds."""
    known: Mapping[Product, ProductStatus] = {progress.product: progress.status for progress in before}
    now = {product: product_status(stage) for product, stage in stages.items()}
    changed = [
        ProductProgress(product, status, tx.now) for product, status in now.items() if known.get(product) != status
    ]
    if changed:
        save(changed)
