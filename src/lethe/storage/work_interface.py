"""What the pipeline asks of Lethe's memory besides what `interface` offers: claims, plans, results, locks.

A step's outside work happens between two transactions: one claims the task, one records what came of it. The second
begins with `Tasks.require`, so that a worker who lost its lease meanwhile records nothing.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from lethe.domain.bundle import Bundle
from lethe.domain.expiration import Executing
from lethe.domain.ids import BundleId, DatasetId, ExpirationId, OrgId, SandboxName
from lethe.domain.task import Claim, Step, Task
from lethe.domain.work_order import WorkOrder
from lethe.storage.aftercare_interface import Ended
from lethe.storage.event_interface import ClaimableWebhooks, SendableDeliveries
from lethe.storage.interface import Bundles, Datasets, Transaction
from lethe.storage.order_interface import Expirations, WorkOrders
from lethe.storage.task_interface import Tasks


class StaleClaim(Exception):
    """The lease ran out and the task has been claimed by another worker since."""


class ClaimableTasks(Tasks, Protocol):
    """Tasks, as workers see them."""

    def claim(self, owner: str, lease: timedelta, *, after: OrgId | None = None) -> Claim | None:
        """Take a due task that nobody holds, of the org that has the fewest under way; None when there is none.

        Orgs that have equally many come by turns, beginning behind `after`.
        """
        ...

    def extend(self, claim: Claim, lease: timedelta) -> None:
        """Hold it longer. Raises StaleClaim."""
        ...

    def require(self, claim: Claim) -> None:
        """Lock the task for this transaction. Raises StaleClaim when the claim is no longer the newest."""
        ...

    def finish(self, claim: Claim) -> None:
        """It is done."""
        ...

    def postpone(self, claim: Claim, due_at: datetime, reason: str, *, failed: bool) -> None:
        """Try again then, or at once if it was nudged meanwhile; `failed` counts as an attempt."""
        ...

    def reopen(self, claim: Claim, due_at: datetime, reason: str) -> None:
        """It is not done after all: look again then."""
        ...

    def give_up(self, claim: Claim, reason: str) -> None:
        """It will not be done."""
        ...

    def spare(self, step: Step, subject_ids: Sequence[UUID]) -> None:
        """Say that these steps were done in another's turn; whoever holds one of them may still record it."""
        ...

    def again(self, tasks: Sequence[Task], due_at: datetime) -> None:
        """Make those of these tasks that are done or failed ready once more, in a new round."""
        ...

    def is_dropping(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> bool:
        """Whether a step that destroys this dataset is still to be done; one that was given up is not."""
        ...

    def next_due_at(self) -> datetime | None:
        """When the next task that nobody holds is due."""
        ...


class DatasetLocks(Protocol):
    """Which bundle or expiration has a dataset: one at a time."""

    def acquire(
        self, org_id: OrgId, sandbox_name: SandboxName, dataset_ids: Sequence[DatasetId], holder: UUID
    ) -> Sequence[DatasetId]:
        """Take all of them, or none; gives those that another holds. What one holds already one has."""
        ...

    def release(self, holder: UUID, *, but: Collection[DatasetId] = ()) -> None:
        """Give back all that it holds, except for these."""
        ...

    def holder(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> UUID | None:
        """Who has it."""
        ...


class WorkableOrders(WorkOrders, Protocol):
    """Work orders, as workers see them."""

    def of_bundle(self, bundle_id: BundleId) -> Sequence[WorkOrder]:
        """The orders of a bundle, by id. In a writing transaction their rows are locked."""
        ...

    def save_each(self, orders: Sequence[WorkOrder]) -> None:
        """Update several; an order that comes more than once goes through a change for each."""
        ...


class WorkableBundles(Bundles, Protocol):
    """Bundles, as workers see them."""

    def find(self, bundle_id: BundleId) -> Bundle | None:
        """The bundle. In a writing transaction its row is locked."""
        ...

    def exists(self, bundle_id: BundleId) -> bool:
        """Whether this is a bundle's id; nothing is locked."""
        ...


@dataclass(frozen=True, slots=True)
class DueExpiration:
    """A pending expiration whose time has come."""

    org_id: OrgId
    sandbox_name: SandboxName
    expiration_id: ExpirationId


class WorkableExpirations(Expirations, Protocol):
    """Expirations, as workers see them."""

    def due(self, limit: int) -> Sequence[DueExpiration]:
        """Pending ones whose expiry has come by the transaction's time, the oldest first."""
        ...

    def begin_destruction(self, executing: Executing) -> None:
        """Record that the dataset can no longer be restored."""
        ...

    def next_expiry_at(self) -> datetime | None:
        """The earliest expiry of any pending one."""
        ...


class WorkableDatasets(Datasets, Protocol):
    """The catalog, as workers change it."""

    def mark_deleting(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> None:
        """Say that the dataset is being destroyed; one that was destroyed before stays so."""
        ...

    def remove(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> None:
        """Take a destroyed dataset out of the catalog; its id stays taken. Removing twice is removing once."""
        ...


class WorkTransaction(Transaction, Protocol):
    """All repositories as workers see them, on one transaction."""

    @property
    def tasks(self) -> ClaimableTasks: ...  # noqa: D102
    @property
    def work_orders(self) -> WorkableOrders: ...  # noqa: D102
    @property
    def datasets(self) -> WorkableDatasets: ...  # noqa: D102
    @property
    def bundles(self) -> WorkableBundles: ...  # noqa: D102
    @property
    def expirations(self) -> WorkableExpirations: ...  # noqa: D102
    @property
    def dataset_locks(self) -> DatasetLocks: ...  # noqa: D102
    @property
    def ended(self) -> Ended: ...  # noqa: D102
    @property
    def webhooks(self) -> ClaimableWebhooks: ...  # noqa: D102
    @property
    def deliveries(self) -> SendableDeliveries: ...  # noqa: D102


class WorkBell(Protocol):
    """Tells that there may be something to do; see `bell`."""

    @property
    def rings(self) -> int:
        """How often it rang; to be read before looking for work."""
        ...

    @property
    def hears_others(self) -> bool:
        """Whether it also rings for what other processes store."""
        ...

    def wait(self, heard: int, seconds: float) -> None:
        """Wait until it has rung since it had rung `heard` times, or so long."""
        ...


class WorkStore(Protocol):
    """Lethe's memory, as workers see it."""

    @property
    def bell(self) -> WorkBell:
        """Rings when there may be something to do."""
        ...

    def read(self) -> AbstractContextManager[WorkTransaction]:
        """A transaction that changes nothing."""
        ...

    def write(self) -> AbstractContextManager[WorkTransaction]:
        """A transaction that is committed at the end of the block."""
        ...
