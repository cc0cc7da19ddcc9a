"""`/workorder`: record deletes and immediate dataset deletes, as they are answered and listed."""

import re
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
from lethe.contract.shape import Answer, Body, Description, DisplayName, FilterText, InstantText, some_of, words
from lethe.contract.spelling import ACTION_OUT, PRODUCT_NAME, WORK_ORDER_ORDER
from lethe.contract.ttl import ProductStatusOut

_PROPERTIES: Final = re.compile(r"[A-Za-z0-9/._-]+(,[A-Za-z0-9/._-]+)*", re.ASCII)


def _work_order_order(text: str) -> str:
    order_keys(text, WORK_ORDER_ORDER)
    return text


def _properties(text: str) -> str:
    if not _PROPERTIES.fullmatch(text):
        raise ValueError("takes a comma-separated list of names made of letters, digits, '/', '.', '_' and '-'")
    return text


class SkippedDatasetOut(Answer):
    """A dataset that an order over `ALL` passes by, and why."""

    dataset_id: str
    reason: str


class WorkOrderOut(Answer):
    """One work order. `operation`, `created_at` and `updated_at` are for clients of the 2022 guide."""

    workorder_id: Annotated[str, Field(examples=["DI-a15345b8-a2d6-4d6f-b33c-5b593e86439a"])]
    org_id: str
    bundle_id: Annotated[str, Field(examples=["BN-35c1676c-3b4f-4195-8d6c-7cf5aa21efdd"])]
    action: Annotated[str, words(*ACTION_OUT.values())]
    created: Annotated[InstantText, Field(alias="createdAt")]
    updated: Annotated[InstantText, Field(alias="updatedAt")]
    operation_count: int
    target_services: list[Annotated[str, words(*PRODUCT_NAME)]]
    status: Annotated[str, words("received", "validated", "submitted", "ingested", "completed", "failed")]
    created_by: str
    dataset_id: str
    dataset_name: str
    display_name: str
    description: str
    operation: Annotated[str, words(*ACTION_OUT)]
    created_2022: Annotated[InstantText, Field(alias="created_at")]
    updated_2022: Annotated[InstantText, Field(alias="updated_at")]
    product_status_details: list[ProductStatusOut] | None = None
    skipped_datasets: list[SkippedDatasetOut] | None = None
    held_by: list[HindranceOut] | None = None


class PageLink(Answer):
    """A link; a templated one has `{page}` in its place."""

    href: str
    templated: bool


class WorkOrderLinks(Answer):
    """The links of a page. `next` is absent on the last one."""

    page: PageLink
    next: PageLink | None = None


class WorkOrderPageOut(Answer):
    """One page of work orders: `count` of `total`."""

    results: list[WorkOrderOut]
    total: int
    count: int
    links: Annotated[WorkOrderLinks, Field(alias="_links")]


class WorkOrderUpdate(Body):
    """What to change; what is null or absent stays as it is. `name` is another word for displayName."""

    model_config = ConfigDict(json_schema_extra=some_of(displayName="string", name="string", description="string"))

    display_name: DisplayName | None = None
    name: DisplayName | None = None
    description: Description | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.display_name is None and self.name is None and self.description is None:
            raise ValueError("at least one of displayName and description is required")
        if self.display_name is not None and self.name is not None and self.display_name != self.name:
            raise ValueError("displayName and name are two words for one thing, and must not differ")
        return self


class WorkOrderQuery(PageQuery):
    """Which work orders to list."""

    search: Annotated[FilterText | None, Field(description=SEARCH)] = None
    type: Annotated[FilterText | None, Field(description="A comma list of identity-delete and dataset-delete.")] = None
    status: Annotated[
        FilterText | None,
        Field(
            description="A comma list of received, validated, submitted, ingested, completed, failed; another word "
            "matches nothing."
        ),
    ] = None
    author: Annotated[FilterText | None, Field(description=AUTHOR)] = None
    display_name: FilterText | None = None
    description: FilterText | None = None
    workorder_id: FilterText | None = None
    workorder_id_2022: Annotated[FilterText | None, Field(alias="WORKORDER_ID")] = None
    request_id: FilterText | None = None
    sandbox_name: Annotated[FilterText | None, Field(description=SANDBOX_NAME)] = None
    from_date: FromText | None = None
    to_date: ToText | None = None
    filter_date: DayText | None = None
    order_by: Annotated[
        OrderByText, AfterValidator(_work_order_order), Field(description=order_by_help(WORK_ORDER_ORDER))
    ] = "-createdAt"
    properties: Annotated[
        FilterText | None,
        AfterValidator(lambda text: None if text is None else _properties(text)),
        Field(description="A comma list of more to show: productStatusDetails, skippedDatasets."),
    ] = None

    @model_validator(mode="after")
    def _both_dates(self) -> Self:
        if (self.from_date is None) != (self.to_date is None):
            raise ValueError("fromDate and toDate are given together, or not at all")
        return self
