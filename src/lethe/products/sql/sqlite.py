"""SQLite: a file, in which deleted bytes are really overwritten.

`secure_delete` overwrites what is deleted, but not the copies that SQLite left behind when it moved rows from page to
page (17 of 10,000 deleted ids were still in the file in a trial). So the file is rewritten by VACUUM, and the
write-ahead log is emptied. VACUUM needs room for a second copy of the file, and gives new rowids to tables that have
no INTEGER PRIMARY KEY.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

from lethe.products.interface import Beat, Waiting
from lethe.products.sql.databases import Condition
from lethe.products.sql.kinds import Kind, Scalar

_READERS_LEAVE_AFTER: Final = timedelta(seconds=10)
_WRITES: Final = "lethe_writes"


class SqliteDatabase:
    """A SQLite file; implements `databases.Database`."""

    def __init__(self, url: sa.URL, *, wait_seconds: float) -> None:
        """`wait_seconds` bounds the wait for other connections' locks."""
        # Transactions are begun below: the driver's own way would begin them late, and not for reads.
        arguments = {"isolation_level": None, "timeout": wait_seconds}
        self.read: sa.Engine = sa.create_engine(url, hide_parameters=True, connect_args=arguments)
        self.write: sa.Engine = self.read.execution_options(**{_WRITES: True})
        sa.event.listen(self.read, "connect", _prepare)
        sa.event.listen(self.read, "begin", _begin)

    def among(self, column: sa.ColumnElement[Any], values: Sequence[Scalar]) -> Condition:
        """Whether the column is one of these: a JSON array is the one parameter."""
        plain = [value if isinstance(value, str | int) else str(value) for value in values]
        if len(plain) == 1:
            return column == plain[0]
        listed = sa.func.json_each(json.dumps(plain)).table_valued("value")
        return column.in_(sa.select(listed.c.value))

    def exact(self, column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
        """The column under the comparison of bytes, which is that of what a function gives."""
        del kind
        return sa.func.coalesce(column, column, type_=column.type)

    def scrub(self, tables: Sequence[sa.Table], *, beat: Beat) -> Waiting | None:
        """Rewrite the file, then empty the log; a reader of the past holds that up."""
        del tables  # the file is rewritten as a whole
        with closing(self.read.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("VACUUM")
            beat()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            is_busy, *_ = cursor.fetchone() or (0,)
        if is_busy:
            return Waiting("other connections still read the write-ahead log of the database", _READERS_LEAVE_AFTER)
        return None

    def unscrubbable(self, tables: Sequence[sa.Table]) -> Sequence[str]:
        """None: whoever may write may rewrite."""
        del tables
        return ()


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    """Set what SQLite keeps per connection."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
