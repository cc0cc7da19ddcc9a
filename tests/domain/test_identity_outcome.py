"""What became of one identity: only places that hold, or may hold, something of it count."""

from itertools import permutations

import pytest

from lethe.domain.identity_outcome import (
    DatasetShare,
    IdentityOutcome,
    PlaceState,
    ServiceShare,
    Share,
    outcome_of,
)

DONE, UNDER_WAY, GIVEN_UP = PlaceState.DONE, PlaceState.UNDER_WAY, PlaceState.GIVEN_UP


def dataset(state: PlaceState, planned: int, deleted: int | None = None) -> DatasetShare:
    return DatasetShare(state, [planned], [] if deleted is None else [deleted])


def service(
    state: PlaceState, found: int | None, removed: int | None = None, *, is_alone: bool = False
) -> ServiceShare:
    return ServiceShare(state, None if found is None else [found], removed, is_alone=is_alone)


@pytest.mark.parametrize(
    ("shares", "outcome"),
    [
        ([], IdentityOutcome.NOT_FOUND),
        ([dataset(DONE, 0, 0), service(DONE, 0)], IdentityOutcome.NOT_FOUND),
        ([dataset(DONE, 2, 2), service(DONE, 0)], IdentityOutcome.DELETED),
        ([dataset(DONE, 0, 1)], IdentityOutcome.DELETED),
        ([dataset(DONE, 0), service(DONE, 1)], IdentityOutcome.DELETED),
        ([dataset(DONE, 1, 1), dataset(GIVEN_UP, 0)], IdentityOutcome.DELETED),
        ([dataset(DONE, 1, 1), dataset(GIVEN_UP, 1)], IdentityOutcome.FAILED),
        ([dataset(DONE, 1, 1), service(GIVEN_UP, 0)], IdentityOutcome.DELETED),
        ([dataset(DONE, 1, 1), service(GIVEN_UP, None)], IdentityOutcome.FAILED),
        ([dataset(UNDER_WAY, 1), service(GIVEN_UP, None)], IdentityOutcome.FAILED),
        ([dataset(UNDER_WAY, 0), service(DONE, 0)], IdentityOutcome.NOT_FOUND),
        ([dataset(UNDER_WAY, 1), service(DONE, 1)], IdentityOutcome.HELD),
        ([dataset(DONE, 0), service(UNDER_WAY, None)], IdentityOutcome.HELD),
        ([dataset(DONE, 0), service(DONE, None, 0)], IdentityOutcome.NOT_FOUND),
        ([dataset(DONE, 0), service(DONE, None, 3)], IdentityOutcome.ABSENT),
        ([dataset(DONE, 0), service(DONE, None, 3, is_alone=True)], IdentityOutcome.DELETED),
        ([dataset(DONE, 0), service(DONE, None, None, is_alone=True)], IdentityOutcome.ABSENT),
        ([dataset(DONE, 1, 1), service(DONE, None, None)], IdentityOutcome.DELETED),
        ([dataset(DONE, 1), service(DONE, 0)], IdentityOutcome.ABSENT),
    ],
)
def test_what_became_of_it(shares: list[Share], outcome: IdentityOutcome) -> None:
    assert {outcome_of(0, order) for order in permutations(shares)} == {outcome}
