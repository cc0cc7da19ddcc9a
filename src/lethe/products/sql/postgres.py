"""PostgreSQL: a deleted row stays in its page until VACUUM, and VACUUM passes by what an older transaction may see.

After the deletes every touched table is vacuumed, its partitions and its TOAST table with it. That nothing was passed
by is read from the table's frozen horizon: `VACUUM (FREEZE)` moves `relfrozenxid` past every transaction id that is
still in the table, so the rows are gone when it has reached the first transaction id after our deletes. Until then,
or when this login may not vacuum the table, the answer is Waiting: rows that can be brought back are not gone.

VACUUM frees the room of a row without overwriting it: no query and no index finds the row, but its bytes stay in the
file until the room is used. With `rewrite`, tables are rewritten instead (VACUUM FULL, under an exclusive lock).
Either way the server's log of changes keeps the bytes until its segments are recycled, and archived copies keep them
as backups do.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from lethe.products.interface import Beat, Waiting
from lethe.products.sql.databases import Condition
from lethe.products.sql.kinds import Kind, Scalar, element_type, kind_of

_TRANSACTIONS_END_AFTER: Final = timedelta(seconds=30)
_RIGHTS_COME_AFTER: Final = timedelta(hours=1)
_STATEMENT_SECONDS_MAX: Final = 600
_RIGHT_TO_MAINTAIN_SINCE: Final = 170_000
"""The first version in which somebody else than a table's owner can be allowed to vacuum it."""

# A table with everything that is stored for it under another name: its partitions and children.
_FAMILY: Final = """
WITH RECURSIVE family AS (
    SELECT to_regclass(:name)::oid AS oid
    UNION SELECT inhrelid FROM pg_inherits JOIN family ON inhparent = family.oid
)
"""
_MEMBERS: Final = sa.text(
    f"{_FAMILY} SELECT family.oid, format('%I.%I', nspname, relname), relkind::text,"  # noqa: S608 - constants alone
    " pg_has_role(relowner, 'USAGE'), current_setting('server_version_num')::int"
    " FROM family JOIN pg_class USING (oid) JOIN pg_namespace n ON n.oid = relnamespace ORDER BY 2"
)
_MAY_MAINTAIN: Final = sa.text("SELECT has_table_privilege(CAST(:oid AS oid), 'MAINTAIN')")
_NEXT_TRANSACTION: Final = sa.text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
_IS_PAST: Final = sa.text(
    f"{_FAMILY}, stored AS ("  # noqa: S608 - constants alone
    " SELECT oid FROM family UNION SELECT reltoastrelid FROM family JOIN pg_class USING (oid))"
    " SELECT bool_and(age(relfrozenxid) <= age(CAST(CAST(:mark AS xid8) AS xid)))"
    " FROM stored JOIN pg_class USING (oid) WHERE relkind IN ('r', 't')"
)


class PostgresDatabase:
    """A PostgreSQL database, version 13 or later; implements `databases.Database`."""

    def __init__(self, url: sa.URL, *, wait_seconds: float, rewrite: bool) -> None:
        """`wait_seconds` bounds the wait for a connection and for locks; `rewrite` says how tables are vacuumed."""
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        milliseconds = max(1, round(wait_seconds * 1_000))
        arguments = {
            "connect_timeout": max(2, round(wait_seconds)),  # the least that the driver keeps to
            "application_name": "lethe",
            "options": f"-c lock_timeout={milliseconds}",
        }
        # A vacuum takes as long as its table is large, and cannot run inside a transaction.
        self._vacuum = sa.create_engine(
            url, hide_parameters=True, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool, connect_args=arguments
        )
        options = f"{arguments['options']} -c statement_timeout={_STATEMENT_SECONDS_MAX * 1_000}"
        self.read: sa.Engine = sa.create_engine(
            url,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            pool_size=2,
            connect_args=arguments | {"options": options},
        )
        self.write: sa.Engine = self.read
        self._command = "FULL, FREEZE" if rewrite else "FREEZE, INDEX_CLEANUP ON"

    def among(self, column: sa.ColumnElement[Any], values: Sequence[Scalar]) -> Condition:
        """Whether the column is one of these: an array is the one parameter."""
        kind = kind_of(column.type) or Kind.TEXT
        if len(values) == 1:
            return column == sa.literal(values[0], element_type(kind))
        return column == sa.any_(sa.literal(list(values), ARRAY(element_type(kind))))

    def exact(self, column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
        """A text as plain text under the comparison of bytes; any column behind a function, where no index is."""
        if kind is Kind.TEXT:
            column = sa.collate(sa.cast(column, sa.Text), "C")
        return sa.func.coalesce(column, column, type_=column.type)

    def scrub(self, tables: Sequence[sa.Table], *, beat: Beat) -> Waiting | None:
        """Vacuum; Waiting when it is not allowed, or when an older transaction holds rows back."""
        forbidden = self.unscrubbable(tables)
        if forbidden:
            return Waiting(
                f"rows are deleted, but this login may not vacuum {', '.join(forbidden)}: "
                "it needs to own the table, or the MAINTAIN privilege",
                _RIGHTS_COME_AFTER,
            )
        with self._vacuum.connect() as connection:
            mark = connection.execute(_NEXT_TRANSACTION).scalar_one()
            for table in tables:
                for member in self._members(connection, table):
                    connection.exec_driver_sql(f"VACUUM ({self._command}) {member}")
                    beat()
            held_back = [
                table.fullname
                for table in tables
                if not connection.execute(_IS_PAST, {"name": _quoted(table), "mark": mark}).scalar_one()
            ]
        if held_back:
            return Waiting(
                f"an older transaction may still see the deleted rows of {', '.join(held_back)}",
                _TRANSACTIONS_END_AFTER,
            )
        return None

    def unscrubbable(self, tables: Sequence[sa.Table]) -> Sequence[str]:
        """Names of tables that this login may not vacuum, or that are no tables."""
        with self.read.connect() as connection:
            return [table.fullname for table in tables if not self._may_vacuum(connection, table)]

    def _may_vacuum(self, connection: sa.Connection, table: sa.Table) -> bool:
        for oid, _, relkind, is_owner, version in connection.execute(_MEMBERS, {"name": _quoted(table)}).all():
            if relkind not in ("r", "p"):
                return False
            if is_owner:
                continue
            if version < _RIGHT_TO_MAINTAIN_SINCE or not connection.execute(_MAY_MAINTAIN, {"oid": oid}).scalar_one():
                return False
        return True

    def _members(self, connection: sa.Connection, table: sa.Table) -> Sequence[str]:
        """The names, quoted, of all that stores rows of the table."""
        rows = connection.execute(_MEMBERS, {"name": _quoted(table)}).all()
        return [name.replace("%", "%%") for _, name, relkind, *_ in rows if relkind == "r"]


def _quoted(table: sa.Table) -> str:
    """The name as a query would write it."""
    parts = (part for part in (table.schema, table.name) if part)
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
