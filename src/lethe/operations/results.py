"""What became of a record delete: of its datasets, and of each identity, under its keyed hash."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lethe.domain.identity_outcome import (
    DatasetShare,
    IdentityOutcome,
    PlaceState,
    ServiceShare,
    Share,
    outcome_of,
)
from lethe.domain.listing import Page
from lethe.domain.namespace import Namespace
from lethe.domain.product import Product
from lethe.domain.rollup import Stage, concerns, stage_of
from lethe.domain.task import Place
from lethe.domain.work_order import EndStatus, OpenStatus, WorkOrder
from lethe.operations.work_orders import datasets_of
from lethe.storage.interface import Transaction
from lethe.storage.result_interface import DatasetResult

_STATE_OF_STAGE = {
    Stage.DELETING: PlaceState.UNDER_WAY,
    Stage.PROVING: PlaceState.UNDER_WAY,
    Stage.DONE: PlaceState.DONE,
    Stage.FAILING: PlaceState.GIVEN_UP,
    Stage.STUCK: PlaceState.GIVEN_UP,
}

Outcome = Callable[[int], IdentityOutcome]
"""What became of the identity at this place of the order."""


@dataclass(frozen=True, slots=True)
class IdentityResult:
    """One identity's outcome, under its keyed hash."""

    namespace: Namespace
    hash: bytes
    outcome: IdentityOutcome
    rows: int


@dataclass(frozen=True, slots=True)
class OrderResults:
    """What an order did: per dataset, and a page of its identities."""

    datasets: Sequence[DatasetResult]
    identities: Sequence[IdentityResult]
    total: int


def order_results(tx: Transaction, order: WorkOrder, page: Page) -> OrderResults:
    """What became of the order's datasets, and of a page of its identities."""
    datasets = tx.plans.results(order.work_order_id)
    hashes = tx.identities.hashes(order.work_order_id)
    outcome = _outcomes(tx, order, datasets, len(hashes))
    part = range(page.offset, min(page.offset + page.size, len(hashes)))
    shown = [IdentityResult(*hashes[at], outcome(at), _rows(datasets, at)) for at in part]
    return OrderResults(datasets, shown, len(hashes))


def identity_result(tx: Transaction, order: WorkOrder, namespace: Namespace, identity: str) -> IdentityResult | None:
    """What became of one identity; None when the order did not ask for it. Nothing is said of any other."""
    wanted = tx.identities.hash_of(order.work_order_id, namespace, identity)
    hashes = tx.identities.hashes(order.work_order_id)
    for at, (known, digest) in enumerate(hashes):
        if digest == wanted and known.id == namespace.id:
            datasets = tx.plans.results(order.work_order_id)
            outcome = _outcomes(tx, order, datasets, len(hashes))
            return IdentityResult(known, digest, outcome(at), _rows(datasets, at))
    return None


def _rows(datasets: Sequence[DatasetResult], at: int) -> int:
    return sum(each.rows_by_identity[at] for each in datasets)


def _outcomes(tx: Transaction, order: WorkOrder, datasets: Sequence[DatasetResult], count: int) -> Outcome:
    """What became of each of the order's `count` identities."""
    state_of = _states(tx, order)
    if isinstance(state_of, IdentityOutcome):
        same = state_of
        return lambda _: same
    rows = {each.dataset_id: each.rows_by_identity for each in datasets}
    services = {each.product: each for each in tx.service_results.of(order.work_order_id)}
    shares: list[Share] = [
        DatasetShare(
            state_of((Product.DATA_LAKE, planned.plan.dataset_id)),
            planned.rows_by_identity,
            rows.get(planned.plan.dataset_id, ()),
        )
        for planned in tx.plans.of(order.work_order_id)
    ]
    for product in order.target_products:
        if product is not Product.DATA_LAKE:
            known = services.get(product)
            found, removed = (None, None) if known is None else (known.traces_by_identity, known.removed)
            shares.append(ServiceShare(state_of((product, None)), found, removed, is_alone=count == 1))
    return lambda at: outcome_of(at, shares)


def _states(tx: Transaction, order: WorkOrder) -> Callable[[Place], PlaceState] | IdentityOutcome:
    """How far each place of the order is; or what holds of every identity alike, while no place was touched."""
    match order.status:
        case EndStatus.COMPLETED:
            return lambda _: PlaceState.DONE
        case EndStatus.FAILED:
            given_up = {(failure.product, failure.dataset_id) for failure in tx.failures.of(order.work_order_id)}
            if not given_up or any(product is None for product, _ in given_up):
                return IdentityOutcome.FAILED
            return lambda place: PlaceState.GIVEN_UP if place in given_up else PlaceState.DONE
        case OpenStatus.RECEIVED | OpenStatus.VALIDATED:
            return IdentityOutcome.HELD
        case OpenStatus.SUBMITTED | OpenStatus.INGESTED:
            datasets = datasets_of(tx, order)
            tasks = [each for each in tx.tasks.concerning(order.work_order_id) if concerns(each, order, datasets)]
            return lambda place: _STATE_OF_STAGE[stage_of([each for each in tasks if each.place == place])]
