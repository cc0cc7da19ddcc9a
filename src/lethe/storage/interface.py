"""What the rest of Lethe asks of its memory. Two databases implement it; one suite holds both to it.

A `Store` opens transactions; a `Transaction` offers one small repository a noun. Locks are taken in the order in
which an accepted request needs them: idempotency key, quota counters, bundle, audit chain. Whoever follows it cannot
deadlock with another request.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from lethe.domain.absence import Absence
from lethe.domain.audit import AuditEvent, AuditRecord
from lethe.domain.bundle import Bundle
from lethe.domain.dataset import Dataset, DatasetSchema
from lethe.domain.expiration import Change, Expiration, ExpirationStatus, HistoryEntry
from lethe.domain.identity import HashedIdentities, Identities
from lethe.domain.ids import ClientId, DatasetId, ExpirationId, NamespaceId, OrgId, SandboxName, SchemaId, WorkOrderId
from lethe.domain.listing import AuthorMatch, By, Listing, Page, Window
from lethe.domain.namespace import Namespace
from lethe.domain.plan import TablePlan
from lethe.domain.product import Product, ProductProgress
from lethe.domain.quota import QuotaName
from lethe.domain.service_result import ServiceResult
from lethe.domain.table_place import TablePlace
from lethe.domain.task import Place
from lethe.domain.work_order import Action, Status, WorkOrder
from lethe.storage.aftercare_interface import Reverifications
from lethe.storage.event_interface import Callbacks, Deliveries, Events, Webhooks
from lethe.storage.task_interface import Failures, Tasks


class StoreUnavailable(Exception):
    """The database did not answer, or gave up waiting for a lock. Nothing was stored; the request may be repeated."""


class CommitUnknown(Exception):
    """The connection broke during a commit, and the database could not be asked whether it happened.

    Whoever repeats the request must look first.
    """


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


@dataclass(frozen=True, slots=True)
class SealedChunk:
    """Some identities of one namespace, encrypted, and their keyed hashes, packed in the same order."""

    namespace: Namespace
    identity_count: int
    hashes: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class SealedIdentities:
    """The identities of the order with this id, as they are kept. Only a store can make or open them."""

    work_order_id: WorkOrderId
    org_id: OrgId
    key_id: str
    wrapped_key: bytes
    chunks: Sequence[SealedChunk]

    def __repr__(self) -> str:
        return f"SealedIdentities({self.work_order_id})"


class IdentityVault(Protocol):
    """The raw identities of open orders, encrypted, and keyed hashes of all.

    Each order has a data key of its own, wrapped by the key from the settings: destroying that data key destroys the
    identities, wherever copies of the ciphertext may be.
    """

    def keep(self, sealed: SealedIdentities) -> None:
        """Keep what `Store.seal` made of the order's identities."""
        ...

    def open(self, work_order_id: WorkOrderId) -> Identities:
        """The order's identities. Raises KeyError when they were destroyed."""
        ...

    def open_each(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Identities]:
        """The identities of several orders. Raises KeyError when some were destroyed."""
        ...

    def can_open(self, work_order_id: WorkOrderId) -> bool:
        """Whether the order's identities are still kept."""
        ...

    def destroy(self, work_order_ids: Sequence[WorkOrderId]) -> None:
        """Make the raw identities of these orders unreadable for good; the keyed hashes stay."""
        ...

    def hashes(self, work_order_id: WorkOrderId) -> Sequence[tuple[Namespace, bytes]]:
        """The namespace and the keyed hash of every identity, in the order in which the order's identities iterate."""
        ...

    def hashes_of(
        self, work_order_ids: Sequence[WorkOrderId]
    ) -> Mapping[WorkOrderId, Sequence[tuple[Namespace, bytes]]]:
        """The same of several orders; those without identities are missing."""
        ...

    def hashed(self, work_order_id: WorkOrderId) -> HashedIdentities:
        """The order's identities by their hashes, to be recognised where they come back. Raises KeyError."""
        ...

    def hash_of(self, work_order_id: WorkOrderId, namespace: Namespace, identity: str) -> bytes | None:
        """The keyed hash that this identity has in the order, whether the order holds it or not; None without one."""
        ...

    def holds(self, work_order_id: WorkOrderId, namespace: Namespace, identity: str) -> bool:
        """Whether the order asked for this identity, answered from the keyed hashes alone."""
        ...


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
