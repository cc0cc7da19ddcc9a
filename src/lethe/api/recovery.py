"""Retrying what has failed, and restoring what is not destroyed yet (Lethe's own)."""

from fastapi import Request, Response

from lethe.api.answers import IdempotencyKey, call_of, write_once
from lethe.api.gate import services_of
from lethe.api.hindrances import hindrances_out
from lethe.api.resource import ROOT, Resource
from lethe.api.ttl import ExpirationKey
from lethe.api.ttl_rendering import expiration_out, key_of
from lethe.api.workorder import WorkOrderKey
from lethe.api.workorder_rendering import work_order_id_of, work_order_out
from lethe.contract import error_codes as codes
from lethe.contract.ttl import ExpirationOut
from lethe.contract.workorder import WorkOrderOut
from lethe.domain.caller import Permission
from lethe.domain.ids import ExpirationId
from lethe.operations.expirations import expiration_products, find_expiration, restore_expiration
from lethe.operations.hindrances import expiration_hindrances, order_hindrances
from lethe.operations.retries import retry_expiration, retry_work_order
from lethe.operations.work_orders import work_order_products
from lethe.storage.interface import Transaction

recovery = Resource(ROOT, "Recovery")


@recovery.route(
    "POST",
    "/workorder/{WORKORDER_ID}/retry",
    permission=(Permission.MANAGE_RECORD_DELETES, Permission.DELETE_DATASETS),
    answer=WorkOrderOut,
    idempotent=True,
    errors=[codes.WORK_ORDER_UNKNOWN, codes.WORK_ORDER_NOT_FAILED, codes.IDENTITIES_DESTROYED, codes.INVALID_PARAMETER],
)
def retry_workorder(request: Request, key: WorkOrderKey, idempotency_key: IdempotencyKey = None) -> Response:
    """Retry a failed work order, from the step that failed.

    What is done stays done; no quota is spent. An order that had not been submitted joins the open bundle.
    """
    services, call = services_of(request), call_of(request)

    def act(tx: Transaction) -> tuple[int, WorkOrderOut]:
        order = retry_work_order(tx, call, work_order_id_of(key), ids=services.ids)
        held_by = hindrances_out(order_hindrances(tx, order))
        products = work_order_products(tx, order)
        return 200, work_order_out(order, products=products, with_skipped=True, held_by=held_by)

    return write_once(request, idempotency_key, b"", act)


@recovery.route(
    "POST",
    "/ttl/{ID}/retry",
    permission=Permission.MANAGE_EXPIRATIONS,
    answer=ExpirationOut,
    idempotent=True,
    errors=[codes.EXPIRATION_UNKNOWN, codes.EXPIRATION_NOT_STUCK, codes.INVALID_PARAMETER],
)
def retry_dataset_expiration(request: Request, key: ExpirationKey, idempotency_key: IdempotencyKey = None) -> Response:
    """Retry an executing expiration of which something was given up."""
    call, expiration_id = call_of(request), _id_of(request, key)

    def act(tx: Transaction) -> tuple[int, ExpirationOut]:
        expiration = retry_expiration(tx, call, expiration_id)
        held_by = hindrances_out(expiration_hindrances(tx, expiration))
        return 200, expiration_out(expiration, products=expiration_products(tx, expiration), held_by=held_by)

    return write_once(request, idempotency_key, b"", act)


@recovery.route(
    "POST",
    "/ttl/{ID}/restore",
    permission=Permission.MANAGE_EXPIRATIONS,
    answer=ExpirationOut,
    idempotent=True,
    errors=[codes.EXPIRATION_UNKNOWN, codes.EXPIRATION_NOT_RESTORABLE, codes.INVALID_PARAMETER],
)
def restore_dataset(request: Request, key: ExpirationKey, idempotency_key: IdempotencyKey = None) -> Response:
    """Restore the dataset of an executing expiration, before `destroyAfter`; the expiration is then cancelled."""
    call, expiration_id = call_of(request), _id_of(request, key)

    def act(tx: Transaction) -> tuple[int, ExpirationOut]:
        return 200, expiration_out(restore_expiration(tx, call, expiration_id))

    return write_once(request, idempotency_key, b"", act)


def _id_of(request: Request, key: str) -> ExpirationId:
    """The id of the expiration, looked up before a change locks by it. Raises UnknownExpiration."""
    with services_of(request).store.read() as tx:
        return find_expiration(tx, call_of(request), key_of(key)).expiration_id
