"""Work orders: accept, look up, list, rename.

Accepting is in three parts. `prepare` resolves namespaces and checks every identity, and `seal` encrypts and hashes
them; for 100,000 that takes long, and holds no lock. `accept` stores everything at once, in one transaction: the order,
its identities, the quota spent, its place in a bundle, the first task and the audit record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, assert_never

from lethe.clock import Ids
from lethe.domain.bundle import Bundle, open_bundle
from lethe.domain.caller import Permission
from lethe.domain.dataset import Dataset, require_fit, why_skipped
from lethe.domain.errors import InvalidField, UnknownDataset, UnknownWorkOrder
from lethe.domain.identity import Identities, RequestedIds, distinct
from lethe.domain.ids import BundleId, DatasetId, OrgId, SandboxName, WorkOrderId
from lethe.domain.listing import By, Listing, Page
from lethe.domain.namespace import Namespace
from lethe.domain.product import Product, ProductProgress
from lethe.domain.task import Step, promise
from lethe.domain.work_order import (
    Action,
    AllDatasets,
    NamedDatasets,
    OpenStatus,
    Scope,
    SkippedDataset,
    WorkOrder,
)
from lethe.operations.call import Call
from lethe.operations.namespaces import NamespaceRef, namespace_book
from lethe.operations.quota import spend_deletes
from lethe.storage.interface import Store, Transaction
from lethe.storage.order_interface import WorkOrderFilter, WorkOrderOrder
from lethe.storage.vault_interface import SealedIdentities


@dataclass(frozen=True, slots=True)
class IdRun:
    """Ids of one namespace as the request lists them; see `domain.identity.RequestedIds`."""

    namespace: NamespaceRef
    ids: Sequence[str]
    field: str
    indexes: Sequence[int]

    def __repr__(self) -> str:
        return f"IdRun({len(self.ids)})"


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What a request asks for."""

    action: Action
    scope: Scope
    runs: Sequence[IdRun]
    target_products: Sequence[Product]
    display_name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class PreparedOrder:
    """A draft whose identities are known to be good."""

    draft: OrderDraft
    identities: Identities
    namespace_fields: Mapping[Namespace, str] = field(default_factory=dict)
    """Where the request first names each namespace."""


class Placed(Protocol):
    """What says where an order's datasets are."""

    @property
    def org_id(self) -> OrgId: ...  # noqa: D102
    @property
    def sandbox_name(self) -> SandboxName: ...  # noqa: D102
    @property
    def scope(self) -> Scope: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class SealedOrder:
    """A prepared order whose identities are encrypted under the id that it will have."""

    prepared: PreparedOrder
    identities: SealedIdentities


_NO_IDENTITIES = Identities({})


def prepare(tx: Transaction, call: Call, draft: OrderDraft) -> PreparedOrder:
    """Check everything about the request that needs no lock.

    Raises PermissionDenied, UnknownNamespace, NoIdentities, TooManyIdentities, InvalidField.
    """
    match draft.action:
        case Action.DELETE_IDENTITY:
            call.caller.require(Permission.MANAGE_RECORD_DELETES)
            book = namespace_book(tx, call.org_id)
            runs = [RequestedIds(book.resolve(run.namespace), run.ids, run.field, run.indexes) for run in draft.runs]
            fields: dict[Namespace, str] = {}
            for run, requested in zip(draft.runs, runs, strict=True):
                fields.setdefault(requested.namespace, run.namespace.field)
            return PreparedOrder(draft, distinct(runs), fields)
        case Action.DELETE_DATASET:
            call.caller.require(Permission.DELETE_DATASETS)
            if draft.runs:
                raise InvalidField("must be absent: deleting a dataset takes no identities", field="identities")
            if isinstance(draft.scope, AllDatasets) or len(draft.scope.ids) != 1:
                raise InvalidField("must be exactly one dataset when a dataset is deleted", field="datasetId")
            return PreparedOrder(draft, _NO_IDENTITIES)
        case unreachable:
            assert_never(unreachable)


def seal(store: Store, call: Call, prepared: PreparedOrder, *, ids: Ids) -> SealedOrder:
    """Encrypt the order's identities. Belongs outside of any transaction."""
    return SealedOrder(prepared, store.seal(call.org_id, WorkOrderId(ids.uuid()), prepared.identities))


def accept(tx: Transaction, call: Call, sealed: SealedOrder, *, ids: Ids) -> WorkOrder:
    """Store the order with all that follows from it.

    Raises UnknownDataset, DatasetHasNoIdentity, NamespaceDoesNotFit, QuotaExceeded.
    """
    prepared = sealed.prepared
    draft, identities = prepared.draft, prepared.identities
    dataset_name, skipped = covered(tx, call, prepared)
    spend_deletes(tx, call.org, identities.count)
    bundle = join_bundle(tx, call, draft.action, identities.count, ids)
    author = call.caller.actor.author
    order = WorkOrder(
        work_order_id=sealed.identities.work_order_id,
        org_id=call.org_id,
        sandbox_name=call.sandbox_name,
        bundle_id=bundle.bundle_id,
        action=draft.action,
        scope=draft.scope,
        dataset_name=dataset_name,
        operation_count=identities.count,
        target_products=draft.target_products,
        status=OpenStatus.RECEIVED,
        display_name=draft.display_name,
        description=draft.description,
        created_at=tx.now,
        created_by=author,
        updated_at=tx.now,
        updated_by=author,
        skipped=skipped,
    )
    tx.work_orders.add(order)
    tx.identities.keep(sealed.identities)
    tx.tasks.add(promise(Step.FIND, order.work_order_id, call.org_id, call.sandbox_name, tx.now))
    tx.audit.append(
        call.event(
            "work_order.accepted",
            str(order.work_order_id),
            action=order.action.value,
            datasets="ALL" if isinstance(draft.scope, AllDatasets) else list(draft.scope.ids),
            identities=order.operation_count,
            bundle_id=str(order.bundle_id),
        )
    )
    return order


