"""What follows the end of work: later looks are promised, and what is no longer to be kept is destroyed.

A worker sweeps now and then, a bounded part at a time, each order in a transaction of its own that looks again. What is
recorded decides, so a sweep may be missed, repeated or done by two workers at once.

Order of effects when an order's history goes: everything in one transaction, with its audit record. The order itself,
its certificate and the audit trail stay.
"""

from datetime import timedelta
from typing import Final

from lethe.domain.product import Product
from lethe.domain.reverification import next_look
from lethe.domain.task import Step, promise
from lethe.domain.work_order import EndStatus
from lethe.operations.own_call import own_event
from lethe.pipeline.shop import Shop

EVERY: Final = timedelta(minutes=10)
AT_ONCE: Final = 100
"""Orders of each kind in one sweep."""


def sweep(shop: Shop) -> None:
    """Do a part of what is due. Raises StoreUnavailable, CommitUnknown."""
    if shop.aftercare.reverify_after:
        _promise_looks(shop)
    _destroy_identities(shop)
    if shop.aftercare.history:
        _forget_history(shop, shop.aftercare.history)


def _promise_looks(shop: Shop) -> None:
    """Promise the next look at each dataset of orders that have completed lately."""
    after = shop.aftercare.reverify_after
    with shop.store.read() as tx:
        places = tx.ended.unwatched(tx.now - max(after), AT_ONCE)
    for place in places:
        with shop.store.write() as tx:
            orders = tx.reverifications.completed(place.bundle_id, place.dataset_id)
            due_at = next_look([order.completed_at for order in orders], after, tx.now)
            if due_at is None:
                continue
            look = promise(
                Step.REVERIFY,
                place.bundle_id,
                place.org_id,
                place.sandbox_name,
                due_at,
                product=Product.DATA_LAKE,
                dataset_id=place.dataset_id,
            )
            tx.tasks.add(look)
            tx.tasks.again([look], due_at)


def _destroy_identities(shop: Shop) -> None:
    """Destroy the raw identities of orders that failed long ago and were not retried."""
    with shop.store.read() as tx:
        before = tx.now - shop.aftercare.failed_identities
        failed = tx.ended.failed_before(before, AT_ONCE)
    for work_order_id in failed:
        with shop.store.write() as tx:
            order = tx.work_orders.find_any(work_order_id)
            if order is not None and order.status is EndStatus.FAILED and tx.identities.can_open(work_order_id):
                tx.identities.destroy([work_order_id])
                tx.audit.append(own_event(order.org_id, "work_order.identities_destroyed", str(work_order_id)))


def _forget_history(shop: Shop, history: timedelta) -> None:
    """Remove what nobody needs to keep of work that ended long ago."""
    with shop.store.read() as tx:
        orders = tx.ended.orders_before(tx.now - history, AT_ONCE)
        expirations = tx.ended.expirations_before(tx.now - history, AT_ONCE)
    for work_order_id in orders:
        with shop.store.write() as tx:
            order = tx.work_orders.find_any(work_order_id)
            if order is not None and isinstance(order.status, EndStatus):
                tx.ended.forget_order(work_order_id)
                tx.audit.append(own_event(order.org_id, "work_order.history_removed", str(work_order_id)))
    for org_id, expiration_id in expirations:
        with shop.store.write() as tx:
            tx.ended.forget_expiration(expiration_id)
            tx.audit.append(own_event(org_id, "expiration.history_removed", str(expiration_id)))
