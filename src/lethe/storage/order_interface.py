"""What operations ask of Lethe's memory of dataset expirations and work orders: by id, and in lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from lethe.domain.expiration import Change, Expiration, ExpirationStatus, HistoryEntry
from lethe.domain.ids import DatasetId, ExpirationId, OrgId, SandboxName, WorkOrderId
from lethe.domain.listing import AuthorMatch, By, Listing, Page, Window
from lethe.domain.product import ProductProgress
from lethe.domain.work_order import Action, Status, WorkOrder


class ExpirationOrder(StrEnum):
    """By what a list of expirations can be ordered."""

    DISPLAY_NAME = "display_name"
    DESCRIPTION = "description"
    DATASET_NAME = "dataset_name"
    ID = "id"
    UPDATED_BY = "updated_by"
    UPDATED_AT = "updated_at"
    EXPIRY = "expiry"
    STATUS = "status"


class WorkOrderOrder(StrEnum):
    """By what a list of work orders can be ordered."""

    DISPLAY_NAME = "display_name"
    DESCRIPTION = "description"
    DATASET_NAME = "dataset_name"
    ID = "id"
    CREATED_BY = "created_by"
    CREATED_AT = "created_at"
    UPDATED_BY = "updated_by"
    UPDATED_AT = "updated_at"
    OPERATION = "operation"
    OPERATION_COUNT = "operation_count"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class ExpirationFilter:
    """Which expirations a list shows. None does not restrict; texts match anywhere, whatever their case."""

    org_id: OrgId
    sandbox_names: frozenset[SandboxName] | None = None
    dataset_id: DatasetId | None = None
    expiration_id: ExpirationId | None = None
    statuses: frozenset[ExpirationStatus] | None = None
    author: AuthorMatch | None = None
    """On whoever updated it last."""
    dataset_name: str | None = None
    display_name: str | None = None
    description: str | None = None
    search: str | None = None
    """The exact id, or contained in author, display name, description or dataset name."""
    created: Window | None = None
    updated: Window | None = None
    cancelled: Window | None = None
    """When it was last cancelled; likewise below."""
    executed: Window | None = None
    completed: Window | None = None
    expiry: Window | None = None


@dataclass(frozen=True, slots=True)
class WorkOrderFilter:
    """Which work orders a list shows. None does not restrict; texts match anywhere, whatever their case."""

    org_id: OrgId
    sandbox_names: frozenset[SandboxName] | None = None
    work_order_id: WorkOrderId | None = None
    actions: frozenset[Action] | None = None
    statuses: frozenset[Status] | None = None
    author: AuthorMatch | None = None
    """On whoever updated it last, at first its creator."""
    display_name: str | None = None
    description: str | None = None
    search: str | None = None
    """The exact id, or contained in author, display name, description or dataset name."""
    created: Window | None = None
    touched: Window | None = None
    """Created, updated or changed in status within the window."""


class Expirations(Protocol):
    """Dataset expirations and their histories."""

    def find(self, org_id: OrgId, sandbox_name: SandboxName, key: ExpirationId | DatasetId) -> Expiration | None:
        """The expiration with this id, or of this dataset. In a writing transaction its row is locked."""
        ...

    def save(self, change: Change) -> None:
        """Insert or update the expiration, and append to its history."""
        ...

    def history(self, expiration_id: ExpirationId) -> Sequence[HistoryEntry]:
        """Everything that happened to it, oldest first."""
        ...

    def count_active(self, org_id: OrgId) -> int:
        """How many of the org's are pending or executing.

        In a writing transaction nobody else counts them for spending before it ends.
        """
        ...

    def active_expiries(
        self, org_id: OrgId, sandbox_name: SandboxName, dataset_ids: Sequence[DatasetId]
    ) -> Mapping[DatasetId, datetime]:
        """The expiry of each of these datasets that has a pending or executing expiration."""
        ...

    def products(self, expiration_id: ExpirationId) -> Sequence[ProductProgress]:
        """How far each product is; empty before execution begins."""
        ...

    def save_products(self, expiration_id: ExpirationId, progress: Sequence[ProductProgress]) -> None:
        """Record how far these products are."""
        ...

    def clear_products(self, expiration_id: ExpirationId) -> None:
        """Forget how far the products are: execution was called back."""
        ...

    def list(self, where: ExpirationFilter, order: Sequence[By[ExpirationOrder]], page: Page) -> Listing[Expiration]:
        """One page. Equal keys are ordered by id, so that pages neither repeat nor miss one.

        Ids run in the direction of the last key. Texts are ordered by code point, by their first 500 characters.
        """
        ...


class WorkOrders(Protocol):
    """Work orders. Their identities are in `IdentityVault`."""

    def add(self, order: WorkOrder) -> None:
        """Insert an accepted order."""
        ...

    def find(self, org_id: OrgId, sandbox_name: SandboxName, work_order_id: WorkOrderId) -> WorkOrder | None:
        """The order. In a writing transaction its row is locked."""
        ...

    def find_any(self, work_order_id: WorkOrderId) -> WorkOrder | None:
        """The order, whosever it is: for what no caller asked for. In a writing transaction its row is locked."""
        ...

    def save(self, order: WorkOrder) -> None:
        """Update the order; a changed status or name is also noted with its instant."""
        ...

    def products(self, work_order_id: WorkOrderId) -> Sequence[ProductProgress]:
        """How far each targeted product is; empty before the order is submitted."""
        ...

    def products_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[ProductProgress]]:
        """How far each targeted product of several orders is; those that are not submitted are missing."""
        ...

    def save_products(self, progress: Mapping[WorkOrderId, Sequence[ProductProgress]]) -> None:
        """Record how far these products of these orders are."""
        ...

    def list(self, where: WorkOrderFilter, order: Sequence[By[WorkOrderOrder]], page: Page) -> Listing[WorkOrder]:
        """One page. Equal keys are ordered by id, so that pages neither repeat nor miss one.

        Ids run in the direction of the last key. Texts are ordered by code point, by their first 500 characters.
        """
        ...
