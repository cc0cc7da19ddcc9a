"""Admitted calls, and a bare catalog, for tests that ask operations directly."""

from dataclasses import replace
from typing import Any

from lethe.clock import SystemIds
from lethe.domain.actor import Actor
from lethe.domain.caller import Caller, Permission
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import ClientId, DatasetId, OrgId
from lethe.domain.listing import By, Page
from lethe.domain.organization import Organization, Sandbox, SandboxType
from lethe.domain.product import ALL_PRODUCTS
from lethe.domain.work_order import Action, NamedDatasets, WorkOrder
from lethe.operations.call import Call
from lethe.operations.namespaces import NamespaceRef
from lethe.operations.work_orders import IdRun, OrderDraft, SealedOrder, prepare, seal
from lethe.storage.interface import Store, Transaction
from lethe.storage.order_interface import WorkOrderFilter, WorkOrderOrder
from support.values import ORG, PROD, a_dataset

IDS = SystemIds()
ANN = Actor("Ann Ovid", "ann@example.com", "u-1")


def a_call(org_id: OrgId = ORG, **rules: Any) -> Call:
    """A call of somebody who may do everything, in the one sandbox of an org with these rules."""
    sandbox = Sandbox("id-of-prod", PROD, "Production", SandboxType.PRODUCTION, "LOCAL", is_default=True)
    caller = Caller(ClientId("ann"), ANN, frozenset({org_id}), frozenset(Permission))
    return Call(caller, Organization(org_id, (sandbox,), **rules), sandbox)


def register(store: Store, call: Call, *dataset_ids: str) -> None:
    """Put datasets into the catalog whose rows are named by an e-mail address."""
    with store.write() as tx:
        for dataset_id in dataset_ids:
            table = TableReference(TableFormat.PARQUET, f"/lake/{call.org_id}/{dataset_id}")
            tx.datasets.add(replace(a_dataset(dataset_id), org_id=call.org_id, table=table))


def a_draft(*ids: str, dataset_id: str = "ds-1", code: str = "Email") -> OrderDraft:
    """A record delete of these e-mail addresses from one dataset."""
    run = IdRun(NamespaceRef("identities[0].namespace", code), ids, "identities[{}].id", range(len(ids)))
    return OrderDraft(Action.DELETE_IDENTITY, NamedDatasets((DatasetId(dataset_id),)), [run], ALL_PRODUCTS)


def sealed_order(store: Store, call: Call, draft: OrderDraft) -> SealedOrder:
    """The draft, prepared and sealed: all that comes before the transaction that accepts it."""
    with store.read() as tx:
        prepared = prepare(tx, call, draft)
    return seal(store, call, prepared, ids=IDS)


def all_orders(tx: Transaction, org_id: OrgId) -> list[WorkOrder]:
    """Every stored work order of the org."""
    found = tx.work_orders.list(WorkOrderFilter(org_id), [By(WorkOrderOrder.CREATED_AT)], Page(0, 10_000))
    assert found.total == len(found.items)
    return list(found.items)
