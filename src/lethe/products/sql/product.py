"""A product over a SQL database.

Order of effects: rows are deleted table by table, as the mapping lists them, each in small transactions; then the
database is made to let go of their bytes. A crash anywhere leaves fewer traces, and no record of how far it went is
needed: the repetition deletes what is left, and lets go of the bytes again.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final, assert_never

import sqlalchemy as sa

from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId
from lethe.domain.product import Product
from lethe.products.interface import (
    Beat,
    Done,
    ProductAnswer,
    ProductUnavailable,
    Refused,
    RequestKey,
    Space,
    Waiting,
    unheard,
)
from lethe.products.sql.binding import BoundTable, bind
from lethe.products.sql.databases import Database
from lethe.products.sql.erasure import erase, erase_identities
from lethe.products.sql.failures import Failure, Misfit, T, attempt
from lethe.products.sql.fitness import is_key_unique, unindexed
from lethe.products.sql.mapping import TableMapping
from lethe.products.sql.postgres import PostgresDatabase
from lethe.products.sql.remainder import count_by_identity, count_dataset, count_identities
from lethe.products.sql.sqlite import SqliteDatabase

CHUNK_DEFAULT: Final = 5_000
WAIT_SECONDS_DEFAULT: Final = 15.0


class SqlProduct:
    """A product whose traces are rows; implements `interface.ForgettingProduct`. Safe to share between threads."""

    def __init__(
        self,
        product: Product,
        url: str,
        tables: Sequence[TableMapping],
        *,
        chunk: int = CHUNK_DEFAULT,
        wait_seconds: float = WAIT_SECONDS_DEFAULT,
        rewrite: bool = False,
    ) -> None:
        """Connects to nothing yet; tables are deleted from in the order given, so referring ones come first.

        `chunk` is how many ids one statement takes and how many rows one transaction deletes; `wait_seconds` bounds
        the wait for a connection or a lock; `rewrite` overwrites bytes on PostgreSQL too (see `sql.postgres`).
        Raises ValueError for a URL of another database; its message does not repeat the URL, which may hold a password.
        """
        if not tables or chunk < 1:
            raise ValueError(f"{product}: at least one table, and chunks of at least one row")
        self.product: Final = product
        self._mappings = tuple(tables)
        self._chunk = chunk
        self._database = _open(url, wait_seconds, rewrite=rewrite)

    def __repr__(self) -> str:
        """The product only: a URL may hold a password."""
        return f"SqlProduct({self.product})"

    def close(self) -> None:
        """Give back every connection."""
        self._database.read.dispose()

    def forget(self, space: Space, identities: Identities, key: RequestKey, *, beat: Beat = unheard) -> ProductAnswer:
        """Delete the rows of these identities. Raises ProductUnavailable."""
        del key  # deleting again deletes nothing
        if identities.count == 0:
            return Done(0)

        def erase_from(bound: BoundTable) -> int:
            return erase_identities(bound, space, identities, chunk=self._chunk, beat=beat)

        return self._answer(self._mappings, erase_from, beat)

    def found(self, space: Space, identities: Identities) -> Sequence[int]:
        """How many ends of rows are each of these identities. Raises ProductUnavailable."""

        def count() -> Sequence[int]:
            counts = [count_by_identity(bound, space, identities) for bound in self._bound]
            return [sum(each) for each in zip(*counts, strict=True)]

        return self._told(count)

    def remaining(self, space: Space, identities: Identities) -> int:
        """How many ends of rows are still one of these identities. Raises ProductUnavailable."""
        return self._told(lambda: sum(count_identities(bound, space, identities) for bound in self._bound))

    def forget_dataset(
        self, space: Space, dataset_id: DatasetId, key: RequestKey, *, beat: Beat = unheard
    ) -> ProductAnswer:
        """Delete the rows that this dataset contributed, where tables say so. Raises ProductUnavailable."""
        del key
        tables = [mapping for mapping in self._mappings if mapping.dataset_column is not None]
        if not tables:
            return Done(0)

        def erase_from(bound: BoundTable) -> int:
            return erase(bound, bound.of_dataset(space, dataset_id), chunk=self._chunk, beat=beat)

        return self._answer(tables, erase_from, beat)

    def remaining_of_dataset(self, space: Space, dataset_id: DatasetId) -> int | None:
        """How many rows of this dataset are left; None when no table says. Raises ProductUnavailable."""
        if not any(mapping.dataset_column for mapping in self._mappings):
            return None
        return self._told(lambda: sum(count_dataset(bound, space, dataset_id) for bound in self._bound))

    def unindexed(self) -> Sequence[str]:
        """`table(columns)` for each look-up that no index serves. Raises ProductUnavailable."""
        return self._told(lambda: [slow for bound in self._bound for slow in unindexed(bound)])

    def misfits(self) -> Sequence[str]:
        """What is wrong with the mapping, a sentence each; empty when it can do its work. Raises ProductUnavailable."""
        return self._told(self._misfits)

    def _misfits(self) -> Sequence[str]:
        found = []
        fitting = []
        for mapping in self._mappings:
            try:
                fitting.append(bind(mapping, self._database))
            except Misfit as misfit:
                found.append(str(misfit))
        found += [
            f"the key of {bound.mapping.name} has no unique index" for bound in fitting if not is_key_unique(bound)
        ]
        unscrubbable = self._database.unscrubbable([bound.table for bound in fitting])
        return found + [f"this login may not vacuum {name}, or it is no table" for name in unscrubbable]

    @cached_property
    def _bound(self) -> tuple[BoundTable, ...]:
        return tuple(bind(mapping, self._database) for mapping in self._mappings)

    def _answer(
        self, mappings: Sequence[TableMapping], erase_from: Callable[[BoundTable], int], beat: Beat
    ) -> ProductAnswer:
        """Delete from each table, then scrub them."""

        def answer() -> Done | Waiting:
            touched = [bound for bound in self._bound if bound.mapping in mappings]
            removed = sum(erase_from(bound) for bound in touched)
            return self._database.scrub([bound.table for bound in touched], beat=beat) or Done(removed)

        outcome = attempt(answer)
        match outcome:
            case Failure(text, is_final=True):
                return Refused(f"{self.product}: {text}")
            case Failure(text):
                raise ProductUnavailable(f"{self.product}: {text}")
            case Done() | Waiting():
                return outcome
            case _:
                assert_never(outcome)

    def _told(self, ask: Callable[[], T]) -> T:
        """What the database says. Raises ProductUnavailable."""
        outcome = attempt(ask)
        if isinstance(outcome, Failure):
            raise ProductUnavailable(f"{self.product}: {outcome.text}")
        return outcome


def _open(url: str, wait_seconds: float, *, rewrite: bool) -> Database:
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        backend = "unreadable"
    match backend:
        case "sqlite":
            return SqliteDatabase(parsed, wait_seconds=wait_seconds)
        case "postgresql" | "postgres":
            return PostgresDatabase(parsed, wait_seconds=wait_seconds, rewrite=rewrite)
        case _:
            raise ValueError("the URL of a product's database must be one of SQLite or PostgreSQL")
