"""`POST /jobs`, the alpha's record deletes: one work order a user, over all datasets of the default sandbox."""

import re
from typing import Any

import pytest

from lethe.storage.store import SqlStore
from support.api import Allowances, World, organization
from support.values import DEV, ORG, OTHER_ORG

from .conftest import MakeWorld

CARD = {"namespace": "Loyalty ID", "value": "30583967185734", "type": "custom"}


def email(value: str = "johnd@example.com", **other: Any) -> dict[str, Any]:
    return {"namespace": "email", "value": value, "type": "standard"} | other


def user(key: str = "John Doe", *ids: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"key": key, "action": ["delete"], "userIDs": list(ids) or [email()]} | other


def job(*users: dict[str, Any], **other: Any) -> dict[str, Any]:
    context = {"namespace": "imsOrgID", "value": ORG}
    return {"companyContexts": [context], "users": list(users) or [user()]} | other


@pytest.fixture
def shop(sqlite_world: World) -> World:
    """A world with a custom namespace."""
    sqlite_world.call("POST", "/data/core/idnamespace/identities", {"code": "Loyalty", "name": "Loyalty ID"})
    return sqlite_world


def test_the_answer_repeats_each_user_with_a_job(world: World) -> None:
    created = world.call("POST", "/data/core/idnamespace/identities", {"code": "Loyalty", "name": "Loyalty ID"})
    ecid = {"namespace": "ECID", "value": "9cbefef1-dd44-4411-87db-2d387bf882bc", "type": "standard"}
    response = world.call("POST", "/jobs", job(user("John Doe", email(), ecid), user("Jane Doe", CARD)))
    assert response.status_code == 201, response.text
    answer = response.json()
    assert re.fullmatch(r"\d{13}\d{4}RX-\d{3}", answer["requestId"])
    assert answer["requestId"].startswith(str(int(world.clock.now.timestamp() * 1000)))
    assert answer["totalRecords"] == 2
    john, jane = answer["jobs"]
    assert john["customer"]["user"] == {
        "key": "John Doe",
        "action": ["delete"],
        "userIDs": [
            email() | {"namespaceId": 6, "isDeletedClientSide": False},
            ecid | {"namespaceId": 4, "isDeletedClientSide": False},
        ],
    }
    assert created.json()["id"] == 10_000_000
    assert jane["customer"]["user"]["userIDs"] == [CARD | {"isDeletedClientSide": False}]


def test_a_job_id_is_the_uuid_of_a_work_order_over_all_datasets(shop: World) -> None:
    answer = shop.call("POST", "/jobs", job(user("John Doe", email(), CARD))).json()
    job_id = answer["jobs"][0]["jobId"]
    order = shop.call("GET", f"/workorder/{job_id}").json()
    assert order["workorderId"] == f"DI-{job_id}"
    assert (order["datasetId"], order["operationCount"], order["action"]) == ("ALL", 2, "identity-delete")
    assert order["status"] == "received"


def test_each_user_becomes_one_work_order_and_counts_against_the_quota(shop: World) -> None:
    shop.call("POST", "/jobs", job(user("one", email("a@x"), email("b@x")), user("two", email("c@x"))))
    assert [order["operationCount"] for order in shop.orders(orderBy="operationCount")] == [1, 2]
    assert shop.consumed("dailyConsumerDeleteIdentitiesQuota") == 3


def test_the_same_identity_twice_counts_once(shop: World) -> None:
    shop.call("POST", "/jobs", job(user("one", email("a@x"), email("a@x", namespace="Email"))))
    assert [order["operationCount"] for order in shop.orders()] == [1]


@pytest.mark.parametrize("name", ["Email", "EMAIL", "email"])
def test_a_namespace_is_found_by_its_code_whatever_its_case(shop: World, name: str) -> None:
    assert shop.call("POST", "/jobs", job(user("one", email(namespace=name)))).status_code == 201


@pytest.mark.parametrize("name", ["Loyalty", "loyalty", "Loyalty ID", "loyalty id"])
def test_a_custom_namespace_is_found_by_its_code_or_its_name(shop: World, name: str) -> None:
    assert shop.call("POST", "/jobs", job(user("one", CARD | {"namespace": name}))).status_code == 201


def test_a_standard_namespace_is_found_by_its_name(shop: World) -> None:
    response = shop.call("POST", "/jobs", job(user("one", email(namespace="Windows AID"))))
    assert response.json()["jobs"][0]["customer"]["user"]["userIDs"][0]["namespaceId"] == 8


