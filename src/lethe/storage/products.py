"""How far each product is, for orders and expirations alike."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.product import Product, ProductProgress, ProductStatus
from lethe.storage.session import Session

_ORDER: Final = {product: place for place, product in enumerate(Product)}


def progress_of(session: Session, table: sa.Table, subject: sa.Column[UUID], subject_id: UUID) -> list[ProductProgress]:
    """The progress of one subject, in the order of an answer."""
    found = session.rows(sa.select(table).where(subject == subject_id))
    progress = [ProductProgress(Product(row["product"]), ProductStatus(row["status"]), row["at"]) for row in found]
    return sorted(progress, key=lambda one: _ORDER[one.product])


def save_progress(
    session: Session, table: sa.Table, subject: sa.Column[UUID], subject_id: UUID, progress: Sequence[ProductProgress]
) -> None:
    """Insert or update the progress of these products, in one order for all writers."""
    if not progress:
        return
    statement = session.insert(table)
    statement = statement.on_conflict_do_update(
        index_elements=[subject, table.c.product],
        set_={"status": statement.excluded.status, "at": statement.excluded.at},
    )
    rows = [
        {subject.name: subject_id, "product": one.product, "status": one.status, "at": one.at}
        for one in sorted(progress, key=lambda one: _ORDER[one.product])
    ]
    session.run(statement, rows)
