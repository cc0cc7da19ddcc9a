"""Having a dataset: what is done to a table is done while its bundle or expiration holds the dataset's lock.

A bundle takes the datasets of all its orders when it is submitted, all or none, and gives each back when no open order
of it needs it any more. What is retried has given its datasets back and takes them again here, those of an order all
or none: whoever waits for a dataset holds none that it needs for the same order, so nobody waits in a circle.
"""

from collections.abc import Callable, Collection

from lethe.domain.failure import taken_reason
from lethe.domain.ids import BundleId, DatasetId
from lethe.domain.task import Task
from lethe.domain.work_order import OpenStatus
from lethe.operations.work_orders import datasets_of_each
from lethe.pipeline.outcome import Later, StepOutcome
from lethe.pipeline.shop import Hold, Shop
from lethe.storage.work_interface import WorkTransaction

StepFunction = Callable[[Shop, Task, Hold], StepOutcome]


def with_dataset(step: StepFunction) -> StepFunction:
    """The step, done only while the task's dataset is held; else it says who has it."""

    def do(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
        return _taken(shop, task, hold) or step(shop, task, hold)

    return do


def who_has(tx: WorkTransaction, task: Task, dataset_id: DatasetId) -> str:
    """Say in whose work a dataset is."""
    holder = tx.dataset_locks.holder(task.org_id, task.sandbox_name, dataset_id)
    if holder is None:
        return f"dataset {dataset_id} is just given back"
    return taken_reason(dataset_id, holder, is_bundle=tx.bundles.exists(BundleId(holder)))


def _taken(shop: Shop, task: Task, hold: Hold) -> Later | None:
    """None when the dataset is held, now at the latest."""
    if task.dataset_id is None:
        return None
    with shop.store.read() as tx:
        if tx.dataset_locks.holder(task.org_id, task.sandbox_name, task.dataset_id) == task.subject_id:
            return None
    with shop.store.write() as tx:
        hold.require(tx)
        needed = _needed(tx, task, task.dataset_id)
        held = tx.dataset_locks.acquire(task.org_id, task.sandbox_name, sorted(needed), task.subject_id)
        return Later(shop.patience, who_has(tx, task, held[0])) if held else None


def _needed(tx: WorkTransaction, task: Task, dataset_id: DatasetId) -> Collection[DatasetId]:
    """What is taken together with the dataset: all that an open order of the bundle needs that needs this one."""
    bundle_id = BundleId(task.subject_id)
    if not tx.bundles.exists(bundle_id):
        return {dataset_id}
    needed: set[DatasetId] = set()
    orders = tx.work_orders.of_bundle(bundle_id)
    going = [order for order in orders if order.status in {OpenStatus.SUBMITTED, OpenStatus.INGESTED}]
    for datasets in datasets_of_each(tx, going).values():
        needed |= datasets if dataset_id in datasets else set()
    return needed
