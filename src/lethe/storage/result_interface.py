"""What operations ask of Lethe's memory of what was planned, done and certified."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from lethe.domain.absence import Absence
from lethe.domain.ids import DatasetId, OrgId, WorkOrderId
from lethe.domain.plan import TablePlan
from lethe.domain.product import Product
from lethe.domain.service_result import ServiceResult
from lethe.domain.task import Place


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """What one order's find said of one dataset, with rows per identity in the order of the vault."""

    plan: TablePlan
    rows_by_identity: Sequence[int]


@dataclass(frozen=True, slots=True)
class DatasetResult:
    """What became of one order in one dataset."""

    dataset_id: DatasetId
    snapshot: str
    plan_hash: str
    rows_deleted: int
    rows_by_identity: Sequence[int]


class Plans(Protocol):
    """Plans and results, by work order and dataset."""

    def save(self, plans: Mapping[WorkOrderId, Sequence[DatasetPlan]]) -> None:
        """Keep what the finds of these orders said; a repetition replaces it."""
        ...

    def of(self, work_order_id: WorkOrderId) -> Sequence[DatasetPlan]:
        """The order's plans, by dataset id."""
        ...

    def of_each(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[DatasetPlan]]:
        """The same of several orders; those without a plan are missing."""
        ...

    def datasets_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[DatasetId]]:
        """The datasets that several orders planned; those that planned none are missing."""
        ...

    def save_results(self, round_: int, results: Mapping[WorkOrderId, DatasetResult]) -> None:
        """Keep what a round of forgetting did in a dataset; a repetition of the round replaces it."""
        ...

    def results(self, work_order_id: WorkOrderId) -> Sequence[DatasetResult]:
        """The order's results, by dataset id: rows of all rounds, the snapshot of the last, the plan of the first."""
        ...

    def results_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[DatasetResult]]:
        """The same of several orders; those without a result are missing."""
        ...

    def save_evidence(self, subject_id: UUID, place: Place, seen: Mapping[str, Any]) -> None:
        """Keep what was done and seen in a place, which names a dataset; a repetition replaces it."""
        ...

    def evidence(self, subject_id: UUID) -> Mapping[Place, Mapping[str, Any]]:
        """What was done and seen in the places of a bundle or expiration."""
        ...


class ServiceResults(Protocol):
    """What became of record deletes in services, by order and product."""

    def looks(self, work_order_ids: Sequence[WorkOrderId], product: Product, round_: int) -> Set[WorkOrderId]:
        """Those of the orders for which it is kept what the service held before this round."""
        ...

    def look(self, product: Product, round_: int, traces: Mapping[WorkOrderId, Sequence[int] | None]) -> None:
        """Keep what the service held of these orders before this round.

        By identity, in the order of the vault; None where it cannot tell. The first look of a round counts.
        """
        ...

    def forgot(self, product: Product, round_: int, removed: Mapping[WorkOrderId, int]) -> None:
        """Keep how many traces went in a round that was looked before; of repetitions the largest count."""
        ...

    def prove(self, work_order_ids: Sequence[WorkOrderId], product: Product, absence: Absence) -> None:
        """Keep how it is known that nothing of these orders is left."""
        ...

    def of(self, work_order_id: WorkOrderId) -> Sequence[ServiceResult]:
        """The order's services, all rounds together."""
        ...

    def of_each(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[ServiceResult]]:
        """The same of several orders; those without a service are missing."""
        ...


class Certificates(Protocol):
    """Certificates of completed work, as they were made."""

    def add(self, org_id: OrgId, documents: Mapping[UUID, str]) -> None:
        """Keep certificates, each of an order or expiration; the first one made counts."""
        ...

    def find(self, org_id: OrgId, subject_id: UUID) -> str | None:
        """The certificate of an order or expiration."""
        ...
