"""The first step of a record delete: find its rows, and those of the orders of its bundle that wait for the same.

A find costs the reading of an identity column, whether one order asks or a hundred do. So whichever order's turn comes
first asks for the others as well, in one pass over each dataset, and validates all that were planned everywhere; the
others' turns are spared. Each order has a plan of its own, as if it had asked alone, and fails alone.
"""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lethe.domain.dataset import Dataset
from lethe.domain.identity import Identities
from lethe.domain.ids import WorkOrderId
from lethe.domain.product import Product
from lethe.domain.task import Step, Task, promise
from lethe.domain.work_order import Action, AllDatasets, OpenStatus, SkippedDataset, WorkOrder
from lethe.engines.interface import TableUnavailable
from lethe.operations.own_call import own_event
from lethe.operations.work_orders import datasets_in_scope
from lethe.pipeline.fate import LEFT_BEHIND_REASON, Fate, fate_of
from lethe.pipeline.finding import FindRefused, find_in
from lethe.pipeline.outcome import NOTHING_TO_DO, Did, Failed, Later, StepOutcome, Stuck
from lethe.pipeline.shop import Hold, Shop
from lethe.storage.result_interface import DatasetPlan
from lethe.storage.work_interface import WorkTransaction

TOGETHER_MAX: Final = 100
"""Orders that are planned at once: their plans are recorded in one transaction."""

ALONE_FROM: Final = 3
"""After so many failures an order is planned alone: whatever makes it fail may be another's."""


@dataclass(slots=True)
class _Planning:
    """One order, and how far its plan is."""

    order: WorkOrder
    identities: Identities
    datasets: Sequence[Dataset]
    plans: list[DatasetPlan] = field(default_factory=list)
    passed: list[SkippedDataset] = field(default_factory=list)
    hindrance: StepOutcome | None = None
    """Why the order cannot be validated now."""

    def hinder(self, shop: Shop, error: FindRefused) -> None:
        """Say what it means for the order that one of its datasets cannot be deleted from."""
        match fate_of(shop, self.order, error.dataset_id):
            case Fate.GOING:
                self.hindrance = Later(shop.patience, f"dataset {error.dataset_id} is being deleted as a whole")
            case Fate.LEFT_BEHIND if isinstance(self.order.scope, AllDatasets):
                self.passed.append(SkippedDataset(error.dataset_id, LEFT_BEHIND_REASON))
            case _:
                self.hindrance = Stuck(str(error))


def find(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
    """Plan the order in every dataset of its scope; it is validated when every find succeeded."""
    work_order_id = WorkOrderId(task.subject_id)
    plannings = _plannings(shop, work_order_id, 1 if task.attempts >= ALONE_FROM else TOGETHER_MAX)
    if not plannings:
        return NOTHING_TO_DO
    own = plannings[work_order_id]
    for dataset in _datasets(own, plannings):
        _find_in(shop, dataset, plannings, hold)
        if own.hindrance is not None:
            return own.hindrance
    planned = {order_id: each for order_id, each in plannings.items() if each.hindrance is None}

    def record(tx: WorkTransaction) -> None:
        waiting = [
            order
            for order in tx.work_orders.of_bundle(own.order.bundle_id)
            if order.work_order_id in planned and order.status is OpenStatus.RECEIVED
        ]
        _validate(tx, waiting, planned)
        tx.tasks.spare(Step.FIND, [order.work_order_id for order in waiting if order.work_order_id != work_order_id])

    return Did(record)


def _plannings(shop: Shop, work_order_id: WorkOrderId, count_max: int) -> Mapping[WorkOrderId, _Planning]:
    """The order and those that may be planned with it, by id; none when the order needs no plan any more."""
    with shop.store.read() as tx:
        order = tx.work_orders.find_any(work_order_id)
        if order is None or order.status is not OpenStatus.RECEIVED:
            return {}
        others = (
            each
            for each in tx.work_orders.of_bundle(order.bundle_id)
            if each.status is OpenStatus.RECEIVED and each.work_order_id != work_order_id
        )
        together = [order, *itertools.islice(others, count_max - 1)]
        of_people = [each.work_order_id for each in together if each.action is Action.DELETE_IDENTITY]
        opened = tx.identities.open_each(of_people)
        return {each.work_order_id: _begun(tx, each, opened.get(each.work_order_id)) for each in together}


def _begun(tx: WorkTransaction, order: WorkOrder, identities: Identities | None) -> _Planning:
    if identities is None:
        return _Planning(order, Identities({}), ())
    in_lake = Product.DATA_LAKE in order.target_products
    return _Planning(order, identities, datasets_in_scope(tx, order, identities) if in_lake else ())


def _datasets(own: _Planning, plannings: Mapping[WorkOrderId, _Planning]) -> Collection[Dataset]:
    """Every dataset that somebody asks for, each once; first those of the order whose turn it is."""
    asked_for = itertools.chain(own.datasets, *(each.datasets for each in plannings.values()))
    return {dataset.dataset_id: dataset for dataset in asked_for}.values()


def _find_in(shop: Shop, dataset: Dataset, plannings: Mapping[WorkOrderId, _Planning], hold: Hold) -> None:
    """Plan one dataset for all that ask for it and are not hindered yet."""
    asking = {
        order_id: each
        for order_id, each in plannings.items()
        if each.hindrance is None and any(one.dataset_id == dataset.dataset_id for one in each.datasets)
    }
    if not asking:
        return
    try:
        found = find_in(shop.engines, dataset, {order_id: each.identities for order_id, each in asking.items()}, hold)
    except FindRefused as error:
        for each in asking.values():
            each.hinder(shop, error)
    except TableUnavailable as error:
        for each in asking.values():
            each.hindrance = Failed(str(error))
    else:
        for order_id, plan in found.items():
            asking[order_id].plans.append(plan)


def _validate(tx: WorkTransaction, orders: Sequence[WorkOrder], planned: Mapping[WorkOrderId, _Planning]) -> None:
    """Record the plans of these orders of one bundle, and let it go on."""
    if not orders:
        return
    plans = {order.work_order_id: planned[order.work_order_id].plans for order in orders}
    tx.plans.save(plans)
    tx.work_orders.save_each(
        [order.passing_by(planned[order.work_order_id].passed).advanced(tx.now) for order in orders]
    )
    for order in orders:
        hashes = {plan.plan.dataset_id: plan.plan.hash for plan in plans[order.work_order_id]}
        tx.audit.append(own_event(order.org_id, "work_order.planned", str(order.work_order_id), plans=hashes))
    one = orders[0]
    bundling = promise(Step.BUNDLE, one.bundle_id, one.org_id, one.sandbox_name, tx.now)
    tx.tasks.add(bundling)
    tx.tasks.again([bundling], tx.now)
