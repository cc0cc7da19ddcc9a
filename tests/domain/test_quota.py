"""Quotas: periods at the edges of UTC, what is shown, what is refused."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.domain.errors import QuotaExceeded
from lethe.domain.quota import (
    DELETES,
    PERIODS,
    Allowances,
    Period,
    QuotaName,
    period_start,
    require_room,
    resets_at,
    states,
)
from support.clock import NOON
from support.properties import instants, quickly

counts = st.integers(0, 10**9)
offsets = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(
    lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
)


@quickly
@given(instants, offsets)
def test_a_period_holds_its_instant_in_whatever_zone_that_is_written(at: datetime, zone: timezone) -> None:
    for period in Period:
        start, end = period_start(period, at), resets_at(period, at)
        assert start <= at < end
        assert (start, end) == (period_start(period, at.astimezone(zone)), resets_at(period, at.astimezone(zone)))
        assert period_start(period, end) == end
        assert period_start(period, end - timedelta(microseconds=1)) == start
    assert resets_at(Period.DAY, at) - period_start(Period.DAY, at) == timedelta(days=1)
    month = period_start(Period.MONTH, at)
    assert resets_at(Period.MONTH, at) - month == timedelta(days=monthrange(month.year, month.month)[1])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "day", "next_day", "month", "next_month"),
    [
        ("2028-02-28T23:59:59.999999", "2028-02-28", "2028-02-29", "2028-02-01", "2028-03-01"),
        ("2028-02-29T00:00", "2028-02-29", "2028-03-01", "2028-02-01", "2028-03-01"),
        ("2100-02-28T12:00", "2100-02-28", "2100-03-01", "2100-02-01", "2100-03-01"),
        ("2026-12-31T23:59:59.999999", "2026-12-31", "2027-01-01", "2026-12-01", "2027-01-01"),
        ("2027-01-01T00:00", "2027-01-01", "2027-01-02", "2027-01-01", "2027-02-01"),
        ("2026-01-31T12:00", "2026-01-31", "2026-02-01", "2026-01-01", "2026-02-01"),
        # Where other places change their clocks, a day has 24 hours here.
        ("2026-03-29T01:30", "2026-03-29", "2026-03-30", "2026-03-01", "2026-04-01"),
    ],
)
def test_edges_of_days_months_and_years(at: str, day: str, next_day: str, month: str, next_month: str) -> None:
    now = utc(at)
    assert (period_start(Period.DAY, now), resets_at(Period.DAY, now)) == (utc(day), utc(next_day))
    assert (period_start(Period.MONTH, now), resets_at(Period.MONTH, now)) == (utc(month), utc(next_month))


allowed = st.builds(Allowances, counts, counts, counts, counts, st.booleans())
consumptions = st.fixed_dictionaries(dict.fromkeys(QuotaName, counts))


@quickly
@given(allowed, consumptions)
def test_the_daily_allowance_shown_never_exceeds_what_is_left_of_the_month(
    allowances: Allowances, consumed: dict[QuotaName, int]
) -> None:
    shown = {state.name: state for state in states(allowances, consumed)}
    assert list(shown) == list(QuotaName)
    assert all(shown[name].consumed == consumed[name] for name in QuotaName)
    assert all(shown[name].quota == allowances.of(name) for name in set(QuotaName) - {QuotaName.DAILY_DELETES})
    daily, monthly = shown[QuotaName.DAILY_DELETES], shown[QuotaName.MONTHLY_DELETES]
    assert daily.quota <= allowances.daily_deletes
    left_today, left_this_month = max(0, daily.quota - daily.consumed), max(0, monthly.quota - monthly.consumed)
    assert left_today == min(max(0, allowances.daily_deletes - daily.consumed), left_this_month)


@quickly
@given(allowed, consumptions, counts)
def test_what_is_shown_to_be_left_is_what_is_granted(
    allowances: Allowances, consumed: dict[QuotaName, int], requested: int
) -> None:
    shown = {state.name: state for state in states(allowances, consumed)}
    daily = shown[QuotaName.DAILY_DELETES]
    fits = requested <= max(0, daily.quota - daily.consumed)
    assert granted(allowances, consumed, requested) == (fits or not allowances.enforce)


def granted(allowances: Allowances, consumed: dict[QuotaName, int], requested: int) -> bool:
    try:
        for name in DELETES:
            require_room(name, requested, consumed[name], allowances, NOON)
    except QuotaExceeded:
        return False
    return True


def test_a_refusal_has_all_the_figures() -> None:
    allowances = Allowances(daily_deletes=100)
    require_room(QuotaName.DAILY_DELETES, 40, 60, allowances, NOON)
    with pytest.raises(QuotaExceeded) as refused:
        require_room(QuotaName.DAILY_DELETES, 41, 60, allowances, NOON)
    assert refused.value.detail == "dailyConsumerDeleteIdentitiesQuota: 41 requested, 60 of 100 consumed"
    assert refused.value.context == {
        "quota": "dailyConsumerDeleteIdentitiesQuota",
        "requested": 41,
        "consumed": 60,
        "allowance": 100,
        "resetsAt": utc("2026-03-05"),
    }


def test_expirations_have_no_period_and_so_no_reset() -> None:
    assert QuotaName.EXPIRATIONS not in PERIODS
    with pytest.raises(QuotaExceeded) as refused:
        require_room(QuotaName.EXPIRATIONS, 1, 50, Allowances(), NOON)
    assert refused.value.context["resetsAt"] is None


def test_what_costs_nothing_has_room_even_after_the_allowance_was_lowered() -> None:
    for name in QuotaName:
        require_room(name, 0, 800, Allowances(500, 500, 500, 500), NOON)


def test_without_enforcement_nothing_is_refused() -> None:
    for name in QuotaName:
        require_room(name, 10**12, 10**12, Allowances(enforce=False), NOON)
