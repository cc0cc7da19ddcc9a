"""Dataset expirations and their histories."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from lethe.domain.actor import Author
from lethe.domain.errors import ExpirationExists
from lethe.domain.event import expiration_event
from lethe.domain.expiration import (
    ACTIVE,
    Change,
    Executing,
    Expiration,
    ExpirationStatus,
    HistoryEntry,
    HistoryStatus,
    Trashed,
    type_of_status,
)
from lethe.domain.ids import DatasetId, ExpirationId, OrgId, SandboxName
from lethe.domain.listing import By, Listing, Page
from lethe.domain.product import ProductProgress
from lethe.storage import lists
from lethe.storage.events import SqlEvents
from lethe.storage.expiration_pages import find_page
from lethe.storage.folding import folded, joined, sort_key, storable
from lethe.storage.order_interface import ExpirationFilter, ExpirationOrder
from lethe.storage.products import progress_of, save_progress
from lethe.storage.schema import expiration_history, expiration_products, expirations, spaces
from lethe.storage.session import Row, Session
from lethe.storage.spaces import ensure_space, space_of
from lethe.storage.work_interface import DueExpiration

_STORED: Final = sa.select(expirations, spaces.c.org_id, spaces.c.sandbox_name).join(spaces)
_IS_ACTIVE: Final = expirations.c.status.in_(ACTIVE)

ORDER_COLUMNS: Final[Mapping[ExpirationOrder, sa.Column[Any]]] = {
    ExpirationOrder.DISPLAY_NAME: expirations.c.display_name,
    ExpirationOrder.DESCRIPTION: expirations.c.description_key,
    ExpirationOrder.DATASET_NAME: expirations.c.dataset_name_key,
    ExpirationOrder.ID: expirations.c.expiration_id,
    ExpirationOrder.UPDATED_BY: expirations.c.updated_by,
    ExpirationOrder.UPDATED_AT: expirations.c.updated_at,
    ExpirationOrder.EXPIRY: expirations.c.expiry_at,
    ExpirationOrder.STATUS: expirations.c.status,
}

_NOTED_AT: Final = {
    HistoryStatus.CANCELLED: "cancelled_at",
    HistoryStatus.RESTORED: "cancelled_at",
    HistoryStatus.EXECUTING: "executed_at",
    HistoryStatus.COMPLETED: "completed_at",
}
"""The column that remembers when this last happened."""


class SqlExpirations:
    """Implements `work_interface.WorkableExpirations`."""

    def __init__(self, session: Session, events: SqlEvents) -> None:
        """Every line of an expiration's history is an event, too."""
        self._session = session
        self._events = events

    def find(self, org_id: OrgId, sandbox_name: SandboxName, key: ExpirationId | DatasetId) -> Expiration | None:
        """The expiration with this id, or of this dataset. In a writing transaction its row is locked."""
        if isinstance(key, str):
            if not storable(key):
                return None
            wanted = expirations.c.dataset_id == key
        else:
            wanted = expirations.c.expiration_id == key
        space_id = space_of(self._session, org_id, sandbox_name)
        query = sa.select(expirations).where(expirations.c.space_id == space_id, wanted)
        row = self._session.row(self._session.locked(query))
        return None if row is None else _expiration({**row, "org_id": org_id, "sandbox_name": sandbox_name})

    def save(self, change: Change) -> None:
        """Insert or update, and append to the history. Raises ExpirationExists for a dataset's second one."""
        expiration, entry = change.expiration, change.entry
        space_id = ensure_space(self._session, expiration.org_id, expiration.sandbox_name)
        values = _values(expiration) | {"space_id": space_id}
        if noted_at := _NOTED_AT.get(entry.status):
            values[noted_at] = entry.at
        if entry.status is HistoryStatus.CREATED:
            statement = self._session.insert(expirations).values(values).on_conflict_do_nothing()
            if self._session.run(statement) == 0:
                raise ExpirationExists(field="datasetId", datasetId=expiration.dataset_id)
        else:
            update = expirations.update().where(expirations.c.expiration_id == expiration.expiration_id)
            if self._session.run(update.values(values)) != 1:
                raise KeyError(expiration.expiration_id)
        number = self._note(expiration.expiration_id, entry)
        products = self.products(expiration.expiration_id)
        self._events.add(expiration_event(expiration, entry.status, products, number))

    def _note(self, expiration_id: ExpirationId, entry: HistoryEntry) -> int:
        """Append to the history; the line's number."""
        lines = sa.select(sa.func.count()).where(expiration_history.c.expiration_id == expiration_id)
        number: int = self._session.value(lines) + 1
        self._session.run(
            expiration_history.insert().values(
                expiration_id=expiration_id,
                number=number,
                status=entry.status,
                expiry_at=entry.expiry_at,
                at=entry.at,
                by=entry.by,
                reason=entry.reason,
            )
        )
        return number

    def history(self, expiration_id: ExpirationId) -> Sequence[HistoryEntry]:
        """Everything that happened to it, oldest first."""
        query = (
            sa.select(expiration_history)
            .where(expiration_history.c.expiration_id == expiration_id)
            .order_by(expiration_history.c.number)
        )
        return [
            HistoryEntry(HistoryStatus(row["status"]), row["expiry_at"], row["at"], Author(row["by"]), row["reason"])
            for row in self._session.rows(query)
        ]

    def count_active(self, org_id: OrgId) -> int:
        """How many are pending or executing. A writing transaction that asks makes the next one wait for its end."""
        self._session.lock("active expirations", org_id)
        query = sa.select(sa.func.count()).select_from(expirations.join(spaces))
        counted: int = self._session.value(query.where(spaces.c.org_id == org_id, _IS_ACTIVE))
        return counted

    def active_expiries(
        self, org_id: OrgId, sandbox_name: SandboxName, dataset_ids: Sequence[DatasetId]
    ) -> Mapping[DatasetId, datetime]:
        """The expiry of each of these datasets that has a pending or executing expiration."""
        space_id = space_of(self._session, org_id, sandbox_name)
        query = sa.select(expirations.c.dataset_id, expirations.c.expiry_at).where(
            expirations.c.space_id == space_id, expirations.c.dataset_id.in_(dataset_ids), _IS_ACTIVE
        )
        rows = self._session.rows(query)
        return {DatasetId(row["dataset_id"]): row["expiry_at"] for row in rows}

    def begin_destruction(self, executing: Executing) -> None:
        """Record that the dataset can no longer be restored."""
        of_it = expirations.c.expiration_id == executing.expiration_id
        self._session.run(expirations.update().where(of_it).values(destroy_at=None))

    def due(self, limit: int) -> Sequence[DueExpiration]:
        """Pending ones whose expiry has come, the oldest first."""
        column = expirations.c
        query = sa.select(spaces.c.org_id, spaces.c.sandbox_name, column.expiration_id).select_from(
            expirations.join(spaces)
        )
        is_due = (column.status == ExpirationStatus.PENDING, column.expiry_at <= self._session.now)
        rows = self._session.rows(query.where(*is_due).order_by(column.expiry_at, column.expiration_id).limit(limit))
        return [
            DueExpiration(OrgId(row["org_id"]), SandboxName(row["sandbox_name"]), ExpirationId(row["expiration_id"]))
            for row in rows
        ]

    def next_expiry_at(self) -> datetime | None:
        """The earliest expiry of any pending one."""
        query = sa.select(sa.func.min(expirations.c.expiry_at))
        at: datetime | None = self._session.value(query.where(expirations.c.status == ExpirationStatus.PENDING))
        return at

    def products(self, expiration_id: ExpirationId) -> Sequence[ProductProgress]:
        """How far each product is; empty before execution begins."""
        return progress_of(self._session, expiration_products, expiration_products.c.expiration_id, expiration_id)

    def save_products(self, expiration_id: ExpirationId, progress: Sequence[ProductProgress]) -> None:
        """Record how far these products are."""
        save_progress(
            self._session, expiration_products, expiration_products.c.expiration_id, {expiration_id: progress}
        )

    def clear_products(self, expiration_id: ExpirationId) -> None:
        """Forget how far the products are: execution was called back."""
        of_it = expiration_products.c.expiration_id == expiration_id
        self._session.run(expiration_products.delete().where(of_it))

    def list(self, where: ExpirationFilter, order: Sequence[By[ExpirationOrder]], page: Page) -> Listing[Expiration]:
        """One page. Long texts are ordered by their first 500 characters, equal keys by id."""
        keys = [(ORDER_COLUMNS[by.key], by.descending) for by in order]
        ids, total = find_page(self._session, where, lists.Ordering.of(expirations.c.expiration_id, keys), page)
        rows = lists.rows_by_id(self._session, _STORED, expirations.c.expiration_id, ids)
        return Listing([_expiration(row) for row in rows], total, page)


