"""Which expirations a page of the list shows, and how many there are in all.

There are as many as datasets, so counting them is cheap. Status and author are walked in indexes of their own; what
else a filter asks for is looked at row by row.
"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.listing import Exactly, Page
from lethe.storage import lists
from lethe.storage.folding import storable
from lethe.storage.lists import Arm, Ordering
from lethe.storage.matching import Condition, by_author, contains, within
from lethe.storage.order_interface import ExpirationFilter
from lethe.storage.schema import expirations
from lethe.storage.session import Session
from lethe.storage.spaces import spaces_of


def find_page(session: Session, where: ExpirationFilter, ordering: Ordering, page: Page) -> tuple[list[UUID], int]:
    """The ids on the page, in order, and the total."""
    space_ids = list(spaces_of(session, where.org_id, where.sandbox_names))
    if not space_ids:
        return [], 0
    kinds = _kinds(session, where)
    windows = _windows(where)
    looked_at = _looked_at(session, where)
    if looked_at:
        beside = lists.beside(session, expirations.c.space_id, space_ids)
        return lists.gather(session, ordering, [beside, *kinds, *(one for _, one in windows), *looked_at], page)
    conditions = [expirations.c.space_id.in_(space_ids), *kinds, *(one for _, one in windows)]
    if len(space_ids) > lists.ARMS_MAX or (kinds and ordering.names != ("updated_at",)):
        return lists.gather(session, ordering, conditions, page)
    along = f"expirations_by_{windows[0][0]}" if windows else None
    total = lists.count(session, expirations, conditions, along)
    arms = [Arm(along, conditions)] if along else _arms(where, ordering, space_ids, kinds)
    return lists.walk(session, ordering, arms, page, total), total


def _arms(
    where: ExpirationFilter, ordering: Ordering, space_ids: Sequence[int], kinds: Sequence[Condition]
) -> list[Arm]:
    column, values = "status", [str(status) for status in sorted(where.statuses or ())]
    if isinstance(where.author, Exactly) and storable(where.author.text):
        column, values = "updated_by", [where.author.text]
    if not values or len(values) * len(space_ids) > lists.ARMS_MAX:
        return [Arm(ordering.index(), [expirations.c.space_id == space_id, *kinds]) for space_id in space_ids]
    return [
        Arm(ordering.index(column), [expirations.c.space_id == space_id, expirations.c[column] == value, *kinds])
        for space_id in space_ids
        for value in values
    ]


def _kinds(session: Session, where: ExpirationFilter) -> list[Condition]:
    conditions: list[Condition] = []
    if where.statuses is not None:
        conditions.append(expirations.c.status.in_(sorted(where.statuses)))
    if where.author is not None:
        conditions.append(by_author(session, expirations.c.updated_by, where.author))
    return conditions


def _windows(where: ExpirationFilter) -> list[tuple[str, Condition]]:
    """The conditions on instants, each with the name of its column."""
    asked = {
        "created_at": where.created,
        "updated_at": where.updated,
        "cancelled_at": where.cancelled,
        "executed_at": where.executed,
        "completed_at": where.completed,
        "expiry_at": where.expiry,
    }
    return [
        (name, condition)
        for name, window in asked.items()
        if window is not None
        for condition in within(expirations.c[name], window)
    ]


def _looked_at(session: Session, where: ExpirationFilter) -> list[Condition]:
    """The conditions for which rows must be read."""
    column = expirations.c
    conditions: list[Condition] = []
    if where.dataset_id is not None:
        conditions.append(column.dataset_id == where.dataset_id if storable(where.dataset_id) else sa.false())
    if where.expiration_id is not None:
        conditions.append(column.expiration_id == where.expiration_id)
    for folded_column, needle in (
        (column.dataset_name_folded, where.dataset_name),
        (column.display_name_folded, where.display_name),
        (column.description_folded, where.description),
    ):
        if needle is not None:
            conditions.append(contains(session, folded_column, needle))
    if where.search is not None:
        conditions.append(lists.searched(session, column.expiration_id, where.search, "SD-"))
    return conditions
