"""Work orders: record deletes and immediate dataset deletes, and their way from received to completed.

The way is a line, and each status names the one that follows. Only an open order
advances or fails.
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

    def renamed(self, display_name: str | None, description: str | None, *, now: datetime, by: Author) -> "WorkOrder":
        """The order under another name or description; None leaves one as it is. Allowed in every status."""
        return replace(
            self,
            display_name=self.display_name if display_name is None else display_name,
            description=self.description if description is None else description,
            updated_at=now,
            updated_by=by,
        )
