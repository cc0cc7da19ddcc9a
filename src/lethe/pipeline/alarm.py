"""The alarm: an erased identity is back. Said without saying whose."""

import structlog

from lethe.domain.event import alarm_event
from lethe.domain.product import Product
from lethe.domain.reverification import CompletedOrder, Reverification
from lethe.operations.own_call import own_event
from lethe.storage.work_interface import WorkTransaction

log = structlog.get_logger("lethe.alarm")


def erased_identity_back(tx: WorkTransaction, order: CompletedOrder, seen: Reverification) -> None:
    """Raise the alarm, in the transaction that records what was seen: an event, an audit record, a line of the log."""
    found = tx.work_orders.find_any(order.work_order_id)
    if found is not None:
        tx.events.add(
            alarm_event(
                found,
                tx.work_orders.products(order.work_order_id),
                product=Product.DATA_LAKE,
                dataset_id=seen.dataset_id,
                traces=seen.rows_back,
                occasion=seen.at.isoformat(),
                at=tx.now,
            )
        )
    facts = {"rows": seen.rows_back, "identities": seen.identities_back, "snapshot": seen.snapshot}
    tx.audit.append(
        own_event(
            order.org_id, "work_order.identity_back", str(order.work_order_id), dataset_id=seen.dataset_id, **facts
        )
    )
    log.error("erased_identity_back", work_order_id=str(order.work_order_id), dataset_id=seen.dataset_id, **facts)
