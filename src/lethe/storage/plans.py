"""Plans, results and evidence of work orders. They hold counts, paths and places; never an identity."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.domain.product import Product
from lethe.domain.task import Place
from lethe.storage import schema
from lethe.storage.counts import packed, unpacked
from lethe.storage.result_interface import DatasetPlan, DatasetResult
from lethe.storage.session import Row, Session


class SqlPlans:
    """Implements `result_interface.Plans`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save(self, plans: Mapping[WorkOrderId, Sequence[DatasetPlan]]) -> None:
        """Keep what the finds of these orders said; a repetition replaces it."""
        rows = [
            {
                "work_order_id": work_order_id,
                "dataset_id": plan.plan.dataset_id,
                "snapshot": plan.plan.snapshot,
                "files": [
                    [each.path, each.action.value, each.rows, each.rows_matched, each.size_bytes, each.reason]
                    for each in plan.plan.files
                ],
                "rows_by_identity": packed(plan.rows_by_identity),
            }
            for work_order_id, found in plans.items()
            for plan in found
        ]
        self._replace(schema.plans, rows)

    def of(self, work_order_id: WorkOrderId) -> Sequence[DatasetPlan]:
        """The order's plans, by dataset id."""
        return self.of_each([work_order_id]).get(work_order_id, ())

    def of_each(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[DatasetPlan]]:
        """The same of several orders; those without a plan are missing."""
        plans = schema.plans
        found: dict[WorkOrderId, list[DatasetPlan]] = {}
        query = sa.select(plans).order_by(plans.c.dataset_id)
        for row in self._session.rows_among(query, plans.c.work_order_id, work_order_ids):
            found.setdefault(WorkOrderId(row["work_order_id"]), []).append(_plan(row))
        return found

    def datasets_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[DatasetId]]:
        """The datasets that several orders planned; those that planned none are missing."""
        plans = schema.plans
        query = sa.select(plans.c.work_order_id, plans.c.dataset_id).order_by(plans.c.dataset_id)
        found: dict[WorkOrderId, list[DatasetId]] = {}
        for row in self._session.rows_among(query, plans.c.work_order_id, work_order_ids):
            found.setdefault(WorkOrderId(row["work_order_id"]), []).append(DatasetId(row["dataset_id"]))
        return found

    def save_results(self, round_: int, results: Mapping[WorkOrderId, DatasetResult]) -> None:
        """Keep what a round of forgetting did in a dataset; a repetition of the round replaces it."""
        rows = [
            {
                "work_order_id": work_order_id,
                "dataset_id": result.dataset_id,
                "round": round_,
                "snapshot": result.snapshot,
                "plan_hash": result.plan_hash,
                "rows_deleted": result.rows_deleted,
                "rows_by_identity": packed(result.rows_by_identity),
            }
            for work_order_id, result in results.items()
        ]
        self._replace(schema.results, rows)

    def results(self, work_order_id: WorkOrderId) -> Sequence[DatasetResult]:
        """The order's results, by dataset id: rows of all rounds, the snapshot of the last, the plan of the first."""
        return self.results_of([work_order_id]).get(work_order_id, ())

    def results_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[DatasetResult]]:
        """The same of several orders; those without a result are missing."""
        results = schema.results
        summed: dict[WorkOrderId, dict[DatasetId, DatasetResult]] = {}
        query = sa.select(results).order_by(results.c.dataset_id, results.c.round)
        for row in self._session.rows_among(query, results.c.work_order_id, work_order_ids):
            mine, one = summed.setdefault(WorkOrderId(row["work_order_id"]), {}), _result(row)
            before = mine.get(one.dataset_id)
            mine[one.dataset_id] = one if before is None else _added(before, one)
        return {work_order_id: list(mine.values()) for work_order_id, mine in summed.items()}

    def save_evidence(self, subject_id: UUID, place: Place, seen: Mapping[str, Any]) -> None:
        """Keep what was done and seen in a place; a repetition replaces it."""
        self._replace(schema.evidence, [{"subject_id": subject_id, "seen": dict(seen)} | _named(place)])

    def evidence(self, subject_id: UUID) -> dict[Place, dict[str, Any]]:
        """What was done and seen in the places of a bundle or expiration."""
        evidence = schema.evidence
        query = sa.select(evidence).where(evidence.c.subject_id == subject_id)
        rows = self._session.rows(query.order_by(evidence.c.product, evidence.c.dataset_id))
        return {(Product(row["product"]), DatasetId(row["dataset_id"])): row["seen"] for row in rows}

    def _replace(self, table: sa.Table, rows: Sequence[Row]) -> None:
        """Insert, or update what is there under the same key."""
        insert = self._session.insert(table)
        key = table.primary_key.columns
        new = {column.name: column for column in insert.excluded if column.name not in key}
        self._session.run_each(insert.on_conflict_do_update(index_elements=list(key), set_=new), rows)


def _named(place: Place) -> dict[str, Any]:
    product, dataset_id = place
    return {"product": product, "dataset_id": dataset_id}


def _result(row: Row) -> DatasetResult:
    return DatasetResult(
        DatasetId(row["dataset_id"]),
        row["snapshot"],
        row["plan_hash"],
        row["rows_deleted"],
        unpacked(row["rows_by_identity"]),
    )


def _added(before: DatasetResult, later: DatasetResult) -> DatasetResult:
    """Both rounds together. A later one deletes what came back, or finds that nothing did."""
    by_identity = [sum(pair) for pair in zip(before.rows_by_identity, later.rows_by_identity, strict=True)]
    rows = before.rows_deleted + later.rows_deleted
    return DatasetResult(before.dataset_id, later.snapshot, before.plan_hash, rows, by_identity)


def _plan(row: Row) -> DatasetPlan:
    files = [
        PlannedFile(path, FileAction(action), rows, rows_matched, size_bytes, reason)
        for path, action, rows, rows_matched, size_bytes, reason in row["files"]
    ]
    plan = TablePlan(DatasetId(row["dataset_id"]), row["snapshot"], files)
    return DatasetPlan(plan, unpacked(row["rows_by_identity"]))
