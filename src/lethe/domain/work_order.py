"""Work orders: record deletes and immediate dataset deletes, and their way from received to completed.

The way is a line, and each status names the one that follows. Only an open order
advances or fails; only a failed one is retried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from lethe.domain.actor import Author
from lethe.domain.ids import BundleId, DatasetId, OrgId, SandboxName, WorkOrderId
from lethe.domain.product import Product

DISPLAY_NAME_LENGTH_MAX: Final = 255
DESCRIPTION_LENGTH_MAX: Final = 1_000


class Action(StrEnum):
    """What an order does."""

    DELETE_IDENTITY = "delete_identity"
    DELETE_DATASET = "delete_dataset"


class OpenStatus(StrEnum):
    """Work remains."""

    RECEIVED = "received"
    """Stored."""
    VALIDATED = "validated"
    """The find phase has a plan."""
    SUBMITTED = "submitted"
    """Its bundle is closed and the products have it."""
    INGESTED = "ingested"
    """Every product has acknowledged it."""


class EndStatus(StrEnum):
    """Nothing remains to be done."""

    COMPLETED = "completed"
    """Every product is done and absence is verified."""
    FAILED = "failed"


Status = OpenStatus | EndStatus

NEXT: Final[Mapping[OpenStatus, Status]] = {
    OpenStatus.RECEIVED: OpenStatus.VALIDATED,
    OpenStatus.VALIDATED: OpenStatus.SUBMITTED,
    OpenStatus.SUBMITTED: OpenStatus.INGESTED,
    OpenStatus.INGESTED: EndStatus.COMPLETED,
}

PRODUCTS_KNOW: Final[frozenset[Status]] = frozenset({OpenStatus.SUBMITTED, OpenStatus.INGESTED, *EndStatus})
"""The statuses in which an answer shows how far each product is."""


_STATUSES: Final[Mapping[str, Status]] = {status.value: status for status in (*OpenStatus, *EndStatus)}


def statuses() -> Sequence[Status]:
    """Return every status."""
    return tuple(_STATUSES.values())


def status_of(word: str) -> Status:
    """The status that a stored word names."""
    return _STATUSES[word]


@dataclass(frozen=True, slots=True)
class AllDatasets:
    """Every dataset of the sandbox that can match."""


@dataclass(frozen=True, slots=True)
class NamedDatasets:
    """These datasets and no others, in the order of the request."""

    ids: tuple[DatasetId, ...]


Scope = AllDatasets | NamedDatasets


@dataclass(frozen=True, slots=True)
class SkippedDataset:
    """A dataset in the scope of `ALL` that the order passes by, and why."""

    dataset_id: DatasetId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """One accepted order. Its identities are kept apart, encrypted."""

    work_order_id: WorkOrderId
    org_id: OrgId
    sandbox_name: SandboxName
    bundle_id: BundleId
    action: Action
    scope: Scope
    dataset_name: str
    """The names of the named datasets, or `ALL`, as they were when the order was accepted."""
    operation_count: int
    target_products: Sequence[Product]
    status: Status
    display_name: str
    description: str
    created_at: datetime
    created_by: Author
    updated_at: datetime
    updated_by: Author
    skipped: Sequence[SkippedDataset] = ()

    def advanced(self, now: datetime) -> "WorkOrder":
        """The order one status further. Raises ValueError when it has ended."""
        match self.status:
            case OpenStatus() as status:
                return replace(self, status=NEXT[status], updated_at=now)
            case EndStatus():
                raise ValueError(f"a work order that is {self.status} goes no further")

    def failed(self, now: datetime) -> "WorkOrder":
        """The order, given up. Raises ValueError when it has ended."""
        match self.status:
            case OpenStatus():
                return replace(self, status=EndStatus.FAILED, updated_at=now)
            case EndStatus():
                raise ValueError(f"a work order that is {self.status} cannot fail any more")

    def passing_by(self, skipped: Sequence[SkippedDataset]) -> "WorkOrder":
        """The order, which passes these datasets by as well."""
        return replace(self, skipped=(*self.skipped, *skipped))

    def found_failed(self) -> "FailedOrder | None":
        """The order as one that may be retried; None when it has not failed."""
        return FailedOrder(self) if self.status is EndStatus.FAILED else None

    def renamed(self, display_name: str | None, description: str | None, *, now: datetime, by: Author) -> "WorkOrder":
        """The order under another name or description; None leaves one as it is. Allowed in every status."""
        return replace(
            self,
            display_name=self.display_name if display_name is None else display_name,
            description=self.description if description is None else description,
            updated_at=now,
            updated_by=by,
        )


@dataclass(frozen=True, slots=True)
class FailedOrder:
    """An order that has failed: what alone can be retried. `WorkOrder.found_failed` makes it, and nothing else does."""

    order: WorkOrder

    def retried(self, status: OpenStatus, bundle_id: BundleId, *, now: datetime, by: Author) -> WorkOrder:
        """The order, open again at the step that failed; before it is submitted it may join another bundle."""
        return replace(self.order, status=status, bundle_id=bundle_id, updated_at=now, updated_by=by)
