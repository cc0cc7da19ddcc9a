"""Webhooks: who is told of events; their secrets; and what became of each delivery.

Whoever sees all sandboxes of the org manages all its webhooks; whoever sees some, those of each of these.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lethe.clock import Ids
from lethe.domain.addresses import AddressRule
from lethe.domain.errors import InvalidField, TooManyWebhooks, UnknownDelivery, UnknownSandbox, UnknownWebhook
from lethe.domain.event import Event, EventType, WebhookFacts, event_id
from lethe.domain.ids import DeliveryId, SandboxName, WebhookId
from lethe.domain.listing import Listing, Page
from lethe.domain.webhook import SECRET_OVERLAP, Delivery, DeliveryState, Webhook
from lethe.operations.call import Call
from lethe.storage.interface import Transaction


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """What the installation allows."""

    max_per_org: int = 20
    addresses: AddressRule = field(default_factory=AddressRule)


@dataclass(frozen=True, slots=True)
class WebhookEdit:
    """What a webhook is to be; None leaves a thing as it is."""

    url: str | None = None
    description: str | None = None
    types: tuple[EventType, ...] | None = None
    sandbox_name: SandboxName | None = None
    is_enabled: bool | None = None
    for_all_sandboxes: bool = False
    """Beside `sandbox_name`, which then is None."""


def create_webhook(
    tx: Transaction, call: Call, edit: WebhookEdit, *, rules: WebhookRules, ids: Ids, new_secret: Callable[[], str]
) -> tuple[Webhook, str]:
    """Add a webhook; its secret is given here and never again. Raises InvalidField, UnknownSandbox, TooManyWebhooks."""
    if edit.url is None:
        raise InvalidField("is required", field="url")
    if len(tx.webhooks.all(call.org_id)) >= rules.max_per_org:
        raise TooManyWebhooks(maximum=rules.max_per_org)
    author = call.caller.actor.author
    blank = Webhook(
        webhook_id=WebhookId(ids.uuid()),
        org_id=call.org_id,
        url=edit.url,
        description="",
        types=(),
        sandbox_name=None,
        is_enabled=True,
        created_at=tx.now,
        created_by=author,
        updated_at=tx.now,
        updated_by=author,
    )
    webhook, secret = _edited(tx, call, blank, edit, rules), new_secret()
    _require_visible(call, webhook)
    tx.webhooks.add(webhook, secret)
    tx.audit.append(call.event("webhook.created", str(webhook.webhook_id)))
    return webhook, secret


def find_webhook(tx: Transaction, call: Call, webhook_id: WebhookId) -> Webhook:
    """Look one up. Raises UnknownWebhook."""
    webhook = tx.webhooks.find(call.org_id, webhook_id)
    if webhook is None or not _sees(call, webhook):
        raise UnknownWebhook
    return webhook


def list_webhooks(tx: Transaction, call: Call) -> Sequence[Webhook]:
    """The webhooks that the caller manages, the oldest first."""
    return [webhook for webhook in tx.webhooks.all(call.org_id) if _sees(call, webhook)]


def update_webhook(
    tx: Transaction, call: Call, webhook_id: WebhookId, edit: WebhookEdit, *, rules: WebhookRules
) -> Webhook:
    """Change one. Raises UnknownWebhook, InvalidField, UnknownSandbox."""
    webhook = _edited(tx, call, find_webhook(tx, call, webhook_id), edit, rules)
    _require_visible(call, webhook)
    tx.webhooks.save(webhook)
    tx.audit.append(call.event("webhook.updated", str(webhook_id), enabled=webhook.is_enabled))
    return webhook


def delete_webhook(tx: Transaction, call: Call, webhook_id: WebhookId) -> Webhook:
    """Remove one, with its secret and its deliveries. Raises UnknownWebhook."""
    webhook = find_webhook(tx, call, webhook_id)
    tx.webhooks.remove(webhook_id)
    tx.audit.append(call.event("webhook.deleted", str(webhook_id)))
    return webhook


def rotate_secret(
    tx: Transaction, call: Call, webhook_id: WebhookId, *, new_secret: Callable[[], str]
) -> tuple[Webhook, str]:
    """Give it a new secret; the old one signs too for a day, and then never again. Raises UnknownWebhook."""
    webhook, secret = find_webhook(tx, call, webhook_id), new_secret()
    tx.webhooks.replace_secret(webhook_id, secret, tx.now + SECRET_OVERLAP)
    tx.audit.append(call.event("webhook.secret_rotated", str(webhook_id)))
    return webhook, secret


def ping_webhook(tx: Transaction, call: Call, webhook_id: WebhookId, *, ids: Ids) -> Delivery:
    """Send it an event that tells of nothing. Raises UnknownWebhook, and InvalidField when it is disabled."""
    webhook = find_webhook(tx, call, webhook_id)
    if not webhook.is_enabled:
        raise InvalidField("must be true for deliveries to be made", field="enabled")
    delivery = tx.events.add_for(_event_of(webhook, EventType.WEBHOOK_PING, str(ids.uuid()), tx), webhook)
    tx.audit.append(call.event("webhook.pinged", str(webhook_id)))
    return delivery


def webhook_disabled(tx: Transaction, webhook: Webhook) -> Event:
    """The event of Lethe's giving a webhook up."""
    return _event_of(webhook, EventType.WEBHOOK_DISABLED, webhook.updated_at.isoformat(), tx)


