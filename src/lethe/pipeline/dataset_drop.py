"""Destroying whole datasets: those whose expiration is due, and those that an order deletes.

Order of effects: the expiration turns executing, its dataset is marked and locked, and the tasks are promised, in one
transaction. With a trash window the tasks are due when it has passed, the dataset is not locked, and the first task
that is done begins by recording that nothing can be restored any more. Then each product drops what it has, in any
order; each confirms that nothing is left; and only then the dataset leaves the catalog and the expiration completes. A
crash anywhere leaves tasks that are found again; dropping what is dropped already is nothing.
"""

from collections.abc import Mapping
from typing import Any

from lethe.domain.absence import Absence
from lethe.domain.dataset import Dataset
from lethe.domain.expiration import Pending, Trashed
from lethe.domain.ids import ExpirationId
from lethe.domain.product import Product
from lethe.domain.task import Step, Task, promise
from lethe.engines.interface import TableRefused, TableUnavailable, Wanted
from lethe.operations.expirations import begin_execution
from lethe.pipeline.holding import StepFunction
from lethe.pipeline.leftovers import delete_again
from lethe.pipeline.noting import count, note_look
from lethe.pipeline.outcome import Did, Failed, Later, StepOutcome, Stuck
from lethe.pipeline.services import request_key
from lethe.pipeline.settling import settle
from lethe.pipeline.shop import Hold, Shop, target_of, watcher_of
from lethe.products.interface import Done, ProductUnavailable, Refused, Space, Waiting
from lethe.storage.work_interface import DueExpiration, WorkTransaction

DUE_AT_ONCE = 20
"""Expirations begun in one sweep."""


def begin_due(shop: Shop) -> int:
    """Begin the expirations whose time has come; how many. Each in a transaction of its own."""
    with shop.store.read() as tx:
        due = tx.expirations.due(DUE_AT_ONCE)
    return sum(_begin(shop, each) for each in due)


