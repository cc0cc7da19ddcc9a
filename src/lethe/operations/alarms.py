"""The alarm that something is back that a completed work order erased."""

from lethe.domain.event import alarm_event
from lethe.domain.ids import DatasetId
from lethe.domain.product import Product
from lethe.domain.work_order import WorkOrder
from lethe.operations.own_call import own_event
from lethe.storage.interface import Transaction


def raise_alarm(
    tx: Transaction, order: WorkOrder, *, product: Product, dataset_id: DatasetId | None, traces: int, occasion: str
) -> None:
    """Tell, and record, that a search found so many traces again; `occasion` names the search.

    The order's row must be locked (`find_any` in a writing transaction does it). Telling twice of one occasion and
    place is telling once.
    """
    event = alarm_event(
        order,
        tx.work_orders.products(order.work_order_id),
        product=product,
        dataset_id=dataset_id,
        traces=traces,
        occasion=occasion,
        at=tx.now,
    )
    tx.events.add(event)
    facts = {"product": product.value, "dataset_id": dataset_id, "traces": traces, "occasion": occasion}
    tx.audit.append(own_event(order.org_id, "work_order.alarm", str(order.work_order_id), **facts))
