"""`GET /quota`: what counts, when it starts again, and what happens when it is spent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest

from lethe.domain.quota import QuotaName
from lethe.storage.store import SqlStore
from support.api import EMAILS, HYGIENE, MAPPED, Allowances, World, organization
from support.values import ORG, OTHER_ORG

from .conftest import MakeWorld
from .refusals import refused

EXPIRATIONS, DAILY, MONTHLY, UPDATES = (name.value for name in QuotaName)


def delete(world: World, count: int, **headers: str) -> Any:
    ids = [str(number) for number in range(count)]
    body = {"datasetId": EMAILS, "namespacesIdentities": [{"namespace": {"id": 6}, "IDs": ids}]}
    return world.call("POST", "/workorder", body, headers=world.headers() | headers)


def shown(world: World, quota_type: str | None = None) -> dict[str, tuple[int, int]]:
    query = {} if quota_type is None else {"quotaType": quota_type}
    response = world.call("GET", "/quota", client_id="viewer", **query)
    assert response.status_code == 200, response.text
    return {each["name"]: (each["consumed"], each["quota"]) for each in response.json()["quotas"]}


def test_all_four_quotas_with_their_defaults(world: World) -> None:
    answer = world.call("GET", "/quota").json()
    assert list(answer) == ["quotas"]
    assert all(list(each) == ["name", "description", "consumed", "quota"] for each in answer["quotas"])
    assert all(each["description"] and isinstance(each["consumed"], int) for each in answer["quotas"])
    assert shown(world) == {
        EXPIRATIONS: (0, 50),
        DAILY: (0, 1_000_000),
        MONTHLY: (0, 2_000_000),
        UPDATES: (0, 1_000_000),
    }


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (EXPIRATIONS, [EXPIRATIONS]),
        (DAILY, [DAILY]),
        (MONTHLY, [MONTHLY]),
        (UPDATES, [UPDATES]),
        ("expirationDatasetQuota", [EXPIRATIONS]),
        ("deleteIdentityWorkOrderDatasetQuota", [DAILY, MONTHLY]),
        ("fieldUpdateWorkOrderDatasetQuota", [UPDATES]),
    ],
)
def test_one_type_by_its_name_of_today_or_of_2022(sqlite_world: World, asked: str, names: list[str]) -> None:
    assert list(shown(sqlite_world, asked)) == names


@pytest.mark.parametrize(
    "asked", ["", "x", "DATASETEXPIRATIONQUOTA", f"{DAILY},{MONTHLY}", " " + DAILY, "a\0b", "x" * 1_001]
)
def test_any_other_type_is_400(sqlite_world: World, asked: str) -> None:
    refused(sqlite_world.call("GET", "/quota", quotaType=asked), 400, "1003", "quotaType")


def test_only_what_is_pending_or_executing_counts_as_an_expiration(sqlite_world: World) -> None:
    for dataset_id in (EMAILS, MAPPED):
        sqlite_world.call("POST", "/ttl", {"datasetId": dataset_id, "expiry": "2031-01-01"})
    assert shown(sqlite_world)[EXPIRATIONS] == (2, 50)
    sqlite_world.call("DELETE", f"/ttl/{EMAILS}")
    assert shown(sqlite_world)[EXPIRATIONS] == (1, 50)


def test_only_accepted_orders_count(sqlite_world: World) -> None:
    delete(sqlite_world, 3)
    sqlite_world.call("POST", "/workorder", {"datasetId": "unheard-of", "identities": []})
    assert delete(sqlite_world, 0).status_code == 400
    assert sqlite_world.call("POST", "/workorder", {"datasetId": EMAILS, "action": "delete_dataset"}).status_code == 201
    assert shown(sqlite_world)[DAILY] == (3, 1_000_000)
    assert shown(sqlite_world)[MONTHLY] == (3, 2_000_000)
    assert shown(sqlite_world)[UPDATES] == (0, 1_000_000)


def test_each_org_has_its_own(world: World) -> None:
    delete(world, 3)
    theirs = world.call("GET", "/quota", headers=world.headers("stranger", org_id=OTHER_ORG)).json()
    assert not any(each["consumed"] for each in theirs["quotas"])


def test_the_day_begins_at_midnight_utc(world: World) -> None:
    world.clock.now = datetime(2026, 3, 4, 23, 59, 59, 999_999, tzinfo=UTC)
    delete(world, 3)
    assert shown(world)[DAILY] == (3, 1_000_000)
    world.later(microseconds=1)
    assert (shown(world)[DAILY][0], shown(world)[MONTHLY][0]) == (0, 3)


@pytest.mark.parametrize(
    ("last", "first"),
    [((2026, 3, 31), (2026, 4, 1)), ((2026, 12, 31), (2027, 1, 1)), ((2028, 2, 29), (2028, 3, 1))],
)
def test_the_month_begins_on_the_first_at_midnight_utc(
    sqlite_world: World, last: tuple[int, int, int], first: tuple[int, int, int]
) -> None:
    sqlite_world.clock.now = datetime(*last, 23, 59, 59, 999_999, tzinfo=UTC)
    delete(sqlite_world, 3)
    assert shown(sqlite_world)[MONTHLY][0] == 3
    sqlite_world.clock.now = datetime(*first, tzinfo=UTC)
    assert (shown(sqlite_world)[DAILY][0], shown(sqlite_world)[MONTHLY][0]) == (0, 0)


def tight(make_world: MakeWorld, store: SqlStore, **allowances: Any) -> World:
    return make_world(store, orgs=[organization(ORG, allowances=Allowances(**allowances)), organization(OTHER_ORG)])


def test_over_the_daily_quota(make_world: MakeWorld, store: SqlStore) -> None:
    world = tight(make_world, store, daily_deletes=10)
    assert delete(world, 7).status_code == 201
    response = delete(world, 4)
    context = refused(response, 403, "2001")
    assert context == {
        "name": DAILY,
        "requested": 4,
        "consumed": 7,
        "quota": 10,
        "resetsAt": "2026-03-05T00:00:00.000000Z",
    }
    assert response.json()["detail"] == f"{DAILY}: 4 requested, 7 of 10 consumed"
    assert "retry-after" not in response.headers
    assert (shown(world)[DAILY], len(world.orders())) == ((7, 10), 1)
    assert delete(world, 3).status_code == 201
    refused(delete(world, 1), 403, "2001")
    world.later(hours=12)
    assert delete(world, 10).status_code == 201


def test_over_the_monthly_quota(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    world = tight(make_world, sqlite_store, daily_deletes=10, monthly_deletes=15)
    delete(world, 10)
    world.later(days=1)
    context = refused(delete(world, 6), 403, "2001")
    assert (context["name"], context["resetsAt"]) == (MONTHLY, "2026-04-01T00:00:00.000000Z")
    assert shown(world)[DAILY][0] == 0  # the day, which had room, was not spent either
    assert delete(world, 5).status_code == 201


def test_the_daily_allowance_is_never_more_than_what_is_left_of_the_month(
    make_world: MakeWorld, sqlite_store: SqlStore
) -> None:
    world = tight(make_world, sqlite_store, daily_deletes=10, monthly_deletes=15)
    assert shown(world)[DAILY] == (0, 10)
    delete(world, 4)
    assert shown(world)[DAILY] == (4, 10)
    world.later(days=1)
    delete(world, 7)
    assert shown(world)[DAILY] == (7, 10)
    world.later(days=1)
    assert shown(world) | {EXPIRATIONS: (0, 0), UPDATES: (0, 0)} == {
        EXPIRATIONS: (0, 0),
        DAILY: (0, 4),
        MONTHLY: (11, 15),
        UPDATES: (0, 0),
    }
    refused(delete(world, 5), 403, "2001")


def test_without_enforcement_it_is_counted_and_nothing_refused(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    world = tight(make_world, sqlite_store, daily_deletes=2, monthly_deletes=2, expirations=0, enforce=False)
    assert delete(world, 5).status_code == 201
    assert world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2031-01-01"}).status_code == 201
    assert shown(world)[MONTHLY] == (5, 2)
    assert shown(world)[DAILY][0] == 5
    assert shown(world)[EXPIRATIONS] == (1, 0)


def test_what_is_answered_again_is_not_spent_again(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    world = tight(make_world, sqlite_store, daily_deletes=3)
    assert {delete(world, 3, **{"Idempotency-Key": "k"}).status_code for _ in range(2)} == {201}
    assert shown(world)[DAILY] == (3, 3)


def test_requests_at_once_never_overspend(make_world: MakeWorld, store: SqlStore) -> None:
    world = tight(make_world, store, daily_deletes=10)
    at_once = 6
    barrier = Barrier(at_once)
    headers = world.headers()
    body = {"datasetId": EMAILS, "namespacesIdentities": [{"namespace": {"id": 6}, "IDs": ["a", "b", "c"]}]}

    def post(_: int) -> int:
        barrier.wait(timeout=30)
        status: int = world.client.post(f"{HYGIENE}/workorder", json=body, headers=headers).status_code
        return status

    with ThreadPoolExecutor(at_once) as pool:
        assert sorted(pool.map(post, range(at_once))) == [201, 201, 201, 403, 403, 403]
    assert shown(world)[DAILY] == (9, 10)
    assert len(world.orders()) == 3
