"""What later looks for erased identities saw."""

from collections.abc import Sequence

import sqlalchemy as sa

from lethe.domain.ids import BundleId, DatasetId, OrgId, SandboxName, WorkOrderId
from lethe.domain.reverification import CompletedOrder, Reverification
from lethe.domain.work_order import EndStatus
from lethe.storage.schema import identity_vaults, plans, spaces, work_order_changes, work_orders
from lethe.storage.schema import reverifications as table
from lethe.storage.session import Session


class SqlReverifications:
    """Implements `aftercare_interface.Reverifications`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, seen: Reverification) -> None:
        """Keep what a look saw; a repetition of the same look replaces it."""
        values = {
            "snapshot": seen.snapshot,
            "rows_examined": seen.rows_examined,
            "rows_back": seen.rows_back,
            "identities_back": seen.identities_back,
            "problem": seen.problem,
        }
        key = {"work_order_id": seen.work_order_id, "dataset_id": seen.dataset_id, "at": seen.at}
        insert = self._session.insert(table).values(**key, **values)
        self._session.run(insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=values))

    def of(self, work_order_id: WorkOrderId) -> Sequence[Reverification]:
        """What was seen of an order, by time and dataset."""
        query = sa.select(table).where(table.c.work_order_id == work_order_id).order_by(table.c.at, table.c.dataset_id)
        return [
            Reverification(
                work_order_id,
                DatasetId(row["dataset_id"]),
                row["at"],
                row["snapshot"],
                row["rows_examined"],
                row["rows_back"],
                row["identities_back"],
                row["problem"],
            )
            for row in self._session.rows(query)
        ]

    def identities_back(self) -> int:
        """How many identities were found back, over all looks."""
        return int(self._session.value(sa.select(sa.func.coalesce(sa.func.sum(table.c.identities_back), 0))))

    def completed(self, bundle_id: BundleId, dataset_id: DatasetId) -> Sequence[CompletedOrder]:
        """The bundle's completed orders that planned the dataset and of which hashes are kept."""
        order, change = work_orders.c, work_order_changes.c
        query = (
            sa.select(order.work_order_id, spaces.c.org_id, spaces.c.sandbox_name, sa.func.min(change.at).label("at"))
            .select_from(
                work_orders.join(spaces)
                .join(work_order_changes, change.work_order_id == order.work_order_id)
                .join(plans, plans.c.work_order_id == order.work_order_id)
                .join(identity_vaults, identity_vaults.c.work_order_id == order.work_order_id)
            )
            .where(
                order.bundle_id == bundle_id,
                order.status == EndStatus.COMPLETED,
                change.status == EndStatus.COMPLETED,
                plans.c.dataset_id == dataset_id,
            )
            .group_by(order.work_order_id, spaces.c.org_id, spaces.c.sandbox_name)
            .order_by(order.work_order_id)
        )
        return [
            CompletedOrder(
                WorkOrderId(row["work_order_id"]), OrgId(row["org_id"]), SandboxName(row["sandbox_name"]), row["at"]
            )
            for row in self._session.rows(query)
        ]
