"""`/workorder`: record deletes and immediate dataset deletes."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Path, Query, Request, Response

from lethe.api.answers import IdempotencyKey, answer, call_of, write_once
from lethe.api.bodies import JsonBytes, body_of, json_refusal
from lethe.api.gate import services_of
from lethe.api.hindrances import hindrances_out
from lethe.api.resource import ROOT, Resource
from lethe.api.workorder_rendering import draft_of, filter_of, order_of, work_order_id_of, work_order_out
from lethe.contract import error_codes as codes
from lethe.contract.json_body import DuplicateKey, NotJson
from lethe.contract.workorder import (
    PageLink,
    WorkOrderLinks,
    WorkOrderOut,
    WorkOrderPageOut,
    WorkOrderQuery,
    WorkOrderUpdate,
)
from lethe.contract.workorder_request import WorkOrderIn, WrongField, decode_work_order
from lethe.domain.caller import Permission
from lethe.domain.errors import InvalidField
from lethe.domain.listing import Listing, Page
from lethe.domain.work_order import WorkOrder
from lethe.operations.hindrances import order_hindrances
from lethe.operations.work_orders import (
    OrderDraft,
    accept,
    find_work_order,
    list_work_orders,
    prepare,
    rename_work_order,
    seal,
    work_order_products,
)
from lethe.storage.interface import Transaction

workorder = Resource(f"{ROOT}/workorder", "Record deletes")

WorkOrderKey = Annotated[
    str,
    Path(alias="WORKORDER_ID", max_length=255, description="The work order's id, with or without its prefix."),
]


def read_draft(body: JsonBytes) -> OrderDraft:
    """Read the body of a new work order, of up to 100,000 identities."""
    try:
        return draft_of(decode_work_order(body))
    except (NotJson, DuplicateKey) as error:
        raise json_refusal(error) from error
    except WrongField as error:
        raise InvalidField(str(error), field=error.field) from error


@workorder.route("GET", "", permission=Permission.VIEW, answer=WorkOrderPageOut, errors=[codes.INVALID_PARAMETER])
def list_workorders(request: Request, query: Annotated[WorkOrderQuery, Query()]) -> Response:
    """List work orders.

    Texts match anywhere and whatever their case. `filterDate` is a day on which the order was created, updated or
    changed its status. `properties` may add `productStatusDetails` and `skippedDatasets`.
    """
    where, page = filter_of(query, call_of(request)), Page(query.page, query.limit)
    extras = frozenset((query.properties or "").split(","))
    found: Listing[WorkOrder] = Listing((), 0, page)
    results: list[WorkOrderOut] = []
    if where is not None:
        with services_of(request).store.read() as tx:
            found = list_work_orders(tx, where, order_of(query), page)
            results = [
                work_order_out(
                    order,
                    products=work_order_products(tx, order) if "productStatusDetails" in extras else (),
                    with_skipped="skippedDatasets" in extras,
                )
                for order in found.items
            ]
    return answer(
        WorkOrderPageOut(results=results, total=found.total, count=len(results), links=_links(request, found))
    )


@workorder.route(
    "POST",
    "",
    permission=(Permission.MANAGE_RECORD_DELETES, Permission.DELETE_DATASETS),
    answer=WorkOrderOut,
    status=201,
    body=WorkOrderIn,
    idempotent=True,
    errors=[
        codes.IDENTITIES_EMPTY,
        codes.IDENTITIES_MIXED,
        codes.IDENTITIES_TOO_MANY,
        codes.NAMESPACE_UNKNOWN,
        codes.NAMESPACE_UNFIT,
        codes.DATASET_WITHOUT_IDENTITY,
        codes.DATASET_UNKNOWN,
        codes.QUOTA_EXCEEDED,
        codes.RATE_LIMITED,
    ],
)
def create_workorder(
    request: Request,
    body: JsonBytes,
    draft: Annotated[OrderDraft, Depends(read_draft)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Delete identities from one, several or all datasets; or delete one dataset now.

    Identities come in one of two forms: `identities`, or `namespacesIdentities`. What is accepted is stored, counted
    against the quota and audited at once.
    """
    services, call = services_of(request), call_of(request)
    with services.store.read() as tx:
        prepared = prepare(tx, call, draft)
    if prepared.identities.count < services.limits.small_order_identities:
        services.rate_limiter.take(call.caller.client_id)
    sealed = seal(services.store, call, prepared, ids=services.ids)

    def act(tx: Transaction) -> tuple[int, WorkOrderOut]:
        return 201, work_order_out(accept(tx, call, sealed, ids=services.ids), with_skipped=True)

    return write_once(request, idempotency_key, body, act)


@workorder.route(
    "GET",
    "/{WORKORDER_ID}",
    permission=Permission.VIEW,
    answer=WorkOrderOut,
    errors=[codes.WORK_ORDER_UNKNOWN, codes.INVALID_PARAMETER],
)
def get_workorder(request: Request, key: WorkOrderKey) -> Response:
    """Look one work order up; `heldBy` says what it waits for, or why it failed."""
    with services_of(request).store.read() as tx:
        order = find_work_order(tx, call_of(request), work_order_id_of(key))
        products = work_order_products(tx, order)
        held_by = hindrances_out(order_hindrances(tx, order))
    return answer(work_order_out(order, products=products, with_skipped=True, held_by=held_by))


@workorder.route(
    "PUT",
    "/{WORKORDER_ID}",
    permission=Permission.MANAGE_RECORD_DELETES,
    answer=WorkOrderOut,
    body=WorkOrderUpdate,
    errors=[codes.WORK_ORDER_UNKNOWN, codes.INVALID_PARAMETER],
)
def update_workorder(
    request: Request, key: WorkOrderKey, asked: Annotated[WorkOrderUpdate, Depends(body_of(WorkOrderUpdate))]
) -> Response:
    """Change the name or the description of a work order, in whatever status it is."""
    call = call_of(request)
    name = asked.display_name if asked.display_name is not None else asked.name
    with services_of(request).store.write() as tx:
        order = rename_work_order(tx, call, work_order_id_of(key), name, asked.description)
        return answer(work_order_out(order, products=work_order_products(tx, order), with_skipped=True))


def _links(request: Request, found: Listing[WorkOrder]) -> WorkOrderLinks:
    """The template of every page, and the next one unless this is the last."""
    root = services_of(request).public_url or str(request.base_url)
    path = root.rstrip("/") + workorder.prefix
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"page", "limit"}]
    query = urlencode([*kept, ("limit", str(found.page.size))])
    following = found.page.number + 1
    return WorkOrderLinks(
        page=PageLink(href=f"{path}?{query}&page={{page}}", templated=True),
        next=PageLink(href=f"{path}?{query}&page={following}", templated=False)
        if following < found.page_count
        else None,
    )
