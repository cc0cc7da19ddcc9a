"""Quotas: how many identities an org may delete a day and a month, how many expirations it may have at once.

Days begin at 00:00 UTC, months on the 1st at 00:00 UTC. Only accepted requests count (contract, GET /quota).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from lethe.domain.errors import QuotaExceeded


class QuotaName(StrEnum):
    """The quotas by the names that a client sees."""

    EXPIRATIONS = "datasetExpirationQuota"
    DAILY_DELETES = "dailyConsumerDeleteIdentitiesQuota"
    MONTHLY_DELETES = "monthlyConsumerDeleteIdentitiesQuota"
    MONTHLY_UPDATES = "monthlyUpdatedFieldIdentitiesQuota"


class Period(StrEnum):
    """Over what a counted quota counts."""

    DAY = "day"
    MONTH = "month"


PERIODS: Mapping[QuotaName, Period] = {
    QuotaName.DAILY_DELETES: Period.DAY,
    QuotaName.MONTHLY_DELETES: Period.MONTH,
    QuotaName.MONTHLY_UPDATES: Period.MONTH,
}
"""The quotas that are spent in a period. Expirations are not: they count what is pending or executing now."""

DELETES = (QuotaName.DAILY_DELETES, QuotaName.MONTHLY_DELETES)
"""What one record delete spends, in the order in which the counters are locked."""


@dataclass(frozen=True, slots=True)
class Allowances:
    """What an org may consume. With `enforce` off, consumption is counted and nothing is refused."""

    expirations: int = 50
    daily_deletes: int = 1_000_000
    monthly_deletes: int = 2_000_000
    monthly_updates: int = 1_000_000
    enforce: bool = True

    def of(self, name: QuotaName) -> int:
        """The configured allowance of one quota."""
        return {
            QuotaName.EXPIRATIONS: self.expirations,
            QuotaName.DAILY_DELETES: self.daily_deletes,
            QuotaName.MONTHLY_DELETES: self.monthly_deletes,
            QuotaName.MONTHLY_UPDATES: self.monthly_updates,
        }[name]


@dataclass(frozen=True, slots=True)
class QuotaState:
    """One quota as it stands now."""

    name: QuotaName
    consumed: int
    quota: int


def period_start(period: Period, now: datetime) -> datetime:
    """The instant at which the running period began."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if period is Period.DAY else midnight.replace(day=1)


def resets_at(period: Period, now: datetime) -> datetime:
    """The instant at which the running period ends and its counter starts again from zero."""
    start = period_start(period, now)
    if period is Period.DAY:
        return start + timedelta(days=1)
    return (start + timedelta(days=32)).replace(day=1)


def states(allowances: Allowances, consumed: Mapping[QuotaName, int]) -> tuple[QuotaState, ...]:
    """All four quotas. The daily allowance shown is never more than what the month still admits."""
    month_left = max(0, allowances.monthly_deletes - consumed[QuotaName.MONTHLY_DELETES])
    daily = min(allowances.daily_deletes, consumed[QuotaName.DAILY_DELETES] + month_left)
    shown = {name: allowances.of(name) for name in QuotaName} | {QuotaName.DAILY_DELETES: daily}
    return tuple(QuotaState(name, consumed[name], shown[name]) for name in QuotaName)


def require_room(name: QuotaName, requested: int, consumed: int, allowances: Allowances, now: datetime) -> None:
    """Refuse when `requested` more would exceed the allowance. Raises QuotaExceeded with all the figures.

    What costs nothing has room always, even where the allowance was lowered below what is consumed.
    """
    quota = allowances.of(name)
    if not allowances.enforce or requested == 0 or consumed + requested <= quota:
        return
    period = PERIODS.get(name)
    raise QuotaExceeded(
        f"{name.value}: {requested} requested, {consumed} of {quota} consumed",
        quota=name.value,
        requested=requested,
        consumed=consumed,
        allowance=quota,
        resetsAt=resets_at(period, now) if period else None,
    )
