"""Which bundle or expiration has a dataset."""

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.ids import DatasetId, OrgId, SandboxName
from lethe.storage.schema import dataset_locks
from lethe.storage.session import Session


class SqlDatasetLocks:
    """Implements `work_interface.DatasetLocks`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def acquire(
        self, org_id: OrgId, sandbox_name: SandboxName, dataset_ids: Sequence[DatasetId], holder: UUID
    ) -> Sequence[DatasetId]:
        """Take all of them, or none; gives those that another holds. What one holds already one has."""
        self._session.lock("dataset locks", org_id, sandbox_name)
        column = dataset_locks.c
        query = sa.select(column.dataset_id).where(
            column.org_id == org_id,
            column.sandbox_name == sandbox_name,
            column.dataset_id.in_(dataset_ids),
            column.holder != holder,
        )
        taken = [DatasetId(row["dataset_id"]) for row in self._session.rows(query.order_by(column.dataset_id))]
        if not taken:
            for dataset_id in dataset_ids:
                insert = self._session.insert(dataset_locks).values(
                    org_id=org_id, sandbox_name=sandbox_name, dataset_id=dataset_id, holder=holder
                )
                self._session.run(insert.on_conflict_do_nothing())
        return taken

    def release(self, holder: UUID, *, but: Collection[DatasetId] = ()) -> None:
        """Give back all that it holds, except for these."""
        column = dataset_locks.c
        self._session.run(dataset_locks.delete().where(column.holder == holder, column.dataset_id.not_in(but)))

    def holder(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> UUID | None:
        """Who has it."""
        column = dataset_locks.c
        query = sa.select(column.holder).where(
            column.org_id == org_id, column.sandbox_name == sandbox_name, column.dataset_id == dataset_id
        )
        holder: UUID | None = self._session.value(query)
        return holder
