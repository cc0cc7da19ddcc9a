"""Between a webhook and its row."""

from typing import Any

from lethe.domain.actor import Author
from lethe.domain.event import EventType
from lethe.domain.ids import OrgId, SandboxName, WebhookId
from lethe.domain.webhook import Webhook
from lethe.storage.session import Row


def webhook_of(row: Row) -> Webhook:
    """The webhook of a row."""
    return Webhook(
        webhook_id=WebhookId(row["webhook_id"]),
        org_id=OrgId(row["org_id"]),
        url=row["url"],
        description=row["description"],
        types=tuple(map(EventType, row["types"])),
        sandbox_name=None if row["sandbox_name"] is None else SandboxName(row["sandbox_name"]),
        is_enabled=row["is_enabled"],
        created_at=row["created_at"],
        created_by=Author(row["created_by"]),
        updated_at=row["updated_at"],
        updated_by=Author(row["updated_by"]),
        failing_since=row["failing_since"],
        disabled_reason=row["disabled_reason"],
    )


def values_of(webhook: Webhook) -> dict[str, Any]:
    """The columns of a webhook, without its secret."""
    return {
        "webhook_id": webhook.webhook_id,
        "org_id": webhook.org_id,
        "url": webhook.url,
        "description": webhook.description,
        "types": list(webhook.types),
        "sandbox_name": webhook.sandbox_name,
        "is_enabled": webhook.is_enabled,
        "created_at": webhook.created_at,
        "created_by": webhook.created_by,
        "updated_at": webhook.updated_at,
        "updated_by": webhook.updated_by,
        "failing_since": webhook.failing_since,
        "disabled_reason": webhook.disabled_reason,
    }
