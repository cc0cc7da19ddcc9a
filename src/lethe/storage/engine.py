"""Connections: how each database is opened so that a transaction is what `interface` promises.

SQLite: one connection writes and several read, in WAL mode, fsynced at every commit; what is deleted is overwritten
with zeros. PostgreSQL: one pool; a write is READ COMMITTED and takes row locks, a read is REPEATABLE READ READ ONLY.
"""

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine.interfaces import DBAPIConnection

WAIT_SECONDS_MAX: Final = 30
"""How long a transaction waits for a connection or for SQLite's one writer."""

POSTGRES_SETTINGS: Final = {
    "timezone": "UTC",
    "plan_cache_mode": "force_custom_plan",  # what suits one filter value may be far off for another
    "jit": "off",  # the queries are short; compiling them would take longer than they do
    "statement_timeout": "30s",
    "lock_timeout": "15s",
    "idle_in_transaction_session_timeout": "60s",
}
"""A stuck statement or a forgotten transaction must not hold locks that every request needs."""


@dataclass(frozen=True, slots=True)
class Engines:
    """Where reading and writing connections come from."""

    read: sa.Engine
    write: sa.Engine

    @property
    def is_postgres(self) -> bool:
        """Whether the database is PostgreSQL; otherwise it is SQLite."""
        return self.write.dialect.name == "postgresql"

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.read.dispose()
        self.write.dispose()


def open_engines(url: str) -> Engines:
    """Engines for `sqlite:///path` or `postgresql://…`. Opens no connection to a server.

    Raises ValueError on any other URL; its message does not repeat the URL, which may hold a password.
    """
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError("the database URL cannot be read") from None
    match backend:
        case "sqlite":
            return _sqlite(parsed)
        case "postgresql" | "postgres":
            return _postgres(parsed.set(drivername="postgresql+psycopg"))
        case _:
            raise ValueError("the database must be SQLite or PostgreSQL")


def _sqlite(url: sa.URL) -> Engines:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ValueError("an SQLite database needs a file: its connections must see the same data")
    _make_private(Path(url.database))

    def engine(begin: str, *, pool_size: int, read_only: bool) -> sa.Engine:
        made = sa.create_engine(
            url,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=WAIT_SECONDS_MAX,
            # Transactions are begun below: the driver's own way would begin them late, and not for reads.
            connect_args={"isolation_level": None, "timeout": WAIT_SECONDS_MAX},
        )

        made.dialect.statement_compiler = _SqliteCompiler

        @sa.event.listens_for(made, "connect")
        def prepare(connection: DBAPIConnection, _record: Any) -> None:
            prepare_sqlite(connection, read_only=read_only)

        @sa.event.listens_for(made, "begin")
        def begin_transaction(connection: sa.Connection) -> None:
            connection.exec_driver_sql(begin)

        return made

    # Writers of this process queue for one connection, which is fairer than SQLite's polling.
    return Engines(
        read=engine("BEGIN", pool_size=8, read_only=True), write=engine("BEGIN IMMEDIATE", pool_size=1, read_only=False)
    )


class _SqliteCompiler(SQLiteCompiler):
    """Writes the hints of a query, such as INDEXED BY, which SQLAlchemy leaves out for SQLite."""

    def get_from_hint_text(self, table: sa.FromClause, text: str | None) -> str | None:  # noqa: ARG002
        """The hint as it stands."""
        return text


def prepare_sqlite(connection: DBAPIConnection, *, read_only: bool) -> None:
    """Set what SQLite keeps per connection."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.execute("PRAGMA cache_size = -32768")  # KiB
    if read_only:
        cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _make_private(path: Path) -> None:
    """Create the file for its owner alone; SQLite gives its companion files the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)


def enter_wal(engine: sa.Engine, attempts_max: int = 1_000) -> None:
    """Switch the SQLite file to write-ahead logging, for good. Raises sqlite3.OperationalError when it stays locked.

    The switch does not wait for another process's locks by itself, so it is tried again.
    """
    with sqlite3.connect(str(engine.url.database), timeout=0.05, isolation_level=None) as connection:
        for attempt in range(attempts_max):
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if attempt == attempts_max - 1:
                    raise
    connection.close()


def empty_wal(connection: sa.Connection) -> None:
    """Carry SQLite's log into the file and cut it off, so that what was overwritten is in neither.

    A reader of an old moment prevents it; the next call, or the last connection's end, then does it.
    """
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    # It comes after a commit, which must not be reported as failed because of it.
    with suppress(sqlite3.Error):
        driver.execute("PRAGMA busy_timeout = 1000")  # milliseconds
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        driver.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS_MAX * 1_000}")


def _postgres(url: sa.URL) -> Engines:
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_size=10,
        max_overflow=10,
        pool_timeout=WAIT_SECONDS_MAX,
        pool_recycle=1_800,
        pool_pre_ping=True,  # a connection that died while idle is replaced instead of failing a request
        connect_args={"connect_timeout": 5, "application_name": "lethe"},
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: Any) -> None:
        cursor = connection.cursor()
        for name, value in POSTGRES_SETTINGS.items():
            cursor.execute(f"SET {name} = '{value}'")
        cursor.close()
        connection.commit()

    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(read=reading, write=engine)
