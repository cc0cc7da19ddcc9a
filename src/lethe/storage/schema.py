"""The tables, for SQLite and PostgreSQL alike. `migrations` brings a database to this shape; a test compares the two.

Orders and expirations carry the number of their space (`spaces`: one sandbox of one org) instead of both names, so
that the many indexes of the lists stay short. `…_folded` and `search_text` are what a case-insensitive search looks
at, `…_key` the part of a long text that an index can order (`folding`).
"""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from lethe.domain.absence import Absence
from lethe.domain.dataset import DatasetState, TableFormat
from lethe.domain.expiration import ExpirationStatus, HistoryStatus
from lethe.domain.product import Product, ProductStatus
from lethe.domain.quota import QuotaName
from lethe.domain.task import Step, TaskState
from lethe.domain.work_order import Action, EndStatus, OpenStatus
from lethe.storage.columns import NUMBER, Instant
from lethe.storage.columns import at_least as _at_least
from lethe.storage.columns import at_most as _at_most
from lethe.storage.columns import instant as _instant
from lethe.storage.columns import one_of as _one_of
from lethe.storage.columns import text as _text

metadata: Final = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)


def _index_list(table: sa.Table, *keys: tuple[str, ...], beside: Mapping[str, tuple[str, ...]] | None = None) -> None:
    """An index for every way to walk a list, each ending in the id: a page is found without reading a row.

    `beside` names what an index also carries, by its key: what filters look at while they walk it.
    """
    id_name = f"{table.name.removesuffix('s')}_id"
    for key in ((), *keys):
        carried = (beside or {}).get("_".join(key), ())
        name = "_".join((table.name, "by", *(key or ("id",))))
        sa.Index(name, *(table.c[column] for column in ("space_id", *key, id_name, *carried)))


_WORK_ORDER_STATUSES: Final = (*OpenStatus, *EndStatus)

spaces: Final = sa.Table(
    "spaces",
    metadata,
    sa.Column("space_id", NUMBER, sa.Identity(), primary_key=True),
    _text("org_id"),
    _text("sandbox_name"),
    sa.UniqueConstraint("org_id", "sandbox_name"),
)

expirations: Final = sa.Table(
    "expirations",
    metadata,
    sa.Column("number", NUMBER, sa.Identity(), primary_key=True),
    sa.Column("expiration_id", sa.Uuid(), nullable=False, unique=True),
    sa.Column("space_id", NUMBER, sa.ForeignKey("spaces.space_id"), nullable=False),
    _text("dataset_id"),
    _text("dataset_name"),
    _text("status"),
    _instant("expiry_at"),
    _text("display_name"),
    _text("description"),
    _instant("created_at"),
    _instant("updated_at"),
    _text("updated_by"),
    _instant("cancelled_at", nullable=True),
    _instant("executed_at", nullable=True),
    _instant("completed_at", nullable=True),
    _instant("destroy_at", nullable=True),  # while it is executing and may still be restored
    _text("dataset_name_key"),
    _text("description_key"),
    _text("dataset_name_folded"),
    _text("display_name_folded"),
    _text("description_folded"),
    _text("search_text"),
    sa.UniqueConstraint("dataset_id", "space_id"),  # in this order, for look-ups over spaces
    _one_of("status", *ExpirationStatus),
    _at_most("display_name", 255),
    _at_most("description", 1_000),
    _at_most("updated_by", 500),
)

_index_list(
    expirations,
    ("display_name",),
    ("description_key",),
    ("dataset_name_key",),
    ("updated_by",),
    ("updated_at",),
    ("expiry_at",),
    ("status",),
    ("status", "updated_at"),
    ("updated_by", "updated_at"),
    ("created_at",),
    ("cancelled_at",),
    ("executed_at",),
    ("completed_at",),
    beside={
        "updated_at": ("updated_by",),
        "created_at": ("updated_at",),
        "cancelled_at": ("updated_at",),
        "executed_at": ("updated_at",),
        "completed_at": ("updated_at",),
        "expiry_at": ("updated_at",),
    },
)

expiration_history: Final = sa.Table(
    "expiration_history",
    metadata,
    sa.Column("expiration_id", sa.Uuid(), sa.ForeignKey("expirations.expiration_id"), primary_key=True),
    sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
    _text("status"),
    _instant("expiry_at"),
    _instant("at"),
    _text("by"),
    _text("reason", nullable=True),
    _one_of("status", *HistoryStatus),
)

