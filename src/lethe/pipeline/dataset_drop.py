"""Destroying whole datasets: those whose expiration is due, and those that an order deletes.

Order of effects: the expiration turns executing, its dataset is marked and locked, and the tasks are promised, in one
transaction. With a trash window the tasks are due when it has passed, the dataset is not locked, and the first task
that is done begins by recording that nothing can be restored any more. Then each product drops what it has, in any
order; each confirms that nothing is left; and only then the dataset leaves the catalog and the expiration completes. A
crash anywhere leaves tasks that are found again; dropping what is dropped already is nothing.
"""

from lethe.domain.dataset import Dataset
from lethe.domain.expiration import Pending, Trashed
from lethe.domain.ids import ExpirationId
from lethe.domain.product import Product
from lethe.domain.task import Step, Task, promise
from lethe.engines.interface import TableRefused, TableUnavailable, Wanted
from lethe.operations.expirations import begin_execution
from lethe.pipeline.holding import StepFunction
from lethe.pipeline.leftovers import delete_again
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
    try:
        waiting = (
            _drop_table(shop, dataset, hold)
            if task.product is Product.DATA_LAKE
            else _drop_contribution(shop, task, hold)
        )
    except TableRefused as error:
        return Stuck(str(error))
    except (TableUnavailable, ProductUnavailable) as error:
        return Failed(str(error))
    if waiting is not None:
        return waiting

    def record(tx: WorkTransaction) -> None:
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
    space = Space(task.org_id, task.sandbox_name)
    try:
        if task.product is Product.DATA_LAKE:
            left = _files_left(shop, dataset, hold)
        else:
            service = shop.products.get(task.product)
            left = 0 if service is None else service.remaining_of_dataset(space, task.dataset_id) or 0
    except (TableUnavailable, ProductUnavailable) as error:
        return Failed(str(error))
    if left:
        return delete_again(shop, task, hold, Step.DROP, f"{left} traces are left")

    def record(tx: WorkTransaction) -> None:
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


def _drop_table(shop: Shop, dataset: Dataset | None, hold: Hold) -> StepOutcome | None:
    if dataset is None:
        return None
    with shop.store.read() as tx:
        now = tx.now
    report = shop.engines[dataset.table.format].drop(target_of(dataset), now, watch=watcher_of(hold))
    if report.failed:
        return Failed(f"{len(report.failed)} files could not be removed: {report.failed[0].reason}")
    if report.held:
        until = min((held.until for held in report.held if held.until is not None), default=now + shop.patience)
        return Later(max(until - now, shop.patience), f"{len(report.held)} files are held: {report.held[0].reason}")
    return None


def _drop_contribution(shop: Shop, task: Task, hold: Hold) -> StepOutcome | None:
    service = None if task.product is None else shop.products.get(task.product)
    if service is None or task.dataset_id is None:
        return Stuck("no such product is configured")
    key = request_key(task.subject_id, service.product, task.round, task.dataset_id)
    space = Space(task.org_id, task.sandbox_name)
    match service.forget_dataset(space, task.dataset_id, key, beat=hold):
        case Done():
            return None
        case Waiting(reason, again_after):
            return Later(again_after, reason)
        case Refused(reason):
            return Stuck(reason)


def _files_left(shop: Shop, dataset: Dataset | None, hold: Hold) -> int:
    """How many files stand under the location of the dropped table."""
    if dataset is None:
        return 0
    evidence = shop.engines[dataset.table.format].verify(target_of(dataset), Wanted(()), watch=watcher_of(hold))
    return evidence.files_examined
