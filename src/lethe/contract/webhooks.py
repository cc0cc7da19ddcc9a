"""`/webhooks`: who is told of events, and what became of each delivery (Lethe's own)."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from lethe.contract.paging import PageQuery
from lethe.contract.shape import (
    ID_LENGTH_MAX,
    NO_NUL,
    Answer,
    Body,
    Description,
    FilterText,
    InstantText,
    some_of,
    words,
)
from lethe.contract.spelling import DELIVERY_STATES, EVENT_TYPES

URL_LENGTH_MAX: Final = 2_048


def _event_type(text: str) -> str:
    if text not in EVENT_TYPES:
        raise ValueError(f"is one of {', '.join(EVENT_TYPES)}")
    return text


def _state(text: str) -> str:
    if text not in DELIVERY_STATES:
        raise ValueError(f"is one of {', '.join(DELIVERY_STATES)}")
    return text


Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=URL_LENGTH_MAX,
        description="Where events are posted: https, on a public address.",
        examples=["https://hooks.example.com/lethe"],
    ),
    NO_NUL,
]
EventTypes = Annotated[
    list[Annotated[str, words(*EVENT_TYPES), AfterValidator(_event_type)]],
    Field(max_length=len(EVENT_TYPES), description="The types of events to send; all when empty."),
]
SandboxChoice = Annotated[
    str,
    Field(min_length=1, max_length=ID_LENGTH_MAX, description="Of which sandbox to tell; `*` is all."),
    NO_NUL,
]


class WebhookCreate(Body):
    """A new webhook."""

    url: Url
    types: EventTypes | None = None
    sandbox_name: SandboxChoice = "*"
    description: Description | None = None
    enabled: bool | None = None


class WebhookUpdate(Body):
    """What to change; what is null or absent stays as it is."""

    model_config = ConfigDict(
        json_schema_extra=some_of(
            url="string", types="array", sandboxName="string", description="string", enabled="boolean"
        )
    )

    url: Url | None = None
    types: EventTypes | None = None
    sandbox_name: SandboxChoice | None = None
    description: Description | None = None
    enabled: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if all(each is None for each in (self.url, self.types, self.sandbox_name, self.description, self.enabled)):
            raise ValueError("at least one of url, types, sandboxName, description and enabled is required")
        return self


class WebhookOut(Answer):
    """One webhook. Its secret is shown when it is made, and never again."""

    webhook_id: Annotated[str, Field(examples=["WH-5a3b6a4c-8a40-4b0c-9ad5-8f0f2d0c9f5e"])]
    url: str
    types: list[Annotated[str, words(*EVENT_TYPES)]]
    sandbox_name: Annotated[str, Field(description="`*` is all.")]
    description: str
    enabled: bool
    created_at: InstantText
    created_by: str
    updated_at: InstantText
    updated_by: str
    failing_since: Annotated[InstantText | None, Field(description="Since when every delivery failed.")] = None
    disabled_reason: Annotated[str | None, Field(description="Why Lethe disabled it.")] = None
    secret: Annotated[str | None, Field(description="`whsec_` and base64; verifies signatures.")] = None


class WebhookListOut(Answer):
    """The webhooks of an organization."""

    results: list[WebhookOut]
    total: int


class DeliveryOut(Answer):
    """One event on its way to one webhook, and how the last attempt ended."""

    delivery_id: str
    event_id: Annotated[str, Field(description="The event's id, and the message's `webhook-id`.")]
    type: Annotated[str, words(*EVENT_TYPES)]
    subject: str
    status: Annotated[str, words(*DELIVERY_STATES)]
    attempts: int
    created_at: InstantText
    last_attempt_at: InstantText | None = None
    next_attempt_at: InstantText | None = None
    response_status: int | None = None
    duration_ms: int | None = None
    reason: Annotated[str | None, Field(description="Why the last attempt failed.")] = None


class DeliveryPageOut(Answer):
    """One page of deliveries: `count` of `total`."""

    results: list[DeliveryOut]
    total: int
    count: int


class DeliveryQuery(PageQuery):
    """Which deliveries to list."""

    status: Annotated[
        FilterText | None,
        AfterValidator(lambda text: None if text is None else _state(text)),
        Field(description=f"One of {', '.join(DELIVERY_STATES)}."),
    ] = None
