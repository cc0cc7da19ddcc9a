"""The steps of a record delete in a service: forget, verify.

A service is asked under a key made of the order, the product and the round, so that asking again is the same request
until the answer to it has been heard: what is left after `Done`, or retried after a refusal, is a new request.
"""

from collections.abc import Sequence
from uuid import UUID

from lethe.domain.absence import Absence
from lethe.domain.identity import Identities, united
from lethe.domain.ids import BundleId, WorkOrderId
from lethe.domain.product import Product
from lethe.domain.request_key import key_of
from lethe.domain.task import Step, Task, promise
from lethe.domain.work_order import Action, OpenStatus, WorkOrder
from lethe.pipeline.leftovers import delete_again
from lethe.pipeline.outcome import NOTHING_TO_DO, Did, Failed, Later, StepOutcome, Stuck
from lethe.pipeline.settling import settle
from lethe.pipeline.shop import Hold, Shop
from lethe.products.interface import (
    Done,
    ForgettingProduct,
    ProductUnavailable,
    Refused,
    Request,
    RequestKey,
    Space,
    Waiting,
)
from lethe.storage.work_interface import WorkTransaction


def forget(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
    """Ask the service to forget the identities of every order of the bundle."""
    service = _service(shop, task)
    if service is None:
        return Stuck("no such product is configured")
    orders = _orders(shop, task)
    if not orders:
        return NOTHING_TO_DO
    removed: dict[WorkOrderId, int] = {}
    try:
        _look_before(shop, service, task, hold, orders)
        hindrance = _ask(service, task, hold, orders, removed)
    except ProductUnavailable as error:
        hindrance = Failed(str(error))
    if hindrance is not None:
        if removed:
            with shop.store.write() as tx:
                hold.require(tx)
                tx.service_results.forgot(service.product, task.round, removed)
        return hindrance

    def record(tx: WorkTransaction) -> None:
        tx.service_results.forgot(service.product, task.round, removed)
        following = promise(Step.VERIFY, task.subject_id, task.org_id, task.sandbox_name, tx.now, product=task.product)
        tx.tasks.add(following)
        tx.tasks.again([following], tx.now)
        settle(tx, task)

    return Did(record)


def verify(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
    """Ask the service whether anything of the bundle's identities is left."""
    service = _service(shop, task)
    if service is None:
        return Stuck("no such product is configured")
    orders = _orders(shop, task)
    if not orders:
        return Did(lambda tx: settle(tx, task))
    try:
        left = service.remaining(Space(task.org_id, task.sandbox_name), united(identities for _, identities in orders))
    except ProductUnavailable as error:
        return Failed(str(error))
    if left:
        return delete_again(shop, task, hold, Step.FORGET, f"{left} traces are left")
    absence = Absence.ASSERTED if left is None else Absence.VERIFIED

    def record(tx: WorkTransaction) -> None:
        tx.service_results.prove([order.work_order_id for order, _ in orders], service.product, absence)
        settle(tx, task)

    return Did(record)


def request_key(subject_id: UUID, product: Product, round_: int, *more: str) -> RequestKey:
    """Name one request to one service."""
    return RequestKey(key_of(subject_id, product, round_, *more))


def _look_before(
    shop: Shop, service: ForgettingProduct, task: Task, hold: Hold, orders: Sequence[tuple[WorkOrder, Identities]]
) -> None:
    """Record what the service holds of each order before it goes: after a crash nobody could count it any more.

    Raises ProductUnavailable, StaleClaim.
    """
    space = Space(task.org_id, task.sandbox_name)
    with shop.store.read() as tx:
        seen = tx.service_results.looks([order.work_order_id for order, _ in orders], service.product, task.round)
    unseen = [(order.work_order_id, identities) for order, identities in orders if order.work_order_id not in seen]
    if not unseen:
        return
    everybody = united(identities for _, identities in unseen)
    counts = service.found(space, everybody)
    known = None if counts is None else dict(zip(everybody, counts, strict=True))
    with shop.store.write() as tx:
        hold.require(tx)
        traces = {
            work_order_id: None if known is None else [known[each] for each in identities]
            for work_order_id, identities in unseen
        }
        tx.service_results.look(service.product, task.round, traces)


def _ask(
    service: ForgettingProduct,
    task: Task,
    hold: Hold,
    orders: Sequence[tuple[WorkOrder, Identities]],
    removed: dict[WorkOrderId, int],
) -> StepOutcome | None:
    """Ask for every order, and count what went; None when all are forgotten. Raises ProductUnavailable."""
    requests = [
        Request(request_key(order.work_order_id, service.product, task.round), identities)
        for order, identities in orders
    ]
    answers = service.forget_each(Space(task.org_id, task.sandbox_name), requests, beat=hold)
    for (order, _), answer in zip(orders, answers, strict=False):
        match answer:
            case Done(None):
                continue
            case Done(int(count)):
                removed[order.work_order_id] = count
            case Waiting(reason, again_after):
                return Later(again_after, reason)
            case Refused(reason):
                return Stuck(reason)
    return None


def _service(shop: Shop, task: Task) -> ForgettingProduct | None:
    return None if task.product is None else shop.products.get(task.product)


def _orders(shop: Shop, task: Task) -> list[tuple[WorkOrder, Identities]]:
    """The open orders of the bundle that target the product, with their identities."""
    with shop.store.read() as tx:
        orders = [
            order
            for order in tx.work_orders.of_bundle(BundleId(task.subject_id))
            if order.status in {OpenStatus.SUBMITTED, OpenStatus.INGESTED}
            and order.action is Action.DELETE_IDENTITY
            and task.product in order.target_products
        ]
        identities = tx.identities.open_each([order.work_order_id for order in orders])
        return [(order, identities[order.work_order_id]) for order in orders]
