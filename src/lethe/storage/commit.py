"""How a write begins and ends, so that a failed request means that nothing was stored.

When the connection breaks during COMMIT, the transaction may or may not have happened. PostgreSQL remembers the fate
of every transaction by its number, so each write learns its number first, and a fresh connection asks what became of
it. SQLite commits in this process, and says itself what happened.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final

import sqlalchemy as sa

from lethe.storage.interface import CommitUnknown

STATUS_WAIT_SECONDS_MAX: Final = 10
"""How long a transaction whose connection broke may still be running on the server before its fate is unknown."""


@dataclass(frozen=True, slots=True)
class Started:
    """A write transaction's beginning."""

    at: datetime
    transaction_number: str | None
    """PostgreSQL's pg_current_xact_id; None on SQLite."""


def start(connection: sa.Connection) -> Started:
    """Look at the clock and learn the transaction's number, in one round trip."""
    if connection.dialect.name == "sqlite":
        return Started(database_time(connection), None)
    at, number = connection.execute(
        sa.select(sa.func.clock_timestamp(), sa.cast(sa.func.pg_current_xact_id(), sa.Text))
    ).one()
    return Started(at.astimezone(UTC), number)


def database_time(connection: sa.Connection) -> datetime:
    """The database's time, aware UTC. SQLite runs in this process and has this machine's."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    at: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return at.astimezone(UTC)


def commit(engine: sa.Engine, transaction: sa.RootTransaction, started: Started) -> None:
    """Commit. Returns only when it happened.

    Raises the driver's error when it did not, and CommitUnknown when nobody can tell.
    """
    try:
        transaction.commit()
    except sa.exc.DBAPIError as error:
        if started.transaction_number is None:
            # SQLite keeps the transaction open when COMMIT fails; it must not stay so.
            transaction.connection.invalidate()
            if getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_IOERR"):
                # What was written may or may not have reached the disk, and be found there after a crash.
                raise CommitUnknown("the disk failed during the commit") from None
            raise
        if not error.connection_invalidated:
            raise  # The server answered: it refused the commit.
        if not _happened(engine, started.transaction_number):
            raise


def _happened(engine: sa.Engine, transaction_number: str) -> bool:
    query = sa.text("SELECT pg_xact_status(CAST(:number AS xid8))").bindparams(number=transaction_number)
    give_up_at = monotonic() + STATUS_WAIT_SECONDS_MAX
    status = None
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while monotonic() < give_up_at:
                status = connection.execute(query).scalar()
                if status != "in progress":
                    break
                # The old server process has yet to notice; this waits there, not here.
                connection.execute(sa.select(sa.func.pg_sleep(0.02)))
    except (sa.exc.DBAPIError, sa.exc.TimeoutError):
        raise CommitUnknown("the connection broke during the commit, and the database does not answer") from None
    match status:
        case "committed":
            return True
        case "aborted":
            return False
        case _:
            raise CommitUnknown("the connection broke during the commit, whose fate the database does not know")