expiration_products: Final = sa.Table(
    "expiration_products",
    metadata,
    sa.Column("expiration_id", sa.Uuid(), sa.ForeignKey("expirations.expiration_id"), primary_key=True),
    _text("product", primary_key=True),
    _text("status"),
    _instant("at"),
    _one_of("product", *Product),
    _one_of("status", *ProductStatus),
)

bundles: Final = sa.Table(
    "bundles",
    metadata,
    sa.Column("bundle_id", sa.Uuid(), primary_key=True),
    _text("org_id"),
    _text("sandbox_name"),
    _instant("opened_at"),
    _instant("closes_at"),
    sa.Column("order_count", sa.Integer(), nullable=False),
    sa.Column("identity_count", sa.BigInteger(), nullable=False),
    _instant("closed_at", nullable=True),
    _at_least("order_count", 0),
    _at_least("identity_count", 0),
)
sa.Index(
    "bundles_one_open",
    bundles.c.org_id,
    bundles.c.sandbox_name,
    unique=True,
    sqlite_where=bundles.c.closed_at.is_(None),
    postgresql_where=bundles.c.closed_at.is_(None),
)

work_orders: Final = sa.Table(
    "work_orders",
    metadata,
    sa.Column("number", NUMBER, sa.Identity(), primary_key=True),
    sa.Column("work_order_id", sa.Uuid(), nullable=False, unique=True),
    sa.Column("space_id", NUMBER, sa.ForeignKey("spaces.space_id"), nullable=False),
    sa.Column(
        "bundle_id",
        sa.Uuid(),
        sa.ForeignKey("bundles.bundle_id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    _text("action"),
    sa.Column("dataset_ids", sa.JSON(none_as_null=True)),  # null is ALL
    _text("dataset_name"),
    sa.Column("operation_count", sa.Integer(), nullable=False),
    sa.Column("target_products", sa.JSON(), nullable=False),
    _text("status"),
    _text("display_name"),
    _text("description"),
    _instant("created_at"),
    _text("created_by"),
    _instant("updated_at"),
    _text("updated_by"),
    sa.Column("skipped", sa.JSON(), nullable=False),
    _text("dataset_name_key"),
    _text("description_key"),
    _text("display_name_folded"),
    _text("description_folded"),
    _text("search_text"),
    _one_of("action", *Action),
    _one_of("status", *_WORK_ORDER_STATUSES),
    _at_least("operation_count", 0),
    _at_most("display_name", 255),
    _at_most("description", 1_000),
    _at_most("created_by", 500),
    _at_most("updated_by", 500),
)

_index_list(
    work_orders,
    ("display_name",),
    ("description_key",),
    ("dataset_name_key",),
    ("created_by",),
    ("created_at",),
    ("updated_by",),
    ("updated_at",),
    ("action",),
    ("operation_count",),
    ("status",),
    ("action", "updated_at"),
    ("status", "updated_at"),
    ("updated_by", "updated_at"),
)
# What filters look at while they walk; apart from the lean indexes, in which a deep page is found faster.
sa.Index(
    "work_orders_by_created_at_beside",
    *(work_orders.c[name] for name in ("space_id", "created_at", "work_order_id", "updated_at", "status", "action")),
)
sa.Index(
    "work_orders_by_updated_at_beside",
    *(work_orders.c[name] for name in ("space_id", "updated_at", "work_order_id", "created_at", "updated_by")),
)

work_order_changes: Final = sa.Table(
    "work_order_changes",
    metadata,
    sa.Column("work_order_id", sa.Uuid(), sa.ForeignKey("work_orders.work_order_id"), primary_key=True),
    sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("space_id", NUMBER, sa.ForeignKey("spaces.space_id"), nullable=False),
    _text("status"),
    _instant("at"),
    _one_of("status", *_WORK_ORDER_STATUSES),
)

sa.Index(
    "work_order_changes_by_at",
    work_order_changes.c.space_id,
    work_order_changes.c.at,
    work_order_changes.c.work_order_id,
)

work_order_products: Final = sa.Table(
    "work_order_products",
    metadata,
    sa.Column("work_order_id", sa.Uuid(), sa.ForeignKey("work_orders.work_order_id"), primary_key=True),
    _text("product", primary_key=True),
    _text("status"),
    _instant("at"),
    _one_of("product", *Product),
    _one_of("status", *ProductStatus),
)

work_order_tallies: Final = sa.Table(
    "work_order_tallies",
    metadata,
    sa.Column("space_id", NUMBER, sa.ForeignKey("spaces.space_id"), primary_key=True, autoincrement=False),
    _text("action", primary_key=True),
    _text("status", primary_key=True),
    _text("updated_by", primary_key=True),
    sa.Column("orders", sa.BigInteger(), nullable=False),
    _at_least("orders", 0),
)

identity_vaults: Final = sa.Table(
    "identity_vaults",
    metadata,
    # No reference to the order: it is sealed in the same transaction, before or after it is added.
    sa.Column("work_order_id", sa.Uuid(), primary_key=True),
    _text("org_id"),
    _text("key_id"),
    sa.Column("wrapped_key", sa.LargeBinary()),
)

identity_chunks: Final = sa.Table(
    "identity_chunks",
    metadata,
    sa.Column("work_order_id", sa.Uuid(), sa.ForeignKey("identity_vaults.work_order_id"), primary_key=True),
    sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("namespace_id", sa.BigInteger(), nullable=False),
    sa.Column("namespace", sa.JSON(), nullable=False),
    sa.Column("identity_count", sa.Integer(), nullable=False),
    sa.Column("hashes", sa.LargeBinary(), nullable=False),
    sa.Column("ciphertext", sa.LargeBinary()),
    _at_least("identity_count", 1),
)

tasks: Final = sa.Table(
    "tasks",
    metadata,
    sa.Column("task_id", sa.Uuid(), primary_key=True),
    _text("org_id"),
    _text("sandbox_name"),
    _text("step"),
    sa.Column("subject_id", sa.Uuid(), nullable=False),
    _text("product", nullable=True),
    _text("dataset_id", nullable=True),
    _instant("due_at"),
    _text("state"),
    sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("token", sa.BigInteger(), nullable=False, server_default="0"),
    _text("lease_owner", nullable=True),
    _instant("lease_until", nullable=True),
    _text("reason", nullable=True),
    sa.Column("round", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("is_nudged", sa.Boolean(), nullable=False, server_default=sa.false()),
    _one_of("step", *Step),
    _one_of("state", *TaskState),
    _at_least("attempts", 0),
)
sa.Index("tasks_by_due_at", tasks.c.state, tasks.c.org_id, tasks.c.due_at, tasks.c.task_id)
sa.Index("tasks_by_subject", tasks.c.subject_id)
# Who holds what: few rows at any time, however long the queue is.
sa.Index(
    "tasks_held",
    tasks.c.lease_until,
    sqlite_where=tasks.c.lease_until.is_not(None),
    postgresql_where=tasks.c.lease_until.is_not(None),
)

failures: Final = sa.Table(
    "failures",
    metadata,
    sa.Column("subject_id", sa.Uuid(), primary_key=True),
    sa.Column("task_id", sa.Uuid(), primary_key=True),
    _text("step"),
    _text("product", nullable=True),
    _text("dataset_id", nullable=True),
    _text("reason"),
    sa.Column("attempts", sa.Integer(), nullable=False),
    _instant("at"),
)

plans: Final = sa.Table(
    "plans",
    metadata,
    sa.Column("work_order_id", sa.Uuid(), sa.ForeignKey("work_orders.work_order_id"), primary_key=True),
    _text("dataset_id", primary_key=True),
    _text("snapshot"),
    sa.Column("files", sa.JSON(), nullable=False),
    sa.Column("rows_by_identity", sa.LargeBinary(), nullable=False),
)

results: Final = sa.Table(
    "results",
    metadata,
    sa.Column("work_order_id", sa.Uuid(), sa.ForeignKey("work_orders.work_order_id"), primary_key=True),
    _text("dataset_id", primary_key=True),
    sa.Column("round", sa.Integer(), primary_key=True, autoincrement=False),
    _text("snapshot"),
    _text("plan_hash"),
    sa.Column("rows_deleted", sa.BigInteger(), nullable=False),
    sa.Column("rows_by_identity", sa.LargeBinary(), nullable=False),
)

evidence: Final = sa.Table(
    "evidence",
    metadata,
    sa.Column("subject_id", sa.Uuid(), primary_key=True),
    _text("product", primary_key=True),
    _text("dataset_id", primary_key=True),
    sa.Column("seen", sa.JSON(), nullable=False),
    _one_of("product", *Product),
)

service_results: Final = sa.Table(
    "service_results",
    metadata,
    sa.Column("work_order_id", sa.Uuid(), sa.ForeignKey("work_orders.work_order_id"), primary_key=True),
    _text("product", primary_key=True),
    sa.Column("round", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("traces_by_identity", sa.LargeBinary()),
    sa.Column("removed", sa.BigInteger()),
    _text("absence", nullable=True),
    _one_of("product", *Product),
    _one_of("absence", *Absence),
)

reverifications: Final = sa.Table(
    "reverifications",
    metadata,
    sa.Column("work_order_id", sa.Uuid(), sa.ForeignKey("work_orders.work_order_id"), primary_key=True),
    _text("dataset_id", primary_key=True),
    sa.Column("at", Instant(), primary_key=True),
    _text("snapshot"),
    sa.Column("rows_examined", sa.BigInteger(), nullable=False),
    sa.Column("rows_back", sa.BigInteger(), nullable=False),
    sa.Column("identities_back", sa.BigInteger(), nullable=False),
    _text("problem", nullable=True),
)

certificates: Final = sa.Table(
    "certificates",
    metadata,
    sa.Column("subject_id", sa.Uuid(), primary_key=True),
    _text("org_id"),
    _text("document"),
)

dataset_locks: Final = sa.Table(
    "dataset_locks",
    metadata,
    _text("org_id", primary_key=True),
    _text("sandbox_name", primary_key=True),
    _text("dataset_id", primary_key=True),
    sa.Column("holder", sa.Uuid(), nullable=False),
)
sa.Index("dataset_locks_by_holder", dataset_locks.c.holder)

quota_counters: Final = sa.Table(
    "quota_counters",
    metadata,
    _text("org_id", primary_key=True),
    _text("name", primary_key=True),
    sa.Column("period_start", Instant(), primary_key=True),
    sa.Column("consumed", sa.BigInteger(), nullable=False),
    _one_of("name", *QuotaName),
    _at_least("consumed", 0),
)

audit_head: Final = sa.Table(
    "audit_head",
    metadata,
    sa.Column("head_id", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.BigInteger(), nullable=False),
    _text("hash"),
    sa.CheckConstraint("head_id = 1", name="one_row"),
)

audit_records: Final = sa.Table(
    "audit_records",
    metadata,
    sa.Column("sequence", NUMBER, primary_key=True, autoincrement=False),
    _instant("at"),
    _text("org_id"),
    _text("actor"),
    _text("action"),
    _text("subject"),
    _text("details"),
    _text("previous_hash"),
    _text("hash"),
)

idempotency_keys: Final = sa.Table(
    "idempotency_keys",
    metadata,
    _text("org_id", primary_key=True),
    _text("client_id", primary_key=True),
    # A client may choose a key that is long, or that speaks of a person: its SHA-256 is neither.
    sa.Column("key_digest", sa.LargeBinary(), primary_key=True),
    sa.Column("request_digest", sa.LargeBinary(), nullable=False),
    _instant("expires_at"),
    sa.Column("status_code", sa.Integer()),
    _text("key_id", nullable=True),
    sa.Column("sealed_body", sa.LargeBinary()),
    sa.CheckConstraint(
        "(status_code IS NULL) = (sealed_body IS NULL) AND (status_code IS NULL) = (key_id IS NULL)", name="whole"
    ),
)
sa.Index("idempotency_keys_by_expires_at", idempotency_keys.c.expires_at)

schemas: Final = sa.Table(
    "schemas",
    metadata,
    _text("org_id", primary_key=True),
    _text("schema_id", primary_key=True),
    _text("title"),
    sa.Column("primary_identity", sa.JSON(none_as_null=True)),
    sa.Column("has_identity_map", sa.Boolean(), nullable=False),
    sa.Column("properties", sa.JSON(), nullable=False),
)

datasets: Final = sa.Table(
    "datasets",
    metadata,
    _text("org_id", primary_key=True),
    _text("sandbox_name", primary_key=True),
    _text("dataset_id", primary_key=True),
    _text("name"),
    _text("schema_id"),
    _text("format"),
    _text("location", nullable=True),
    _text("catalog", nullable=True),
    _text("identifier", nullable=True),
    _text("place_root", nullable=True),
    _text("place_name", nullable=True),
    _instant("created_at"),
    _instant("updated_at"),
    _text("description"),
    _text("state"),
    _text("classification"),
    sa.Column("tags", sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(["org_id", "schema_id"], ["schemas.org_id", "schemas.schema_id"]),
    _one_of("format", *TableFormat),
    _one_of("state", *DatasetState),
)
sa.Index("datasets_by_created_at", datasets.c.org_id, datasets.c.sandbox_name, datasets.c.created_at)

namespaces: Final = sa.Table(
    "namespaces",
    metadata,
    _text("org_id", primary_key=True),
    sa.Column("namespace_id", sa.BigInteger(), primary_key=True, autoincrement=False),
    _text("code"),
    _text("folded_code"),
    _text("name"),
    _text("id_type"),
    sa.Column("custom", sa.Boolean(), nullable=False),
    sa.Column("case_insensitive", sa.Boolean(), nullable=False),
    sa.UniqueConstraint("org_id", "folded_code"),
)
