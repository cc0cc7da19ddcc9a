"""Bursts of small work orders: 5 a second with bursts of 50, a client."""

from dataclasses import replace
from typing import Any

import pytest

from lethe.api.services import EdgeLimits
from lethe.storage.store import SqlStore
from support.api import EMAILS, World
from support.values import ORG

from .conftest import MakeWorld
from .refusals import refused


def delete(world: World, count: int = 1, client_id: str = "administrator") -> Any:
    ids = [str(number) for number in range(count)]
    body = {"datasetId": EMAILS, "namespacesIdentities": [{"namespace": {"id": 6}, "IDs": ids}]}
    return world.call("POST", "/workorder", body, client_id=client_id)


@pytest.fixture
def strict(make_world: MakeWorld, sqlite_store: SqlStore) -> World:
    """A world with bursts of three."""
    return make_world(sqlite_store, burst=3)


def test_a_burst_and_then_429_with_the_seconds_to_wait(strict: World) -> None:
    assert [delete(strict).status_code for _ in range(3)] == [201] * 3
    response = delete(strict)
    context = refused(response, 429, "2002")
    assert (response.headers["retry-after"], context["retryAfter"]) == ("1", 1)
    assert len(strict.orders()) == 3
    assert strict.consumed("dailyConsumerDeleteIdentitiesQuota") == 3


def test_after_the_seconds_to_wait_it_goes_on(strict: World) -> None:
    for _ in range(3):
        delete(strict)
    strict.later(seconds=int(delete(strict).headers["retry-after"]))
    assert delete(strict).status_code == 201


def test_five_a_second(strict: World) -> None:
    for _ in range(3):
        delete(strict)
    for _ in range(4):
        strict.later(milliseconds=201)
        assert delete(strict).status_code == 201
    assert delete(strict).status_code == 429


def test_bursts_of_fifty_by_default(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    from lethe.settings import LimitSettings

    world = make_world(sqlite_store, burst=LimitSettings().burst)
    assert [delete(world).status_code for _ in range(51)] == [201] * 50 + [429]
    assert LimitSettings().small_orders_per_second == 5


def test_100_identities_are_not_small(strict: World) -> None:
    assert [delete(strict, 100).status_code for _ in range(5)] == [201] * 5
    assert [delete(strict, 99).status_code for _ in range(4)] == [201, 201, 201, 429]


def test_what_is_small_can_be_configured(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    world = make_world(sqlite_store, burst=1, limits=EdgeLimits(small_order_identities=3))
    assert [delete(world, 3).status_code for _ in range(3)] == [201] * 3
    assert [delete(world, 2).status_code for _ in range(2)] == [201, 429]


def test_each_client_has_its_own(strict: World) -> None:
    for _ in range(4):
        delete(strict)
    assert delete(strict, client_id="service").status_code == 201


def test_jobs_count_too(strict: World) -> None:
    user = {"key": "k", "action": ["delete"], "userIDs": [{"namespace": "email", "value": "v", "type": "standard"}]}
    body = {"companyContexts": [{"namespace": "imsOrgID", "value": ORG}], "users": [user]}
    assert [strict.call("POST", "/jobs", body).status_code for _ in range(4)] == [201, 201, 201, 429]


def test_deleting_datasets_counts_too(strict: World) -> None:
    body = {"action": "delete_dataset", "datasetId": EMAILS}
    assert [strict.call("POST", "/workorder", body).status_code for _ in range(4)] == [201, 201, 201, 429]


def test_what_is_malformed_does_not_count(strict: World) -> None:
    for _ in range(9):
        assert strict.call("POST", "/workorder", {"datasetId": EMAILS}).status_code == 400
    assert delete(strict).status_code == 201


def test_nothing_else_is_limited(strict: World) -> None:
    for _ in range(4):
        delete(strict)
    order = strict.orders()[0]
    assert strict.call("PUT", f"/workorder/{order['workorderId']}", {"name": "x"}).status_code == 200
    assert strict.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2031-01-01"}).status_code == 201


def test_limits_are_values() -> None:
    assert replace(EdgeLimits(), body_bytes_max=1).body_bytes_max == 1
    assert EdgeLimits().small_order_identities == 100
