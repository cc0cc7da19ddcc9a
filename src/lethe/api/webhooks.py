"""`/webhooks`: who is told of events."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response

from lethe.api.answers import IdempotencyKey, answer, call_of, write_once
from lethe.api.bodies import JsonBytes, body_of
from lethe.api.gate import SandboxUse, services_of
from lethe.api.resource import ROOT, Resource
from lethe.api.webhook_rendering import delivery_id_of, delivery_out, edit_of, webhook_id_of, webhook_out
from lethe.contract import error_codes as codes
from lethe.contract.webhooks import (
    DeliveryOut,
    DeliveryPageOut,
    DeliveryQuery,
    WebhookCreate,
    WebhookListOut,
    WebhookOut,
    WebhookUpdate,
)
from lethe.domain.caller import Permission
from lethe.domain.listing import Page
from lethe.domain.webhook import DeliveryState
from lethe.operations.webhooks import (
    create_webhook,
    delete_webhook,
    find_webhook,
    list_deliveries,
    list_webhooks,
    ping_webhook,
    redeliver,
    rotate_secret,
    update_webhook,
)
from lethe.storage.interface import Transaction

webhooks = Resource(f"{ROOT}/webhooks", "Webhooks")

WebhookKey = Annotated[
    str, Path(alias="WEBHOOK_ID", max_length=255, description="The webhook's id, with or without its prefix.")
]
DeliveryKey = Annotated[str, Path(alias="DELIVERY_ID", max_length=255, description="The delivery's id.")]


@webhooks.route("GET", "", permission=Permission.ADMINISTER, sandbox_use=SandboxUse.IGNORED, answer=WebhookListOut)
def get_webhooks(request: Request) -> Response:
    """List the webhooks of the organization, the oldest first."""
    with services_of(request).store.read() as tx:
        found = list_webhooks(tx, call_of(request))
    return answer(WebhookListOut(results=[webhook_out(webhook) for webhook in found], total=len(found)))


@webhooks.route(
    "POST",
    "",
    permission=Permission.ADMINISTER,
    sandbox_use=SandboxUse.IGNORED,
    answer=WebhookOut,
    status=201,
    body=WebhookCreate,
    idempotent=True,
    errors=[codes.SANDBOX_UNKNOWN, codes.WEBHOOKS_TOO_MANY],
)
def add_webhook(
    request: Request,
    body: JsonBytes,
    asked: Annotated[WebhookCreate, Depends(body_of(WebhookCreate))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Have events posted to a URL.

    The answer shows the secret that verifies signatures; it is not shown again.
    """
    services, call = services_of(request), call_of(request)

    def act(tx: Transaction) -> tuple[int, WebhookOut]:
        webhook, secret = create_webhook(
            tx, call, edit_of(asked), rules=services.webhook_rules, ids=services.ids, new_secret=services.new_secret
        )
        return 201, webhook_out(webhook, secret=secret)

    return write_once(request, idempotency_key, body, act)


@webhooks.route(
    "GET",
    "/{WEBHOOK_ID}",
    permission=Permission.ADMINISTER,
    sandbox_use=SandboxUse.IGNORED,
    answer=WebhookOut,
    errors=[codes.WEBHOOK_UNKNOWN, codes.INVALID_PARAMETER],
)
def get_webhook(request: Request, key: WebhookKey) -> Response:
    """Look one webhook up."""
    with services_of(request).store.read() as tx:
        return answer(webhook_out(find_webhook(tx, call_of(request), webhook_id_of(key))))


@webhooks.route(
    "PUT",
    "/{WEBHOOK_ID}",
    permission=Permission.ADMINISTER,
    sandbox_use=SandboxUse.IGNORED,
    answer=WebhookOut,
    body=WebhookUpdate,
    errors=[codes.WEBHOOK_UNKNOWN, codes.SANDBOX_UNKNOWN, codes.INVALID_PARAMETER],
)
def change_webhook(
    request: Request, key: WebhookKey, asked: Annotated[WebhookUpdate, Depends(body_of(WebhookUpdate))]
) -> Response:
    """Change a webhook. What is null or absent stays as it is.

    One that is disabled is told of nothing that happens meanwhile; what was on its way goes on when it is enabled.
    """
    services, call = services_of(request), call_of(request)
    with services.store.write() as tx:
        webhook = update_webhook(tx, call, webhook_id_of(key), edit_of(asked), rules=services.webhook_rules)
        return answer(webhook_out(webhook))


