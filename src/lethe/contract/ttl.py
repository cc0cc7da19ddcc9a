"""`/ttl`: dataset expirations."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from lethe.contract.hindrances import HindranceOut
from lethe.contract.paging import (
    AUTHOR,
    SANDBOX_NAME,
    SEARCH,
    DayText,
    FromText,
    OrderByText,
    PageQuery,
    ToText,
    order_by_help,
    order_keys,
)
from lethe.contract.shape import (
    ID_LENGTH_MAX,
    NO_NUL,
    PLAIN_INTEGER,
    Answer,
    Body,
    Description,
    DisplayName,
    FilterText,
    InstantText,
    Query,
    some_of,
    words,
)
from lethe.contract.spelling import EXPIRATION_ORDER, PRODUCT_NAME
from lethe.contract.times import parse_instant

CANCELLED_MESSAGE: Final = "The dataset was successfully canceled."


def _instant(text: str) -> str:
    parse_instant(text)
    return text


def _expiration_order(text: str) -> str:
    order_keys(text, EXPIRATION_ORDER)
    return text


def _product_names(text: str) -> str:
    unknown = [name for name in text.split(",") if name.strip() not in PRODUCT_NAME.values()]
    if unknown:
        raise ValueError(f"takes a comma-separated list of {', '.join(PRODUCT_NAME.values())}")
    return text


Expiry = Annotated[
    str,
    Field(
        max_length=64,
        description="ISO 8601; a date alone is midnight UTC; without an offset UTC.",
        examples=["2030-12-31T23:59:59Z"],
    ),
    AfterValidator(_instant),
]


class ProductStatusOut(Answer):
    """How far one product is, and since when."""

    product_name: Annotated[str, words(*PRODUCT_NAME.values())]
    product_status: Annotated[str, words("waiting", "success", "failure")]
    created_at: InstantText


class HistoryOut(Answer):
    """One thing that happened to an expiration."""

    status: Annotated[str, words("created", "updated", "cancelled", "executing", "completed", "restored")]
    expiry: InstantText
    updated_at: InstantText
    updated_by: str
    reason: Annotated[str | None, Field(description="What else is to be known of it.")] = None


class ExpirationOut(Answer):
    """One expiration."""

    ttl_id: Annotated[str, Field(examples=["SD-42215a53-b79e-49bc-bd00-69f8a470329f"])]
    dataset_id: str
    dataset_name: str
    sandbox_name: str
    ims_org: str
    status: Annotated[str, words("pending", "executing", "completed", "cancelled")]
    expiry: InstantText
    updated_at: InstantText
    updated_by: Annotated[str, Field(examples=["Ann Ovid <ann@example.com> u-1"])]
    display_name: str
    description: str
    product_status_details: list[ProductStatusOut] | None = None
    destroy_after: InstantText | None = None
    held_by: list[HindranceOut] | None = None
    history: list[HistoryOut] | None = None
    message: str | None = None


class ExpirationPageOut(Answer):
    """One page of expirations."""

    results: list[ExpirationOut]
    current_page: Annotated[int, Field(alias="current_page")]
    total_pages: Annotated[int, Field(alias="total_pages")]
    total_count: Annotated[int, Field(alias="total_count")]


class ExpirationCreate(Body):
    """A new expiration."""

    dataset_id: Annotated[
        str, Field(min_length=1, max_length=ID_LENGTH_MAX, examples=["5b020a27e7040801dedbf46e"]), NO_NUL
    ]
    expiry: Expiry
    display_name: DisplayName | None = None
    description: Description | None = None


class ExpirationUpdate(Body):
    """What to change; what is null or absent stays as it is."""

    model_config = ConfigDict(json_schema_extra=some_of(expiry="string", displayName="string", description="string"))

    expiry: Expiry | None = None
    display_name: DisplayName | None = None
    description: Description | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.expiry is None and self.display_name is None and self.description is None:
            raise ValueError("at least one of expiry, displayName and description is required")
        return self


class ExpirationReschedule(Body):
    """The new expiry, alone."""

    expiry: Expiry


class ExpirationLookUpQuery(Query):
    """What to show of one expiration."""

    include: Annotated[FilterText | None, Field(description="`history` adds everything that happened to it.")] = None
    product_status_details: Annotated[
        FilterText | None,
        AfterValidator(lambda text: None if text is None else _product_names(text)),
        Field(description="A comma list of product names to show; only once executing or completed."),
    ] = None


class ExpirationRescheduleQuery(Query):
    """What to show of the rescheduled expiration."""

    product_status_details: Annotated[
        FilterText | None,
        AfterValidator(lambda text: None if text is None else _product_names(text)),
        Field(description="A comma list of product names to show; only once executing or completed."),
    ] = None


class ExpirationQuery(PageQuery):
    """Which expirations to list."""

    author: Annotated[FilterText | None, Field(description=AUTHOR)] = None
    dataset_id: FilterText | None = None
    ttl_id: FilterText | None = None
    dataset_name: FilterText | None = None
    display_name: FilterText | None = None
    description: FilterText | None = None
    search: Annotated[FilterText | None, Field(description=SEARCH)] = None
    status: Annotated[
        FilterText | None,
        Field(description="A comma list of pending, executing, completed, cancelled; another word matches nothing."),
    ] = None
    created_date: DayText | None = None
    created_from_date: FromText | None = None
    created_to_date: ToText | None = None
    updated_date: DayText | None = None
    updated_from_date: FromText | None = None
    updated_to_date: ToText | None = None
    cancelled_date: DayText | None = None
    cancelled_from_date: FromText | None = None
    cancelled_to_date: ToText | None = None
    completed_date: DayText | None = None
    completed_from_date: FromText | None = None
    completed_to_date: ToText | None = None
    executed_date: DayText | None = None
    executed_from_date: FromText | None = None
    executed_to_date: ToText | None = None
    expiry_date: DayText | None = None
    expiry_from_date: FromText | None = None
    expiry_to_date: ToText | None = None
    order_by: Annotated[
        OrderByText, AfterValidator(_expiration_order), Field(description=order_by_help(EXPIRATION_ORDER))
    ] = "-updatedAt"
    size: Annotated[int | None, Field(ge=1, le=100, description="The same as limit."), PLAIN_INTEGER] = None
    sandbox_name: Annotated[FilterText | None, Field(description=SANDBOX_NAME)] = None
    org_id: Annotated[FilterText | None, Field(description="Another organization; for service tokens only.")] = None
