"""From tasks to statuses: an order ends only when nothing of it is under way."""

from itertools import product as combinations
from typing import Any
from uuid import uuid4

import pytest

from lethe.domain.ids import DatasetId
from lethe.domain.product import Product, ProductProgress, ProductStatus
from lethe.domain.rollup import Stage, changed_progress, concerns, order_status, product_status, stage_of
from lethe.domain.task import Step, Task, TaskState, promise
from lethe.domain.work_order import Action, EndStatus, OpenStatus
from support.clock import NOON
from support.values import ORG, PROD, a_bundle, an_order

LAKE = Product.DATA_LAKE
READY, DONE, FAILED = TaskState.READY, TaskState.DONE, TaskState.FAILED
SUBJECT = uuid4()


def a_task(step: Step, state: TaskState, dataset_id: str | None = "ds", product: Product = LAKE) -> Task:
    made = promise(
        step,
        SUBJECT,
        ORG,
        PROD,
        NOON,
        product=product,
        dataset_id=None if dataset_id is None else DatasetId(dataset_id),
    )
    parts: dict[str, Any] = {name: getattr(made, name) for name in Task.__slots__}
    return Task(**(parts | {"state": state}))


@pytest.mark.parametrize(
    ("tasks", "stage"),
    [
        ([], Stage.DONE),
        ([(Step.FORGET, READY)], Stage.DELETING),
        ([(Step.FORGET, DONE), (Step.PURGE, READY)], Stage.PROVING),
        ([(Step.FORGET, DONE), (Step.PURGE, DONE), (Step.VERIFY, DONE)], Stage.DONE),
        ([(Step.FORGET, FAILED)], Stage.STUCK),
        ([(Step.FORGET, FAILED), (Step.VERIFY, READY)], Stage.FAILING),
        ([(Step.FORGET, READY), (Step.VERIFY, DONE)], Stage.DELETING),
    ],
)
def test_a_place_is_as_far_as_its_tasks(tasks: list[tuple[Step, TaskState]], stage: Stage) -> None:
    assert stage_of([a_task(step, state) for step, state in tasks]) is stage


def test_a_product_is_stuck_only_when_its_other_places_are_done() -> None:
    given_up = a_task(Step.FORGET, FAILED)
    elsewhere = [a_task(Step.FORGET, DONE, "other"), a_task(Step.VERIFY, READY, "other")]
    assert stage_of([given_up, *elsewhere]) is Stage.FAILING
    assert stage_of([given_up, elsewhere[0], a_task(Step.VERIFY, DONE, "other")]) is Stage.STUCK


@pytest.mark.parametrize("stages", list(combinations(Stage, repeat=2)))
def test_an_order_fails_only_when_nothing_is_under_way(stages: tuple[Stage, Stage]) -> None:
    status = order_status(OpenStatus.SUBMITTED, dict(zip((LAKE, Product.PROFILE), stages, strict=True)))
    ended = {Stage.DONE, Stage.STUCK}
    assert (status is EndStatus.COMPLETED) == (set(stages) == {Stage.DONE})
    assert (status is EndStatus.FAILED) == (set(stages) <= ended and Stage.STUCK in stages)
    assert (status is OpenStatus.INGESTED) == (set(stages) <= {Stage.PROVING, Stage.DONE} and Stage.PROVING in stages)


def test_what_was_given_up_is_a_failure_at_once() -> None:
    assert {stage: product_status(stage) for stage in Stage} == {
        Stage.DELETING: ProductStatus.WAITING,
        Stage.PROVING: ProductStatus.WAITING,
        Stage.DONE: ProductStatus.SUCCESS,
        Stage.FAILING: ProductStatus.FAILURE,
        Stage.STUCK: ProductStatus.FAILURE,
    }


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("action", list(Action))
def test_an_order_waits_for_steps_of_its_kind_in_its_datasets(step: Step, action: Action) -> None:
    order = an_order(a_bundle(), action=action)
    mine = {
        Action.DELETE_IDENTITY: {Step.FORGET, Step.PURGE, Step.VERIFY},
        Action.DELETE_DATASET: {Step.DROP, Step.CONFIRM},
    }[action]
    assert concerns(a_task(step, READY), order, {DatasetId("ds")}) == (step in mine)
    assert concerns(a_task(step, READY, None), order, set()) == (step in mine)
    assert not concerns(a_task(step, READY), order, {DatasetId("other")})


def test_only_what_changed_is_noted() -> None:
    before = [
        ProductProgress(LAKE, ProductStatus.FAILURE, NOON),
        ProductProgress(Product.PROFILE, ProductStatus.SUCCESS, NOON),
    ]
    stages = {LAKE: Stage.DELETING, Product.PROFILE: Stage.DONE}
    assert changed_progress(before, stages, NOON) == [ProductProgress(LAKE, ProductStatus.WAITING, NOON)]
