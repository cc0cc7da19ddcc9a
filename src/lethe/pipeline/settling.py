"""Letting orders and expirations follow their tasks.

Called in every transaction that changes a task of theirs. What a client sees is derived from the tasks and stored in
the same transaction, so the two cannot drift apart.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from lethe.domain.absence import OTHER_MEANS_REASON, Absence
from lethe.domain.expiration import Executing, Trashed
from lethe.domain.failure import Failure
from lethe.domain.ids import BundleId, DatasetId, ExpirationId, WorkOrderId
from lethe.domain.product import ALL_PRODUCTS, Product, ProductProgress
from lethe.domain.rollup import Stage, changed_progress, concerns, order_status, stages_of
from lethe.domain.task import Step, Task, TaskState
from lethe.domain.work_order import Action, EndStatus, NamedDatasets, OpenStatus, Status, WorkOrder
from lethe.operations.expirations import complete_execution
from lethe.operations.own_call import own_event
from lethe.operations.work_orders import datasets_of_each
from lethe.pipeline.certifying import certify_expiration, certify_orders
from lethe.storage.work_interface import WorkTransaction


def settle(tx: WorkTransaction, task: Task) -> None:
    """Advance whatever follows from the task, as all tasks of its subject stand in this transaction."""
    if task.step is Step.REVERIFY:
        return  # Nothing that has ended follows a later look.
    if task.step is Step.FIND:
        _settle_finding(tx, task)
    elif tx.bundles.find(BundleId(task.subject_id)) is not None:
        _settle_bundle(tx, task)
    else:
        _settle_expiration(tx, task)


def _settle_finding(tx: WorkTransaction, task: Task) -> None:
    """An order whose find was given up fails, and nothing of it was touched."""
    order = tx.work_orders.find_any(WorkOrderId(task.subject_id))
    given_up = _given_up(tx.tasks.of(task.subject_id))
    if order is not None and order.status is OpenStatus.RECEIVED and given_up:
        _note(tx, order.work_order_id, given_up)
        _save(tx, [order.failed(tx.now)])


def _settle_bundle(tx: WorkTransaction, task: Task) -> None:
    """Advance the bundle's orders; give those datasets back that none of them needs any more."""
    tasks = tx.tasks.of(task.subject_id)
    bundling = _given_up([each for each in tasks if each.step is Step.BUNDLE])
    if bundling:
        _close(tx, BundleId(task.subject_id))
    orders = [each for each in tx.work_orders.of_bundle(BundleId(task.subject_id)) if each.status in OpenStatus]
    planned = datasets_of_each(tx, orders)
    progress = tx.work_orders.products_of([each.work_order_id for each in orders])
    moved: dict[WorkOrderId, Sequence[ProductProgress]] = {}
    advanced: list[WorkOrder] = []
    needed: set[DatasetId] = set()
    for order in orders:
        further: Sequence[WorkOrder] = ()
        if order.status in {OpenStatus.SUBMITTED, OpenStatus.INGESTED}:
            datasets = planned[order.work_order_id]
            own = [each for each in tasks if concerns(each, order, datasets)]
            stages = stages_of(own, order.target_products)
            moved[order.work_order_id] = changed_progress(progress.get(order.work_order_id, ()), stages, tx.now)
            _note(tx, order.work_order_id, _given_up(own))
            further = _advanced(order, order_status(order.status, stages), tx.now)
            needed |= set() if further and isinstance(further[-1].status, EndStatus) else datasets
        elif order.status is OpenStatus.VALIDATED and bundling:
            _note(tx, order.work_order_id, bundling)
            further = [order.failed(tx.now)]
        advanced += further
    tx.work_orders.save_products(moved)
    _save(tx, advanced)
    _complete(tx, [each for each in advanced if each.status is EndStatus.COMPLETED])
    if any(isinstance(each.status, EndStatus) for each in advanced):
        tx.dataset_locks.release(task.subject_id, but=needed)


def _close(tx: WorkTransaction, bundle_id: BundleId) -> None:
    """Let nobody join a bundle that is not going to be submitted."""
    bundle = tx.bundles.find(bundle_id)
    if bundle is not None and bundle.closed_at is None:
        tx.bundles.save(bundle.closed(tx.now))


def _settle_expiration(tx: WorkTransaction, task: Task) -> None:
    """Complete the expiration when every product has proven that the dataset is gone.

    When some of it was given up and the rest is done, the dataset is nobody's until that is retried: orders pass by
    what cannot be searched.
    """
    expiration_id = ExpirationId(task.subject_id)
    expiration = tx.expirations.find(task.org_id, task.sandbox_name, expiration_id)
    if not isinstance(expiration, Trashed | Executing):
        return
    tasks = tx.tasks.of(expiration_id)
    stages = stages_of(tasks, ALL_PRODUCTS)
    tx.expirations.save_products(
        expiration_id, changed_progress(tx.expirations.products(expiration_id), stages, tx.now)
    )
    given_up = _given_up(tasks)
    _note(tx, expiration_id, given_up)
    if given_up and not any(each.state is TaskState.READY for each in tasks):
        tx.dataset_locks.release(expiration_id)
    if any(stage is not Stage.DONE for stage in stages.values()):
        return
    completed = complete_execution(
        tx, task.org_id, task.sandbox_name, expiration_id, _completed_because(tx, expiration)
    )
    if completed is not None:
        certify_expiration(tx, completed)
    tx.datasets.remove(expiration.org_id, expiration.sandbox_name, expiration.dataset_id)
    tx.dataset_locks.release(expiration_id)


def _completed_because(tx: WorkTransaction, expiration: Trashed | Executing) -> str | None:
    """What is to be said of a dataset that nobody here deleted."""
    seen = tx.plans.evidence(expiration.expiration_id).get((Product.DATA_LAKE, expiration.dataset_id), {})
    return OTHER_MEANS_REASON if seen.get("absence") == Absence.DELETED_BY_OTHER_MEANS else None


def _advanced(order: WorkOrder, goal: Status, now: datetime) -> Sequence[WorkOrder]:
    """The order in every status on its way to the goal."""
    further: list[WorkOrder] = []
    while order.status != goal and not isinstance(order.status, EndStatus):
        order = order.failed(now) if goal is EndStatus.FAILED else order.advanced(now)
        further.append(order)
    return further


def _complete(tx: WorkTransaction, orders: Sequence[WorkOrder]) -> None:
    """Certify what completed orders of one bundle did, and forget whom they were about."""
    if not orders:
        return
    certify_orders(tx, orders)
    tx.identities.destroy([order.work_order_id for order in orders])
    for order in orders:
        if order.action is Action.DELETE_DATASET and isinstance(order.scope, NamedDatasets):
            for dataset_id in order.scope.ids:
                tx.datasets.remove(order.org_id, order.sandbox_name, dataset_id)


def _save(tx: WorkTransaction, orders: Sequence[WorkOrder]) -> None:
    """Store the orders' new statuses, each with its audit record."""
    tx.work_orders.save_each(orders)
    for order in orders:
        tx.audit.append(own_event(order.org_id, f"work_order.{order.status.value}", str(order.work_order_id)))


def _given_up(tasks: Collection[Task]) -> Sequence[Task]:
    return [task for task in tasks if task.state is TaskState.FAILED]


def _note(tx: WorkTransaction, subject_id: UUID, given_up: Collection[Task]) -> None:
    """Keep why something of the order or expiration was given up, for whoever asks, and for its retry."""
    failures = [
        Failure(task.task_id, task.step, task.product, task.dataset_id, task.reason or "", task.attempts, tx.now)
        for task in given_up
    ]
    tx.failures.note(subject_id, failures)
