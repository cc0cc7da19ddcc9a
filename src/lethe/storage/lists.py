"""What the two lists share: how a page of an ordering is found among a million rows.

Ids are found first, in indexes that hold nothing but the ordering, so that a deep page passes over short entries;
only the rows of the page are then read. There are two ways to find them:

`walk` goes along indexes in the order asked for, from the nearer end. It suits conditions that many rows fulfil.
`gather` collects all that fulfil the conditions, counts and sorts them. It suits conditions that few rows fulfil,
and those for which rows must be read anyway, for then it reads them once.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.listing import Page
from lethe.storage.matching import Condition, contains
from lethe.storage.session import Row, Session

FEW: Final = 20_000
"""Rows up to which sorting them is cheaper than passing over the others."""

FEW_IN_A_WINDOW: Final = 100_000
"""The same for a window of time, whose index carries what is sorted by. Walking would begin far away from it."""

ARMS_MAX: Final = 60
"""Separate walks that are merged into one order; beyond, the database sorts."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """A list's columns to sort by, up to the id, and whether each descends."""

    table: sa.Table
    id_column: sa.Column[UUID]
    keys: Sequence[tuple[sa.Column[Any], bool]]

    @classmethod
    def of(cls, id_column: sa.Column[UUID], keys: Sequence[tuple[sa.Column[Any], bool]]) -> "Ordering":
        """Up to the id, which is added in the direction of the last key: no two rows are equal by it."""
        whole: list[tuple[sa.Column[Any], bool]] = []
        for column, descending in keys:
            if all(column is not known for known, _ in whole):
                whole.append((column, descending))
            if column is id_column:
                break
        else:
            whole.append((id_column, keys[-1][1] if keys else False))
        return cls(id_column.table, id_column, whole)

    def index(self, *led_by: str) -> str:
        """The name of the index that is led by these columns and goes on in this order."""
        return "_".join((self.table.name, "by", *led_by, *(self.names[:1] or ("id",))))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns before the id."""
        return tuple(column.name for column, _ in self.keys if column is not self.id_column)

    def select(self, *conditions: Condition) -> sa.Select[Any]:
        """The keys of the rows that fulfil the conditions."""
        return sa.select(*(column for column, _ in self.keys)).where(*conditions)

    def over(self, rows: sa.FromClause) -> list[sa.UnaryExpression[Any]]:
        """The keys as columns of a subquery, to order it by."""
        return [
            rows.c[column.name].desc() if descending else rows.c[column.name].asc() for column, descending in self.keys
        ]


@dataclass(frozen=True, slots=True)
class Arm:
    """One stretch of an index, and the conditions that select it."""

    index: str
    """The name of the index to go along. SQLite is told, for it knows no figures; PostgreSQL finds it by itself."""
    conditions: Sequence[Condition]


def walk(session: Session, ordering: Ordering, arms: Sequence[Arm], page: Page, total: int) -> list[UUID]:
    """The ids on this page, in order; `total` is how many rows the arms have together."""
    size = min(page.size, total - page.offset)
    if size <= 0:
        return []
    offset = page.offset
    backwards = offset > total // 2
    if backwards:
        offset = total - offset - size
    stretches = [_stretch(ordering, arm) for arm in arms]
    query: sa.Select[Any] | sa.CompoundSelect[Any] = stretches[0]
    if len(stretches) > 1:
        # So written that the stretches are merged, not sorted: SQLite takes the order from the union to its parts,
        # PostgreSQL from the parts to the union.
        if session.is_postgres:
            stretches = [one.order_by(*_directed(one, ordering, backwards)) for one in stretches]
        query = sa.union_all(*stretches)
    keys = _directed(query, ordering, backwards)
    rows = session.rows(query.order_by(*keys).limit(size).offset(offset))
    ids = [row[ordering.id_column.name] for row in rows]
    return ids[::-1] if backwards else ids


def _directed(
    query: sa.Select[Any] | sa.CompoundSelect[Any], ordering: Ordering, backwards: bool
) -> list[sa.UnaryExpression[Any]]:
    columns = query.selected_columns
    return [
        columns[column.name].desc() if descending != backwards else columns[column.name].asc()
        for column, descending in ordering.keys
    ]


def _stretch(ordering: Ordering, arm: Arm) -> sa.Select[Any]:
    query = ordering.select(*arm.conditions)
    if any(index.name == arm.index for index in ordering.table.indexes):
        query = query.with_hint(ordering.table, f"INDEXED BY {arm.index}", "sqlite")
    return query


def gather(session: Session, ordering: Ordering, conditions: Sequence[Condition], page: Page) -> tuple[list[UUID], int]:
    """The ids on this page, in order, and how many rows fulfil the conditions."""
    matches = ordering.select(*conditions).cte("matches").prefix_with("MATERIALIZED", dialect="postgresql")
    counted = sa.select(sa.func.count()).select_from(matches).scalar_subquery()
    found = (
        sa.select(matches.c[ordering.id_column.name].label("id"))
        .order_by(*ordering.over(matches))
        .limit(page.size)
        .offset(min(page.offset, _OFFSET_MAX))
        .subquery()
    )
    # The count comes with every row, and alone when the page is behind the end.
    number = sa.select(counted.label("total")).subquery()
    rows = session.rows(sa.select(number.c.total, found.c.id).select_from(number.outerjoin(found, sa.true())))
    return [row["id"] for row in rows if row["id"] is not None], rows[0]["total"]


_OFFSET_MAX: Final = 2**62


def beside(session: Session, column: sa.Column[int], numbers: Sequence[int]) -> Condition:
    """Whether the column is one of the numbers, checked on rows that another condition finds.

    SQLite knows no figures of the data, and would rather look up the numbers, which nearly all rows have.
    """
    return column.in_(numbers) if session.is_postgres else (column + 0).in_(numbers)


def count(session: Session, table: sa.Table, conditions: Sequence[Condition], along: str | None = None) -> int:
    """How many rows fulfil the conditions, counted along this index."""
    query = sa.select(sa.func.count()).select_from(table).where(*conditions)
    if along is not None:
        query = query.with_hint(table, f"INDEXED BY {along}", "sqlite")
    counted: int = session.value(query)
    return counted


def rows_by_id(session: Session, query: sa.Select[Any], id_column: sa.Column[UUID], ids: Sequence[UUID]) -> list[Row]:
    """The rows with these ids, in the order of the ids."""
    found: Mapping[UUID, Row] = {row[id_column.name]: row for row in session.rows_among(query, id_column, ids)}
    return [found[one] for one in ids]


def searched(session: Session, id_column: sa.Column[UUID], needle: str, prefix: str) -> Condition:
    """Whether the needle is the id, bare or as clients see it, or stands in the row's search text."""
    table: sa.Table = id_column.table
    found = contains(session, table.c.search_text, needle)
    bare = needle.removeprefix(prefix)
    if _UUID.fullmatch(bare):
        return (id_column == UUID(bare)) | found
    return found


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
