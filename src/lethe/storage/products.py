"""How far each product is, for orders and expirations alike."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.product import Product, ProductProgress, ProductStatus
from lethe.storage.session import Session

Subject = TypeVar("Subject", bound=UUID)

_ORDER: Final = {product: place for place, product in enumerate(Product)}


def progress_of(session: Session, table: sa.Table, subject: sa.Column[UUID], subject_id: UUID) -> list[ProductProgress]:
    """The progress of one subject, in the order of an answer."""
    return progress_of_each(session, table, subject, [subject_id]).get(subject_id, [])


def progress_of_each(
    session: Session, table: sa.Table, subject: sa.Column[UUID], subject_ids: Sequence[UUID]
) -> Mapping[UUID, list[ProductProgress]]:
    """The progress of several subjects, by subject; those without any are missing."""
    progress: dict[UUID, list[ProductProgress]] = {}
    for row in session.rows_among(sa.select(table), subject, subject_ids):
        one = ProductProgress(Product(row["product"]), ProductStatus(row["status"]), row["at"])
        progress.setdefault(row[subject.name], []).append(one)
    return {subject_id: _in_order(each) for subject_id, each in progress.items()}


def save_progress(
    session: Session,
    table: sa.Table,
    subject: sa.Column[UUID],
    progress: Mapping[Subject, Sequence[ProductProgress]],
) -> None:
    """Insert or update the progress of several subjects, in one order for all writers."""
    statement = session.insert(table)
    statement = statement.on_conflict_do_update(
        index_elements=[subject, table.c.product],
        set_={"status": statement.excluded.status, "at": statement.excluded.at},
    )
    rows = [
        {subject.name: subject_id, "product": one.product, "status": one.status, "at": one.at}
        for subject_id, each in sorted(progress.items())
        for one in _in_order(each)
    ]
    session.run_each(statement, rows)


def _in_order(progress: Iterable[ProductProgress]) -> list[ProductProgress]:
    return sorted(progress, key=lambda one: _ORDER[one.product])
