"""Between the wire's webhooks and the domain's."""

from datetime import timedelta

from lethe.api.event_rendering import subject_out
from lethe.contract.spelling import ANY_SANDBOX, delivery_id_in, webhook_id_in, webhook_id_out
from lethe.contract.times import format_instant
from lethe.contract.webhooks import DeliveryOut, WebhookCreate, WebhookOut, WebhookUpdate
from lethe.domain.errors import UnknownDelivery, UnknownWebhook
from lethe.domain.event import EventType
from lethe.domain.ids import DeliveryId, SandboxName, WebhookId
from lethe.domain.webhook import Delivery, DeliveryState, Webhook
from lethe.operations.webhooks import WebhookEdit


def webhook_id_of(text: str) -> WebhookId:
    """The id that a path names. Raises UnknownWebhook for what is none."""
    uuid = webhook_id_in(text)
    if uuid is None:
        raise UnknownWebhook
    return WebhookId(uuid)


def delivery_id_of(text: str) -> DeliveryId:
    """The id that a path names. Raises UnknownDelivery for what is none."""
    uuid = delivery_id_in(text)
    if uuid is None:
        raise UnknownDelivery
    return DeliveryId(uuid)


def edit_of(asked: WebhookCreate | WebhookUpdate) -> WebhookEdit:
    """What a body asks for."""
    is_named = asked.sandbox_name is not None and asked.sandbox_name != ANY_SANDBOX
    return WebhookEdit(
        url=asked.url,
        description=asked.description,
        types=None if asked.types is None else tuple(dict.fromkeys(map(EventType, asked.types))),
        sandbox_name=SandboxName(asked.sandbox_name) if is_named and asked.sandbox_name else None,
        is_enabled=asked.enabled,
        for_all_sandboxes=asked.sandbox_name == ANY_SANDBOX,
    )


def webhook_out(webhook: Webhook, *, secret: str | None = None) -> WebhookOut:
    """Render one webhook."""
    return WebhookOut(
        webhook_id=webhook_id_out(webhook.webhook_id),
        url=webhook.url,
        types=[type_.value for type_ in webhook.types],
        sandbox_name=webhook.sandbox_name or ANY_SANDBOX,
        description=webhook.description,
        enabled=webhook.is_enabled,
        created_at=format_instant(webhook.created_at),
        created_by=webhook.created_by,
        updated_at=format_instant(webhook.updated_at),
        updated_by=webhook.updated_by,
        failing_since=None if webhook.failing_since is None else format_instant(webhook.failing_since),
        disabled_reason=webhook.disabled_reason,
        secret=secret,
    )


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """Render one delivery."""
    is_pending = delivery.state is DeliveryState.PENDING
    return DeliveryOut(
        delivery_id=str(delivery.delivery_id),
        event_id=str(delivery.event_id),
        type=delivery.type.value,
        subject=subject_out(delivery.type, delivery.subject_id),
        status=delivery.state.value,
        attempts=delivery.attempts,
        created_at=format_instant(delivery.created_at),
        last_attempt_at=None if delivery.attempted_at is None else format_instant(delivery.attempted_at),
        next_attempt_at=format_instant(delivery.due_at) if is_pending else None,
        response_status=delivery.response_status,
        duration_ms=None if delivery.duration is None else round(delivery.duration / timedelta(milliseconds=1)),
        reason=delivery.reason,
    )
