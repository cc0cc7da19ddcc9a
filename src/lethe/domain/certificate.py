"""The certificate of a deletion: what was asked, what was done, what was checked.

A document of plain values, made once, in the transaction that completes the work, and pinned by its digest in the audit
trail. It holds counts, paths' plans by hash and one digest over the identities' keyed hashes; never an identity. It
names no check that was not made: each follows from the record of a look.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from lethe.domain.absence import OTHER_MEANS_REASON, Absence
from lethe.domain.actor import Author
from lethe.domain.expiration import Completed
from lethe.domain.ids import DatasetId
from lethe.domain.product import Product, ProductProgress
from lethe.domain.work_order import AllDatasets, WorkOrder

VERSION: Final = 1
ROW_CHECKS: Final = (
    "no live row matches",
    "no file under the table's location, referenced or not, holds a matched row",
    "no metadata under the location holds an identity that no surviving row explains",
)
"""What the independent reader looks for in a table; a dataset's `verification` has the figures."""
LOCATION_CHECK: Final = "the table's location is listed empty"
CATALOG_CHECK: Final = "the table's catalog has no such table; the location, which it alone knew, was not listed again"


@dataclass(frozen=True, slots=True)
class RowFigures:
    """One dataset from which rows were deleted."""

    dataset_id: DatasetId
    plan_hash: str
    planned_for: str
    """The snapshot that the plan was made for."""
    rows_matched: int
    """By the plan, before anything was deleted."""
    snapshot: str
    """The snapshot in which no row matches any more."""
    rows_deleted: int
    """More than were planned when rows arrived meanwhile."""
    verification: Mapping[str, Any]
    """What the reader saw; empty when the dataset had gone before anybody could look."""

    @property
    def absence(self) -> Absence:
        """How it is known that no row is left."""
        return Absence.VERIFIED if self.verification else Absence.DELETED_BY_OTHER_MEANS


@dataclass(frozen=True, slots=True)
class DropFigures:
    """One dataset that was destroyed as a whole."""

    dataset_id: DatasetId
    absence: Absence
    files_removed: int
    bytes_removed: int
    location_listed: bool
    """Whether the location was listed after the drop; if not, only the catalog was asked."""
    looked_at: str | None


@dataclass(frozen=True, slots=True)
class ProductFigures:
    """One product, and how it is known that nothing is left there."""

    progress: ProductProgress
    absence: Absence | None
    """None when nothing there was in the scope."""
    counts: Mapping[str, int] = field(default_factory=dict)


def record_delete_certificate(
    order: WorkOrder,
    datasets: Sequence[RowFigures],
    products: Sequence[ProductFigures],
    identities_digest: str,
    completed_at: datetime,
) -> dict[str, Any]:
    """Make the certificate of a completed record delete."""
    identities = {"count": order.operation_count, "keyedHashesSha256": identities_digest}
    was_read = any(each.absence is Absence.VERIFIED for each in datasets)
    return _order(order, completed_at) | {
        "identities": identities,
        "datasets": [_rows(each) for each in datasets],
        "products": _products(products),
        "checks": [*(ROW_CHECKS if was_read else ()), *_service_checks(products)],
    }


def dataset_delete_certificate(
    order: WorkOrder, datasets: Sequence[DropFigures], products: Sequence[ProductFigures], completed_at: datetime
) -> dict[str, Any]:
    """Make the certificate of a completed order that destroyed datasets as a whole."""
    return _order(order, completed_at) | {
        "datasets": [_drop(each) for each in datasets],
        "products": _products(products),
        "checks": _drop_checks(datasets, products),
    }


def expiration_certificate(
    expiration: Completed, requested_by: Author, dataset: DropFigures, products: Sequence[ProductFigures]
) -> dict[str, Any]:
    """Make the certificate of a completed expiration."""
    reason = {"reason": OTHER_MEANS_REASON} if dataset.absence is Absence.DELETED_BY_OTHER_MEANS else {}
    return {
        "version": VERSION,
        "subject": "dataset expiration",
        "ttlId": f"SD-{expiration.expiration_id}",
        "imsOrg": expiration.org_id,
        "sandboxName": expiration.sandbox_name,
        "datasetId": expiration.dataset_id,
        "datasetName": expiration.dataset_name,
        "requestedBy": requested_by,
        "expiry": instant_text(expiration.expiry_at),
        "completedAt": instant_text(expiration.updated_at),
        **reason,
        "datasets": [_drop(dataset)],
        "products": _products(products),
        "checks": _drop_checks([dataset], products),
    }


def canonical(document: Mapping[str, Any]) -> str:
    """The document's one spelling, of which digest and signature are made."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """SHA-256 (hex) of a canonical document."""
    return hashlib.sha256(text.encode()).hexdigest()


def instant_text(at: datetime) -> str:
    """An instant as a certificate, and the evidence that goes into one, spell it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _order(order: WorkOrder, completed_at: datetime) -> dict[str, Any]:
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
        "acceptedAt": instant_text(order.created_at),
        "completedAt": instant_text(completed_at),
    }


def _rows(dataset: RowFigures) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "datasetId": dataset.dataset_id,
        "absence": dataset.absence.value,
        "planHash": dataset.plan_hash,
        "plannedFor": dataset.planned_for,
        "rowsMatched": dataset.rows_matched,
        "rowsDeleted": dataset.rows_deleted,
    }
    if dataset.absence is Absence.VERIFIED:
        shown |= {"snapshot": dataset.snapshot, "rowsLeft": 0, "verification": dict(dataset.verification)}
    return shown


def _drop(dataset: DropFigures) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "datasetId": dataset.dataset_id,
        "absence": dataset.absence.value,
        "filesRemoved": dataset.files_removed,
        "bytesRemoved": dataset.bytes_removed,
    }
    if dataset.absence is Absence.VERIFIED:
        shown |= {"locationListed": dataset.location_listed, "lookedAt": dataset.looked_at}
        shown |= {"filesLeft": 0} if dataset.location_listed else {}
    return shown


def _drop_checks(datasets: Iterable[DropFigures], products: Sequence[ProductFigures]) -> list[str]:
    looked = {each.location_listed for each in datasets if each.absence is Absence.VERIFIED}
    checks = [LOCATION_CHECK] if True in looked else []
    return [*checks, *([CATALOG_CHECK] if False in looked else []), *_service_checks(products)]


def _service_checks(products: Sequence[ProductFigures]) -> list[str]:
    asked = [
        each.progress.product.value
        for each in products
        if each.progress.product is not Product.DATA_LAKE and each.absence is Absence.VERIFIED
    ]
    return [f"no trace is left, looked for after the deletion, in: {', '.join(asked)}"] if asked else []


def _products(products: Sequence[ProductFigures]) -> list[dict[str, Any]]:
    return [
        {
            "product": each.progress.product.value,
            "status": each.progress.status.value,
            "since": instant_text(each.progress.at),
            **({} if each.absence is None else {"absence": each.absence.value}),
            **each.counts,
        }
        for each in products
    ]
