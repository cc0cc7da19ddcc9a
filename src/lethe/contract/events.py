"""What a webhook is sent: CloudEvents 1.0, in their JSON form. None holds an identity or a text that a person wrote."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from lethe.contract.shape import Answer, InstantText, words
from lethe.contract.spelling import ACTION_OUT, PRODUCT_NAME
from lethe.contract.ttl import ProductStatusOut


class WorkOrderEventData(Answer):
    """A work order as it was when the event happened, under the names of `GET /workorder/{id}`."""

    workorder_id: str
    org_id: str
    sandbox_name: str
    bundle_id: str
    action: Annotated[str, words(*ACTION_OUT.values())]
    dataset_id: str
    operation_count: int
    target_services: list[Annotated[str, words(*PRODUCT_NAME)]]
    status: Annotated[str, words("received", "validated", "submitted", "ingested", "completed", "failed")]
    created_at: InstantText
    updated_at: InstantText
    product_status_details: list[ProductStatusOut] | None = None
    found_again: "FoundAgainOut | None" = None


class FoundAgainOut(Answer):
    """Where something is back that the work order erased. Only with an alarm."""

    product_name: Annotated[str, words(*PRODUCT_NAME.values())]
    dataset_id: str | None = None
    traces: int


class ExpirationEventData(Answer):
    """An expiration as it was when the event happened, under the names of `GET /ttl/{id}`."""

    ttl_id: str
    ims_org: str
    sandbox_name: str
    dataset_id: str
    status: Annotated[str, words("pending", "executing", "completed", "cancelled")]
    expiry: InstantText
    updated_at: InstantText
    product_status_details: list[ProductStatusOut] | None = None


class WebhookEventData(Answer):
    """A webhook that is tried, or that was disabled."""

    webhook_id: str
    org_id: str
    enabled: bool
    disabled_reason: str | None = None


class CloudEventOut(Answer):
    """One event. `id` stays the same at every delivery; `sequence` orders the changes of one subject's status."""

    model_config = ConfigDict(alias_generator=None)

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: Annotated[str, Field(examples=["/data/core/hygiene"])]
    type: Annotated[str, Field(examples=["org.lethe.workorder.completed"])]
    subject: Annotated[str, Field(examples=["DI-a15345b8-a2d6-4d6f-b33c-5b593e86439a"])]
    time: InstantText
    sequence: Annotated[str | None, Field(examples=["0000000005"])] = None
    datacontenttype: Literal["application/json"] = "application/json"
    data: WorkOrderEventData | ExpirationEventData | WebhookEventData
