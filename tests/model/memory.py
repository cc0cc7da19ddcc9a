"""The storage as a value: thawed for a transaction of the pipeline's, frozen again behind it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple
from uuid import UUID

from lethe.domain.bundle import Bundle, open_bundle
from lethe.domain.dataset import Dataset, DatasetState
from lethe.domain.expiration import (
    Change,
    Executing,
    Expiration,
    ExpirationStatus,
    HistoryEntry,
    HistoryStatus,
    Trashed,
    type_of_status,
)
from lethe.domain.failure import Failure
from lethe.domain.identity import Identities
from lethe.domain.ids import BundleId, DatasetId, ExpirationId, OrgId, SandboxName, TaskId, WorkOrderId
from lethe.domain.product import Product
from lethe.domain.task import Claim, Place, Step, Task, TaskState, promise
from lethe.domain.work_order import NamedDatasets, WorkOrder, status_of
from lethe.storage.work_interface import DueExpiration, StaleClaim
from model import facts as known
from model.facts import AUTHOR, EPOCH, EXPIRATION, LIMITS, ORG, SANDBOX, TICK, Facts

TaskKey = tuple[str, int, str, str]
"""Step, subject, product, dataset."""


class Memory(NamedTuple):
    """All that is remembered."""

    orders: tuple[tuple[str, int] | None, ...]
    """Status and bundle; None before it is accepted."""
    bundles: tuple[bool, ...]
    """Whether each is closed."""
    tasks: frozenset[tuple[TaskKey, str, int]]
    """With state and round."""
    locks: frozenset[tuple[str, int]]
    expiration: tuple[str, int, int] | None
    """Status, the tick at which it is due, and that at which a dataset in the trash is destroyed."""
    catalog: frozenset[tuple[str, str]]
    """Datasets with their states; one that has left is not here."""
    plans: frozenset[tuple[int, str]]
    failures: frozenset[tuple[int, TaskKey]]
    """What was given up, by whose order or expiration it was."""


def key_of(task: Task) -> TaskKey:
    return (task.step.value, task.subject_id.int, task.product.value if task.product else "", task.dataset_id or "")


@cache
def task_of(key: TaskKey, state: str = TaskState.READY, round_: int = 0) -> Task:
    step, subject, product, dataset_id = key
    promised = promise(
        Step(step),
        UUID(int=subject),
        ORG,
        SANDBOX,
        EPOCH,
        product=Product(product) if product else None,
        dataset_id=DatasetId(dataset_id) if dataset_id else None,
    )
    return _with(promised, state, round_)


def _with(task: Task, state: str, round_: int) -> Task:
    return replace(task, state=TaskState(state), round=round_)


class Silent:
    """Takes what no transition depends on: audit records, certificates, and locks of one transaction at a time."""

    def append(self, *_: Any) -> None: ...
    def add(self, *_: Any) -> None: ...
    def lock(self, *_: Any) -> None: ...


class ServiceResults:
    """Counts, on which no transition depends."""

    def looks(self, work_order_ids: Sequence[WorkOrderId], *_: Any) -> Sequence[WorkOrderId]:
        return work_order_ids

    def look(self, *_: Any) -> None: ...
    def forgot(self, *_: Any) -> None: ...
    def prove(self, *_: Any) -> None: ...

    def of_each(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[Any]]:
        return {}


@dataclass
class Transaction:
    """The repositories of one transaction, all in one object; implements what the pipeline uses of them."""

    facts: Facts
    now: datetime
    stale: bool
    """Whether the worker's claim is no longer the newest."""
    checks_tokens: bool
    locks_datasets: bool
    orders: dict[WorkOrderId, WorkOrder] = field(default_factory=dict)
    bundle_rows: dict[BundleId, Bundle] = field(default_factory=dict)
    task_rows: dict[TaskId, Task] = field(default_factory=dict)
    lock_rows: dict[DatasetId, UUID] = field(default_factory=dict)
    expiration: Expiration | None = None
    catalog: dict[DatasetId, Dataset] = field(default_factory=dict)
    plan_rows: set[tuple[WorkOrderId, DatasetId]] = field(default_factory=set)
    failure_rows: dict[UUID, frozenset[TaskKey]] = field(default_factory=dict)
    lost: set[TaskKey] = field(default_factory=set)
    """Tasks whose tokens grew without a claim: whoever holds one has lost it."""

    audit = Silent()
    certificates = Silent()
    quotas = Silent()
    service_results = ServiceResults()

    @property
    def tasks(self) -> "Tasks":
        return Tasks(self)

    @property
    def work_orders(self) -> "Orders":
        return Orders(self)

    @property
    def bundles(self) -> "Bundles":
        return Bundles(self)

    @property
    def dataset_locks(self) -> "Locks":
        return Locks(self)

    @property
    def datasets(self) -> "Datasets":
        return Datasets(self)

    @property
    def expirations(self) -> "Expirations":
        return Expirations(self)

    @property
    def plans(self) -> "Plans":
        return Plans(self)

    @property
    def identities(self) -> "Vault":
        return Vault()

    @property
    def failures(self) -> "Failures":
        return Failures(self)

    def copied(self) -> Mapping[str, Any]:
        names = ("orders", "bundle_rows", "task_rows", "lock_rows", "catalog", "plan_rows", "failure_rows")
        return {name: getattr(self, name).copy() for name in names} | {"expiration": self.expiration}

    def restore(self, kept: Mapping[str, Any]) -> None:
        for name, value in kept.items():
            setattr(self, name, value)


