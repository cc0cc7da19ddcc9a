"""Work that has ended: what still follows it, and what of it is no longer kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from lethe.domain.expiration import ExpirationStatus
from lethe.domain.ids import BundleId, DatasetId, ExpirationId, OrgId, SandboxName, WorkOrderId
from lethe.domain.task import Step, TaskState
from lethe.domain.work_order import EndStatus
from lethe.storage.aftercare_interface import UnwatchedPlace
from lethe.storage.schema import (
    evidence,
    expirations,
    failures,
    identity_chunks,
    identity_vaults,
    plans,
    results,
    service_results,
    spaces,
    tasks,
    work_orders,
)
from lethe.storage.session import Session

_IN_EVERY_SPACE: Final = work_orders.c.space_id.in_(sa.select(spaces.c.space_id))
"""Leads to the index of statuses, which begins with the space."""


class SqlEnded:
    """Implements `aftercare_interface.Ended`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def unwatched(self, since: datetime, limit: int) -> Sequence[UnwatchedPlace]:
        """Datasets of orders that have completed since then, of which no look is promised."""
        order = work_orders.c
        promised = sa.select(tasks.c.task_id).where(
            tasks.c.subject_id == order.bundle_id,
            tasks.c.dataset_id == plans.c.dataset_id,
            tasks.c.step == Step.REVERIFY,
            tasks.c.state == TaskState.READY,
        )
        query = (
            sa.select(spaces.c.org_id, spaces.c.sandbox_name, order.bundle_id, plans.c.dataset_id)
            .select_from(
                work_orders.join(spaces)
                .join(plans, plans.c.work_order_id == order.work_order_id)
                .join(identity_vaults, identity_vaults.c.work_order_id == order.work_order_id)
            )
            .where(_IN_EVERY_SPACE, order.status == EndStatus.COMPLETED, order.updated_at > since, ~sa.exists(promised))
            .distinct()
            .order_by(order.bundle_id, plans.c.dataset_id)
            .limit(limit)
        )
        return [
            UnwatchedPlace(
                OrgId(row["org_id"]),
                SandboxName(row["sandbox_name"]),
                BundleId(row["bundle_id"]),
                DatasetId(row["dataset_id"]),
            )
            for row in self._session.rows(query)
        ]

    def failed_before(self, before: datetime, limit: int) -> Sequence[WorkOrderId]:
        """Orders that failed before then and whose raw identities are still kept."""
        order = work_orders.c
        later = sa.select(failures.c.task_id).where(
            failures.c.subject_id == order.work_order_id, failures.c.at > before
        )
        query = (
            sa.select(order.work_order_id)
            .select_from(work_orders.join(identity_vaults, identity_vaults.c.work_order_id == order.work_order_id))
            .where(
                _IN_EVERY_SPACE,
                order.status == EndStatus.FAILED,
                identity_vaults.c.wrapped_key.is_not(None),
                ~sa.exists(later),
            )
        )
        return self._orders(query, limit)

    def orders_before(self, before: datetime, limit: int) -> Sequence[WorkOrderId]:
        """Orders that ended before then and of which more than the order itself is kept."""
        order = work_orders.c
        query = (
            sa.select(order.work_order_id)
            .select_from(work_orders.join(identity_vaults, identity_vaults.c.work_order_id == order.work_order_id))
            .where(_IN_EVERY_SPACE, order.status.in_(list(EndStatus)), order.updated_at <= before)
        )
        return self._orders(query, limit)

    def _orders(self, query: sa.Select[tuple[object]], limit: int) -> Sequence[WorkOrderId]:
        ordered = query.order_by(work_orders.c.updated_at, work_orders.c.work_order_id).limit(limit)
        return [WorkOrderId(row["work_order_id"]) for row in self._session.rows(ordered)]

    def expirations_before(self, before: datetime, limit: int) -> Sequence[tuple[OrgId, ExpirationId]]:
        """Expirations that completed before then and of which more than the expiration itself is kept."""
        column = expirations.c
        kept = sa.select(tasks.c.task_id).where(tasks.c.subject_id == column.expiration_id)
        query = sa.select(spaces.c.org_id, column.expiration_id).select_from(expirations.join(spaces))
        query = query.where(
            column.status == ExpirationStatus.COMPLETED, column.completed_at <= before, sa.exists(kept)
        ).order_by(column.completed_at, column.expiration_id)
        rows = self._session.rows(query.limit(limit))
        return [(OrgId(row["org_id"]), ExpirationId(row["expiration_id"])) for row in rows]

    def forget_order(self, work_order_id: WorkOrderId) -> None:
        """Remove plans, results, hashes and tasks; what the bundle shares goes with its last order."""
        for table in (plans, results, service_results, identity_chunks, identity_vaults):
            self._session.run(table.delete().where(table.c.work_order_id == work_order_id))
        for table in (failures, tasks):
            self._session.run(table.delete().where(table.c.subject_id == work_order_id))
        bundle_id = sa.select(work_orders.c.bundle_id).where(work_orders.c.work_order_id == work_order_id)
        shared: BundleId = self._session.value(bundle_id)
        kept = sa.select(identity_vaults.c.work_order_id).select_from(
            work_orders.join(identity_vaults, identity_vaults.c.work_order_id == work_orders.c.work_order_id)
        )
        if self._session.value(kept.where(work_orders.c.bundle_id == shared).limit(1)) is None:
            for table in (tasks, evidence):
                self._session.run(table.delete().where(table.c.subject_id == shared))

    def forget_expiration(self, expiration_id: ExpirationId) -> None:
        """Remove tasks and evidence; the expiration, its history and its certificate stay."""
        for table in (tasks, evidence, failures):
            self._session.run(table.delete().where(table.c.subject_id == expiration_id))
