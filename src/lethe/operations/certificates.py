"""Certificates of completed work."""

from lethe.domain.errors import NoCertificateYet
from lethe.domain.ids import WorkOrderId
from lethe.operations.call import Call
from lethe.operations.expirations import Key, find_expiration
from lethe.operations.work_orders import find_work_order
from lethe.storage.interface import Transaction


def work_order_certificate(tx: Transaction, call: Call, work_order_id: WorkOrderId) -> str:
    """Give the order's certificate. Raises UnknownWorkOrder, NoCertificateYet."""
    order = find_work_order(tx, call, work_order_id)
    return _found(tx.certificates.find(call.org_id, order.work_order_id))


def expiration_certificate(tx: Transaction, call: Call, key: Key) -> str:
    """Give the expiration's certificate. Raises UnknownExpiration, NoCertificateYet."""
    expiration = find_expiration(tx, call, key)
    return _found(tx.certificates.find(call.org_id, expiration.expiration_id))


def _found(document: str | None) -> str:
    if document is None:
        raise NoCertificateYet
    return document
