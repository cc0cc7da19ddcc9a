"""Plans, results and evidence of work orders. They hold counts, paths and places; never an identity."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.domain.product import Product
from lethe.domain.task import Place
from lethe.storage.counts import packed, unpacked
from lethe.storage.interface import DatasetPlan, DatasetResult
from lethe.storage.schema import evidence, plans, results
from lethe.storage.session import Row, Session


class SqlPlans:
    """Implements `interface.Plans`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save(self, work_order_id: WorkOrderId, plan: DatasetPlan) -> None:
        """Keep what the find said; a repetition replaces it."""
        files = [
            [each.path, each.action.value, each.rows, each.rows_matched, each.size_bytes, each.reason]
            for each in plan.plan.files
        ]
        self._replace(
            plans,
            {"work_order_id": work_order_id, "dataset_id": plan.plan.dataset_id},
            snapshot=plan.plan.snapshot,
            files=files,
            rows_by_identity=packed(plan.rows_by_identity),
        )

    def of(self, work_order_id: WorkOrderId) -> Sequence[DatasetPlan]:
        """The order's plans, by dataset id."""
        query = sa.select(plans).where(plans.c.work_order_id == work_order_id).order_by(plans.c.dataset_id)
        return [_plan(row) for row in self._session.rows(query)]

    def datasets_of(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[DatasetId]]:
        """The datasets that several orders planned; those that planned none are missing."""
        query = sa.select(plans.c.work_order_id, plans.c.dataset_id).order_by(plans.c.dataset_id)
        found: dict[WorkOrderId, list[DatasetId]] = {}
        for row in self._session.rows_among(query, plans.c.work_order_id, work_order_ids):
            found.setdefault(WorkOrderId(row["work_order_id"]), []).append(DatasetId(row["dataset_id"]))
        return found

    def save_result(self, work_order_id: WorkOrderId, round_: int, result: DatasetResult) -> None:
        """Keep what a round of forgetting did; a repetition of the round replaces it."""
        self._replace(
            results,
            {"work_order_id": work_order_id, "dataset_id": result.dataset_id, "round": round_},
            snapshot=result.snapshot,
            plan_hash=result.plan_hash,
            rows_deleted=result.rows_deleted,
            rows_by_identity=packed(result.rows_by_identity),
        )

    def results(self, work_order_id: WorkOrderId) -> Sequence[DatasetResult]:
        """The order's results, by dataset id: rows of all rounds, the snapshot of the last, the plan of the first."""
        query = sa.select(results).where(results.c.work_order_id == work_order_id)
        summed: dict[DatasetId, DatasetResult] = {}
        for row in self._session.rows(query.order_by(results.c.dataset_id, results.c.round)):
            one = _result(row)
            before = summed.get(one.dataset_id)
            summed[one.dataset_id] = one if before is None else _added(before, one)
        return list(summed.values())

    def save_evidence(self, subject_id: UUID, place: Place, seen: Mapping[str, Any]) -> None:
        """Keep what was done and seen in a place; a repetition replaces it."""
        self._replace(evidence, {"subject_id": subject_id} | _named(place), seen=dict(seen))

    def evidence(self, subject_id: UUID) -> dict[Place, dict[str, Any]]:
        """What was done and seen in the places of a bundle or expiration."""
        query = sa.select(evidence).where(evidence.c.subject_id == subject_id)
        rows = self._session.rows(query.order_by(evidence.c.product, evidence.c.dataset_id))
        return {(Product(row["product"]), DatasetId(row["dataset_id"])): row["seen"] for row in rows}

    def _replace(self, table: sa.Table, key: dict[str, Any], **values: Any) -> None:
        insert = self._session.insert(table).values(**key, **values)
        self._session.run(insert.on_conflict_do_update(index_elements=[table.c[name] for name in key], set_=values))


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
