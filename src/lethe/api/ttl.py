"""`/ttl`: dataset expirations."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response

from lethe.api.answers import IdempotencyKey, answer, call_of, write_once
from lethe.api.bodies import JsonBytes, body_of
from lethe.api.gate import services_of
from lethe.api.hindrances import hindrances_out
from lethe.api.resource import ROOT, Resource
from lethe.api.ttl_rendering import expiration_out, filter_of, key_of, order_of, page_of
from lethe.contract import error_codes as codes
from lethe.contract.times import parse_instant
from lethe.contract.ttl import (
    CANCELLED_MESSAGE,
    ExpirationCreate,
    ExpirationLookUpQuery,
    ExpirationOut,
    ExpirationPageOut,
    ExpirationQuery,
    ExpirationReschedule,
    ExpirationRescheduleQuery,
    ExpirationUpdate,
)
from lethe.domain.caller import Permission
from lethe.domain.errors import ProductStatusNotAvailable
from lethe.domain.expiration import Cancelled, Edit, Expiration, Pending
from lethe.domain.ids import DatasetId, OrgId
from lethe.domain.listing import Listing
from lethe.domain.organization import Organization
from lethe.operations.expirations import (
    cancel_expiration,
    create_expiration,
    expiration_history,
    expiration_products,
    find_expiration,
    list_expirations,
    put_expiration,
    update_expiration,
)
from lethe.operations.hindrances import expiration_hindrances
from lethe.storage.interface import Transaction

ttl = Resource(f"{ROOT}/ttl", "Dataset expirations")

ExpirationKey = Annotated[
    str, Path(alias="ID", max_length=255, description="The expiration's id, or the id of its dataset.")
]


@ttl.route("GET", "", permission=Permission.VIEW, answer=ExpirationPageOut, errors=[codes.INVALID_PARAMETER])
def list_dataset_expirations(request: Request, query: Annotated[ExpirationQuery, Query()]) -> Response:
    """List dataset expirations.

    Texts match anywhere and whatever their case. `author` is exact, or an SQL pattern behind `LIKE` or `NOT LIKE`.
    A date alone is its UTC day, its start for `…FromDate`, its end for `…ToDate`.
    """
    call, page = call_of(request), page_of(query)
    org = _asked_org(request, query)
    where = None if org is None else filter_of(query, call, org)
    if where is None:
        found: Listing[Expiration] = Listing((), 0, page)
    else:
        with services_of(request).store.read() as tx:
            found = list_expirations(tx, where, order_of(query), page)
    return answer(
        ExpirationPageOut(
            results=[expiration_out(expiration) for expiration in found.items],
            current_page=page.number,
            total_pages=found.page_count,
            total_count=found.total,
        )
    )


@ttl.route(
    "POST",
    "",
    permission=Permission.MANAGE_EXPIRATIONS,
    answer=ExpirationOut,
    status=201,
    body=ExpirationCreate,
    idempotent=True,
    errors=[codes.DATASET_UNKNOWN, codes.EXPIRATION_EXISTS, codes.EXPIRY_TOO_SOON, codes.QUOTA_EXCEEDED],
)
def create_dataset_expiration(
    request: Request,
    body: JsonBytes,
    asked: Annotated[ExpirationCreate, Depends(body_of(ExpirationCreate))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Schedule the deletion of a dataset.

    A cancelled expiration of the dataset is opened again, under its id.
    """
    call, ids = call_of(request), services_of(request).ids
    edit = _edit(asked.expiry, asked.display_name, asked.description)

    def act(tx: Transaction) -> tuple[int, ExpirationOut]:
        return 201, expiration_out(create_expiration(tx, call, DatasetId(asked.dataset_id), edit, ids=ids))

    return write_once(request, idempotency_key, body, act)


@ttl.route(
    "GET",
    "/{ID}",
    permission=Permission.VIEW,
    answer=ExpirationOut,
    errors=[codes.INVALID_PARAMETER, codes.EXPIRATION_UNKNOWN, codes.PRODUCT_STATUS_NOT_AVAILABLE],
)
def get_dataset_expiration(
    request: Request, key: ExpirationKey, query: Annotated[ExpirationLookUpQuery, Query()]
) -> Response:
    """Look one expiration up, by its id or its dataset's; `heldBy` says what its execution waits for."""
    with services_of(request).store.read() as tx:
        expiration = find_expiration(tx, call_of(request), key_of(key))
        wants_history = "history" in (query.include or "").split(",")
        rendered = expiration_out(
            expiration,
            products=expiration_products(tx, expiration),
            only=_only(expiration, query.product_status_details),
            history=expiration_history(tx, expiration) if wants_history else None,
            held_by=hindrances_out(expiration_hindrances(tx, expiration)),
        )
    return answer(rendered)


