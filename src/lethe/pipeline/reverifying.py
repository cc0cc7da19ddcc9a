"""The step after the end: look whether an erased identity is back in a dataset of the bundle.

It reads, and changes nothing outside. One pass serves all completed orders of the bundle; each distinct value of a row
group is hashed once and compared, so that memory does not grow with the table. When it is done, the task is promised
again for the next look; what comes too late stands for the looks that it has missed.
"""

from datetime import timedelta
from typing import Final

from lethe.domain.dataset import Dataset, DatasetState
from lethe.domain.ids import BundleId, DatasetId
from lethe.domain.reverification import CompletedOrder, Reverification, next_look
from lethe.domain.task import Task
from lethe.engines.interface import Finding, HashedOrder, TableRefused, TableUnavailable, Wanted
from lethe.pipeline.alarm import erased_identity_back
from lethe.pipeline.outcome import NOTHING_TO_DO, Did, Later, StepOutcome
from lethe.pipeline.shop import Hold, Shop, target_of, watcher_of
from lethe.storage.work_interface import WorkTransaction

UNAVAILABLE_LOOKS_AGAIN: Final = timedelta(hours=1)


def reverify(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
    """Look once, for every completed order of the bundle that planned the dataset."""
    if task.dataset_id is None:
        return NOTHING_TO_DO
    with shop.store.read() as tx:
        orders = tx.reverifications.completed(BundleId(task.subject_id), task.dataset_id)
        hashed = tuple(HashedOrder(each.work_order_id, tx.identities.hashed(each.work_order_id)) for each in orders)
        dataset = tx.datasets.find(task.org_id, task.sandbox_name, task.dataset_id)
    if not orders or dataset is None or dataset.state is DatasetState.DELETING:
        return NOTHING_TO_DO
    try:
        found = _find(shop, dataset, hashed, hold)
    except TableUnavailable as error:
        return Later(UNAVAILABLE_LOOKS_AGAIN, str(error))

    def record(tx: WorkTransaction) -> None:
        for position, order in enumerate(orders):
            seen = _seen(tx, order, dataset.dataset_id, found, position)
            tx.reverifications.add(seen)
            if seen.rows_back:
                erased_identity_back(tx, order, seen)
        due_at = next_look([each.completed_at for each in orders], shop.aftercare.reverify_after, tx.now)
        if due_at is not None:
            tx.tasks.again([task], due_at)

    return Did(record)


def _find(shop: Shop, dataset: Dataset, hashed: tuple[HashedOrder, ...], hold: Hold) -> Finding | str:
    """What is found, or why the table cannot be examined. Raises TableUnavailable."""
    engine = shop.engines.get(dataset.table.format)
    if engine is None:
        return f"no engine for {dataset.table.format.value} is configured"
    try:
        return engine.find(target_of(dataset), Wanted((), hashed), watch=watcher_of(hold))
    except TableRefused as error:
        return str(error)


def _seen(
    tx: WorkTransaction, order: CompletedOrder, dataset_id: DatasetId, found: Finding | str, position: int
) -> Reverification:
    if isinstance(found, str):
        return Reverification(order.work_order_id, dataset_id, tx.now, "", 0, 0, 0, found)
    mine = found.tally.orders[position]
    return Reverification(
        order.work_order_id,
        dataset_id,
        tx.now,
        found.plan.snapshot,
        sum(file.rows for file in found.plan.files),
        mine.rows_matched,
        sum(rows > 0 for rows in mine.rows_by_identity),
    )
