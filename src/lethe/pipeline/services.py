"""The steps of a record delete in a service: forget, verify.

A service is asked under a key made of the order, the product and the round, so that asking again is the same request
until the answer to it has been heard: what is left after `Done`, or retried after a refusal, is a new request.
"""

from uuid import UUID

from lethe.domain.identity import Identities
from lethe.domain.ids import BundleId
from lethe.domain.product import Product
from lethe.domain.request_key import key_of
from lethe.domain.task import Step, Task, promise
from lethe.domain.work_order import Action, OpenStatus, WorkOrder
from lethe.pipeline.leftovers import delete_again
from lethe.pipeline.outcome import NOTHING_TO_DO, Did, Failed, Later, StepOutcome, Stuck
from lethe.pipeline.settling import settle
from lethe.pipeline.shop import Hold, Shop
from lethe.products.interface import Done, ForgettingProduct, ProductUnavailable, Refused, RequestKey, Space, Waiting
from lethe.storage.work_interface import WorkTransaction


def forget(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
    """Ask the service to forget the identities of every order of the bundle."""
    service = _service(shop, task)
    if service is None:
        return Stuck("no such product is configured")
    orders = _orders(shop, task)
    if not orders:
        return NOTHING_TO_DO
    space = Space(task.org_id, task.sandbox_name)
    for order, identities in orders:
        try:
            key = request_key(order.work_order_id, service.product, task.round)
            answer = service.forget(space, identities, key, beat=hold)
        except ProductUnavailable as error:
            return Failed(str(error))
        match answer:
            case Done():
                continue
            case Waiting(reason, again_after):
                return Later(again_after, reason)
            case Refused(reason):
                return Stuck(reason)

    def record(tx: WorkTransaction) -> None:
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
    space = Space(task.org_id, task.sandbox_name)
    for _, identities in _orders(shop, task):
        hold()
        try:
            left = service.remaining(space, identities)
        except ProductUnavailable as error:
            return Failed(str(error))
        if left:
            return delete_again(shop, task, hold, Step.FORGET, f"{left} traces are left")

    def record(tx: WorkTransaction) -> None:
        settle(tx, task)

    return Did(record)


def request_key(subject_id: UUID, product: Product, round_: int, *more: str) -> RequestKey:
    """Name one request to one service."""
    return RequestKey(key_of(subject_id, product, round_, *more))


def _service(shop: Shop, task: Task) -> ForgettingProduct | None:
    return None if task.product is None else shop.products.get(task.product)


def _orders(shop: Shop, task: Task) -> list[tuple[WorkOrder, Identities]]:
    """The open orders of the bundle that target the product, with their identities."""
    with shop.store.read() as tx:
        return [
            (order, tx.identities.open(order.work_order_id))
            for order in tx.work_orders.of_bundle(BundleId(task.subject_id))
            if order.status in {OpenStatus.SUBMITTED, OpenStatus.INGESTED}
            and order.action is Action.DELETE_IDENTITY
            and task.product in order.target_products
        ]
