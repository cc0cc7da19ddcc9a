"""Domain values for tests: valid ones, of which a test names the parts that it is about."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from lethe.domain.actor import Author
from lethe.domain.audit import AuditEvent
from lethe.domain.bundle import Bundle, BundleLimits, open_bundle
from lethe.domain.dataset import Dataset, DatasetSchema, PrimaryIdentity, TableFormat, TableReference
from lethe.domain.expiration import Change, Edit, create
from lethe.domain.identity import Identities
from lethe.domain.ids import (
    BundleId,
    DatasetId,
    ExpirationId,
    NamespaceId,
    OrgId,
    SandboxName,
    SchemaId,
    TaskId,
    WorkOrderId,
)
from lethe.domain.namespace import STANDARD, Namespace
from lethe.domain.product import ALL_PRODUCTS
from lethe.domain.task import Step, Task
from lethe.domain.work_order import Action, AllDatasets, OpenStatus, WorkOrder
from support.clock import NOON

ORG = OrgId("0123ABCD@LetheOrg")
OTHER_ORG = OrgId("FEDC9876@LetheOrg")
PROD = SandboxName("prod")
DEV = SandboxName("dev")
ANN = Author("Ann Ovid <ann@example.com> u-1")
BOB = Author("Bob Styx <bob@example.com> u-2")
EMAIL = next(namespace for namespace in STANDARD if namespace.code == "Email")
LOYALTY = Namespace(NamespaceId(10_000_001), "Loyalty", "Loyalty card", "CROSS_DEVICE", custom=True)
HANDLE = Namespace(NamespaceId(10_000_002), "Handle", "Handle", "CUSTOM", custom=True, case_insensitive=True)
LEAD = timedelta(hours=24)


def a_change(
    dataset_id: str = "ds-1",
    *,
    now: datetime = NOON,
    by: Author = ANN,
    sandbox_name: SandboxName = PROD,
    org_id: OrgId = ORG,
    dataset_name: str = "Events",
    edit: Edit | None = None,
    expiration_id: ExpirationId | None = None,
) -> Change:
    """A new pending expiration, a week ahead."""
    return create(
        expiration_id=expiration_id or ExpirationId(uuid4()),
        org_id=org_id,
        sandbox_name=sandbox_name,
        dataset_id=DatasetId(dataset_id),
        dataset_name=dataset_name,
        edit=edit or Edit(now + timedelta(days=7), "Drop it", "for the audit"),
        min_lead=LEAD,
        now=now,
        by=by,
    )


def a_bundle(*, now: datetime = NOON, sandbox_name: SandboxName = PROD, org_id: OrgId = ORG) -> Bundle:
    return open_bundle(BundleId(uuid4()), org_id, sandbox_name, BundleLimits(), now)


def an_order(bundle: Bundle, **parts: Any) -> WorkOrder:
    """A received order of the bundle's space."""
    values: dict[str, Any] = {
        "work_order_id": WorkOrderId(uuid4()),
        "org_id": bundle.org_id,
        "sandbox_name": bundle.sandbox_name,
        "bundle_id": bundle.bundle_id,
        "action": Action.DELETE_IDENTITY,
        "scope": AllDatasets(),
        "dataset_name": "ALL",
        "operation_count": 2,
        "target_products": ALL_PRODUCTS,
        "status": OpenStatus.RECEIVED,
        "display_name": "Forget two",
        "description": "",
        "created_at": NOON,
        "created_by": ANN,
        "updated_at": NOON,
        "updated_by": ANN,
    }
    return WorkOrder(**(values | parts))


def identities(*ids: str, namespace: Namespace = EMAIL) -> Identities:
    return Identities({namespace: ids})


def an_event(subject: str = "DI-1", **details: Any) -> AuditEvent:
    return AuditEvent(ORG, ANN, "work_order.accepted", subject, details)


def a_task(bundle: Bundle) -> Task:
    return Task(TaskId(uuid4()), bundle.org_id, bundle.sandbox_name, Step.FIND, bundle.bundle_id, NOON)


def a_schema(
    schema_id: str = "https://ns.example.com/schemas/1", namespace_code: str | None = "Email"
) -> DatasetSchema:
    primary = None if namespace_code is None else PrimaryIdentity(("person", "e.mail"), namespace_code)
    return DatasetSchema(SchemaId(schema_id), "Profile", primary, primary is None, {"person": {"type": "object"}})


def a_dataset(
    dataset_id: str = "ds-1",
    name: str = "Events",
    *,
    created_at: datetime = NOON,
    schema: DatasetSchema | None = None,
    tags: dict[str, Sequence[str]] | None = None,
) -> Dataset:
    return Dataset(
        DatasetId(dataset_id),
        ORG,
        PROD,
        name,
        schema or a_schema(),
        TableReference(TableFormat.ICEBERG, f"/lake/{dataset_id}", "main", f"db.{dataset_id}"),
        created_at,
        created_at,
        tags=tags if tags is not None else {"unifiedProfile": ("enabled:true",)},
    )
