"""Which orders a page of the list shows, and how many there are in all.

Space, action, status and author are tallied: their totals need no counting, and say beforehand whether few or many
orders match. Windows of creation are counted in an index. Texts and other instants are looked at row by row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.listing import Page
from lethe.storage import lists
from lethe.storage.lists import Arm, Ordering
from lethe.storage.matching import Condition, by_author, contains, within
from lethe.storage.order_interface import WorkOrderFilter
from lethe.storage.schema import work_order_changes, work_order_tallies, work_orders
from lethe.storage.session import Session
from lethe.storage.spaces import spaces_of

_AUTHORS_MAX = 16
"""Authors whose orders are walked one by one and merged."""


def find_page(session: Session, where: WorkOrderFilter, ordering: Ordering, page: Page) -> tuple[list[UUID], int]:
    """The ids on the page, in order, and the total."""
    space_ids = list(spaces_of(session, where.org_id, where.sandbox_names))
    if not space_ids:
        return [], 0
    kinds = _kinds(session, where)
    windows = within(work_orders.c.created_at, where.created) if where.created is not None else []
    looked_at = _looked_at(session, where, space_ids)
    if looked_at or len(space_ids) > lists.ARMS_MAX:
        beside = lists.beside(session, work_orders.c.space_id, space_ids)
        return lists.gather(session, ordering, [beside, *kinds, *windows, *looked_at], page)
    conditions = [work_orders.c.space_id.in_(space_ids), *kinds, *windows]
    if windows:
        along = "work_orders_by_created_at_beside"
        total = lists.count(session, work_orders, conditions, along)
        if total <= lists.FEW_IN_A_WINDOW:
            arms = [Arm(along, conditions)]
        else:
            arms = _arms(ordering, space_ids, {}, [*kinds, *windows])
        return lists.walk(session, ordering, arms, page, total), total
    total, authors = _tally(session, where, space_ids)
    leads: Mapping[str, Sequence[str]] = {}
    if ordering.names == ("updated_at",):  # the ordering that has an index for each kind
        leads = _leads(where, authors, lists.ARMS_MAX // len(space_ids))
    if authors is not None:
        anybodys = replace(where, author=None)
        if "updated_by" in leads or _tally(session, anybodys, space_ids)[0] == total:
            # An index leads to these authors, or they wrote all there is: no order's author needs a look.
            kinds = _kinds(session, anybodys)
    if kinds and not leads and total <= lists.FEW:
        return lists.gather(session, ordering, conditions, page)
    return lists.walk(session, ordering, _arms(ordering, space_ids, leads, kinds), page, total), total


def _leads(where: WorkOrderFilter, authors: Sequence[str] | None, values_max: int) -> Mapping[str, Sequence[str]]:
    """The column, and its values, whose index leaves the fewest orders to pass over; at most so many values."""
    candidates: Mapping[str, Sequence[str] | None] = {
        "updated_by": authors if authors is None or len(authors) <= _AUTHORS_MAX else None,
        "status": [str(status) for status in sorted(where.statuses or ())],
        "action": [str(action) for action in sorted(where.actions or ())],
    }
    for column, values in candidates.items():
        if values and len(values) <= values_max:
            return {column: values}
    return {}


def _arms(
    ordering: Ordering,
    space_ids: Sequence[int],
    leads: Mapping[str, Sequence[str]],
    conditions: Sequence[Condition],
) -> list[Arm]:
    values = [(column, value) for column, values in leads.items() for value in values]
    if not values:
        index = ordering.index()
        if conditions and ordering.names[:1] in {("updated_at",), ("created_at",)}:
            index += "_beside"
        return [Arm(index, [work_orders.c.space_id == space_id, *conditions]) for space_id in space_ids]
    return [
        Arm(
            ordering.index(column),
            [work_orders.c.space_id == space_id, work_orders.c[column] == value, *conditions],
        )
        for space_id in space_ids
        for column, value in values
    ]


def _tally(session: Session, where: WorkOrderFilter, space_ids: Sequence[int]) -> tuple[int, Sequence[str] | None]:
    """How many orders are of these kinds, and by whom, if the filter asks for an author."""
    tally = work_order_tallies.c
    conditions = [tally.space_id.in_(space_ids), tally.orders > 0, *_kinds(session, where, work_order_tallies)]
    if where.author is None:
        return session.value(sa.select(sa.func.sum(tally.orders)).where(*conditions)) or 0, None
    query = sa.select(tally.updated_by, sa.func.sum(tally.orders).label("orders")).where(*conditions)
    rows = session.rows(query.group_by(tally.updated_by))
    return sum(row["orders"] for row in rows), [row["updated_by"] for row in rows]


def _kinds(session: Session, where: WorkOrderFilter, table: sa.Table = work_orders) -> list[Condition]:
    """The conditions on what is tallied."""
    conditions: list[Condition] = []
    if where.actions is not None:
        conditions.append(table.c.action.in_(sorted(where.actions)))
    if where.statuses is not None:
        conditions.append(table.c.status.in_(sorted(where.statuses)))
    if where.author is not None:
        conditions.append(by_author(session, table.c.updated_by, where.author))
    return conditions


def _looked_at(session: Session, where: WorkOrderFilter, space_ids: Sequence[int]) -> list[Condition]:
    """The conditions for which rows must be read."""
    column = work_orders.c
    conditions: list[Condition] = []
    if where.work_order_id is not None:
        conditions.append(column.work_order_id == where.work_order_id)
    if where.display_name is not None:
        conditions.append(contains(session, column.display_name_folded, where.display_name))
    if where.description is not None:
        conditions.append(contains(session, column.description_folded, where.description))
    if where.search is not None:
        conditions.append(lists.searched(session, column.work_order_id, where.search, "DI-"))
    if where.touched is not None:
        changes = work_order_changes.c
        touched = sa.select(changes.work_order_id).where(
            changes.space_id.in_(space_ids), *within(changes.at, where.touched)
        )
        conditions.append(column.work_order_id.in_(touched))
    return conditions
