"""Making the certificate, in the transaction that completes the work, and pinning it in the audit trail."""

import hashlib

from lethe.domain.certificate import DatasetFigures, canonical, digest, expiration_certificate, order_certificate
from lethe.domain.expiration import Completed, Expiration
from lethe.domain.ids import OrgId
from lethe.domain.work_order import WorkOrder
from lethe.operations.own_call import own_event
from lethe.storage.work_interface import WorkTransaction


def certify_order(tx: WorkTransaction, order: WorkOrder) -> None:
    """Certify a completed order."""
    seen = tx.plans.evidence(order.bundle_id)
    planned = {plan.plan.dataset_id: plan.plan.snapshot for plan in tx.plans.of(order.work_order_id)}
    figures = [
        DatasetFigures(
            result.dataset_id,
            result.plan_hash,
            planned.get(result.dataset_id, ""),
            result.snapshot,
            result.rows_deleted,
            seen.get(result.dataset_id, {}),
        )
        for result in tx.plans.results(order.work_order_id)
    ]
    hashes = b"".join(each for _, each in tx.identities.hashes(order.work_order_id))
    document = order_certificate(
        order,
        figures,
        tx.work_orders.products(order.work_order_id),
        hashlib.sha256(hashes).hexdigest(),
        order.updated_at,
    )
    text = canonical(document)
    tx.certificates.add(order.org_id, order.work_order_id, text)
    _pin(tx, order.org_id, str(order.work_order_id), text)


def certify_expiration(tx: WorkTransaction, expiration: Expiration) -> None:
    """Certify a completed expiration, on the word of whoever set its date last."""
    if not isinstance(expiration, Completed):
        return
    asked = [
        entry for entry in tx.expirations.history(expiration.expiration_id) if entry.status in {"created", "updated"}
    ]
    document = expiration_certificate(expiration, asked[-1].by, tx.expirations.products(expiration.expiration_id))
    text = canonical(document)
    tx.certificates.add(expiration.org_id, expiration.expiration_id, text)
    _pin(tx, expiration.org_id, str(expiration.expiration_id), text)


def _pin(tx: WorkTransaction, org_id: OrgId, subject: str, text: str) -> None:
    tx.audit.append(own_event(org_id, "certificate.made", subject, sha256=digest(text)))