def list_deliveries(
    tx: Transaction, call: Call, webhook_id: WebhookId, state: DeliveryState | None, page: Page
) -> Listing[Delivery]:
    """One page of its deliveries, the newest first. Raises UnknownWebhook."""
    find_webhook(tx, call, webhook_id)
    return tx.deliveries.list(webhook_id, state, page)


def redeliver(tx: Transaction, call: Call, webhook_id: WebhookId, delivery_id: DeliveryId) -> Delivery:
    """Deliver once more what was delivered or given up, under the same message id.

    Raises UnknownWebhook, UnknownDelivery.
    """
    find_webhook(tx, call, webhook_id)
    if tx.deliveries.find(webhook_id, delivery_id) is None:
        raise UnknownDelivery
    tx.deliveries.again(delivery_id)
    tx.audit.append(call.event("webhook.redelivered", str(webhook_id), delivery_id=str(delivery_id)))
    delivery = tx.deliveries.find(webhook_id, delivery_id)
    if delivery is None:
        raise UnknownDelivery
    return delivery


def _edited(tx: Transaction, call: Call, webhook: Webhook, edit: WebhookEdit, rules: WebhookRules) -> Webhook:
    if edit.url is not None:
        rules.addresses.require_url(edit.url, "url")
    if edit.sandbox_name is not None and call.org.sandbox(edit.sandbox_name) is None:
        raise UnknownSandbox(field="sandboxName")
    sandbox_name = None if edit.for_all_sandboxes else edit.sandbox_name or webhook.sandbox_name
    is_enabled = webhook.is_enabled if edit.is_enabled is None else edit.is_enabled
    return replace(
        webhook,
        url=webhook.url if edit.url is None else edit.url,
        description=webhook.description if edit.description is None else edit.description,
        types=webhook.types if edit.types is None else edit.types,
        sandbox_name=sandbox_name,
        is_enabled=is_enabled,
        # Whoever enables it again says that the failures are over.
        failing_since=None if is_enabled else webhook.failing_since,
        disabled_reason=None if is_enabled else webhook.disabled_reason,
        updated_at=tx.now,
        updated_by=call.caller.actor.author,
    )


def _require_visible(call: Call, webhook: Webhook) -> None:
    """Nobody has themselves told of what they may not see. Raises InvalidField, UnknownSandbox."""
    if webhook.sandbox_name is None and not _sees(call, webhook):
        raise InvalidField("names a sandbox: the caller does not see all of them", field="sandboxName")
    if not _sees(call, webhook):
        raise UnknownSandbox(field="sandboxName")


def _sees(call: Call, webhook: Webhook) -> bool:
    if webhook.sandbox_name is None:
        return call.caller.sandbox_names is None
    return call.caller.sees(webhook.sandbox_name)


def _event_of(webhook: Webhook, type_: EventType, occasion: str, tx: Transaction) -> Event:
    return Event(
        event_id=event_id(webhook.webhook_id, type_, occasion),
        type=type_,
        org_id=webhook.org_id,
        sandbox_name=webhook.sandbox_name,
        subject_id=webhook.webhook_id,
        sequence=None,
        at=tx.now,
        facts=WebhookFacts(webhook.is_enabled, webhook.disabled_reason),
    )
