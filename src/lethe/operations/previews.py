"""What a work order would do, without doing it; and what it planned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lethe.domain.dataset import Dataset
from lethe.domain.errors import NoPlanYet
from lethe.domain.identity import Identities
from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.product import Product
from lethe.domain.work_order import Scope, SkippedDataset, WorkOrder
from lethe.operations.call import Call
from lethe.operations.work_orders import PreparedOrder, covered, datasets_in_scope
from lethe.storage.interface import Transaction
from lethe.storage.result_interface import DatasetPlan


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


def _summed(counts: Sequence[Sequence[int]], length: int) -> list[int]:
    total = [0] * length
    for each in counts:
        for at, rows in enumerate(each):
            total[at] += rows
    return total
