"""Steps that were given up."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.failure import Failure
from lethe.domain.ids import DatasetId, TaskId
from lethe.domain.product import Product
from lethe.domain.task import Step
from lethe.storage.schema import failures as table
from lethe.storage.session import Session


class SqlFailures:
    """Implements `task_interface.Failures`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def note(self, subject_id: UUID, failures: Sequence[Failure]) -> None:
        """Keep these; one that is noted already stays as it is."""
        for each in failures:
            insert = self._session.insert(table).values(
                subject_id=subject_id,
                task_id=each.task_id,
                step=each.step,
                product=each.product,
                dataset_id=each.dataset_id,
                reason=each.reason,
                attempts=each.attempts,
                at=each.at,
            )
            self._session.run(insert.on_conflict_do_nothing())

    def of(self, subject_id: UUID) -> Sequence[Failure]:
        """What was given up, the first one first."""
        query = sa.select(table).where(table.c.subject_id == subject_id).order_by(table.c.at, table.c.task_id)
        return [
            Failure(
                TaskId(row["task_id"]),
                Step(row["step"]),
                None if row["product"] is None else Product(row["product"]),
                None if row["dataset_id"] is None else DatasetId(row["dataset_id"]),
                row["reason"],
                row["attempts"],
                row["at"],
            )
            for row in self._session.rows(query)
        ]

    def clear(self, subject_id: UUID) -> None:
        """Forget them: the work is tried again."""
        self._session.run(table.delete().where(table.c.subject_id == subject_id))
