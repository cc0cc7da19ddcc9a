"""The alarm: an erased identity is back. Said without saying whose."""

import structlog

from lethe.domain.reverification import CompletedOrder, Reverification
from lethe.operations.own_call import own_event
from lethe.storage.work_interface import WorkTransaction

log = structlog.get_logger("lethe.alarm")


def erased_identity_back(tx: WorkTransaction, order: CompletedOrder, seen: Reverification) -> None:
    """Raise the alarm, in the transaction that records what was seen. Whoever wants to be told is told from here."""
    facts = {"rows": seen.rows_back, "identities": seen.identities_back, "snapshot": seen.snapshot}
    tx.audit.append(
        own_event(
            order.org_id, "work_order.identity_back", str(order.work_order_id), dataset_id=seen.dataset_id, **facts
        )
    )
    log.error("erased_identity_back", work_order_id=str(order.work_order_id), dataset_id=seen.dataset_id, **facts)
