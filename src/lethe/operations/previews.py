"""What a work order would do, without doing it; and what it planned and did."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lethe.domain.dataset import Dataset
from lethe.domain.errors import NoPlanYet
from lethe.domain.identity import Identities
from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.listing import Page
from lethe.domain.namespace import Namespace
from lethe.domain.product import Product
from lethe.domain.work_order import EndStatus, Scope, SkippedDataset, WorkOrder
from lethe.operations.call import Call
from lethe.operations.work_orders import PreparedOrder, covered, datasets_in_scope
from lethe.storage.interface import DatasetPlan, DatasetResult, Transaction


class Finder(Protocol):
    """Searches tables and plans, changing nothing."""

    def find(self, datasets: Sequence[Dataset], identities: Identities) -> Sequence[DatasetPlan]:
        """Plan every dataset. Raises TableNotDeletable, TableNotReadable."""
        ...


@dataclass(frozen=True, slots=True)
class PreviewScope:
    """Where a preview has to look."""

    org_id: OrgId
    sandbox_name: SandboxName
    scope: Scope
    datasets: Sequence[Dataset]
    skipped: Sequence[SkippedDataset]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would do."""

    plans: Sequence[DatasetPlan]
    skipped: Sequence[SkippedDataset]
    identities: int
    not_found: int
    """Identities that no dataset holds."""


class IdentityOutcome(StrEnum):
    """What became of one identity in the data lake."""

    DELETED = "deleted"
    NOT_FOUND = "notFound"
    HELD = "held"
    """Work remains, or waits for something."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class IdentityResult:
    """One identity's outcome, under its keyed hash."""

    namespace: Namespace
    hash: bytes
    outcome: IdentityOutcome
    rows: int


@dataclass(frozen=True, slots=True)
class OrderResults:
    """What an order did: per dataset, and a page of its identities."""

    datasets: Sequence[DatasetResult]
    identities: Sequence[IdentityResult]
    total: int


def preview_scope(tx: Transaction, call: Call, prepared: PreparedOrder) -> PreviewScope:
    """Say where the order would look. Raises UnknownDataset, DatasetHasNoIdentity, NamespaceDoesNotFit."""
    draft, identities = prepared.draft, prepared.identities
    _, skipped = covered(tx, call, prepared)
    placed = PreviewScope(call.org_id, call.sandbox_name, draft.scope, (), skipped)
    in_lake = Product.DATA_LAKE in draft.target_products and identities.count > 0
    datasets = datasets_in_scope(tx, placed, identities) if in_lake else ()
    return PreviewScope(call.org_id, call.sandbox_name, draft.scope, datasets, skipped)


def preview(scope: PreviewScope, identities: Identities, finder: Finder) -> Preview:
    """Search, and count what is not found. Holds no transaction: tables may be large."""
    plans = finder.find(scope.datasets, identities)
    rows = _summed([plan.rows_by_identity for plan in plans], identities.count)
    return Preview(plans, scope.skipped, identities.count, sum(not count for count in rows))


def order_plans(tx: Transaction, order: WorkOrder) -> Sequence[DatasetPlan]:
    """The order's plans, by dataset. Raises NoPlanYet."""
    plans = tx.plans.of(order.work_order_id)
    if not plans:
        raise NoPlanYet
    return plans


def order_results(tx: Transaction, order: WorkOrder, page: Page) -> OrderResults:
    """What became of the order's datasets, and of a page of its identities."""
    datasets = tx.plans.results(order.work_order_id)
    hashes = tx.identities.hashes(order.work_order_id)
    rows = _summed([result.rows_by_identity for result in datasets], len(hashes))
    part = range(page.offset, min(page.offset + page.size, len(hashes)))
    shown = [IdentityResult(*hashes[at], _outcome(order, rows[at]), rows[at]) for at in part]
    return OrderResults(datasets, shown, len(hashes))


def identity_result(tx: Transaction, order: WorkOrder, namespace: Namespace, identity: str) -> IdentityResult | None:
    """What became of one identity; None when the order did not ask for it. Nothing is said of any other."""
    wanted = tx.identities.hash_of(order.work_order_id, namespace, identity)
    for at, (known, digest) in enumerate(tx.identities.hashes(order.work_order_id)):
        if digest == wanted and known.id == namespace.id:
            counts = (result.rows_by_identity for result in tx.plans.results(order.work_order_id))
            rows = sum(each[at] for each in counts if at < len(each))
            return IdentityResult(known, digest, _outcome(order, rows), rows)
    return None


def _outcome(order: WorkOrder, rows: int) -> IdentityOutcome:
    match order.status:
        case EndStatus.COMPLETED:
            return IdentityOutcome.DELETED if rows else IdentityOutcome.NOT_FOUND
        case EndStatus.FAILED:
            return IdentityOutcome.FAILED
        case _:
            return IdentityOutcome.HELD


def _summed(counts: Sequence[Sequence[int]], length: int) -> list[int]:
    total = [0] * length
    for each in counts:
        for at, rows in enumerate(each):
            total[at] += rows
    return total