def after_window(step: StepFunction) -> StepFunction:
    """The step, before which it is recorded that the dataset can no longer be restored."""

    def do(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
        _end_window(shop, task, hold)
        return step(shop, task, hold)

    return do


def drop(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
    """Destroy the dataset's table, or what the dataset contributed to a service."""
    if task.dataset_id is None or task.product is None:
        return Stuck("a drop names a dataset and a product")
    dataset = _dataset(shop, task)
    is_lake = task.product is Product.DATA_LAKE
    try:
        done = _drop_table(shop, dataset, hold) if is_lake else _drop_contribution(shop, task, hold)
    except TableRefused as error:
        return Stuck(str(error))
    except (TableUnavailable, ProductUnavailable) as error:
        return Failed(str(error))
    if not isinstance(done, Mapping):
        return done

    def record(tx: WorkTransaction) -> None:
        count(tx, task, **done)
        tx.tasks.add(
            promise(
                Step.CONFIRM,
                task.subject_id,
                task.org_id,
                task.sandbox_name,
                tx.now,
                product=task.product,
                dataset_id=task.dataset_id,
            )
        )
        settle(tx, task)

    return Did(record)


def confirm(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
    """Look whether the dropped dataset left anything."""
    if task.dataset_id is None or task.product is None:
        return Stuck("a confirmation names a dataset and a product")
    dataset = _dataset(shop, task)
    facts: dict[str, Any] = {}
    try:
        if task.product is not Product.DATA_LAKE:
            left = _traces_left(shop, task)
            facts = {"absence": Absence.ASSERTED if left is None else Absence.VERIFIED}
        elif dataset is None:
            left = None
            facts = {"absence": Absence.DELETED_BY_OTHER_MEANS}
        else:
            left = _files_left(shop, dataset, hold)
            # Where the catalog alone knew the location, its entry took that along: nothing could be listed.
            facts = {"absence": Absence.VERIFIED, "locationListed": dataset.table.location is not None}
    except (TableUnavailable, ProductUnavailable) as error:
        return Failed(str(error))
    if left:
        return delete_again(shop, task, hold, Step.DROP, f"{left} traces are left")

    def record(tx: WorkTransaction) -> None:
        note_look(tx, task, **facts)
        settle(tx, task)

    return Did(record)


def _begin(shop: Shop, due: DueExpiration) -> bool:
    """Turn one expiration executing, unless it was changed meanwhile or its dataset is in other hands."""
    with shop.store.write() as tx:
        expiration = tx.expirations.find(due.org_id, due.sandbox_name, due.expiration_id)
        if not isinstance(expiration, Pending) or not expiration.is_due(tx.now):
            return False
        if not shop.trash and tx.dataset_locks.acquire(
            due.org_id, due.sandbox_name, [expiration.dataset_id], due.expiration_id
        ):
            return False
        begin_execution(tx, due.org_id, due.sandbox_name, due.expiration_id, shop.trash)
        tx.datasets.mark_deleting(due.org_id, due.sandbox_name, expiration.dataset_id)
        for product in Product:
            tx.tasks.add(
                promise(
                    Step.DROP,
                    due.expiration_id,
                    due.org_id,
                    due.sandbox_name,
                    tx.now + shop.trash,
                    product=product,
                    dataset_id=expiration.dataset_id,
                )
            )
    return True


def _end_window(shop: Shop, task: Task, hold: Hold) -> None:
    """Record that the dataset can no longer be restored. Raises StaleClaim."""
    expiration_id = ExpirationId(task.subject_id)
    with shop.store.read() as tx:
        if not isinstance(tx.expirations.find(task.org_id, task.sandbox_name, expiration_id), Trashed):
            return
    with shop.store.write() as tx:
        hold.require(tx)
        expiration = tx.expirations.find(task.org_id, task.sandbox_name, expiration_id)
        if isinstance(expiration, Trashed):
            tx.expirations.begin_destruction(expiration.destroy())


def _dataset(shop: Shop, task: Task) -> Dataset | None:
    """The dataset; None when it was taken out of the catalog by other means."""
    if task.dataset_id is None:
        return None
    with shop.store.read() as tx:
        return tx.datasets.find(task.org_id, task.sandbox_name, task.dataset_id)


def _drop_table(shop: Shop, dataset: Dataset | None, hold: Hold) -> StepOutcome | Mapping[str, int]:
    """Destroy the table; what went, or what stands in the way."""
    if dataset is None:
        return {}
    with shop.store.read() as tx:
        now = tx.now
    report = shop.engines[dataset.table.format].drop(target_of(dataset), now, watch=watcher_of(hold))
    if report.failed:
        return Failed(f"{len(report.failed)} files could not be removed: {report.failed[0].reason}")
    if report.held:
        until = min((held.until for held in report.held if held.until is not None), default=now + shop.patience)
        return Later(max(until - now, shop.patience), f"{len(report.held)} files are held: {report.held[0].reason}")
    return {"filesRemoved": report.files_removed, "bytesRemoved": report.bytes_removed}


def _drop_contribution(shop: Shop, task: Task, hold: Hold) -> StepOutcome | Mapping[str, int]:
    """Have the service destroy what the dataset contributed; what went, or what stands in the way."""
    service = None if task.product is None else shop.products.get(task.product)
    if service is None or task.dataset_id is None:
        return Stuck("no such product is configured")
    key = request_key(task.subject_id, service.product, task.round, task.dataset_id)
    space = Space(task.org_id, task.sandbox_name)
    match service.forget_dataset(space, task.dataset_id, key, beat=hold):
        case Done(removed):
            return {} if removed is None else {"tracesRemoved": removed}
        case Waiting(reason, again_after):
            return Later(again_after, reason)
        case Refused(reason):
            return Stuck(reason)


def _files_left(shop: Shop, dataset: Dataset, hold: Hold) -> int:
    """How many files stand under the location of the dropped table."""
    evidence = shop.engines[dataset.table.format].verify(target_of(dataset), Wanted(()), watch=watcher_of(hold))
    return evidence.files_examined


def _traces_left(shop: Shop, task: Task) -> int | None:
    """How many traces of the dropped dataset the service has; None when it cannot be asked."""
    service = None if task.product is None else shop.products.get(task.product)
    if service is None or task.dataset_id is None:
        return None
    return service.remaining_of_dataset(Space(task.org_id, task.sandbox_name), task.dataset_id)