@webhooks.route(
    "DELETE",
    "/{WEBHOOK_ID}",
    permission=Permission.ADMINISTER,
    sandbox_use=SandboxUse.IGNORED,
    answer=WebhookOut,
    errors=[codes.WEBHOOK_UNKNOWN, codes.INVALID_PARAMETER],
)
def remove_webhook(request: Request, key: WebhookKey) -> Response:
    """Remove a webhook, its secret and its deliveries; the answer shows it as it was."""
    with services_of(request).store.write() as tx:
        return answer(webhook_out(delete_webhook(tx, call_of(request), webhook_id_of(key))))


@webhooks.route(
    "POST",
    "/{WEBHOOK_ID}/secret",
    permission=Permission.ADMINISTER,
    sandbox_use=SandboxUse.IGNORED,
    answer=WebhookOut,
    errors=[codes.WEBHOOK_UNKNOWN, codes.INVALID_PARAMETER],
)
def rotate_webhook_secret(request: Request, key: WebhookKey) -> Response:
    """Make a new secret; the answer shows it. For 24 hours messages are signed with the old one, too."""
    services = services_of(request)
    with services.store.write() as tx:
        webhook, secret = rotate_secret(tx, call_of(request), webhook_id_of(key), new_secret=services.new_secret)
        return answer(webhook_out(webhook, secret=secret))


@webhooks.route(
    "POST",
    "/{WEBHOOK_ID}/test",
    permission=Permission.ADMINISTER,
    sandbox_use=SandboxUse.IGNORED,
    answer=DeliveryOut,
    status=202,
    errors=[codes.WEBHOOK_UNKNOWN, codes.INVALID_FIELD, codes.INVALID_PARAMETER],
)
def try_webhook(request: Request, key: WebhookKey) -> Response:
    """Send an `org.lethe.webhook.ping` to this webhook alone, whatever types it asks for."""
    services = services_of(request)
    with services.store.write() as tx:
        return answer(
            delivery_out(ping_webhook(tx, call_of(request), webhook_id_of(key), ids=services.ids)), status=202
        )


@webhooks.route(
    "GET",
    "/{WEBHOOK_ID}/deliveries",
    permission=Permission.ADMINISTER,
    sandbox_use=SandboxUse.IGNORED,
    answer=DeliveryPageOut,
    errors=[codes.WEBHOOK_UNKNOWN, codes.INVALID_PARAMETER],
)
def get_webhook_deliveries(request: Request, key: WebhookKey, query: Annotated[DeliveryQuery, Query()]) -> Response:
    """List what was sent to a webhook, is on its way or was given up, the newest first."""
    state = None if query.status is None else DeliveryState(query.status)
    page = Page(query.page, query.limit)
    with services_of(request).store.read() as tx:
        found = list_deliveries(tx, call_of(request), webhook_id_of(key), state, page)
    results = [delivery_out(delivery) for delivery in found.items]
    return answer(DeliveryPageOut(results=results, total=found.total, count=len(results)))


@webhooks.route(
    "POST",
    "/{WEBHOOK_ID}/deliveries/{DELIVERY_ID}/redeliver",
    permission=Permission.ADMINISTER,
    sandbox_use=SandboxUse.IGNORED,
    answer=DeliveryOut,
    status=202,
    errors=[codes.WEBHOOK_UNKNOWN, codes.DELIVERY_UNKNOWN, codes.INVALID_PARAMETER],
)
def redeliver_to_webhook(request: Request, key: WebhookKey, delivery_key: DeliveryKey) -> Response:
    """Send an event once more, under the same id, with all its attempts before it."""
    with services_of(request).store.write() as tx:
        delivery = redeliver(tx, call_of(request), webhook_id_of(key), delivery_id_of(delivery_key))
        return answer(delivery_out(delivery), status=202)
