"""From the states of tasks to what a client sees: how far each product is, and the order or expiration with it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from lethe.domain.ids import DatasetId
from lethe.domain.product import Product, ProductProgress, ProductStatus
from lethe.domain.task import Step, Task, TaskState
from lethe.domain.work_order import Action, EndStatus, OpenStatus, Status, WorkOrder

DELETING = frozenset({Step.FORGET, Step.DROP})
PROVING = frozenset({Step.VERIFY, Step.CONFIRM})


class Stage(StrEnum):
    """How far the tasks of one product are, taken together."""

    DELETING = "deleting"
    PROVING = "proving"
    DONE = "done"
    FAILING = "failing"
    """Something was given up, and the rest is under way."""
    STUCK = "stuck"
    """Something was given up, and nothing is under way."""


def stage_of(tasks: Collection[Task]) -> Stage:
    """How far these tasks of one product are.

    Each place (a dataset, or the product itself) has a deleting task, and later a proving one. It is done when its
    proving task is; the product is done when every place is. No tasks: nothing to do, so done.
    """
    if any(task.state is TaskState.FAILED for task in tasks):
        return Stage.FAILING if any(task.state is TaskState.READY for task in tasks) else Stage.STUCK
    places = {task.dataset_id for task in tasks}
    proven = {task.dataset_id for task in tasks if task.step in PROVING and task.state is TaskState.DONE}
    deleted = {task.dataset_id for task in tasks if task.step in DELETING and task.state is TaskState.DONE}
    if places <= proven & deleted and all(task.state is TaskState.DONE for task in tasks):
        return Stage.DONE
    return Stage.PROVING if places <= deleted else Stage.DELETING


def product_status(stage: Stage) -> ProductStatus:
    """What a client sees of a product: success only when absence is proven."""
    match stage:
        case Stage.DONE:
            return ProductStatus.SUCCESS
        case Stage.FAILING | Stage.STUCK:
            return ProductStatus.FAILURE
        case Stage.DELETING | Stage.PROVING:
            return ProductStatus.WAITING


def order_status(status: Status, stages: Mapping[Product, Stage]) -> Status:
    """Where a submitted order stands, given its products' stages. An order never goes back.

    It fails only when nothing is under way any more, so that every reason is known.
    """
    if status not in {OpenStatus.SUBMITTED, OpenStatus.INGESTED}:
        return status
    values: Sequence[Stage] = list(stages.values())
    if all(stage is Stage.DONE for stage in values):
        return EndStatus.COMPLETED
    if Stage.STUCK in values and all(stage in {Stage.DONE, Stage.STUCK} for stage in values):
        return EndStatus.FAILED
    if all(stage in {Stage.PROVING, Stage.DONE} for stage in values):
        return OpenStatus.INGESTED
    return status


def concerns(task: Task, order: WorkOrder, datasets: Collection[DatasetId]) -> bool:
    """Whether a bundle's task is part of what the order waits for, given the datasets that the order changes."""
    if task.product is None or task.product not in order.target_products:
        return False
    steps = {Step.DROP, Step.CONFIRM} if order.action is Action.DELETE_DATASET else _OF_RECORD_DELETES
    return task.step in steps and (task.dataset_id is None or task.dataset_id in datasets)


_OF_RECORD_DELETES = frozenset({Step.FORGET, Step.PURGE, Step.VERIFY})


def stages_of(tasks: Collection[Task], products: Collection[Product]) -> Mapping[Product, Stage]:
    """How far each product is."""
    return {product: stage_of([task for task in tasks if task.product is product]) for product in products}


def changed_progress(
    before: Sequence[ProductProgress], stages: Mapping[Product, Stage], now: datetime
) -> Sequence[ProductProgress]:
    """The products whose status is another than before, with the instant since which it holds."""
    known: Mapping[Product, ProductStatus] = {progress.product: progress.status for progress in before}
    statuses = {product: product_status(stage) for product, stage in stages.items()}
    return [
        ProductProgress(product, status, now) for product, status in statuses.items() if known.get(product) != status
    ]