@dataclass
class Store:
    """Transactions over one memory; a write that raises changes nothing."""

    tx: Transaction

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        yield self.tx

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        kept = self.tx.copied()
        try:
            yield self.tx
        except BaseException:
            self.tx.restore(kept)
            raise


@dataclass
class _Part:
    tx: Transaction


class Tasks(_Part):
    def add(self, task: Task) -> None:
        self.tx.task_rows.setdefault(task.task_id, _with(task, task.state.value, task.round))

    def of(self, subject_id: UUID) -> Sequence[Task]:
        return [task for task in self.tx.task_rows.values() if task.subject_id == subject_id]

    def spare(self, step: Step, subject_ids: Sequence[UUID]) -> None:
        for task in [each for subject_id in subject_ids for each in self.of(subject_id)]:
            if task.step is step and task.state is TaskState.READY:
                self.tx.task_rows[task.task_id] = _with(task, TaskState.DONE, task.round)

    def again(self, chosen: Sequence[Task], due_at: datetime) -> None:
        for task in chosen:
            row = self.tx.task_rows[task.task_id]
            if row.state is not TaskState.READY:
                self.tx.task_rows[task.task_id] = _with(row, TaskState.READY, row.round + 1)

    def concerning(self, subject_id: UUID) -> Sequence[Task]:
        order = self.tx.orders.get(WorkOrderId(subject_id))
        return [*self.of(subject_id), *(self.of(order.bundle_id) if order is not None else ())]

    def restart(self, chosen: Sequence[Task], due_at: datetime) -> None:
        for task in chosen:
            row = self.tx.task_rows[task.task_id]
            if row.state is not TaskState.DONE:
                self.tx.task_rows[task.task_id] = _with(row, TaskState.READY, row.round)
                self.tx.lost.add(key_of(task))

    def anew(self, chosen: Sequence[Task], due_at: datetime) -> None:
        for task in chosen:
            row = self.tx.task_rows[task.task_id]
            self.tx.task_rows[task.task_id] = _with(row, TaskState.READY, row.round + 1)
            self.tx.lost.add(key_of(task))

    def withdraw(self, chosen: Sequence[Task]) -> None:
        for task in chosen:
            del self.tx.task_rows[task.task_id]
            self.tx.lost.add(key_of(task))

    def is_dropping(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> bool:
        rows = self.tx.task_rows.values()
        return any(
            task.state is TaskState.READY and task.dataset_id == dataset_id and task.step in {Step.DROP, Step.CONFIRM}
            for task in rows
        )

    def require(self, claim: Claim) -> None:
        if self.tx.stale and self.tx.checks_tokens:
            raise StaleClaim

    def finish(self, claim: Claim) -> None:
        self._become(claim, TaskState.DONE)

    def reopen(self, claim: Claim, due_at: datetime, reason: str) -> None:
        self._become(claim, TaskState.READY)

    def postpone(self, claim: Claim, due_at: datetime, reason: str, *, failed: bool) -> None:
        self.require(claim)

    def give_up(self, claim: Claim, reason: str) -> None:
        self._become(claim, TaskState.FAILED)

    def _become(self, claim: Claim, state: TaskState) -> None:
        self.require(claim)
        row = self.tx.task_rows.get(claim.task.task_id)
        if row is None:
            return  # it was taken back, and nobody looked at the token
        self.tx.task_rows[claim.task.task_id] = _with(row, state, row.round)


class Orders(_Part):
    def find(self, org_id: OrgId, sandbox_name: SandboxName, work_order_id: WorkOrderId) -> WorkOrder | None:
        return self.tx.orders.get(work_order_id)

    def find_any(self, work_order_id: WorkOrderId) -> WorkOrder | None:
        return self.tx.orders.get(work_order_id)

    def of_bundle(self, bundle_id: BundleId) -> Sequence[WorkOrder]:
        return [order for order in self.tx.orders.values() if order.bundle_id == bundle_id]

    def save(self, order: WorkOrder) -> None:
        self.tx.orders[order.work_order_id] = order

    def save_each(self, orders: Sequence[WorkOrder]) -> None:
        for order in orders:
            self.save(order)

    def products(self, work_order_id: WorkOrderId) -> Sequence[Any]:
        return ()

    def products_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[Any]]:
        return {}

    def save_products(self, progress: Mapping[WorkOrderId, Sequence[Any]]) -> None: ...


