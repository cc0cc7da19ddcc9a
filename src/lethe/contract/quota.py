"""`GET /quota`."""

from typing import Annotated

from pydantic import Field

from lethe.contract.shape import Answer, FilterText, Query, words
from lethe.contract.spelling import QUOTA_ALIASES, QUOTA_DESCRIPTION


class QuotaOut(Answer):
    """One quota: how much is consumed, and of how much."""

    name: Annotated[str, words(*QUOTA_DESCRIPTION)]
    description: str
    consumed: int
    quota: int


class QuotasOut(Answer):
    """The org's quotas."""

    quotas: list[QuotaOut]


class QuotaQuery(Query):
    """Which quotas to show."""

    quota_type: Annotated[
        FilterText | None,
        Field(
            description="One quota's name, of today or of 2022; all when absent.",
            json_schema_extra={"enum": [*QUOTA_DESCRIPTION, *QUOTA_ALIASES]},
        ),
    ] = None
