"""The two lists as one would write them without a database: filter, sort, cut."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from lethe.domain.expiration import Expiration, HistoryStatus
from lethe.domain.listing import AuthorMatch, By, Exactly, Page, Window
from lethe.domain.work_order import WorkOrder
from lethe.storage.order_interface import ExpirationFilter, ExpirationOrder, WorkOrderFilter, WorkOrderOrder

Row = tuple[Any, Sequence[tuple[Any, datetime]]]
"""An order or expiration, and what happened to it when."""


def like(pattern: str, text: str) -> bool:
    parts = {"%": ".*", "_": "."}
    return re.fullmatch("".join(parts.get(one) or re.escape(one) for one in pattern), text, re.DOTALL) is not None


def _author(match: AuthorMatch | None, author: str) -> bool:
    if match is None:
        return True
    if isinstance(match, Exactly):
        return author == match.text
    return like(match.pattern, author) is not match.negated


def _in(window: Window | None, instants: Iterable[datetime | None]) -> bool:
    return window is None or any(
        at is not None
        and (window.from_at is None or at >= window.from_at)
        and (window.before_at is None or at < window.before_at)
        for at in instants
    )


def _contains(text: str, needle: str | None) -> bool:
    return needle is None or needle.casefold() in text.casefold()


def _one_of(value: Any, wanted: Iterable[Any] | None) -> bool:
    return wanted is None or value in wanted


def _search(needle: str | None, ids: Iterable[str], texts: Iterable[str]) -> bool:
    return needle is None or needle in ids or any(_contains(text, needle) for text in texts)


def _shows_order(where: WorkOrderFilter, row: Row) -> bool:
    order: WorkOrder = row[0]
    ids = (str(order.work_order_id), f"DI-{order.work_order_id}")
    return (
        order.org_id == where.org_id
        and _one_of(order.sandbox_name, where.sandbox_names)
        and where.work_order_id in (None, order.work_order_id)
        and _one_of(order.action, where.actions)
        and _one_of(order.status, where.statuses)
        and _author(where.author, order.updated_by)
        and _contains(order.display_name, where.display_name)
        and _contains(order.description, where.description)
        and _search(where.search, ids, (order.updated_by, order.display_name, order.description, order.dataset_name))
        and _in(where.created, [order.created_at])
        and _in(where.touched, [at for _, at in row[1]])
    )


def _shows_expiration(where: ExpirationFilter, row: Row) -> bool:
    one: Expiration = row[0]
    ids = (str(one.expiration_id), f"SD-{one.expiration_id}")

    def last(status: HistoryStatus) -> list[datetime]:
        return [at for what, at in row[1] if what is status][-1:]

    return (
        one.org_id == where.org_id
        and _one_of(one.sandbox_name, where.sandbox_names)
        and where.dataset_id in (None, one.dataset_id)
        and where.expiration_id in (None, one.expiration_id)
        and _one_of(one.status, where.statuses)
        and _author(where.author, one.updated_by)
        and _contains(one.dataset_name, where.dataset_name)
        and _contains(one.display_name, where.display_name)
        and _contains(one.description, where.description)
        and _search(where.search, ids, (one.updated_by, one.display_name, one.description, one.dataset_name))
        and _in(where.created, [one.created_at])
        and _in(where.updated, [one.updated_at])
        and _in(where.cancelled, last(HistoryStatus.CANCELLED))
        and _in(where.executed, last(HistoryStatus.EXECUTING))
        and _in(where.completed, last(HistoryStatus.COMPLETED))
        and _in(where.expiry, [one.expiry_at])
    )


_ATTRIBUTES = {
    WorkOrderOrder.ID: "work_order_id",
    WorkOrderOrder.OPERATION: "action",
    ExpirationOrder.EXPIRY: "expiry_at",
}


def page_of(
    rows: Sequence[Row],
    where: WorkOrderFilter | ExpirationFilter,
    order: Sequence[By[Any]],
    page: Page,
) -> tuple[list[Any], int]:
    """The ids on the page, and the total."""
    of_orders = isinstance(where, WorkOrderFilter)
    id_name = "work_order_id" if of_orders else "expiration_id"
    shown = [
        one
        for one, noted in rows
        if (_shows_order if of_orders else _shows_expiration)(where, (one, noted))  # type: ignore[arg-type]
    ]
    keys = [(id_name if by.key.value == "id" else _ATTRIBUTES.get(by.key, by.key.value), by.descending) for by in order]
    names = [name for name, _ in keys]
    if id_name not in names:
        keys.append((id_name, keys[-1][1] if keys else False))
    # Sorted by the last key first: the sort is stable, so the first key decides at the end.
    for name, descending in reversed(keys):
        shown.sort(key=lambda one: _comparable(getattr(one, name)), reverse=descending)
    return [getattr(one, id_name) for one in shown[page.offset : page.offset + page.size]], len(shown)


def _comparable(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value
