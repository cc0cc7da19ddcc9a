"""Loads the rows of `data` into a fresh database, past the repositories, with the lists' indexes built at the end."""

import csv
import io
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa

from lethe.storage import schema
from storage import data

_AT_ONCE = 20_000


def load(engine: sa.Engine, order_count: int, expiration_count: int) -> None:
    """Fill the migrated database behind this writing engine."""
    tables = (schema.work_orders, schema.work_order_changes, schema.expirations)
    bulk = _Postgres(engine) if engine.dialect.name == "postgresql" else _Sqlite(engine)
    with engine.begin() as connection:
        for table in tables:
            for index in table.indexes:
                index.drop(connection)
        trigrams = _drop_trigrams(connection)
        spaces = [
            {"space_id": number, "org_id": data.ORG, "sandbox_name": name} for number, name in data.SANDBOXES.items()
        ]
        connection.execute(schema.spaces.insert(), spaces)
        instants = {"opened_at": data.END, "closes_at": data.END, "closed_at": data.END}
        connection.execute(
            schema.bundles.insert().values(
                bundle_id=data.BUNDLE, org_id=data.ORG, sandbox_name="prod", order_count=0, identity_count=0, **instants
            )
        )
    orders = data.work_orders(order_count)
    while batch := list(islice(orders, _AT_ONCE)):
        bulk.insert(schema.work_orders, [order for order, _ in batch])
        bulk.insert(schema.work_order_changes, _changes(batch))
    bulk.insert(schema.expirations, list(data.expirations(expiration_count)))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            connection.execute(sa.text("SET LOCAL maintenance_work_mem = '512MB'"))
        for table in tables:
            for index in table.indexes:
                index.create(connection)
        for statement in trigrams:
            connection.execute(sa.text(statement))
        tally = schema.work_order_tallies.c
        order = schema.work_orders.c
        kind = (order.space_id, order.action, order.status, order.updated_by)
        connection.execute(
            schema.work_order_tallies.insert().from_select(
                [tally.space_id, tally.action, tally.status, tally.updated_by, tally.orders],
                sa.select(*kind, sa.func.count()).group_by(*kind),
            )
        )
    bulk.finish()


def _drop_trigrams(connection: sa.Connection) -> list[str]:
    """Drop PostgreSQL's search indexes, where it has them; what creates them again."""
    if connection.dialect.name != "postgresql":
        return []
    found = connection.execute(
        sa.text("SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE '%search_trigrams'")
    ).all()
    for name, _ in found:
        connection.execute(sa.text(f"DROP INDEX {name}"))
    return [definition for _, definition in found]


def _changes(batch: Iterable[tuple[dict[str, Any], list[datetime]]]) -> Iterator[dict[str, Any]]:
    for order, instants in batch:
        for number, at in enumerate(instants, 1):
            yield {
                "work_order_id": order["work_order_id"],
                "number": number,
                "space_id": order["space_id"],
                "status": order["status"],
                "at": at,
            }


class _Sqlite:
    def __init__(self, engine: sa.Engine) -> None:
        self._connection = sqlite3.connect(str(engine.url.database), isolation_level=None)
        self._connection.execute("PRAGMA synchronous = OFF")
        # The search indexes are built at the end, as the others are.
        self._triggers = self._connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%search%'"
        ).fetchall()
        for name, _ in self._triggers:
            self._connection.execute(f"DROP TRIGGER {name}")

    def insert(self, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
        rows = iter(rows)
        first = next(rows)
        marks = ", ".join("?" * len(first))
        self._connection.execute("BEGIN")
        statement = f"INSERT INTO {table.name} ({', '.join(first)}) VALUES ({marks})"
        self._connection.executemany(statement, map(_sqlite_row, _chained(first, rows)))
        self._connection.execute("COMMIT")

    def finish(self) -> None:
        for index in ("work_order_search", "expiration_search"):
            self._connection.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")
        for _, trigger in self._triggers:
            self._connection.execute(trigger)
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()


def _sqlite_row(row: dict[str, Any]) -> list[Any]:
    return [_sqlite_value(value) for value in row.values()]


def _sqlite_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value.hex if isinstance(value, UUID) else value


class _Postgres:
    def __init__(self, engine: sa.Engine) -> None:
        self._url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(self._url, autocommit=True)

    def insert(self, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
        rows = iter(rows)
        first = next(rows)
        text = io.StringIO()
        csv.writer(text).writerows(row.values() for row in _chained(first, rows))
        statement = f"COPY {table.name} ({', '.join(first)}) FROM STDIN (FORMAT csv)"
        # An empty text and an absent value look alike in CSV; only these columns may be absent.
        absent = {"dataset_ids", "cancelled_at", "executed_at", "completed_at"}
        forced = [name for name in first if name not in absent]
        with self._connection.cursor().copy(statement[:-1] + f", FORCE_NOT_NULL ({', '.join(forced)}))") as copy:
            copy.write(text.getvalue())

    def finish(self) -> None:
        self._connection.execute("VACUUM (FREEZE, ANALYZE)")
        self._connection.close()


def _chained(first: dict[str, Any], rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rest
