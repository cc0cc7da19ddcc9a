"""Why an order or an expiration is not done: what was given up, and what is waited for."""

from collections.abc import Iterable

from lethe.domain.expiration import Executing, Expiration, Trashed
from lethe.domain.failure import Delay, Hindrances
from lethe.domain.ids import DatasetId
from lethe.domain.rollup import concerns
from lethe.domain.task import Step, Task, TaskState
from lethe.domain.work_order import EndStatus, WorkOrder
from lethe.operations.work_orders import datasets_of
from lethe.storage.interface import Transaction

_BEFORE_PRODUCTS = frozenset({Step.FIND, Step.BUNDLE})


def order_hindrances(tx: Transaction, order: WorkOrder) -> Hindrances:
    """What stands between the order and its end."""
    if order.status is EndStatus.COMPLETED:
        return Hindrances()
    failures = tuple(tx.failures.of(order.work_order_id))
    if order.status is EndStatus.FAILED:
        return Hindrances(failures)
    datasets: frozenset[DatasetId] = datasets_of(tx, order)
    own = (
        task
        for task in tx.tasks.concerning(order.work_order_id)
        if task.step in _BEFORE_PRODUCTS or concerns(task, order, datasets)
    )
    return Hindrances(failures, _delays(own))


def expiration_hindrances(tx: Transaction, expiration: Expiration) -> Hindrances:
    """What stands between the expiration and its end, once it is executing."""
    if not isinstance(expiration, Trashed | Executing):
        return Hindrances()
    tasks = tx.tasks.concerning(expiration.expiration_id)
    return Hindrances(tuple(tx.failures.of(expiration.expiration_id)), _delays(tasks))


def _delays(tasks: Iterable[Task]) -> tuple[Delay, ...]:
    return tuple(
        Delay(task.step, task.product, task.dataset_id, task.reason, task.attempts, task.due_at)
        for task in tasks
        if task.state is TaskState.READY and task.reason is not None
    )
