"""Retrying what has failed (Lethe's own)."""

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
from lethe.operations.expirations import expiration_products, find_expiration
from lethe.operations.hindrances import expiration_hindrances, order_hindrances
from lethe.operations.retries import retry_expiration, retry_work_order
from lethe.operations.work_orders import work_order_products
from lethe.storage.interface import Transaction

recovery = Resource(ROOT, "Retries")


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
    call = call_of(request)
    with services_of(request).store.read() as tx:
        # Looked up first: what is retried is locked by its own id.
        expiration_id = find_expiration(tx, call, key_of(key)).expiration_id

    def act(tx: Transaction) -> tuple[int, ExpirationOut]:
        expiration = retry_expiration(tx, call, expiration_id)
        held_by = hindrances_out(expiration_hindrances(tx, expiration))
        return 200, expiration_out(expiration, products=expiration_products(tx, expiration), held_by=held_by)

    return write_once(request, idempotency_key, b"", act)
