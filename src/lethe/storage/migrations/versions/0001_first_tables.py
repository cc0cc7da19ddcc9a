"""The first tables."""

import sqlalchemy as sa
from alembic import op

from lethe.domain.audit import GENESIS
from lethe.storage.columns import NUMBER, TEXT, Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table, the guards of the audit trail, and the indexes of a search."""
    _create_tables()
    _create_event_tables()
    audit_head = sa.table("audit_head", sa.column("head_id"), sa.column("sequence"), sa.column("hash"))
    op.execute(audit_head.insert().values(head_id=1, sequence=0, hash=GENESIS))
    if op.get_bind().dialect.name == "postgresql":
        _execute(*_GUARDS_ON_POSTGRES)
        _create_trigrams_on_postgres()
    else:
        _execute(*_GUARDS_ON_SQLITE)
        _create_trigrams_on_sqlite("work_orders", "work_order_search")
        _create_trigrams_on_sqlite("expirations", "expiration_search")


def _execute(*statements: str) -> None:
    for statement in statements:
        op.execute(statement)


def _create_trigrams_on_postgres() -> None:
    """Index the searched texts by three characters, where the server has the extension and lets us have it.

    Without it a search reads every row; its answers are the same.
    """
    connection = op.get_bind()
    if not connection.scalar(sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")):
        return
    try:
        with connection.begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except sa.exc.ProgrammingError:  # insufficient privilege
        return
    for table in ("work_orders", "expirations"):
        op.execute(f"CREATE INDEX {table}_search_trigrams ON {table} USING gin (search_text gin_trgm_ops)")


def _create_trigrams_on_sqlite(table: str, index: str) -> None:
    """Index the searched texts by three characters. The text itself stays in its table alone."""
    _execute(*(statement.format(table=table, index=index) for statement in _TRIGRAMS_ON_SQLITE))


_TRIGRAMS_ON_SQLITE = (
    """
        CREATE VIRTUAL TABLE {index} USING fts5(
            search_text, content='{table}', content_rowid='number',
            tokenize='trigram case_sensitive 1', detail='none', columnsize=0
        )
        """,
    """
        CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN
            INSERT INTO {index} (rowid, search_text) VALUES (new.number, new.search_text);
        END
        """,
    """
        CREATE TRIGGER {index}_update AFTER UPDATE OF search_text ON {table}
        WHEN old.search_text IS NOT new.search_text BEGIN
            INSERT INTO {index} ({index}, rowid, search_text) VALUES ('delete', old.number, old.search_text);
            INSERT INTO {index} (rowid, search_text) VALUES (new.number, new.search_text);
        END
        """,
    """
        CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN
            INSERT INTO {index} ({index}, rowid, search_text) VALUES ('delete', old.number, old.search_text);
        END
        """,
)

_GUARDS_ON_SQLITE = (
    """
    CREATE TRIGGER audit_records_no_update BEFORE UPDATE ON audit_records
    BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END
    """,
    """
    CREATE TRIGGER audit_records_no_delete BEFORE DELETE ON audit_records
    BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END
    """,
    """
    CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head
    BEGIN SELECT RAISE(ABORT, 'the head of the audit trail stays'); END
    """,
)

_GUARDS_ON_POSTGRES = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
    """,
    """
    CREATE TRIGGER audit_records_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_records
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER audit_head_no_delete BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)


def _create_tables() -> None:  # noqa: PLR0915 - a table is a statement
    op.create_table(
        "audit_head",
        sa.Column("head_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.CheckConstraint("head_id = 1", name=op.f("audit_head_one_row")),
        sa.PrimaryKeyConstraint("head_id", name=op.f("audit_head_pk")),
    )
    op.create_table(
        "audit_records",
        sa.Column("sequence", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("details", TEXT, nullable=False),
        sa.Column("previous_hash", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("audit_records_pk")),
    )
    op.create_table(
        "bundles",
        sa.Column("bundle_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("sandbox_name", TEXT, nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closes_at", Instant(), nullable=False),
        sa.Column("order_count", sa.Integer(), nullable=False),
        sa.Column("identity_count", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.CheckConstraint("identity_count >= 0", name=op.f("bundles_identity_count_at_least_0")),
        sa.CheckConstraint("order_count >= 0", name=op.f("bundles_order_count_at_least_0")),
        sa.PrimaryKeyConstraint("bundle_id", name=op.f("bundles_pk")),
    )
    op.create_index(
        "bundles_one_open",
        "bundles",
        ["org_id", "sandbox_name"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("client_id", TEXT, nullable=False),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("key_id", TEXT, nullable=True),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(status_code IS NULL) = (sealed_body IS NULL) AND (status_code IS NULL) = (key_id IS NULL)",
            name=op.f("idempotency_keys_whole"),
        ),
        sa.PrimaryKeyConstraint("org_id", "client_id", "key_digest", name=op.f("idempotency_keys_pk")),
    )
    op.create_index("idempotency_keys_by_expires_at", "idempotency_keys", ["expires_at"])
    op.create_table(
        "identity_vaults",
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("work_order_id", name=op.f("identity_vaults_pk")),
    )
    op.create_table(
        "namespaces",
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("namespace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("folded_code", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("id_type", TEXT, nullable=False),
        sa.Column("custom", sa.Boolean(), nullable=False),
        sa.Column("case_insensitive", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "namespace_id", name=op.f("namespaces_pk")),
        sa.UniqueConstraint("org_id", "folded_code", name=op.f("namespaces_org_id_folded_code_unique")),
    )
    op.create_table(
        "quota_counters",
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("period_start", Instant(), nullable=False),
        sa.Column("consumed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "name IN ('datasetExpirationQuota', 'dailyConsumerDeleteIdentitiesQuota', "
            "'monthlyConsumerDeleteIdentitiesQuota', 'monthlyUpdatedFieldIdentitiesQuota')",
            name=op.f("quota_counters_name_known"),
        ),
        sa.CheckConstraint("consumed >= 0", name=op.f("quota_counters_consumed_at_least_0")),
        sa.PrimaryKeyConstraint("org_id", "name", "period_start", name=op.f("quota_counters_pk")),
    )
    op.create_table(
        "schemas",
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("schema_id", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("primary_identity", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("has_identity_map", sa.Boolean(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "schema_id", name=op.f("schemas_pk")),
    )
    op.create_table(
        "spaces",
        sa.Column("space_id", NUMBER, sa.Identity(always=False), nullable=False),
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("sandbox_name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("space_id", name=op.f("spaces_pk")),
        sa.UniqueConstraint("org_id", "sandbox_name", name=op.f("spaces_org_id_sandbox_name_unique")),
    )
    op.create_table(
        "tasks",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("sandbox_name", TEXT, nullable=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("product", TEXT, nullable=True),
        sa.Column("dataset_id", TEXT, nullable=True),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_owner", TEXT, nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("round", sa.Integer(), server_default="0", nullable=False),
        sa.Column("is_nudged", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint(
            "step IN ('find', 'bundle', 'forget', 'purge', 'verify', 'drop', 'confirm', 'reverify')",
            name=op.f("tasks_step_known"),
        ),
        sa.CheckConstraint("state IN ('ready', 'done', 'failed')", name=op.f("tasks_state_known")),
        sa.CheckConstraint("attempts >= 0", name=op.f("tasks_attempts_at_least_0")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("tasks_pk")),
    )
    op.create_index("tasks_by_due_at", "tasks", ["state", "org_id", "due_at", "task_id"])
    op.create_index("tasks_by_subject", "tasks", ["subject_id"])
    op.create_index(
        "tasks_held",
        "tasks",
        ["lease_until"],
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_table(
        "failures",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("product", TEXT, nullable=True),
        sa.Column("dataset_id", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "task_id", name=op.f("failures_pk")),
    )
    op.create_table(
        "evidence",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("product", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "product IN ('datalake', 'identity', 'profile', 'ajo')", name=op.f("evidence_product_known")
        ),
        sa.PrimaryKeyConstraint("subject_id", "product", "dataset_id", name=op.f("evidence_pk")),
    )
    op.create_table(
        "certificates",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("certificates_pk")),
    )
    op.create_table(
        "dataset_locks",
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("sandbox_name", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "sandbox_name", "dataset_id", name=op.f("dataset_locks_pk")),
    )
    op.create_index("dataset_locks_by_holder", "dataset_locks", ["holder"])
    op.create_table(
        "datasets",
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("sandbox_name", TEXT, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("schema_id", TEXT, nullable=False),
        sa.Column("format", TEXT, nullable=False),
        sa.Column("location", TEXT, nullable=True),
        sa.Column("catalog", TEXT, nullable=True),
        sa.Column("identifier", TEXT, nullable=True),
        sa.Column("place_root", TEXT, nullable=True),
        sa.Column("place_name", TEXT, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("classification", TEXT, nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.CheckConstraint("format IN ('iceberg', 'delta', 'parquet', 'ndjson')", name=op.f("datasets_format_known")),
        sa.CheckConstraint("state IN ('DRAFT', 'ENABLED', 'DELETING', 'DELETED')", name=op.f("datasets_state_known")),
        sa.ForeignKeyConstraint(
            ["org_id", "schema_id"], ["schemas.org_id", "schemas.schema_id"], name=op.f("datasets_org_id_schema_id_fk")
        ),
        sa.PrimaryKeyConstraint("org_id", "sandbox_name", "dataset_id", name=op.f("datasets_pk")),
    )
    op.create_index("datasets_by_created_at", "datasets", ["org_id", "sandbox_name", "created_at"])
    op.create_table(
        "expirations",
        sa.Column("number", NUMBER, sa.Identity(always=False), nullable=False),
        sa.Column("expiration_id", sa.Uuid(), nullable=False),
        sa.Column("space_id", NUMBER, nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("dataset_name", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("expiry_at", Instant(), nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("updated_by", TEXT, nullable=False),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.Column("executed_at", Instant(), nullable=True),
        sa.Column("completed_at", Instant(), nullable=True),
        sa.Column("destroy_at", Instant(), nullable=True),
        sa.Column("dataset_name_key", TEXT, nullable=False),
        sa.Column("description_key", TEXT, nullable=False),
        sa.Column("dataset_name_folded", TEXT, nullable=False),
        sa.Column("display_name_folded", TEXT, nullable=False),
        sa.Column("description_folded", TEXT, nullable=False),
        sa.Column("search_text", TEXT, nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'executing', 'completed', 'cancelled')", name=op.f("expirations_status_known")
        ),
        sa.CheckConstraint("length(description) <= 1000", name=op.f("expirations_description_short")),
        sa.CheckConstraint("length(display_name) <= 255", name=op.f("expirations_display_name_short")),
        sa.CheckConstraint("length(updated_by) <= 500", name=op.f("expirations_updated_by_short")),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.space_id"], name=op.f("expirations_space_id_fk")),
        sa.PrimaryKeyConstraint("number", name=op.f("expirations_pk")),
        sa.UniqueConstraint("dataset_id", "space_id", name=op.f("expirations_dataset_id_space_id_unique")),
        sa.UniqueConstraint("expiration_id", name=op.f("expirations_expiration_id_unique")),
    )
    op.create_index(
        "expirations_by_cancelled_at", "expirations", ["space_id", "cancelled_at", "expiration_id", "updated_at"]
    )
    op.create_index(
        "expirations_by_completed_at", "expirations", ["space_id", "completed_at", "expiration_id", "updated_at"]
    )
    op.create_index(
        "expirations_by_created_at", "expirations", ["space_id", "created_at", "expiration_id", "updated_at"]
    )
    op.create_index("expirations_by_dataset_name_key", "expirations", ["space_id", "dataset_name_key", "expiration_id"])
    op.create_index("expirations_by_description_key", "expirations", ["space_id", "description_key", "expiration_id"])
    op.create_index("expirations_by_display_name", "expirations", ["space_id", "display_name", "expiration_id"])
    op.create_index(
        "expirations_by_executed_at", "expirations", ["space_id", "executed_at", "expiration_id", "updated_at"]
    )
    op.create_index("expirations_by_expiry_at", "expirations", ["space_id", "expiry_at", "expiration_id", "updated_at"])
    op.create_index("expirations_by_id", "expirations", ["space_id", "expiration_id"])
    op.create_index("expirations_by_status", "expirations", ["space_id", "status", "expiration_id"])
    op.create_index(
        "expirations_by_status_updated_at", "expirations", ["space_id", "status", "updated_at", "expiration_id"]
    )
    op.create_index(
        "expirations_by_updated_at", "expirations", ["space_id", "updated_at", "expiration_id", "updated_by"]
    )
    op.create_index("expirations_by_updated_by", "expirations", ["space_id", "updated_by", "expiration_id"])
    op.create_index(
        "expirations_by_updated_by_updated_at", "expirations", ["space_id", "updated_by", "updated_at", "expiration_id"]
    )
    op.create_table(
        "identity_chunks",
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("namespace_id", sa.BigInteger(), nullable=False),
        sa.Column("namespace", sa.JSON(), nullable=False),
        sa.Column("identity_count", sa.Integer(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("identity_count >= 1", name=op.f("identity_chunks_identity_count_at_least_1")),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["identity_vaults.work_order_id"], name=op.f("identity_chunks_work_order_id_fk")
        ),
        sa.PrimaryKeyConstraint("work_order_id", "number", name=op.f("identity_chunks_pk")),
    )
    op.create_table(
        "work_order_tallies",
        sa.Column("space_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("updated_by", TEXT, nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("orders >= 0", name=op.f("work_order_tallies_orders_at_least_0")),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.space_id"], name=op.f("work_order_tallies_space_id_fk")),
        sa.PrimaryKeyConstraint("space_id", "action", "status", "updated_by", name=op.f("work_order_tallies_pk")),
    )
    op.create_table(
        "work_orders",
        sa.Column("number", NUMBER, sa.Identity(always=False), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("space_id", NUMBER, nullable=False),
        sa.Column("bundle_id", sa.Uuid(), nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("dataset_ids", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("dataset_name", TEXT, nullable=False),
        sa.Column("operation_count", sa.Integer(), nullable=False),
        sa.Column("target_products", sa.JSON(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("updated_by", TEXT, nullable=False),
        sa.Column("skipped", sa.JSON(), nullable=False),
        sa.Column("dataset_name_key", TEXT, nullable=False),
        sa.Column("description_key", TEXT, nullable=False),
        sa.Column("display_name_folded", TEXT, nullable=False),
        sa.Column("description_folded", TEXT, nullable=False),
        sa.Column("search_text", TEXT, nullable=False),
        sa.CheckConstraint("action IN ('delete_identity', 'delete_dataset')", name=op.f("work_orders_action_known")),
        sa.CheckConstraint(
            "status IN ('received', 'validated', 'submitted', 'ingested', 'completed', 'failed')",
            name=op.f("work_orders_status_known"),
        ),
        sa.CheckConstraint("length(created_by) <= 500", name=op.f("work_orders_created_by_short")),
        sa.CheckConstraint("length(description) <= 1000", name=op.f("work_orders_description_short")),
        sa.CheckConstraint("length(display_name) <= 255", name=op.f("work_orders_display_name_short")),
        sa.CheckConstraint("length(updated_by) <= 500", name=op.f("work_orders_updated_by_short")),
        sa.CheckConstraint("operation_count >= 0", name=op.f("work_orders_operation_count_at_least_0")),
        sa.ForeignKeyConstraint(
            ["bundle_id"],
            ["bundles.bundle_id"],
            name=op.f("work_orders_bundle_id_fk"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.space_id"], name=op.f("work_orders_space_id_fk")),
        sa.PrimaryKeyConstraint("number", name=op.f("work_orders_pk")),
        sa.UniqueConstraint("work_order_id", name=op.f("work_orders_work_order_id_unique")),
    )
    op.create_index("work_orders_by_action", "work_orders", ["space_id", "action", "work_order_id"])
    op.create_index(
        "work_orders_by_action_updated_at", "work_orders", ["space_id", "action", "updated_at", "work_order_id"]
    )
    op.create_index("work_orders_by_created_at", "work_orders", ["space_id", "created_at", "work_order_id"])
    op.create_index(
        "work_orders_by_created_at_beside",
        "work_orders",
        ["space_id", "created_at", "work_order_id", "updated_at", "status", "action"],
    )
    op.create_index("work_orders_by_created_by", "work_orders", ["space_id", "created_by", "work_order_id"])
    op.create_index("work_orders_by_dataset_name_key", "work_orders", ["space_id", "dataset_name_key", "work_order_id"])
    op.create_index("work_orders_by_description_key", "work_orders", ["space_id", "description_key", "work_order_id"])
    op.create_index("work_orders_by_display_name", "work_orders", ["space_id", "display_name", "work_order_id"])
    op.create_index("work_orders_by_id", "work_orders", ["space_id", "work_order_id"])
    op.create_index("work_orders_by_operation_count", "work_orders", ["space_id", "operation_count", "work_order_id"])
    op.create_index("work_orders_by_status", "work_orders", ["space_id", "status", "work_order_id"])
    op.create_index(
        "work_orders_by_status_updated_at", "work_orders", ["space_id", "status", "updated_at", "work_order_id"]
    )
    op.create_index("work_orders_by_updated_at", "work_orders", ["space_id", "updated_at", "work_order_id"])
    op.create_index(
        "work_orders_by_updated_at_beside",
        "work_orders",
        ["space_id", "updated_at", "work_order_id", "created_at", "updated_by"],
    )
    op.create_index("work_orders_by_updated_by", "work_orders", ["space_id", "updated_by", "work_order_id"])
    op.create_index(
        "work_orders_by_updated_by_updated_at", "work_orders", ["space_id", "updated_by", "updated_at", "work_order_id"]
    )
    op.create_table(
        "expiration_history",
        sa.Column("expiration_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("expiry_at", Instant(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.CheckConstraint(
            "status IN ('created', 'updated', 'cancelled', 'executing', 'completed', 'restored')",
            name=op.f("expiration_history_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["expiration_id"], ["expirations.expiration_id"], name=op.f("expiration_history_expiration_id_fk")
        ),
        sa.PrimaryKeyConstraint("expiration_id", "number", name=op.f("expiration_history_pk")),
    )
    op.create_table(
        "expiration_products",
        sa.Column("expiration_id", sa.Uuid(), nullable=False),
        sa.Column("product", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint(
            "product IN ('datalake', 'identity', 'profile', 'ajo')", name=op.f("expiration_products_product_known")
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'success', 'failure')", name=op.f("expiration_products_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["expiration_id"], ["expirations.expiration_id"], name=op.f("expiration_products_expiration_id_fk")
        ),
        sa.PrimaryKeyConstraint("expiration_id", "product", name=op.f("expiration_products_pk")),
    )
    op.create_table(
        "work_order_changes",
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("space_id", NUMBER, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint(
            "status IN ('received', 'validated', 'submitted', 'ingested', 'completed', 'failed')",
            name=op.f("work_order_changes_status_known"),
        ),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.space_id"], name=op.f("work_order_changes_space_id_fk")),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_orders.work_order_id"], name=op.f("work_order_changes_work_order_id_fk")
        ),
        sa.PrimaryKeyConstraint("work_order_id", "number", name=op.f("work_order_changes_pk")),
    )
    op.create_index("work_order_changes_by_at", "work_order_changes", ["space_id", "at", "work_order_id"])
    op.create_table(
        "work_order_products",
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("product", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint(
            "product IN ('datalake', 'identity', 'profile', 'ajo')", name=op.f("work_order_products_product_known")
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'success', 'failure')", name=op.f("work_order_products_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_orders.work_order_id"], name=op.f("work_order_products_work_order_id_fk")
        ),
        sa.PrimaryKeyConstraint("work_order_id", "product", name=op.f("work_order_products_pk")),
    )
    op.create_table(
        "plans",
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("snapshot", TEXT, nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("rows_by_identity", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["work_order_id"], ["work_orders.work_order_id"], name=op.f("plans_work_order_id_fk")),
        sa.PrimaryKeyConstraint("work_order_id", "dataset_id", name=op.f("plans_pk")),
    )
    op.create_table(
        "results",
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("snapshot", TEXT, nullable=False),
        sa.Column("plan_hash", TEXT, nullable=False),
        sa.Column("rows_deleted", sa.BigInteger(), nullable=False),
        sa.Column("rows_by_identity", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_orders.work_order_id"], name=op.f("results_work_order_id_fk")
        ),
        sa.PrimaryKeyConstraint("work_order_id", "dataset_id", "round", name=op.f("results_pk")),
    )
    op.create_table(
        "service_results",
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("product", TEXT, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("traces_by_identity", sa.LargeBinary(), nullable=True),
        sa.Column("removed", sa.BigInteger(), nullable=True),
        sa.Column("absence", TEXT, nullable=True),
        sa.CheckConstraint(
            "product IN ('datalake', 'identity', 'profile', 'ajo')", name=op.f("service_results_product_known")
        ),
        sa.CheckConstraint(
            "absence IN ('verified', 'asserted', 'deletedByOtherMeans')", name=op.f("service_results_absence_known")
        ),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_orders.work_order_id"], name=op.f("service_results_work_order_id_fk")
        ),
        sa.PrimaryKeyConstraint("work_order_id", "product", "round", name=op.f("service_results_pk")),
    )
    op.create_table(
        "reverifications",
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("snapshot", TEXT, nullable=False),
        sa.Column("rows_examined", sa.BigInteger(), nullable=False),
        sa.Column("rows_back", sa.BigInteger(), nullable=False),
        sa.Column("identities_back", sa.BigInteger(), nullable=False),
        sa.Column("problem", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_orders.work_order_id"], name=op.f("reverifications_work_order_id_fk")
        ),
        sa.PrimaryKeyConstraint("work_order_id", "dataset_id", "at", name=op.f("reverifications_pk")),
    )


def _create_event_tables() -> None:
    """What happened, whom it is told, and what services told us."""
    op.create_table(
        "callback_messages",
        sa.Column("product", TEXT, nullable=False),
        sa.Column("message_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "product IN ('datalake', 'identity', 'profile', 'ajo')", name=op.f("callback_messages_product_known")
        ),
        sa.PrimaryKeyConstraint("product", "message_digest", name=op.f("callback_messages_pk")),
    )
    op.create_index("callback_messages_by_expires_at", "callback_messages", ["expires_at"])
    op.create_table(
        "events",
        sa.Column("position", NUMBER, sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("sandbox_name", TEXT, nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("facts", TEXT, nullable=False),
        sa.CheckConstraint(
            "type IN ('org.lethe.workorder.received', "
            "'org.lethe.workorder.validated', "
            "'org.lethe.workorder.submitted', "
            "'org.lethe.workorder.ingested', "
            "'org.lethe.workorder.completed', "
            "'org.lethe.workorder.failed', "
            "'org.lethe.workorder.alarm', "
            "'org.lethe.expiration.created', "
            "'org.lethe.expiration.updated', "
            "'org.lethe.expiration.cancelled', "
            "'org.lethe.expiration.executing', "
            "'org.lethe.expiration.restored', "
            "'org.lethe.expiration.completed', "
            "'org.lethe.webhook.disabled', "
            "'org.lethe.webhook.ping')",
            name=op.f("events_type_known"),
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("events_pk")),
        sa.UniqueConstraint("event_id", name=op.f("events_event_id_unique")),
    )
    op.create_index("events_by_at", "events", ["at"])
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", TEXT, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("sandbox_name", TEXT, nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("updated_by", TEXT, nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("disabled_reason", TEXT, nullable=True),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("previous_key_id", TEXT, nullable=True),
        sa.Column("previous_sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_until", Instant(), nullable=False),
        sa.Column("served_at", Instant(), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_owner", TEXT, nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.CheckConstraint(
            "(previous_sealed_secret IS NULL) = (previous_key_id IS NULL) "
            "AND (previous_sealed_secret IS NULL) = (previous_until IS NULL)",
            name=op.f("webhooks_whole"),
        ),
        sa.CheckConstraint("failures >= 0", name=op.f("webhooks_failures_at_least_0")),
        sa.CheckConstraint("length(description) <= 1000", name=op.f("webhooks_description_short")),
        sa.CheckConstraint("length(url) <= 2048", name=op.f("webhooks_url_short")),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("webhooks_pk")),
    )
    op.create_index("webhooks_by_org", "webhooks", ["org_id", "created_at", "webhook_id"])
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("attempted_at", Instant(), nullable=True),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'failed')", name=op.f("deliveries_state_known")),
        sa.CheckConstraint("attempts >= 0", name=op.f("deliveries_attempts_at_least_0")),
        sa.ForeignKeyConstraint(["position"], ["events.position"], name=op.f("deliveries_position_fk")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("deliveries_pk")),
    )
    op.create_index("deliveries_by_position", "deliveries", ["position"])
    op.create_index("deliveries_by_webhook", "deliveries", ["webhook_id", "position", "state"])
    op.create_index(
        "deliveries_pending",
        "deliveries",
        ["webhook_id", "position", "due_at"],
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "deliveries_pending_by_subject",
        "deliveries",
        ["webhook_id", "subject_id", "position"],
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
