"""What is asked of the memory about work that has ended: looks that follow it, and what is no longer kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lethe.domain.ids import BundleId, DatasetId, ExpirationId, OrgId, SandboxName, WorkOrderId
from lethe.domain.reverification import CompletedOrder, Reverification


class Reverifications(Protocol):
    """What later looks saw."""

    def add(self, seen: Reverification) -> None:
        """Keep what a look saw; a repetition of the same look replaces it."""
        ...

    def of(self, work_order_id: WorkOrderId) -> Sequence[Reverification]:
        """What was seen of an order, by time and dataset."""
        ...

    def identities_back(self) -> int:
        """How many identities were found back, over all looks."""
        ...

    def completed(self, bundle_id: BundleId, dataset_id: DatasetId) -> Sequence[CompletedOrder]:
        """The bundle's completed orders that planned the dataset and of which hashes are kept."""
        ...


@dataclass(frozen=True, slots=True)
class UnwatchedPlace:
    """A dataset of a bundle of which no look is promised."""

    org_id: OrgId
    sandbox_name: SandboxName
    bundle_id: BundleId
    dataset_id: DatasetId


class Ended(Protocol):
    """Work that has ended, the earliest first."""

    def unwatched(self, since: datetime, limit: int) -> Sequence[UnwatchedPlace]:
        """Datasets of orders that have completed since then, of which no look is promised."""
        ...

    def failed_before(self, before: datetime, limit: int) -> Sequence[WorkOrderId]:
        """Orders that failed before then and whose raw identities are still kept."""
        ...

    def orders_before(self, before: datetime, limit: int) -> Sequence[WorkOrderId]:
        """Orders that ended before then and of which more than the order itself is kept."""
        ...

    def expirations_before(self, before: datetime, limit: int) -> Sequence[tuple[OrgId, ExpirationId]]:
        """Expirations that completed before then and of which more than the expiration itself is kept."""
        ...

    def forget_order(self, work_order_id: WorkOrderId) -> None:
        """Remove plans, results, hashes and tasks; the order, its certificate and its audit records stay."""
        ...

    def forget_expiration(self, expiration_id: ExpirationId) -> None:
        """Remove tasks and evidence; the expiration, its history and its certificate stay."""
        ...
