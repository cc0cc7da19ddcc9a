"""One work order, as it was when it was looked up."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from pydantic import AwareDatetime, PrivateAttr

from lethe.client.result import Result
from lethe.client.signed import Certificate
from lethe.contract.spelling import ACTION_OUT

ENDED: Final = frozenset({"completed", "failed"})
STATUSES: Final = ("received", "validated", "submitted", "ingested", "completed")
"""The statuses of an order that succeeds, in their order."""


class ProductStatus(Result):
    """How far one product is, and since when: `waiting`, `success` or `failure`."""

    product_name: str
    product_status: str
    created_at: AwareDatetime


class Hindrance(Result):
    """What a step waits for, or what it was given up for: `waiting` or `failure`, and why."""

    product_name: str | None = None
    dataset_id: str | None = None
    step: str
    product_status: str
    reason: str
    attempts: int
    retry_at: AwareDatetime | None = None
    failed_at: AwareDatetime | None = None


class SkippedDataset(Result):
    """A dataset that an order over `ALL` passes by, and why."""

    dataset_id: str
    reason: str


class Orders(Protocol):
    """Where an order comes from, and can be asked about again."""

    def get(self, work_order_id: str) -> "WorkOrder":
        """Look it up."""
        ...

    def wait(
        self,
        work_order_id: str,
        timeout: float | None = None,
        on_progress: "Callable[[WorkOrder], object] | None" = None,
    ) -> "WorkOrder":
        """Wait for its end."""
        ...

    def certificate(self, work_order_id: str) -> Certificate:
        """Fetch its certificate."""
        ...


class WorkOrder(Result):
    """One work order. It holds no identities: these never come back from the server."""

    workorder_id: str
    bundle_id: str
    org_id: str
    action: str
    status: str
    dataset_id: str
    dataset_name: str
    operation_count: int
    """Distinct identities."""
    target_services: tuple[str, ...]
    display_name: str
    description: str
    created_at: AwareDatetime
    created_by: str
    updated_at: AwareDatetime
    product_status_details: tuple[ProductStatus, ...] = ()
    skipped_datasets: tuple[SkippedDataset, ...] = ()
    held_by: tuple[Hindrance, ...] = ()
    """What stands in the way, if something does."""
    _orders: Orders | None = PrivateAttr(default=None)

    @property
    def has_ended(self) -> bool:
        """Whether nothing remains to be done."""
        return self.status in ENDED

    @property
    def deletes_dataset(self) -> bool:
        """Whether it destroys a whole dataset, rather than people's records."""
        return self.action == ACTION_OUT["delete_dataset"]

    def refresh(self) -> "WorkOrder":
        """The order as it is now."""
        return self._source.get(self.workorder_id)

    def wait(
        self, timeout: float | None = None, on_progress: "Callable[[WorkOrder], object] | None" = None
    ) -> "WorkOrder":
        """Wait until it is completed; the order as it is then.

        `on_progress` is called with the order at first and after every change. Raises WorkFailed when it fails,
        StillWorking when it has not ended after `timeout` seconds.
        """
        return self._source.wait(self.workorder_id, timeout, on_progress)

    def certificate(self) -> Certificate:
        """The signed certificate of the completed order. Raises NotFound before."""
        return self._source.certificate(self.workorder_id)

    def bound(self, orders: Orders) -> "WorkOrder":
        """The same order, which can be asked about again there."""
        self._orders = orders
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are facts alone: a connection does not travel."""
        return WorkOrder.model_validate, (self.model_dump(by_alias=True),)

    @property
    def _source(self) -> Orders:
        if self._orders is None:
            raise ValueError("this copy of a work order has no connection; look it up with client.work_orders.get")
        return self._orders
