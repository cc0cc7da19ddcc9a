"""`GET /quota`."""

from lethe.contract.shape import Answer, FilterText, Query


class QuotaOut(Answer):
    """One quota: how much is consumed, and of how much."""

    name: str
    description: str
    consumed: int
    quota: int


class QuotasOut(Answer):
    """The org's quotas."""

    quotas: list[QuotaOut]


class QuotaQuery(Query):
    """Which quotas to show."""

    quota_type: FilterText | None = None
    """One quota's name, of today or of 2022; all when absent."""
