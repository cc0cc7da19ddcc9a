"""Bundles: who may join, and when nobody may any more."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lethe.domain.bundle import BundleLimits, open_bundle
from lethe.domain.ids import BundleId
from support.clock import NOON
from support.properties import quickly
from support.values import ORG, PROD

ID = BundleId(UUID(int=1))
limits_ = st.builds(
    BundleLimits, st.timedeltas(timedelta(0), timedelta(hours=1)), st.integers(1, 5), st.integers(1, 100)
)
joins = st.lists(st.integers(0, 150), max_size=8)


@quickly
@given(limits_, joins)
def test_a_bundle_never_holds_more_than_its_limits(limits: BundleLimits, orders: list[int]) -> None:
    bundle = open_bundle(ID, ORG, PROD, limits, NOON)
    for identities in orders:
        admitted = bundle.admits(identities, limits)
        first = bundle.order_count == 0
        fits = bundle.identity_count + identities <= limits.identities_max
        assert admitted == (first or (bundle.order_count < limits.orders_max and fits))
        if admitted:
            grown = bundle.joined(identities)
            assert (grown.order_count, grown.identity_count) == (
                bundle.order_count + 1,
                bundle.identity_count + identities,
            )
            bundle = grown
    assert bundle.order_count <= limits.orders_max
    assert bundle.order_count <= 1 or bundle.identity_count <= limits.identities_max


def test_the_first_order_always_finds_room() -> None:
    limits = BundleLimits(timedelta(0), orders_max=1, identities_max=1)
    fresh = open_bundle(ID, ORG, PROD, limits, NOON)
    assert fresh.admits(100_000, limits)
    assert not fresh.joined(100_000).admits(0, limits)


def test_a_window_begins_with_the_bundle() -> None:
    bundle = open_bundle(ID, ORG, PROD, BundleLimits(timedelta(minutes=5)), NOON)
    assert (bundle.opened_at, bundle.closes_at) == (NOON, NOON + timedelta(minutes=5))


def test_a_closed_bundle_admits_nobody() -> None:
    limits = BundleLimits(timedelta(hours=1))
    closed = open_bundle(ID, ORG, PROD, limits, NOON).closed(NOON)
    assert closed.closed_at == NOON
    assert not closed.admits(1, limits)