@ttl.route(
    "PUT",
    "/{ID}",
    permission=Permission.MANAGE_EXPIRATIONS,
    answer=ExpirationOut,
    also_answers=[201],
    body=ExpirationUpdate,
    errors=[
        codes.EXPIRATION_UNKNOWN,
        codes.EXPIRATION_NOT_EDITABLE,
        codes.EXPIRY_TOO_SOON,
        codes.QUOTA_EXCEEDED,
        codes.INVALID_PARAMETER,
    ],
)
def update_dataset_expiration(
    request: Request, key: ExpirationKey, asked: Annotated[ExpirationUpdate, Depends(body_of(ExpirationUpdate))]
) -> Response:
    """Change an expiration, or create the one of a dataset that has none.

    What is null or absent stays as it is. A cancelled expiration is opened again by a new expiry.
    """
    services, call = services_of(request), call_of(request)
    edit = _edit(asked.expiry, asked.display_name, asked.description)
    with services.store.write() as tx:
        expiration, created = put_expiration(tx, call, key_of(key), edit, ids=services.ids)
        return answer(expiration_out(expiration), 201 if created else 200)


@ttl.route(
    "PATCH",
    "/{ID}",
    permission=Permission.MANAGE_EXPIRATIONS,
    answer=ExpirationOut,
    body=ExpirationReschedule,
    errors=[
        codes.INVALID_PARAMETER,
        codes.EXPIRATION_UNKNOWN,
        codes.EXPIRATION_NOT_EDITABLE,
        codes.EXPIRY_TOO_SOON,
        codes.QUOTA_EXCEEDED,
        codes.PRODUCT_STATUS_NOT_AVAILABLE,
    ],
)
def reschedule_dataset_expiration(
    request: Request,
    key: ExpirationKey,
    asked: Annotated[ExpirationReschedule, Depends(body_of(ExpirationReschedule))],
    query: Annotated[ExpirationRescheduleQuery, Query()],
) -> Response:
    """Change the expiry alone."""
    call = call_of(request)
    with services_of(request).store.write() as tx:
        expiration = update_expiration(tx, call, key_of(key), _edit(asked.expiry, None, None))
        return answer(expiration_out(expiration, only=_only(expiration, query.product_status_details)))


@ttl.route(
    "DELETE",
    "/{ID}",
    permission=Permission.MANAGE_EXPIRATIONS,
    answer=ExpirationOut,
    errors=[codes.EXPIRATION_NOT_CANCELLABLE, codes.INVALID_PARAMETER],
)
def cancel_dataset_expiration(request: Request, key: ExpirationKey) -> Response:
    """Cancel a pending expiration; the dataset stays."""
    call = call_of(request)
    with services_of(request).store.write() as tx:
        expiration = cancel_expiration(tx, call, key_of(key))
        return answer(expiration_out(expiration, message=CANCELLED_MESSAGE))


def _asked_org(request: Request, query: ExpirationQuery) -> Organization | None:
    """The header's org; for a service token the one in `orgId`, or none when the token is not entitled to it."""
    call = call_of(request)
    if query.org_id is None or not call.caller.may(Permission.SERVICE):
        return call.org
    org_id = OrgId(query.org_id)
    return services_of(request).organizations.find(org_id) if org_id in call.caller.org_ids else None


def _edit(expiry: str | None, display_name: str | None, description: str | None) -> Edit:
    return Edit(None if expiry is None else parse_instant(expiry), display_name, description)


def _only(expiration: Expiration, names: str | None) -> frozenset[str] | None:
    """The products to show. Raises ProductStatusNotAvailable while there is nothing to show."""
    if names is None:
        return None
    if isinstance(expiration, Pending | Cancelled):
        raise ProductStatusNotAvailable(field="productStatusDetails")
    return frozenset(name.strip() for name in names.split(","))