class Bundles(_Part):
    def find_open(self, org_id: OrgId, sandbox_name: SandboxName) -> Bundle | None:
        return next((each for each in self.tx.bundle_rows.values() if each.closed_at is None), None)

    def find(self, bundle_id: BundleId) -> Bundle | None:
        return self.tx.bundle_rows.get(bundle_id)

    def exists(self, bundle_id: BundleId) -> bool:
        return bundle_id in self.tx.bundle_rows

    def save(self, bundle: Bundle) -> None:
        self.tx.bundle_rows[bundle.bundle_id] = bundle


class Locks(_Part):
    def acquire(
        self, org_id: OrgId, sandbox_name: SandboxName, dataset_ids: Sequence[DatasetId], holder: UUID
    ) -> Sequence[DatasetId]:
        rows = self.tx.lock_rows
        taken = [each for each in dataset_ids if rows.get(each, holder) != holder]
        if not self.tx.locks_datasets:
            return []
        if not taken:
            rows.update(dict.fromkeys(dataset_ids, holder))
        return taken

    def release(self, holder: UUID, *, but: Collection[DatasetId] = ()) -> None:
        rows = self.tx.lock_rows
        self.tx.lock_rows = {each: by for each, by in rows.items() if by != holder or each in but}

    def holder(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> UUID | None:
        return self.tx.lock_rows.get(dataset_id)


class Datasets(_Part):
    def find(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> Dataset | None:
        return self.tx.catalog.get(dataset_id)

    def mark_deleting(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> None:
        if dataset_id in self.tx.catalog:
            self.tx.catalog[dataset_id] = in_state(dataset_id, DatasetState.DELETING)

    def enable(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> None:
        if dataset_id in self.tx.catalog:
            self.tx.catalog[dataset_id] = in_state(dataset_id, DatasetState.ENABLED)

    def remove(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> None:
        self.tx.catalog.pop(dataset_id, None)


class Expirations(_Part):
    def due(self, limit: int) -> Sequence[DueExpiration]:
        return [DueExpiration(ORG, SANDBOX, EXPIRATION)]

    def find(self, org_id: OrgId, sandbox_name: SandboxName, key: ExpirationId | DatasetId) -> Expiration | None:
        return self.tx.expiration if key == EXPIRATION else None

    def save(self, change: Change) -> None:
        self.tx.expiration = change.expiration

    def begin_destruction(self, executing: Executing) -> None:
        self.tx.expiration = executing

    def clear_products(self, expiration_id: ExpirationId) -> None: ...

    def products(self, expiration_id: ExpirationId) -> Sequence[Any]:
        return ()

    def save_products(self, expiration_id: ExpirationId, progress: Sequence[Any]) -> None: ...

    def history(self, expiration_id: ExpirationId) -> Sequence[HistoryEntry]:
        return [HistoryEntry(HistoryStatus.CREATED, EPOCH, EPOCH, AUTHOR)]


class Plans(_Part):
    def save(self, plans: Mapping[WorkOrderId, Sequence[Any]]) -> None:
        self.tx.plan_rows |= {(each, plan.plan.dataset_id) for each, found in plans.items() for plan in found}

    def datasets_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[DatasetId]]:
        return {
            each: sorted(dataset_id for order_id, dataset_id in self.tx.plan_rows if order_id == each)
            for each in work_order_ids
        }

    def of_each(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[Any]]:
        return {}

    def results_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[Any]]:
        return {}

    def save_results(self, round_: int, results: Mapping[WorkOrderId, Any]) -> None: ...

    def save_evidence(self, subject_id: UUID, place: Place, seen: Any) -> None: ...

    def evidence(self, subject_id: UUID) -> Mapping[Place, Any]:
        return {}


class Vault:
    def open_each(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Identities]:
        return {each: self.open(each) for each in work_order_ids}

    def open(self, work_order_id: WorkOrderId) -> Identities:
        return known.identities_of(work_order_id.int - known.order_id(0).int)

    def can_open(self, work_order_id: WorkOrderId) -> bool:
        return True

    def hashes_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[Any]]:
        return {}

    def destroy(self, work_order_ids: Sequence[WorkOrderId]) -> None: ...


class Failures(_Part):
    def note(self, subject_id: UUID, failures: Sequence[Failure]) -> None:
        if failures:
            keys = {key_of(self.tx.task_rows[each.task_id]) for each in failures}
            self.tx.failure_rows[subject_id] = self.tx.failure_rows.get(subject_id, frozenset()) | keys

    def of(self, subject_id: UUID) -> Sequence[Failure]:
        found = [task_of(key) for key in sorted(self.tx.failure_rows.get(subject_id, ()))]
        return [Failure(each.task_id, each.step, each.product, each.dataset_id, "", 1, EPOCH) for each in found]

    def clear(self, subject_id: UUID) -> None:
        self.tx.failure_rows.pop(subject_id, None)


@cache
def in_state(dataset_id: DatasetId, state: DatasetState) -> Dataset:
    return replace(known.dataset(dataset_id), state=state)


@cache
def _bundle(number: int, *, closed: bool) -> Bundle:
    made = open_bundle(known.bundle_id(number), ORG, SANDBOX, LIMITS, EPOCH).joined(1)
    return made.closed(EPOCH) if closed else made


def order_of(facts: Facts, number: int, status: str, bundle: int) -> WorkOrder:
    asked = facts.orders[number]
    return WorkOrder(
        work_order_id=known.order_id(number),
        org_id=ORG,
        sandbox_name=SANDBOX,
        bundle_id=known.bundle_id(bundle),
        action=asked.action,
        scope=NamedDatasets(tuple(asked.datasets)),
        dataset_name="",
        operation_count=1,
        target_products=asked.products,
        status=status_of(status),
        display_name="",
        description="",
        created_at=EPOCH,
        created_by=AUTHOR,
        updated_at=EPOCH,
        updated_by=AUTHOR,
    )


TRASHED = "trashed"


def expiration_of(dataset_id: DatasetId, status: str, due_tick: int, destroy_tick: int) -> Expiration:
    make: Any = type_of_status[ExpirationStatus(status)] if status != TRASHED else _trashed(destroy_tick)
    made: Expiration = make(
        expiration_id=EXPIRATION,
        org_id=ORG,
        sandbox_name=SANDBOX,
        dataset_id=dataset_id,
        dataset_name="",
        expiry_at=EPOCH + due_tick * TICK,
        display_name="",
        description="",
        created_at=EPOCH,
        updated_at=EPOCH,
        updated_by=AUTHOR,
    )
    return made


def _trashed(destroy_tick: int) -> Any:
    return partial(Trashed, destroy_at=EPOCH + destroy_tick * TICK)


def row_of(expiration: Expiration | None) -> tuple[str, int, int] | None:
    """An expiration as a memory holds it."""
    if expiration is None:
        return None
    due = (expiration.expiry_at - EPOCH) // TICK
    if isinstance(expiration, Trashed):
        return TRASHED, due, (expiration.destroy_at - EPOCH) // TICK
    return expiration.status.value, due, 0


def thawed(facts: Facts, memory: Memory, tick: int, **rules: bool) -> Transaction:
    """A transaction over the memory."""
    tx = Transaction(facts, EPOCH + tick * TICK, **rules)
    for number, row in enumerate(memory.orders):
        if row is not None:
            tx.orders[known.order_id(number)] = order_of(facts, number, *row)
    tx.bundle_rows = {known.bundle_id(n): _bundle(n, closed=closed) for n, closed in enumerate(memory.bundles)}
    for key, state, round_ in sorted(memory.tasks):
        task = task_of(key, state, round_)
        tx.task_rows[task.task_id] = task
    tx.lock_rows = {DatasetId(dataset_id): UUID(int=holder) for dataset_id, holder in memory.locks}
    if memory.expiration is not None and facts.expiring is not None:
        tx.expiration = expiration_of(facts.expiring, *memory.expiration)
    tx.catalog = {DatasetId(each): in_state(DatasetId(each), DatasetState(state)) for each, state in memory.catalog}
    tx.plan_rows = {(known.order_id(number), DatasetId(dataset_id)) for number, dataset_id in memory.plans}
    for subject, key in memory.failures:
        tx.failure_rows[UUID(int=subject)] = tx.failure_rows.get(UUID(int=subject), frozenset()) | {key}
    return tx


def frozen(tx: Transaction) -> Memory:
    """The memory behind a transaction."""
    first, first_bundle = known.order_id(0).int, known.bundle_id(0).int
    rows = {order_id.int - first: order for order_id, order in tx.orders.items()}
    return Memory(
        tuple(
            (rows[number].status.value, rows[number].bundle_id.int - first_bundle) if number in rows else None
            for number in range(len(tx.facts.orders))
        ),
        tuple(each.closed_at is not None for _, each in sorted(tx.bundle_rows.items())),
        frozenset((key_of(task), task.state.value, task.round) for task in tx.task_rows.values()),
        frozenset((dataset_id, holder.int) for dataset_id, holder in tx.lock_rows.items()),
        row_of(tx.expiration),
        frozenset((each.dataset_id, each.state.value) for each in tx.catalog.values()),
        frozenset((order_id.int - first, dataset_id) for order_id, dataset_id in tx.plan_rows),
        frozenset((subject.int, key) for subject, keys in tx.failure_rows.items() for key in keys),
    )