def find_work_order(tx: Transaction, call: Call, work_order_id: WorkOrderId) -> WorkOrder:
    """Look one up. Raises UnknownWorkOrder."""
    order = tx.work_orders.find(call.org_id, call.sandbox_name, work_order_id)
    if order is None:
        raise UnknownWorkOrder
    return order


def work_order_products(tx: Transaction, order: WorkOrder) -> Sequence[ProductProgress]:
    """How far each targeted product is; empty before the order is submitted."""
    return tx.work_orders.products(order.work_order_id)


def list_work_orders(
    tx: Transaction, where: WorkOrderFilter, order: Sequence[By[WorkOrderOrder]], page: Page
) -> Listing[WorkOrder]:
    """One page of work orders."""
    return tx.work_orders.list(where, order, page)


def rename_work_order(
    tx: Transaction, call: Call, work_order_id: WorkOrderId, display_name: str | None, description: str | None
) -> WorkOrder:
    """Change the name or the description, in whatever status. Raises UnknownWorkOrder."""
    order = find_work_order(tx, call, work_order_id)
    renamed = order.renamed(display_name, description, now=tx.now, by=call.caller.actor.author)
    tx.work_orders.save(renamed)
    tx.audit.append(call.event("work_order.renamed", str(work_order_id)))
    return renamed


def datasets_in_scope(tx: Transaction, order: Placed, identities: Identities) -> Sequence[Dataset]:
    """The datasets in which to search. A named one that is gone meanwhile has nothing to be deleted from."""
    match order.scope:
        case AllDatasets():
            datasets = tx.datasets.all(order.org_id, order.sandbox_name)
            return [each for each in datasets if why_skipped(each, list(identities.by_namespace)) is None]
        case NamedDatasets(ids):
            found = (tx.datasets.find(order.org_id, order.sandbox_name, each) for each in ids)
            return [each for each in found if each is not None]
        case unreachable:
            assert_never(unreachable)


def datasets_of(tx: Transaction, order: WorkOrder) -> frozenset[DatasetId]:
    """The datasets that the order changes: those that it planned, or the one that it deletes as a whole."""
    return datasets_of_each(tx, [order])[order.work_order_id]


def datasets_of_each(tx: Transaction, orders: Sequence[WorkOrder]) -> Mapping[WorkOrderId, frozenset[DatasetId]]:
    """The datasets that each of the orders changes."""
    planned = tx.plans.datasets_of([order.work_order_id for order in orders])
    return {
        order.work_order_id: frozenset(order.scope.ids)
        if order.action is Action.DELETE_DATASET and isinstance(order.scope, NamedDatasets)
        else frozenset(planned.get(order.work_order_id, ()))
        for order in orders
    }


def covered(tx: Transaction, call: Call, prepared: PreparedOrder) -> tuple[str, Sequence[SkippedDataset]]:
    """The name under which the order shows its datasets, and which of `ALL` it passes by."""
    draft = prepared.draft
    namespaces = list(prepared.identities.by_namespace)
    match draft.scope:
        case AllDatasets():
            datasets = tx.datasets.all(call.org_id, call.sandbox_name)
            reasons = ((dataset.dataset_id, why_skipped(dataset, namespaces)) for dataset in datasets)
            return "ALL", tuple(SkippedDataset(each, reason) for each, reason in reasons if reason is not None)
        case NamedDatasets(dataset_ids):
            named: list[Dataset] = []
            for index, dataset_id in enumerate(dataset_ids):
                dataset = tx.datasets.find(call.org_id, call.sandbox_name, dataset_id)
                if dataset is None:
                    raise UnknownDataset(field="datasetId", index=index)
                if draft.action is Action.DELETE_IDENTITY:
                    require_fit(dataset, namespaces, prepared.namespace_fields)
                named.append(dataset)
            return ", ".join(dataset.name for dataset in named), ()
        case unreachable:
            assert_never(unreachable)


def join_bundle(tx: Transaction, call: Call, action: Action, identity_count: int, ids: Ids) -> Bundle:
    """The bundle that the order joins: the open one, or a new one when there is none or it is full.

    An order that deletes a dataset is a bundle by itself, closed from the start: a bundle locks its datasets against
    others, not against itself, and rows must not be deleted from a table while it is destroyed.
    """
    limits = call.org.bundle_limits
    if action is Action.DELETE_DATASET:
        alone = open_bundle(BundleId(ids.uuid()), call.org_id, call.sandbox_name, limits, tx.now)
        alone = alone.joined(identity_count).closed(tx.now)
        tx.bundles.save(alone)
        return alone
    bundle = tx.bundles.find_open(call.org_id, call.sandbox_name)
    if bundle is not None and not bundle.admits(identity_count, limits):
        tx.bundles.save(bundle.closed(tx.now))
        bundle = None
    if bundle is None:
        bundle = open_bundle(BundleId(ids.uuid()), call.org_id, call.sandbox_name, limits, tx.now)
    joined = bundle.joined(identity_count)
    tx.bundles.save(joined)
    return joined
