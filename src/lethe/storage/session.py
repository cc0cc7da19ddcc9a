"""One open transaction, as the repositories share it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lethe.storage.vault_keys import VaultKeys

Row = Mapping[Any, Any]

_AMONG_MAX: Final = 1_000
"""Values in one statement; SQLite takes 32,766 parameters."""


class Session:
    """A connection inside a transaction, and what differs between the databases."""

    def __init__(
        self, connection: sa.Connection, keys: VaultKeys, *, writing: bool, clock: Callable[[], datetime]
    ) -> None:
        """`clock` is asked at most once."""
        self.connection = connection
        self.keys = keys
        self.writing = writing
        self.is_postgres = connection.dialect.name == "postgresql"
        self._clock = clock
        self._now: datetime | None = None
        self._at_end: list[Callable[[], None]] = []
        self._last_of_all: Callable[[], None] | None = None
        self.destroyed_secrets = False
        """Whether the store must see that no copy of what was overwritten stays behind."""
        self.wakes_workers = False
        """Whether this transaction leaves something that a worker can do at once."""

    @property
    def now(self) -> datetime:
        """The time of this transaction, aware UTC."""
        if self._now is None:
            self._now = self._clock()
        return self._now

    def rows(self, query: sa.Executable, parameters: Any = None) -> Sequence[Row]:
        """Every row of the answer."""
        return self.connection.execute(query, parameters).mappings().all()

    def rows_among(self, query: sa.Select[Any], column: sa.Column[Any], values: Sequence[Any]) -> Iterator[Row]:
        """The rows whose column is among these values, asked for a thousand at a time."""
        for first in range(0, len(values), _AMONG_MAX):
            yield from self.rows(query.where(column.in_(values[first : first + _AMONG_MAX])))

    def row(self, query: sa.Executable) -> Row | None:
        """The one row of the answer, or None."""
        return self.connection.execute(query).mappings().one_or_none()

    def value(self, query: sa.Executable) -> Any:
        """The first column of the first row, or None."""
        return self.connection.execute(query).scalar()

    def run(self, statement: sa.Executable, parameters: Any = None) -> int:
        """Execute a change; how many rows it touched."""
        kept = {"preserve_rowcount": True}  # of an INSERT it is otherwise forgotten
        return self.connection.execute(statement, parameters, execution_options=kept).rowcount

    def run_each(self, statement: sa.Executable, rows: Sequence[Row]) -> None:
        """Execute a change once for each row of parameters."""
        if rows:
            self.connection.execute(statement, rows)

    def insert(self, table: sa.Table) -> Any:
        """An INSERT with the ON CONFLICT clauses that both databases have."""
        insert = postgresql.insert(table) if self.is_postgres else sqlite.insert(table)
        return insert.inline()  # nobody needs the generated number

    def locked(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """The query, locking the rows it finds if this transaction writes. SQLite has one writer, so needs none.

        Others may still insert rows that refer to these. If they could not, two who have done so, and then each lock
        what the other refers to, would wait for each other.
        """
        return query.with_for_update(key_share=True) if self.writing else query

    def lock(self, *words: str) -> None:
        """Wait until no other writing transaction holds this name, and hold it to the end of this one.

        For what has no row of its own yet. Two names may share a lock; they then only wait for each other.
        """
        if self.writing and self.is_postgres:
            name = "\x1f".join(words)
            self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))

    def at_end(self, work: Callable[[], None]) -> None:
        """Do this when the transaction's own work is done, before the commit."""
        self._require_writing()
        self._at_end.append(work)

    def last_of_all(self, work: Callable[[], None]) -> None:
        """Do this behind everything else, right before the commit: it takes a lock for which every writer waits."""
        self._require_writing()
        self._last_of_all = work

    def _require_writing(self) -> None:
        if not self.writing:
            raise RuntimeError("a transaction that reads changes nothing")

    def finish(self) -> None:
        """Do what was left for the end."""
        for work in self._at_end:
            work()
        if self._last_of_all is not None:
            self._last_of_all()
