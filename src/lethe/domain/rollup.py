"""From the states of tasks to what a client sees: how far each product is, and the order or expiration with it."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from lethe.domain.product import Product, ProductStatus
from lethe.domain.task import Step, Task, TaskState
from lethe.domain.work_order import EndStatus, OpenStatus, Status

DELETING = frozenset({Step.FORGET, Step.DROP})
PROVING = frozenset({Step.VERIFY, Step.CONFIRM})


class Stage(StrEnum):
    """How far the tasks of one product are, taken together."""

    DELETING = "deleting"
    PROVING = "proving"
    DONE = "done"
    STUCK = "stuck"


def stage_of(tasks: Collection[Task]) -> Stage:
    """How far these tasks of one product are.

    Each place (a dataset, or the product itself) has a deleting task, and later a proving one. It is done when its
    proving task is; the product is done when every place is. No tasks: nothing to do, so done.
    """
    if any(task.state is TaskState.FAILED for task in tasks):
        return Stage.STUCK
    places = {task.dataset_id for task in tasks}
    proven = {task.dataset_id for task in tasks if task.step in PROVING and task.state is TaskState.DONE}
    deleted = {task.dataset_id for task in tasks if task.step in DELETING and task.state is TaskState.DONE}
    if places <= proven & deleted and all(task.state is TaskState.DONE for task in tasks):
        return Stage.DONE
    return Stage.PROVING if places <= deleted else Stage.DELETING


def product_status(stage: Stage) -> ProductStatus:
    """What a client sees of a product: success only when absence is proven."""
    return {Stage.DONE: ProductStatus.SUCCESS, Stage.STUCK: ProductStatus.FAILURE}.get(stage, ProductStatus.WAITING)


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
