"""What the rest of Lethe asks of its memory. Two databases implement it; one suite holds both to it.

A `Store` opens transactions; a `Transaction` offers one small repository a noun. Locks are taken in the order in
which an accepted request needs them: idempotency key, quota counters, bundle, audit chain. Whoever follows it cannot
deadlock with another request.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from lethe.domain.audit import AuditEvent, AuditRecord
from lethe.domain.bundle import Bundle
from lethe.domain.dataset import Dataset, DatasetSchema
from lethe.domain.identity import Identities
from lethe.domain.ids import ClientId, DatasetId, NamespaceId, OrgId, SandboxName, SchemaId, WorkOrderId
from lethe.domain.namespace import Namespace
from lethe.domain.quota import QuotaName
from lethe.domain.table_place import TablePlace
from lethe.storage.aftercare_interface import Reverifications
from lethe.storage.event_interface import Callbacks, Deliveries, Events, Webhooks
from lethe.storage.order_interface import Expirations, WorkOrders
from lethe.storage.result_interface import Certificates, Plans, ServiceResults
from lethe.storage.task_interface import Failures, Tasks
from lethe.storage.vault_interface import IdentityVault, SealedIdentities


class StoreUnavailable(Exception):
    """The database did not answer, or gave up waiting for a lock. Nothing was stored; the request may be repeated."""


class CommitUnknown(Exception):
    """The connection broke during a commit, and the database could not be asked whether it happened.

    Whoever repeats the request must look first.
    """


class Bundles(Protocol):
    """Bundles of work orders."""

    def find_open(self, org_id: OrgId, sandbox_name: SandboxName) -> Bundle | None:
        """The bundle that takes orders now, its row locked."""
        ...

    def save(self, bundle: Bundle) -> None:
        """Insert or update."""
        ...


class Quotas(Protocol):
    """Counters of what an org has spent, a row a quota and period."""

    def consumed(self, org_id: OrgId, name: QuotaName, period_start: datetime) -> int:
        """What is spent so far in the period that began then."""
        ...

    def all_consumed(self, org_id: OrgId, starts: Mapping[QuotaName, datetime]) -> Mapping[QuotaName, int]:
        """The same of several quotas at one look, each in the period that began then."""
        ...

    def lock(self, org_id: OrgId, name: QuotaName, period_start: datetime) -> int:
        """The same, and nobody else reads it for spending before this transaction ends."""
        ...

    def spend(self, org_id: OrgId, name: QuotaName, period_start: datetime, amount: int) -> None:
        """Add to a locked counter."""
        ...


class AuditTrail(Protocol):
    """The append-only chain of who did what."""

    def append(self, event: AuditEvent) -> None:
        """Chain one more record, at the end of the transaction: the trail's lock orders every writer."""
        ...

    def records(self, after_sequence: int = 0) -> Iterator[AuditRecord]:
        """The records behind that one, in order."""
        ...

    def head(self) -> tuple[int, str]:
        """Sequence and hash of the last record; (0, GENESIS) of an empty trail."""
        ...


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a request was answered, for its repetition."""

    status_code: int
    body: bytes


class IdempotencyKeys(Protocol):
    """Answers to requests that carried an Idempotency-Key, kept encrypted for a day."""

    def claim(
        self, org_id: OrgId, client_id: ClientId, key: str, request_digest: bytes, lifetime: timedelta
    ) -> StoredAnswer | None:
        """Take the key for this transaction, or say what was answered under it.

        A second claimant waits until the first transaction ends. Raises IdempotencyConflict when the key came with
        another request.
        """
        ...

    def keep(self, org_id: OrgId, client_id: ClientId, key: str, answer: StoredAnswer) -> None:
        """Remember the answer under the key claimed before."""
        ...


class Datasets(Protocol):
    """The catalog's datasets and their schemas."""

    def add(self, dataset: Dataset, place: TablePlace | None = None) -> None:
        """Register a dataset, and its schema unless known.

        `place` is where its table is when its location was followed there; otherwise it is taken as it is spelled.
        Raises DatasetExists; TableTaken when its table meets that of another dataset, whosever that is.
        """
        ...

    def find(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> Dataset | None:
        """The dataset."""
        ...

    def all(self, org_id: OrgId, sandbox_name: SandboxName) -> Sequence[Dataset]:
        """Every dataset of the sandbox, by name."""
        ...

    def page(self, org_id: OrgId, sandbox_name: SandboxName, start: int, limit: int) -> Sequence[Dataset]:
        """Datasets `start` to `start + limit`, by creation."""
        ...

    def enable(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> None:
        """Say that the dataset stays after all; one that was destroyed does not come back."""
        ...

    def schema(self, org_id: OrgId, schema_id: SchemaId) -> DatasetSchema | None:
        """A schema by its `$id`."""
        ...


class Namespaces(Protocol):
    """The custom identity namespaces of an org; the standard ones are `domain.namespace.STANDARD`."""

    def all(self, org_id: OrgId) -> Sequence[Namespace]:
        """The org's custom namespaces, by number."""
        ...

    def add(self, org_id: OrgId, namespace: Namespace) -> None:
        """Add one. Raises NamespaceExists."""
        ...

    def next_id(self, org_id: OrgId) -> NamespaceId:
        """The number for the org's next custom namespace; nobody else gets it before this transaction ends."""
        ...


class Transaction(Protocol):
    """All repositories, on one transaction."""

    @property
    def now(self) -> datetime:
        """The database's time at the start of the transaction, aware UTC."""
        ...

    @property
    def datasets(self) -> Datasets: ...  # noqa: D102
    @property
    def namespaces(self) -> Namespaces: ...  # noqa: D102
    @property
    def expirations(self) -> Expirations: ...  # noqa: D102
    @property
    def work_orders(self) -> WorkOrders: ...  # noqa: D102
    @property
    def identities(self) -> IdentityVault: ...  # noqa: D102
    @property
    def bundles(self) -> Bundles: ...  # noqa: D102
    @property
    def tasks(self) -> Tasks: ...  # noqa: D102
    @property
    def failures(self) -> Failures: ...  # noqa: D102
    @property
    def quotas(self) -> Quotas: ...  # noqa: D102
    @property
    def plans(self) -> Plans: ...  # noqa: D102
    @property
    def service_results(self) -> ServiceResults: ...  # noqa: D102
    @property
    def certificates(self) -> Certificates: ...  # noqa: D102
    @property
    def reverifications(self) -> Reverifications: ...  # noqa: D102
    @property
    def audit(self) -> AuditTrail: ...  # noqa: D102
    @property
    def idempotency(self) -> IdempotencyKeys: ...  # noqa: D102
    @property
    def events(self) -> Events: ...  # noqa: D102
    @property
    def webhooks(self) -> Webhooks: ...  # noqa: D102
    @property
    def deliveries(self) -> Deliveries: ...  # noqa: D102
    @property
    def callbacks(self) -> Callbacks: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """What a readiness check can see; `problem` is None when all is well."""

    reachable: bool
    migrations_current: bool
    clock_skew: timedelta
    """How far this machine's clock is from the database's."""
    problem: str | None


class Store(Protocol):
    """Lethe's memory."""

    def read(self) -> AbstractContextManager[Transaction]:
        """A transaction that changes nothing and sees one moment."""
        ...

    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction that is committed at the end of the block, or rolled back by an exception."""
        ...

    def seal(self, org_id: OrgId, work_order_id: WorkOrderId, identities: Identities) -> SealedIdentities:
        """Encrypt and hash the identities of an order to come; nothing is stored.

        For many identities this is long work. It belongs before the transaction, whose locks others wait for.
        """
        ...

    def health(self) -> StoreHealth:
        """Look at the database. Never raises."""
        ...

    def migrate(self) -> None:
        """Bring the database's schema to the newest version; safe to run by several processes at once."""
        ...

    def close(self) -> None:
        """Give back every connection."""
        ...
