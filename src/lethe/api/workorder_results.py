"""What a work order would do, planned and did. Identities appear under their keyed hashes alone."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from lethe.api.answers import answer, call_of
from lethe.api.bodies import body_of
from lethe.api.gate import services_of
from lethe.api.resource import ROOT, Resource
from lethe.api.workorder import WorkOrderKey, read_draft
from lethe.api.workorder_rendering import work_order_id_of
from lethe.contract import error_codes as codes
from lethe.contract.results import (
    DatasetPlanOut,
    DatasetResultOut,
    FileCounts,
    IdentityResultOut,
    PlannedFileOut,
    PlanOut,
    PreviewOut,
    ResultLookUp,
    ResultLookUpOut,
    ResultsOut,
    ResultsQuery,
    ReverificationOut,
)
from lethe.contract.spelling import work_order_id_out
from lethe.contract.times import format_instant
from lethe.contract.workorder import SkippedDatasetOut
from lethe.contract.workorder_request import WorkOrderIn
from lethe.domain.caller import Permission
from lethe.domain.listing import Page
from lethe.domain.plan import FileAction
from lethe.domain.reverification import Reverification
from lethe.operations.namespaces import NamespaceRef, namespace_book
from lethe.operations.previews import order_plans, preview, preview_scope
from lethe.operations.results import IdentityResult, identity_result, order_results
from lethe.operations.work_orders import OrderDraft, find_work_order, prepare
from lethe.storage.result_interface import DatasetPlan

workorder_results = Resource(f"{ROOT}/workorder", "Plans and results")


@workorder_results.route(
    "POST",
    "/preview",
    permission=Permission.MANAGE_RECORD_DELETES,
    answer=PreviewOut,
    body=WorkOrderIn,
    errors=[
        codes.IDENTITIES_EMPTY,
        codes.IDENTITIES_MIXED,
        codes.IDENTITIES_TOO_MANY,
        codes.NAMESPACE_UNKNOWN,
        codes.NAMESPACE_UNFIT,
        codes.DATASET_WITHOUT_IDENTITY,
        codes.DATASET_UNKNOWN,
        codes.TABLE_NOT_DELETABLE,
        codes.TABLE_NOT_READABLE,
    ],
)
def preview_workorder(request: Request, draft: Annotated[OrderDraft, Depends(read_draft)]) -> Response:
    """Show what a work order would do, without doing it.

    Takes the body of a new work order. Searches the tables; costs no quota and changes nothing.
    """
    services, call = services_of(request), call_of(request)
    with services.store.read() as tx:
        prepared = prepare(tx, call, draft)
        scope = preview_scope(tx, call, prepared)
    found = preview(scope, prepared.identities, services.finder)
    return answer(
        PreviewOut(
            operation_count=found.identities,
            identities_not_found=found.not_found,
            datasets=[_plan_out(plan) for plan in found.plans],
            skipped_datasets=[
                SkippedDatasetOut(dataset_id=each.dataset_id, reason=each.reason) for each in found.skipped
            ],
        )
    )


@workorder_results.route(
    "GET",
    "/{WORKORDER_ID}/plan",
    permission=Permission.VIEW,
    answer=PlanOut,
    errors=[codes.WORK_ORDER_UNKNOWN, codes.PLAN_UNKNOWN, codes.INVALID_PARAMETER],
)
def get_workorder_plan(request: Request, key: WorkOrderKey) -> Response:
    """Show what a work order is going to do, or has done, to each file that it does not keep."""
    with services_of(request).store.read() as tx:
        order = find_work_order(tx, call_of(request), work_order_id_of(key))
        plans = order_plans(tx, order)
    rendered = [_plan_out(plan, with_files=True) for plan in plans]
    return answer(PlanOut(workorder_id=work_order_id_out(order.work_order_id), datasets=rendered))


@workorder_results.route(
    "GET",
    "/{WORKORDER_ID}/results",
    permission=Permission.VIEW,
    answer=ResultsOut,
    errors=[codes.WORK_ORDER_UNKNOWN, codes.INVALID_PARAMETER],
)
def get_workorder_results(request: Request, key: WorkOrderKey, query: Annotated[ResultsQuery, Query()]) -> Response:
    """Show what became of each dataset and, page by page, of each identity."""
    page = Page(query.page, query.limit)
    with services_of(request).store.read() as tx:
        order = find_work_order(tx, call_of(request), work_order_id_of(key))
        found = order_results(tx, order, page)
        looks = tx.reverifications.of(order.work_order_id)
    return answer(
        ResultsOut(
            workorder_id=work_order_id_out(order.work_order_id),
            status=order.status.value,
            datasets=[
                DatasetResultOut(
                    dataset_id=each.dataset_id,
                    snapshot=each.snapshot,
                    plan_hash=each.plan_hash,
                    rows_deleted=each.rows_deleted,
                )
                for each in found.datasets
            ],
            results=[_identity_out(each) for each in found.identities],
            count=len(found.identities),
            total=found.total,
            reverifications=[_look_out(each) for each in looks] or None,
        )
    )


@workorder_results.route(
    "POST",
    "/{WORKORDER_ID}/results/lookup",
    permission=Permission.VIEW,
    answer=ResultLookUpOut,
    body=ResultLookUp,
    errors=[codes.WORK_ORDER_UNKNOWN, codes.NAMESPACE_UNKNOWN, codes.INVALID_PARAMETER],
)
def look_up_workorder_result(
    request: Request, key: WorkOrderKey, asked: Annotated[ResultLookUp, Depends(body_of(ResultLookUp))]
) -> Response:
    """Say whether the order asked for one identity and what became of it; nothing is said of any other."""
    call = call_of(request)
    with services_of(request).store.read() as tx:
        order = find_work_order(tx, call, work_order_id_of(key))
        namespace = namespace_book(tx, call.org_id).resolve(NamespaceRef("namespace", asked.namespace.code))
        found = identity_result(tx, order, namespace, asked.id)
    return answer(ResultLookUpOut(requested=found is not None, result=None if found is None else _identity_out(found)))


def _plan_out(plan: DatasetPlan, *, with_files: bool = False) -> DatasetPlanOut:
    table = plan.plan
    count = {action: sum(file.action is action for file in table.files) for action in FileAction}
    size = {action: sum(file.size_bytes for file in table.files if file.action is action) for action in FileAction}
    return DatasetPlanOut(
        dataset_id=table.dataset_id,
        snapshot=table.snapshot,
        plan_hash=table.hash,
        rows_matched=table.rows_matched,
        files=FileCounts(
            keep=count[FileAction.KEEP],
            rewrite=count[FileAction.REWRITE] + count[FileAction.SCRUB],
            drop=count[FileAction.DROP],
        ),
        bytes_to_rewrite=size[FileAction.REWRITE] + size[FileAction.SCRUB],
        bytes_to_drop=size[FileAction.DROP],
        touched_files=[
            PlannedFileOut(
                path=file.path,
                action=file.action.value,
                rows=file.rows,
                rows_matched=file.rows_matched,
                size_bytes=file.size_bytes,
                reason=file.reason,
            )
            for file in table.touched
        ]
        if with_files
        else None,
    )


def _look_out(seen: Reverification) -> ReverificationOut:
    return ReverificationOut(
        dataset_id=seen.dataset_id,
        at=format_instant(seen.at),
        snapshot=seen.snapshot,
        rows_examined=seen.rows_examined,
        rows_back=seen.rows_back,
        identities_back=seen.identities_back,
        problem=seen.problem,
    )


def _identity_out(found: IdentityResult) -> IdentityResultOut:
    return IdentityResultOut(
        namespace=found.namespace.code, hash=found.hash.hex(), status=found.outcome.value, rows=found.rows
    )