def test_it_runs_in_the_default_sandbox_whatever_the_header(shop: World) -> None:
    headers = shop.headers(sandbox_name=DEV)
    assert shop.call("POST", "/jobs", job(), headers=headers).status_code == 201
    assert len(shop.orders()) == 1
    assert shop.call("GET", "/workorder", headers=headers).json()["total"] == 0


def test_it_needs_no_sandbox_header(shop: World) -> None:
    assert shop.call("POST", "/jobs", job(), headers=shop.headers(sandbox_name=None)).status_code == 201
    assert shop.call("POST", "/jobs", job(), headers=shop.headers(sandbox_name="unheard-of")).status_code == 201


@pytest.mark.parametrize("sandbox_name", [DEV, None])
def test_who_cannot_see_the_default_sandbox_deletes_nothing_in_it(shop: World, sandbox_name: Any) -> None:
    response = shop.call("POST", "/jobs", job(), headers=shop.headers("dev-only", sandbox_name=sandbox_name))
    assert (response.status_code, response.json()["error_code"]) == (403, "403027")
    assert shop.orders() == []


ORG_CONTEXT = {"namespace": "imsOrgID", "value": ORG}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no context": (job(companyContexts=[]), "companyContexts"),
    "two contexts": (job(companyContexts=[ORG_CONTEXT, ORG_CONTEXT]), "companyContexts"),
    "a context of another kind": (
        job(companyContexts=[ORG_CONTEXT | {"namespace": "other"}]),
        "companyContexts[0].namespace",
    ),
    "another org's context": (job(companyContexts=[ORG_CONTEXT | {"value": OTHER_ORG}]), "companyContexts[0].value"),
    "no users": (job() | {"users": []}, "users"),
    "a user without ids": (job(user() | {"userIDs": []}), "users[0].userIDs"),
    "a user of ten ids": (job(user("one", *(email(f"{n}@x") for n in range(10)))), "users[0].userIDs"),
    "another action": (job(user(), user(action=["access"])), "users[1].action[0]"),
    "two actions": (job(user(action=["delete", "delete"])), "users[0].action"),
    "no action": (job(user(action=[])), "users[0].action"),
    "an action that is no list": (job(user(action="delete")), "users[0].action"),
    "no key": (job(user(key="")), "users[0].key"),
    "an unknown field": (job(user(email="x")), "users[0].email"),
    "a standard namespace called custom": (job(user("one", email(type="custom"))), "users[0].userIDs[0].type"),
    "a custom namespace called standard": (
        job(user(), user("two", email(), CARD | {"type": "standard"})),
        "users[1].userIDs[1].type",
    ),
    "another type": (job(user("one", email(type="other"))), "users[0].userIDs[0].type"),
    "an unknown namespace": (job(user("one", email(namespace="shoe size"))), "users[0].userIDs[0].namespace"),
    "a blank value": (job(user("one", email(), email(" "))), "users[0].userIDs[1].value"),
    "an empty value": (job(user(), user("two", email(""))), "users[1].userIDs[0].value"),
    "a null value": (job(user("one", email() | {"value": None})), "users[0].userIDs[0].value"),
    "a value of 10,000 characters": (job(user("one", email("x" * 10_000))), "users[0].userIDs[0].value"),
    "a value with NUL": (job(user("one", email("a\0b"))), "users[0].userIDs[0].value"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_and_nothing_is_stored(shop: World, case: str) -> None:
    body, field = REFUSED[case]
    response = shop.call("POST", "/jobs", body)
    assert response.status_code == 400, response.text
    assert response.json()["report"]["additionalContext"]["field"] == field
    assert "johnd" not in response.text
    assert shop.orders() == []
    assert shop.consumed("dailyConsumerDeleteIdentitiesQuota") == 0


def test_nine_ids_are_not_too_many(shop: World) -> None:
    assert shop.call("POST", "/jobs", job(user("one", *(email(f"{n}@x") for n in range(9))))).status_code == 201


def test_all_or_nothing_when_the_quota_ends_between_two_users(make_world: MakeWorld, store: SqlStore) -> None:
    world = make_world(store, orgs=[organization(ORG, allowances=Allowances(daily_deletes=3))])
    two = (email("a@x"), email("b@x"))
    response = world.call("POST", "/jobs", job(user("one", *two), user("two", *two)))
    assert (response.status_code, response.json()["error_code"]) == (403, "HYGN-2001-403")
    assert world.orders() == []
    assert world.consumed("dailyConsumerDeleteIdentitiesQuota") == 0
