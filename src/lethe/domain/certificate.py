"""The certificate of a deletion: what was asked, what was done, what was checked.

A document of plain values, made once, in the transaction that completes the work, and pinned by its digest in the audit
trail. It holds counts, paths' plans by hash and one digest over the identities' keyed hashes; never an identity.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lethe.domain.actor import Author
from lethe.domain.expiration import Completed
from lethe.domain.ids import DatasetId
from lethe.domain.product import ProductProgress
from lethe.domain.work_order import AllDatasets, WorkOrder

VERSION: Final = 1
CHECKS: Final = (
    "no live row matches",
    "no file under the table's location, referenced or not, holds a matched row",
    "no metadata under the location holds an identity that no surviving row explains",
    "every product reports that no trace is left, where it can be asked",
)
"""What stands behind `success`, in words; a dataset's evidence has the figures."""


@dataclass(frozen=True, slots=True)
class DatasetFigures:
    """One dataset of a completed order."""

    dataset_id: DatasetId
    plan_hash: str
    planned_for: str
    """The snapshot that the plan was made for."""
    snapshot: str
    """The snapshot in which no row matches any more."""
    rows_deleted: int
    evidence: Mapping[str, Any]


def order_certificate(
    order: WorkOrder,
    datasets: Sequence[DatasetFigures],
    products: Sequence[ProductProgress],
    identities_digest: str,
    completed_at: datetime,
) -> dict[str, Any]:
    """Make the certificate of a completed order."""
    return {
        "version": VERSION,
        "subject": "work order",
        "workorderId": f"DI-{order.work_order_id}",
        "bundleId": f"BN-{order.bundle_id}",
        "action": order.action.value,
        "imsOrg": order.org_id,
        "sandboxName": order.sandbox_name,
        "scope": "ALL" if isinstance(order.scope, AllDatasets) else list(order.scope.ids),
        "skippedDatasets": [{"datasetId": each.dataset_id, "reason": each.reason} for each in order.skipped],
        "requestedBy": order.created_by,
        "acceptedAt": _instant(order.created_at),
        "completedAt": _instant(completed_at),
        "identities": {"count": order.operation_count, "keyedHashesSha256": identities_digest},
        "datasets": [
            {
                "datasetId": each.dataset_id,
                "planHash": each.plan_hash,
                "plannedFor": each.planned_for,
                "snapshot": each.snapshot,
                "rowsDeleted": each.rows_deleted,
                "verification": dict(each.evidence),
            }
            for each in datasets
        ],
        "products": _products(products),
        "checks": list(CHECKS),
    }


def expiration_certificate(expiration: Completed, requested_by: Author, products: Sequence[ProductProgress]) -> Any:
    """Make the certificate of a completed expiration."""
    return {
        "version": VERSION,
        "subject": "dataset expiration",
        "ttlId": f"SD-{expiration.expiration_id}",
        "imsOrg": expiration.org_id,
        "sandboxName": expiration.sandbox_name,
        "datasetId": expiration.dataset_id,
        "datasetName": expiration.dataset_name,
        "requestedBy": requested_by,
        "expiry": _instant(expiration.expiry_at),
        "completedAt": _instant(expiration.updated_at),
        "products": _products(products),
        "checks": ["the table's location is listed empty", CHECKS[-1]],
    }


def canonical(document: Mapping[str, Any]) -> str:
    """The document's one spelling, of which digest and signature are made."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """SHA-256 (hex) of a canonical document."""
    return hashlib.sha256(text.encode()).hexdigest()


def _products(products: Sequence[ProductProgress]) -> list[dict[str, str]]:
    return [
        {"product": each.product.value, "status": each.status.value, "since": _instant(each.at)} for each in products
    ]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