def _values(expiration: Expiration) -> dict[str, Any]:
    return {
        "expiration_id": expiration.expiration_id,
        "dataset_id": expiration.dataset_id,
        "dataset_name": expiration.dataset_name,
        "status": expiration.status,
        "expiry_at": expiration.expiry_at,
        "display_name": expiration.display_name,
        "description": expiration.description,
        "created_at": expiration.created_at,
        "updated_at": expiration.updated_at,
        "updated_by": expiration.updated_by,
        "destroy_at": expiration.destroy_at if isinstance(expiration, Trashed) else None,
        "dataset_name_key": sort_key(expiration.dataset_name),
        "description_key": sort_key(expiration.description),
        "dataset_name_folded": folded(expiration.dataset_name),
        "display_name_folded": folded(expiration.display_name),
        "description_folded": folded(expiration.description),
        "search_text": joined(
            expiration.updated_by, expiration.display_name, expiration.description, expiration.dataset_name
        ),
    }


def _expiration(row: Row | Mapping[str, Any]) -> Expiration:
    facts = _facts(row)
    if row["destroy_at"] is not None:
        return Trashed(**facts, destroy_at=row["destroy_at"])
    return type_of_status[ExpirationStatus(row["status"])](**facts)


def _facts(row: Row | Mapping[str, Any]) -> dict[str, Any]:
    return {
        "expiration_id": ExpirationId(row["expiration_id"]),
        "org_id": OrgId(row["org_id"]),
        "sandbox_name": SandboxName(row["sandbox_name"]),
        "dataset_id": DatasetId(row["dataset_id"]),
        "dataset_name": row["dataset_name"],
        "expiry_at": row["expiry_at"],
        "display_name": row["display_name"],
        "description": row["description"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "updated_by": Author(row["updated_by"]),
    }
