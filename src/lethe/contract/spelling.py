"""The one table between the wire's words and ours.

Left or right, our words are the values of the domain's enumerations; this module imports none of them, so that a
client can use it alone.
"""

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

EXPIRATION_PREFIX: Final = "SD-"
WORK_ORDER_PREFIX: Final = "DI-"
BUNDLE_PREFIX: Final = "BN-"
WEBHOOK_PREFIX: Final = "WH-"
ALL_DATASETS: Final = "ALL"
ANY_SANDBOX: Final = "*"

ACTION_IN: Final[Mapping[str, str]] = {
    "delete_identity": "delete_identity",
    "delete-identity": "delete_identity",
    "identity-delete": "delete_identity",
    "delete_dataset": "delete_dataset",
    "delete-dataset": "delete_dataset",
    "dataset-delete": "delete_dataset",
}
ACTION_OUT: Final[Mapping[str, str]] = {"delete_identity": "identity-delete", "delete_dataset": "dataset-delete"}

STATUS_IN: Final[Mapping[str, str]] = {"canceled": "cancelled"}
"""Statuses that may be spelled otherwise than they are answered."""

PRODUCT_NAME: Final[Mapping[str, str]] = {
    "datalake": "Data Management",
    "identity": "Identity Service",
    "profile": "Profile Service",
    "ajo": "Journey Orchestrator",
}
"""The name under which an answer shows each target service, in the order of an answer."""

EVENT_TYPES: Final = (
    *(
        f"org.lethe.workorder.{word}"
        for word in ("received", "validated", "submitted", "ingested", "completed", "failed", "alarm")
    ),
    *(
        f"org.lethe.expiration.{word}"
        for word in ("created", "updated", "cancelled", "executing", "restored", "completed")
    ),
    "org.lethe.webhook.disabled",
    "org.lethe.webhook.ping",
)
DELIVERY_STATES: Final = ("pending", "delivered", "failed")

QUOTA_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "expirationDatasetQuota": ("datasetExpirationQuota",),
    "deleteIdentityWorkOrderDatasetQuota": (
        "dailyConsumerDeleteIdentitiesQuota",
        "monthlyConsumerDeleteIdentitiesQuota",
    ),
    "fieldUpdateWorkOrderDatasetQuota": ("monthlyUpdatedFieldIdentitiesQuota",),
}
"""The names of 2022, and what each means now."""

QUOTA_FIGURES: Final[Mapping[str, str]] = {"quota": "name", "allowance": "quota"}
"""A refusal speaks of a quota's name and figures in the words of `GET /quota`."""

QUOTA_DESCRIPTION: Final[Mapping[str, str]] = {
    "datasetExpirationQuota": "The number of concurrently active dataset expirations of the organization.",
    "dailyConsumerDeleteIdentitiesQuota": (
        "The consumed number of deleted identities in all workorder requests for the organization for today."
    ),
    "monthlyConsumerDeleteIdentitiesQuota": (
        "The consumed number of deleted identities in all workorder requests for the organization for this month."
    ),
    "monthlyUpdatedFieldIdentitiesQuota": (
        "The consumed number of updated identities in all workorder requests for the organization for this month."
    ),
}

EXPIRATION_ORDER: Final[Mapping[str, str]] = {
    "displayName": "display_name",
    "description": "description",
    "datasetName": "dataset_name",
    "id": "id",
    "updatedBy": "updated_by",
    "updatedAt": "updated_at",
    "expiry": "expiry",
    "status": "status",
}
WORK_ORDER_ORDER: Final[Mapping[str, str]] = {
    "displayName": "display_name",
    "description": "description",
    "datasetName": "dataset_name",
    "id": "id",
    "createdBy": "created_by",
    "createdAt": "created_at",
    "updatedBy": "updated_by",
    "updatedAt": "updated_at",
    "operation": "operation",
    "operationCount": "operation_count",
    "status": "status",
}

_UUID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


def expiration_id_out(value: UUID) -> str:
    """`SD-<uuid>`."""
    return f"{EXPIRATION_PREFIX}{value}"


def work_order_id_out(value: UUID) -> str:
    """`DI-<uuid>`."""
    return f"{WORK_ORDER_PREFIX}{value}"


def bundle_id_out(value: UUID) -> str:
    """`BN-<uuid>`."""
    return f"{BUNDLE_PREFIX}{value}"


def webhook_id_out(value: UUID) -> str:
    """`WH-<uuid>`."""
    return f"{WEBHOOK_PREFIX}{value}"


def webhook_id_in(text: str) -> UUID | None:
    """The uuid of a webhook id, with or without its prefix, or None when the text is none."""
    return _uuid_in(text, WEBHOOK_PREFIX)


def delivery_id_in(text: str) -> UUID | None:
    """The uuid of a delivery, or None when the text is none."""
    return _uuid_in(text, "")


def expiration_id_in(text: str) -> UUID | None:
    """The uuid of an expiration id, or None when the text is none (it may be a dataset id)."""
    return _uuid_in(text, EXPIRATION_PREFIX) if text.startswith(EXPIRATION_PREFIX) else None


def work_order_id_in(text: str) -> UUID | None:
    """The uuid of a work order id, with or without its prefix, or None when the text is none."""
    return _uuid_in(text, WORK_ORDER_PREFIX)


def _uuid_in(text: str, prefix: str) -> UUID | None:
    bare = text.removeprefix(prefix)
    return UUID(bare) if _UUID.fullmatch(bare) else None
