"""PUT, PATCH and DELETE of an expiration: what may be changed, and in which status."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lethe.storage.store import SqlStore
from support.api import ANONYMOUS, EMAILS, MAPPED, Allowances, World, organization
from support.clock import NOON
from support.values import DEV, ORG, OTHER_ORG

from .conftest import MakeWorld
from .refusals import refused

SOON = (NOON + timedelta(hours=24)).isoformat()


@pytest.fixture
def pending(sqlite_world: World) -> World:
    scheduled(sqlite_world)
    return sqlite_world


def scheduled(world: World) -> dict[str, Any]:
    body = {"datasetId": EMAILS, "expiry": SOON, "displayName": "Name", "description": "Text"}
    made: dict[str, Any] = world.call("POST", "/ttl", body).json()
    return made


def now(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.call("GET", f"/ttl/{EMAILS}").json()
    return found


def bring_to(world: World, status: str) -> None:
    """From pending to another status."""
    if status == "cancelled":
        assert world.call("DELETE", f"/ttl/{EMAILS}").status_code == 200
    elif status != "pending":
        ttl_id = now(world)["ttlId"]
        world.later(hours=24)
        world.execute(UUID(ttl_id[3:]), complete=status == "completed")
    assert now(world)["status"] == status


# PUT


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"expiry": "2031-01-01"}, {"expiry": "2031-01-01T00:00:00.000000Z"}),
        ({"displayName": "Other"}, {"displayName": "Other"}),
        ({"description": "Other"}, {"description": "Other"}),
        ({"displayName": ""}, {"displayName": ""}),
        ({"description": "Other", "displayName": None, "expiry": None}, {"description": "Other"}),
        (
            {"expiry": "2031-01-01", "displayName": "A", "description": "B"},
            {"expiry": "2031-01-01T00:00:00.000000Z", "displayName": "A", "description": "B"},
        ),
    ],
)
@pytest.mark.parametrize("by", ["ttlId", "datasetId"])
def test_put_changes_what_is_given_and_leaves_the_rest(
    pending: World, by: str, change: dict[str, Any], shown: dict[str, Any]
) -> None:
    before = now(pending)
    pending.later(hours=1)
    response = pending.call("PUT", f"/ttl/{before[by]}", change, client_id="service")
    assert response.status_code == 200
    noted = {
        "updatedAt": "2026-03-04T13:00:00.000000Z",
        "updatedBy": before["updatedBy"].replace("administrator", "service"),
    }
    assert response.json() == before | shown | noted
    assert now(pending) == response.json()


@pytest.mark.parametrize("body", [{}, {"expiry": None}, {"displayName": None, "description": None}])
def test_put_needs_at_least_one_field(pending: World, body: dict[str, Any]) -> None:
    before = now(pending)
    response = pending.call("PUT", f"/ttl/{EMAILS}", body)
    refused(response, 400, "1002")
    assert "at least one of expiry, displayName and description" in response.json()["detail"]
    assert now(pending) == before


@pytest.mark.parametrize("body", [[], "x", 7, None, True])
def test_put_needs_an_object(pending: World, body: object) -> None:
    response = pending.client.put(
        f"/data/core/hygiene/ttl/{EMAILS}", json=body, headers=pending.headers() | {"Content-Type": "application/json"}
    )
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"expiry": "never"}, "1002", "expiry"),
        ({"expiry": (NOON + timedelta(hours=23, minutes=59)).isoformat()}, "3002", "expiry"),
        ({"displayName": "x" * 256}, "1002", "displayName"),
        ({"displayName": 7}, "1002", "displayName"),
        ({"description": "x" * 1_001}, "1002", "description"),
        ({"description": "a\0b"}, "1002", "description"),
        ({"datasetId": EMAILS, "expiry": "2031-01-01"}, "1002", "datasetId"),
        ({"status": "completed", "expiry": "2031-01-01"}, "1002", "status"),
    ],
)
def test_put_refuses_what_is_wrong_and_changes_nothing(
    pending: World, body: dict[str, Any], code: str, field: str
) -> None:
    before = now(pending)
    refused(pending.call("PUT", f"/ttl/{EMAILS}", body), 400, code, field)
    assert now(pending) == before


def test_put_creates_for_a_dataset_without_one(world: World) -> None:
    response = world.call("PUT", f"/ttl/{EMAILS}", {"expiry": "2031-01-01", "displayName": "New"})
    assert response.status_code == 201
    made = response.json()
    assert (made["status"], made["displayName"], made["datasetId"]) == ("pending", "New", EMAILS)
    assert world.expirations() == [made]
    assert world.call("PUT", f"/ttl/{EMAILS}", {"displayName": "Newer"}).status_code == 200
    history = world.call("GET", f"/ttl/{EMAILS}", include="history").json()["history"]
    assert [entry["status"] for entry in history] == ["created", "updated"]


def test_put_without_an_expiry_creates_nothing(sqlite_world: World) -> None:
    refused(sqlite_world.call("PUT", f"/ttl/{EMAILS}", {"displayName": "New"}), 400, "1002", "expiry")
    assert sqlite_world.expirations() == []


def test_put_of_what_is_unknown_is_404(world: World) -> None:
    world.register("theirs", org_id=OTHER_ORG)
    world.register("elsewhere", sandbox_name=DEV)
    for key in ("unheard-of", "theirs", "elsewhere", "SD-42215a53-b79e-49bc-bd00-69f8a470329f", "%00"):
        refused(world.call("PUT", f"/ttl/{key}", {"expiry": "2031-01-01"}), 404, "3001")
    assert world.expirations() == []


def test_put_with_a_new_expiry_reopens_a_cancelled_one(world: World) -> None:
    made = scheduled(world)
    bring_to(world, "cancelled")
    response = world.call("PUT", f"/ttl/{made['ttlId']}", {"expiry": "2031-01-01"})
    assert (response.status_code, response.json()["status"]) == (200, "pending")
    assert response.json()["ttlId"] == made["ttlId"]
    assert world.consumed("datasetExpirationQuota") == 1


def test_put_without_an_expiry_leaves_a_cancelled_one_closed(pending: World) -> None:
    bring_to(pending, "cancelled")
    before = now(pending)
    response = pending.call("PUT", f"/ttl/{EMAILS}", {"displayName": "Other"})
    refused(response, 400, "3004")
    assert "only together with a new expiry" in response.json()["detail"]
    assert now(pending) == before


@pytest.mark.parametrize("status", ["executing", "completed"])
@pytest.mark.parametrize("body", [{"expiry": "2031-01-01"}, {"displayName": "Other"}])
def test_put_of_one_that_runs_or_has_run_is_400(pending: World, status: str, body: dict[str, Any]) -> None:
    bring_to(pending, status)
    before = now(pending)
    refused(pending.call("PUT", f"/ttl/{EMAILS}", body), 400, "3004")
    assert now(pending) == before


# PATCH


@pytest.mark.parametrize("by", ["ttlId", "datasetId"])
def test_patch_changes_the_expiry(pending: World, by: str) -> None:
    before = now(pending)
    response = pending.call("PATCH", f"/ttl/{before[by]}", {"expiry": "2031-01-01T12:00:00+01:00"})
    assert response.status_code == 200
    assert response.json() == before | {"expiry": "2031-01-01T11:00:00.000000Z"}
    assert now(pending) == response.json()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "expiry"),
        ({"expiry": None}, "expiry"),
        ({"expiry": 1924992000}, "expiry"),
        ({"expiry": "31 December"}, "expiry"),
        ({"expiry": "2031-01-01", "displayName": "Other"}, "displayName"),
        ({"expiry": "2031-01-01", "description": "Other"}, "description"),
        ({"expiry": "2031-01-01", "displayName": None}, "displayName"),
        ({"displayName": "Other"}, "expiry"),
        ({"expiry": "2031-01-01", "surprise": 1}, "surprise"),
    ],
)
def test_patch_takes_the_expiry_alone(pending: World, body: dict[str, Any], field: str) -> None:
    before = now(pending)
    refused(pending.call("PATCH", f"/ttl/{EMAILS}", body), 400, "1002", field)
    assert now(pending) == before


def test_patch_keeps_the_lead(pending: World) -> None:
    pending.later(hours=1)
    refused(pending.call("PATCH", f"/ttl/{EMAILS}", {"expiry": SOON}), 400, "3002", "expiry")


def test_patch_reopens_a_cancelled_one(pending: World) -> None:
    bring_to(pending, "cancelled")
    response = pending.call("PATCH", f"/ttl/{EMAILS}", {"expiry": "2031-01-01"})
    assert (response.status_code, response.json()["status"]) == (200, "pending")


@pytest.mark.parametrize("status", ["executing", "completed"])
def test_patch_of_one_that_runs_or_has_run_is_400(pending: World, status: str) -> None:
    bring_to(pending, status)
    refused(pending.call("PATCH", f"/ttl/{EMAILS}", {"expiry": "2031-01-01"}), 400, "3004")


@pytest.mark.parametrize("key", ["unheard-of", "SD-42215a53-b79e-49bc-bd00-69f8a470329f", ANONYMOUS])
def test_patch_creates_nothing(sqlite_world: World, key: str) -> None:
    refused(sqlite_world.call("PATCH", f"/ttl/{key}", {"expiry": "2031-01-01"}), 404, "3001")


def test_patch_asking_for_products_of_a_pending_one_is_refused_and_changes_nothing(pending: World) -> None:
    before = now(pending)
    path = f"/ttl/{EMAILS}"
    response = pending.call("PATCH", path, {"expiry": "2031-01-01"}, productStatusDetails="Data Management")
    refused(response, 400, "3006", "productStatusDetails")
    assert now(pending) == before
    response = pending.call("PATCH", path, {"expiry": "2031-01-01"}, productStatusDetails="Nonsense")
    refused(response, 400, "1003", "productStatusDetails")


def test_reopening_keeps_to_the_quota(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    world = make_world(sqlite_store, orgs=[organization(ORG, allowances=Allowances(expirations=1))])
    scheduled(world)
    bring_to(world, "cancelled")
    world.call("POST", "/ttl", {"datasetId": MAPPED, "expiry": "2031-01-01"})
    for method in ("PUT", "PATCH"):
        refused(world.call(method, f"/ttl/{EMAILS}", {"expiry": "2031-01-01"}), 403, "2001")
    refused(world.call("PUT", f"/ttl/{ANONYMOUS}", {"expiry": "2031-01-01"}), 403, "2001")
    assert now(world)["status"] == "cancelled"
    assert world.call("PUT", f"/ttl/{MAPPED}", {"expiry": "2032-01-01"}).status_code == 200  # no more than before


# DELETE


@pytest.mark.parametrize("by", ["ttlId", "datasetId"])
def test_delete_cancels_and_says_so(pending: World, by: str) -> None:
    before = now(pending)
    pending.later(hours=1)
    response = pending.call("DELETE", f"/ttl/{before[by]}")
    assert response.status_code == 200
    after = before | {"status": "cancelled", "updatedAt": "2026-03-04T13:00:00.000000Z"}
    assert response.json() == after | {"message": "The dataset was successfully canceled."}
    assert now(pending) == after
    assert pending.consumed("datasetExpirationQuota") == 0


@pytest.mark.parametrize("status", ["executing", "completed", "cancelled"])
def test_delete_of_one_that_is_not_pending_is_404(pending: World, status: str) -> None:
    bring_to(pending, status)
    before = now(pending)
    refused(pending.call("DELETE", f"/ttl/{EMAILS}"), 404, "3005")
    assert now(pending) == before


def test_delete_of_what_is_unknown_is_404(world: World) -> None:
    for key in ("unheard-of", MAPPED, "SD-42215a53-b79e-49bc-bd00-69f8a470329f", "%00"):
        refused(world.call("DELETE", f"/ttl/{key}"), 404, "3005")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_nobody_changes_one_of_another_sandbox_or_org(world: World, method: str) -> None:
    made = scheduled(world)
    body = None if method == "DELETE" else {"expiry": "2031-01-01"}
    for headers in (world.headers(sandbox_name=DEV), world.headers("stranger", org_id=OTHER_ORG)):
        for key in (made["ttlId"], EMAILS):
            assert world.call(method, f"/ttl/{key}", body, headers=headers).status_code == 404
    assert world.expirations() == [made]


def test_cancelled_and_reopened_again_and_again(pending: World) -> None:
    first = now(pending)["ttlId"]
    for year in range(2031, 2035):
        pending.call("DELETE", f"/ttl/{EMAILS}")
        assert pending.call("PATCH", f"/ttl/{EMAILS}", {"expiry": f"{year}-01-01"}).json()["ttlId"] == first
    history = pending.call("GET", f"/ttl/{EMAILS}", include="history").json()["history"]
    assert [entry["status"] for entry in history] == ["created", *["cancelled", "updated"] * 4]
