"""A product over a SQL database.

Order of effects: rows are deleted request by request and table by table, as the mapping lists them, in small
transactions; then the database is made to let go of the bytes of all. A crash anywhere leaves fewer traces, and no
record of how far it went is needed: the repetition deletes what is left, and lets go of the bytes again.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final

import sqlalchemy as sa

from lethe.domain.identity import Identities, united
from lethe.domain.ids import DatasetId
from lethe.domain.product import Product
from lethe.products.interface import (
    Beat,
    Done,
    ProductAnswer,
    ProductUnavailable,
    Refused,
    Request,
    RequestKey,
    Space,
    Waiting,
    unheard,
)
from lethe.products.sql.binding import BoundTable, bind
from lethe.products.sql.databases import Database
from lethe.products.sql.erasure import erase, erase_identities, holds_any
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
        return next(self.forget_each(space, [Request(key, identities)], beat=beat))

    def forget_each(
        self, space: Space, requests: Sequence[Request], *, beat: Beat = unheard
    ) -> Iterator[ProductAnswer]:
        """Delete the rows of one request after another, and then let go of the bytes of all.

        Keys are not asked: deleting again deletes nothing. A table that holds nobody is passed by at one look.
        """
        everybody = united(request.identities for request in requests)
        if everybody.count == 0:
            yield from (Done(0) for _ in requests)
            return

        def erase_rows() -> Sequence[int]:
            holding = [b for b in self._bound if holds_any(b, space, everybody, chunk=self._chunk, beat=beat)]
            return [
                sum(erase_identities(b, space, each.identities, chunk=self._chunk, beat=beat) for b in holding)
                for each in requests
            ]

        yield from self._answers(self._mappings, erase_rows, beat)

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

        def erase_rows() -> Sequence[int]:
            holding = [bound for bound in self._bound if bound.mapping in tables]
            return [sum(erase(b, b.of_dataset(space, dataset_id), chunk=self._chunk, beat=beat) for b in holding)]

        return next(self._answers(tables, erase_rows, beat))

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

    def _answers(
        self, mappings: Sequence[TableMapping], erase_rows: Callable[[], Sequence[int]], beat: Beat
    ) -> Iterator[ProductAnswer]:
        """Delete for each request, then scrub the tables once. Raises ProductUnavailable."""

        def answer() -> Sequence[int] | Waiting:
            removed = erase_rows()
            tables = [bound.table for bound in self._bound if bound.mapping in mappings]
            return self._database.scrub(tables, beat=beat) or removed

        outcome = attempt(answer)
        match outcome:
            case Failure(text, is_final=True):
                yield Refused(f"{self.product}: {text}")
            case Failure(text):
                raise ProductUnavailable(f"{self.product}: {text}")
            case Waiting():
                yield outcome
            case removed:
                yield from map(Done, removed)

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
