"""`Idempotency-Key`: a request that is sent again does nothing again."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from lethe.api.services import EdgeLimits
from lethe.storage.store import SqlStore
from support.api import EMAILS, HYGIENE, MAPPED, World
from support.values import DEV, ORG, OTHER_ORG

from .conftest import MakeWorld
from .refusals import refused

BODY = {"datasetId": EMAILS, "identities": [{"namespace": {"code": "email"}, "id": "somebody"}]}
OTHER = BODY | {"displayName": "Other"}


def send(
    world: World, key: str | bytes | None = "key-1", body: Any = BODY, path: str = "/workorder", **headers: str
) -> Any:
    chosen: dict[str, Any] = world.headers() | headers
    if key is not None:
        chosen["Idempotency-Key"] = key
    return world.call("POST", path, body, headers=chosen)


def test_the_same_request_is_answered_as_the_first_time(world: World) -> None:
    first = send(world)
    world.later(hours=1)
    again = send(world)
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert again.headers["content-type"] == "application/json"
    assert len(world.orders()) == 1
    assert world.consumed("dailyConsumerDeleteIdentitiesQuota") == 1


def test_the_first_answer_stays_the_answer_though_the_order_changes(sqlite_world: World) -> None:
    first = send(sqlite_world)
    sqlite_world.call("PUT", f"/workorder/{first.json()['workorderId']}", {"name": "Renamed"})
    assert send(sqlite_world).content == first.content


def test_another_body_is_422(world: World) -> None:
    send(world)
    refused(send(world, body=OTHER), 422, "1007")
    assert len(world.orders()) == 1
    assert world.consumed("dailyConsumerDeleteIdentitiesQuota") == 1


@pytest.mark.parametrize("path", ["/ttl", "/jobs"])
def test_the_same_key_at_another_path_is_422(sqlite_world: World, path: str) -> None:
    user = {"key": "k", "action": ["delete"], "userIDs": [{"namespace": "email", "value": "v", "type": "standard"}]}
    bodies: dict[str, Any] = {
        "/ttl": {"datasetId": EMAILS, "expiry": "2031-01-01"},
        "/jobs": {"companyContexts": [{"namespace": "imsOrgID", "value": ORG}], "users": [user]},
    }
    send(sqlite_world)
    refused(send(sqlite_world, path=path, body=bodies[path]), 422, "1007")


def test_the_same_key_in_another_sandbox_is_422(sqlite_world: World) -> None:
    sqlite_world.register(EMAILS, sandbox_name=DEV)
    send(sqlite_world)
    refused(send(sqlite_world, **{"x-sandbox-name": DEV}), 422, "1007")


def test_a_trailing_slash_is_no_other_request(sqlite_world: World) -> None:
    assert send(sqlite_world).content == send(sqlite_world, path="/workorder/").content


def test_without_a_key_each_request_counts(sqlite_world: World) -> None:
    ids = {send(sqlite_world, None).json()["workorderId"] for _ in range(2)}
    assert len(ids) == 2


def test_different_keys_are_different_requests(sqlite_world: World) -> None:
    ids = {send(sqlite_world, key).json()["workorderId"] for key in ("a", "b", "A")}
    assert len(ids) == 3


def test_a_key_is_forgotten_after_24_hours(world: World) -> None:
    first = send(world)
    world.later(hours=23, minutes=59, seconds=59)
    assert send(world).content == first.content
    world.later(seconds=1)
    again = send(world)
    assert again.status_code == 201
    assert again.json()["workorderId"] != first.json()["workorderId"]
    refused(send(world, body=OTHER), 422, "1007")


def test_a_forgotten_key_takes_another_body(sqlite_world: World) -> None:
    send(sqlite_world)
    sqlite_world.later(hours=24)
    assert send(sqlite_world, body=OTHER).status_code == 201


def test_keys_belong_to_one_client_of_one_org(world: World) -> None:
    world.register(EMAILS, org_id=OTHER_ORG)
    callers = [
        ("administrator", ORG),
        ("service", ORG),
        ("both-orgs", ORG),
        ("both-orgs", OTHER_ORG),
        ("stranger", OTHER_ORG),
    ]
    for client_id, org_id in callers:
        headers = world.headers(client_id, org_id=org_id) | {"Idempotency-Key": "shared"}
        assert world.call("POST", "/workorder", OTHER | {"description": client_id}, headers=headers).status_code == 201


@pytest.mark.parametrize("key", ["x", "0b3ddbba-7fae-4f4b-8d6a-1f2f3f4f5f6f", "!~\"'\\,;", "k" * 255])
def test_keys_of_visible_ascii(sqlite_world: World, key: str) -> None:
    assert send(sqlite_world, key).content == send(sqlite_world, key).content


@pytest.mark.parametrize("key", [b"", b"k" * 256, b"a b", b" ", "é".encode(), b"\xff", b"a\tb", b"a\0b", b"a\x7f"])
def test_keys_of_other_characters_are_400(sqlite_world: World, key: bytes) -> None:
    refused(send(sqlite_world, key), 400, "1005", "Idempotency-Key")
    assert sqlite_world.orders() == []


def test_a_refused_request_leaves_the_key_free(world: World) -> None:
    refused(send(world, body=BODY | {"datasetId": "unheard-of"}), 404, "5001", "datasetId")
    assert send(world).status_code == 201


def test_every_post_that_stores_takes_a_key(world: World) -> None:
    user = {"key": "k", "action": ["delete"], "userIDs": [{"namespace": "email", "value": "v", "type": "standard"}]}
    table = {"format": "parquet", "location": "/x"}
    for path, body in {
        "/ttl": {"datasetId": MAPPED, "expiry": "2031-01-01"},
        "/jobs": {"companyContexts": [{"namespace": "imsOrgID", "value": ORG}], "users": [user]},
        "/data/foundation/catalog/dataSets": {"name": "New", "table": table, "schema": {}},
        "/data/core/idnamespace/identities": {"code": "New", "name": "New"},
    }.items():
        first = send(world, path, body, path)
        assert first.status_code == 201, first.text
        assert send(world, path, body, path).content == first.content
        assert send(world, None, body, path).content != first.content


def test_a_key_kept_for_longer(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    from datetime import timedelta

    world = make_world(sqlite_store, limits=EdgeLimits(idempotency_lifetime=timedelta(hours=48)))
    first = send(world)
    world.later(hours=47)
    assert send(world).content == first.content


def test_two_at_once_are_one_order(world: World) -> None:
    for round_ in range(3):
        at_once = 4
        barrier = Barrier(at_once)
        headers = world.headers() | {"Idempotency-Key": f"round-{round_}"}

        def post(_: int, barrier: Barrier = barrier, headers: dict[str, str] = headers) -> Any:
            barrier.wait(timeout=30)
            return world.client.post(f"{HYGIENE}/workorder", json=BODY, headers=headers)

        with ThreadPoolExecutor(at_once) as pool:
            answers = list(pool.map(post, range(at_once)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
    assert len(world.orders()) == 3
    assert world.consumed("dailyConsumerDeleteIdentitiesQuota") == 3


def test_two_bodies_at_once_under_one_key_are_one_order(world: World) -> None:
    barrier = Barrier(2)
    headers = world.headers() | {"Idempotency-Key": "one"}

    def post(body: object) -> int:
        barrier.wait(timeout=30)
        status: int = world.client.post(f"{HYGIENE}/workorder", json=body, headers=headers).status_code
        return status

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(post, [BODY, OTHER])) == [201, 422]
    assert len(world.orders()) == 1
