"""What the two lists share: which page of which ordering, found by ids first.

Ids are found in an index that holds nothing but the ordering, so that a deep page passes over short entries; only
the rows of the page are then read. A page behind the middle is counted from the end.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.listing import Page
from lethe.storage.matching import Condition, contains
from lethe.storage.session import Row, Session

SortKey = tuple[sa.Column[Any], bool]
"""A column, and whether it descends."""


def with_tie_break(keys: Sequence[SortKey], id_column: sa.Column[UUID]) -> list[SortKey]:
    """The keys up to the id, which is added in the direction of the last key: no two rows are equal by it."""
    whole: list[SortKey] = []
    for column, descending in keys:
        if all(column is not known for known, _ in whole):
            whole.append((column, descending))
        if column is id_column:
            return whole
    return [*whole, (id_column, whole[-1][1] if whole else False)]


def ids_of_page(
    session: Session,
    id_column: sa.Column[UUID],
    conditions: Sequence[Condition],
    keys: Sequence[SortKey],
    *,
    page: Page,
    total: int,
) -> list[UUID]:
    """The ids on this page, in order; `total` is how many rows fulfil the conditions."""
    size = min(page.size, total - page.offset)
    if size <= 0:
        return []
    offset = page.offset
    backwards = offset > total // 2
    if backwards:
        offset = total - offset - size
    query = (
        sa.select(id_column)
        .where(*conditions)
        .order_by(*(column.desc() if descending != backwards else column.asc() for column, descending in keys))
        .limit(size)
        .offset(offset)
    )
    ids = list(session.connection.execute(query).scalars())
    return ids[::-1] if backwards else ids


def rows_by_id(session: Session, query: sa.Select[Any], id_column: sa.Column[UUID], ids: Sequence[UUID]) -> list[Row]:
    """The rows with these ids, in the order of the ids."""
    if not ids:
        return []
    found: Mapping[UUID, Row] = {row[id_column.name]: row for row in session.rows(query.where(id_column.in_(ids)))}
    return [found[one] for one in ids]


def searched(
    session: Session, id_column: sa.Column[UUID], search_text: sa.Column[str], needle: str, prefix: str
) -> Condition:
    """Whether the needle is the id, bare or as clients see it, or stands in the text."""
    found = contains(session, search_text, needle)
    bare = needle.removeprefix(prefix)
    if _UUID.fullmatch(bare):
        return (id_column == UUID(bare)) | found
    return found


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
