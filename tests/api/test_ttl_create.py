"""`POST /ttl`, and `GET /ttl/{ID}`: an expiration as it is made and looked up."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lethe.storage.store import SqlStore
from support.api import EMAILS, HYGIENE, LOYALTY_CARDS, MAPPED, Allowances, World, organization
from support.clock import NOON
from support.values import DEV, ORG, OTHER_ORG

from .conftest import MakeWorld
from .refusals import refused

AHEAD = "2030-12-31T23:59:59Z"
FIELDS = [
    "ttlId",
    "datasetId",
    "datasetName",
    "sandboxName",
    "imsOrg",
    "status",
    "expiry",
    "updatedAt",
    "updatedBy",
    "displayName",
    "description",
]
SOON = (NOON + timedelta(hours=24)).isoformat()


def create(world: World, dataset_id: str = EMAILS, expiry: object = AHEAD, **more: Any) -> Any:
    return world.call("POST", "/ttl", {"datasetId": dataset_id, "expiry": expiry, **more})


def test_it_is_answered_with_every_field(world: World) -> None:
    response = create(world, displayName="Licence ends", description="Ticket 7")
    assert response.status_code == 201
    made = response.json()
    assert list(made) == FIELDS
    assert re.fullmatch(r"SD-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made.pop("ttlId"))
    assert made == {
        "datasetId": EMAILS,
        "datasetName": f"Dataset {EMAILS}",
        "sandboxName": "prod",
        "imsOrg": ORG,
        "status": "pending",
        "expiry": "2030-12-31T23:59:59.000000Z",
        "updatedAt": "2026-03-04T12:00:00.000000Z",
        "updatedBy": "Ann Ovid <administrator@example.com> administrator@techacct.example.com",
        "displayName": "Licence ends",
        "description": "Ticket 7",
    }


def test_it_is_found_by_either_id_everywhere_the_same(world: World) -> None:
    made = create(world).json()
    assert world.call("GET", f"/ttl/{made['ttlId']}").json() == made
    assert world.call("GET", f"/ttl/{EMAILS}").json() == made
    assert world.expirations() == [made]


def test_names_are_optional_and_may_be_null(sqlite_world: World) -> None:
    assert create(sqlite_world, displayName=None, description=None).json()["displayName"] == ""
    assert create(sqlite_world, MAPPED).json()["description"] == ""


@pytest.mark.parametrize(
    "text", ["  spaces ", "Ünïcödé 🗑", "line\nbreak\ttab", "'; DROP TABLE x; --", "<b>&amp;\\", "%_"]
)
def test_texts_are_kept_byte_for_byte(world: World, text: str) -> None:
    made = create(world, displayName=text, description=text).json()
    assert (made["displayName"], made["description"]) == (text, text)
    looked_up = world.call("GET", f"/ttl/{EMAILS}").json()
    assert (looked_up["displayName"], looked_up["description"]) == (text, text)


def test_texts_of_the_greatest_length(world: World) -> None:
    assert create(world, displayName="ü" * 255, description="ü" * 1_000).status_code == 201


@pytest.mark.parametrize(("field", "length"), [("displayName", 256), ("description", 1_001)])
def test_texts_that_are_too_long(sqlite_world: World, field: str, length: int) -> None:
    refused(create(sqlite_world, **{field: "x" * length}), 400, "1002", field)
    assert sqlite_world.expirations() == []


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2030-12-31T23:59:59Z", "2030-12-31T23:59:59.000000Z"),
        ("2030-12-31t23:59:59z", "2030-12-31T23:59:59.000000Z"),
        ("2030-12-31T23:59:59.262521Z", "2030-12-31T23:59:59.262521Z"),
        ("2030-12-31T23:59:59.2625219Z", "2030-12-31T23:59:59.262521Z"),
        ("2030-12-31", "2030-12-31T00:00:00.000000Z"),
        ("2030-12-31+02:00", "2030-12-30T22:00:00.000000Z"),
        ("2030-12-31T23:59:59", "2030-12-31T23:59:59.000000Z"),
        ("2030-12-31 23:59", "2030-12-31T23:59:00.000000Z"),
        ("2030-12-31T23:59:59+02:00", "2030-12-31T21:59:59.000000Z"),
        ("2030-12-31T23:59:59-0530", "2031-01-01T05:29:59.000000Z"),
        ("20301231T235959Z", "2030-12-31T23:59:59.000000Z"),
        ("2032-02-29", "2032-02-29T00:00:00.000000Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000Z"),
    ],
)
def test_an_expiry_is_iso_8601_and_utc_where_it_says_nothing(sqlite_world: World, given: str, read: str) -> None:
    assert create(sqlite_world, expiry=given).json()["expiry"] == read


@pytest.mark.parametrize(
    "given",
    [
        "",
        "tomorrow",
        "2030-02-31",
        "2030-02-31T00:00:00Z",
        "2031-02-29",
        "2030-13-01",
        "2030-12-31T24:00:01Z",
        "2030-12-31T23:60:00Z",
        "10000-01-01",
        "10000-01-01T00:00:00Z",
        "+010000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "2030-12-31T23:59:59+25:00",
        "2030-12-31T23:59:59 UTC",
        "1924992000",
        "2030-W01-1",
        "\uff12\uff10\uff13\uff10-12-31",
        "2030-12-31T23:59:59Z" + " " * 60,
        "2030-12-31\n",
        "31/12/2030",
    ],
)
def test_an_expiry_that_is_no_instant(sqlite_world: World, given: str) -> None:
    refused(create(sqlite_world, expiry=given), 400, "1002", "expiry")
    assert sqlite_world.expirations() == []


@pytest.mark.parametrize("given", [None, 1924992000, 1.5, True, ["2030-12-31"], {"at": "2030-12-31"}])
def test_an_expiry_that_is_no_text(sqlite_world: World, given: object) -> None:
    refused(create(sqlite_world, expiry=given), 400, "1002", "expiry")


@pytest.mark.parametrize("missing", ["datasetId", "expiry"])
def test_both_fields_are_required(sqlite_world: World, missing: str) -> None:
    body = {"datasetId": EMAILS, "expiry": AHEAD}
    del body[missing]
    refused(sqlite_world.call("POST", "/ttl", body), 400, "1002", missing)


def test_24_hours_ahead_is_enough(world: World) -> None:
    assert create(world, expiry=SOON).status_code == 201


@pytest.mark.parametrize(
    "delta", [timedelta(hours=23, minutes=59), timedelta(hours=24, microseconds=-1), timedelta(0), timedelta(days=-400)]
)
def test_less_than_24_hours_ahead_is_refused(sqlite_world: World, delta: timedelta) -> None:
    response = create(sqlite_world, expiry=(NOON + delta).isoformat())
    refused(response, 400, "3002", "expiry")
    assert "at least 24 hours in the future, at the earliest 2026-03-05T12:00:00Z" in response.json()["detail"]
    assert sqlite_world.expirations() == []


def test_the_lead_can_be_configured(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    world = make_world(sqlite_store, orgs=[organization(ORG, min_expiry_lead=timedelta(minutes=30))])
    assert create(world, expiry=(NOON + timedelta(minutes=30)).isoformat()).status_code == 201
    refused(create(world, MAPPED, (NOON + timedelta(minutes=29)).isoformat()), 400, "3002", "expiry")


def test_an_unknown_dataset_is_404(world: World) -> None:
    for dataset_id in ("unheard-of", "ALL", f"{EMAILS},{MAPPED}", " ", "x" * 255, EMAILS.upper(), "%"):
        refused(create(world, dataset_id), 404, "5001", "datasetId")


@pytest.mark.parametrize("dataset_id", [None, "", 7, ["a"], "x" * 256, "a\0b"])
def test_a_dataset_id_of_no_use_is_400(sqlite_world: World, dataset_id: Any) -> None:
    refused(create(sqlite_world, dataset_id), 400, "1002", "datasetId")


def test_another_orgs_and_another_sandboxs_dataset_are_answered_as_unknown(world: World) -> None:
    world.register("theirs", org_id=OTHER_ORG)
    world.register("elsewhere", sandbox_name=DEV)
    answers = []
    for dataset_id in ("theirs", "elsewhere", "unheard-of"):
        answer = create(world, dataset_id).json()
        del answer["error-chain"]
        answers.append(answer)
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["status"] == 404


def test_a_second_one_while_pending_is_refused(world: World) -> None:
    made = create(world).json()
    refused(create(world, expiry="2031-01-01"), 400, "3003", "datasetId")
    assert world.expirations() == [made]


def test_a_second_one_while_executing_is_refused(sqlite_world: World) -> None:
    made = create(sqlite_world, expiry=SOON).json()
    sqlite_world.later(hours=24)
    sqlite_world.execute(UUID(made["ttlId"][3:]))
    refused(create(sqlite_world), 400, "3003", "datasetId")


def test_a_second_one_once_completed_is_refused(sqlite_world: World) -> None:
    made = create(sqlite_world, expiry=SOON).json()
    sqlite_world.later(hours=24)
    sqlite_world.execute(UUID(made["ttlId"][3:]), complete=True)
    assert create(sqlite_world).status_code == 400
    assert sqlite_world.call("GET", f"/ttl/{EMAILS}").json()["status"] == "completed"


def test_a_cancelled_one_is_reopened_under_the_same_id(world: World) -> None:
    made = create(world, displayName="First", description="kept").json()
    world.call("DELETE", f"/ttl/{EMAILS}")
    world.later(hours=1)
    response = create(world, expiry="2031-01-01", displayName="Second")
    assert response.status_code == 201
    changed = {
        "expiry": "2031-01-01T00:00:00.000000Z",
        "displayName": "Second",
        "updatedAt": "2026-03-04T13:00:00.000000Z",
    }
    assert response.json() == made | changed
    assert len(world.expirations()) == 1


def test_each_dataset_has_its_own(sqlite_world: World) -> None:
    ids = {create(sqlite_world, dataset_id).json()["ttlId"] for dataset_id in (EMAILS, MAPPED, LOYALTY_CARDS)}
    assert len(ids) == 3


def test_the_quota_of_expirations(make_world: MakeWorld, store: SqlStore) -> None:
    world = make_world(store, orgs=[organization(ORG, allowances=Allowances(expirations=1))])
    assert create(world).status_code == 201
    context = refused(create(world, MAPPED), 403, "2001")
    assert context == {"name": "datasetExpirationQuota", "requested": 1, "consumed": 1, "quota": 1, "resetsAt": None}
    assert [each["datasetId"] for each in world.expirations()] == [EMAILS]
    world.call("DELETE", f"/ttl/{EMAILS}")
    assert create(world, MAPPED).status_code == 201
    refused(create(world, EMAILS), 403, "2001")  # to reopen takes room too
    assert world.consumed("datasetExpirationQuota") == 1


def test_unknown_fields_are_refused(sqlite_world: World) -> None:
    refused(create(sqlite_world, expirydate="2031-01-01"), 400, "1002", "expirydate")
    refused(create(sqlite_world, ttlId="SD-1"), 400, "1002", "ttlId")
    assert sqlite_world.expirations() == []


# Looking up


def test_an_unknown_one_is_404(world: World) -> None:
    unknown = "SD-42215a53-b79e-49bc-bd00-69f8a470329f"
    for key in (unknown, unknown[3:], "unheard-of", "SD-", "SD-nonsense", "%00", "%ED%A0%80", "x" * 255, "ALL", "*"):
        refused(world.call("GET", f"/ttl/{key}"), 404, "3001")


def test_a_key_that_is_too_long_is_400(sqlite_world: World) -> None:
    refused(sqlite_world.call("GET", f"/ttl/{'x' * 256}"), 400, "1003", "ID")


def test_a_dataset_without_one_is_404(sqlite_world: World) -> None:
    refused(sqlite_world.call("GET", f"/ttl/{EMAILS}"), 404, "3001")


def test_it_is_not_seen_from_another_sandbox_or_org(world: World) -> None:
    made = create(world).json()
    for headers in (world.headers(sandbox_name=DEV), world.headers("stranger", org_id=OTHER_ORG)):
        for key in (made["ttlId"], EMAILS):
            refused(world.call("GET", f"/ttl/{key}", headers=headers), 404, "3001")


@pytest.mark.parametrize("key", [EMAILS, "ttlId"])
def test_a_cancelled_one_stays_readable_by_both_ids(sqlite_world: World, key: str) -> None:
    made = create(sqlite_world).json()
    sqlite_world.call("DELETE", f"/ttl/{EMAILS}")
    assert sqlite_world.call("GET", f"/ttl/{made.get(key, key)}").json()["status"] == "cancelled"


@pytest.mark.parametrize("key", [EMAILS, "ttlId"])
def test_a_completed_one_stays_readable_by_both_ids(sqlite_world: World, key: str) -> None:
    made = create(sqlite_world, expiry=SOON).json()
    sqlite_world.later(hours=24)
    sqlite_world.execute(UUID(made["ttlId"][3:]), complete=True)
    assert sqlite_world.call("GET", f"/ttl/{made.get(key, key)}").json()["status"] == "completed"


def test_the_history_comes_when_it_is_asked_for_oldest_first(world: World) -> None:
    made = create(world, expiry=SOON).json()
    world.later(minutes=1)
    world.call("PATCH", f"/ttl/{EMAILS}", {"expiry": "2031-01-01"})
    world.call("DELETE", f"/ttl/{EMAILS}", client_id="service")
    world.call("PUT", f"/ttl/{EMAILS}", {"expiry": (NOON + timedelta(hours=25)).isoformat()})
    world.later(hours=25)
    world.execute(UUID(made["ttlId"][3:]), complete=True)
    history = world.call("GET", f"/ttl/{EMAILS}", include="history").json()["history"]
    assert [entry["status"] for entry in history] == [
        "created",
        "updated",
        "cancelled",
        "updated",
        "executing",
        "completed",
    ]
    assert history[0] == {
        "status": "created",
        "expiry": "2026-03-05T12:00:00.000000Z",
        "updatedAt": "2026-03-04T12:00:00.000000Z",
        "updatedBy": made["updatedBy"],
    }
    assert history[1]["expiry"] == history[2]["expiry"] == "2031-01-01T00:00:00.000000Z"
    assert history[2]["updatedBy"].endswith("service@techacct.example.com")
    assert history[4]["updatedAt"] == "2026-03-05T13:01:00.000000Z"


@pytest.mark.parametrize("include", [None, "", "everything", "History"])
def test_without_asking_there_is_no_history(sqlite_world: World, include: str | None) -> None:
    create(sqlite_world)
    query = {} if include is None else {"include": include}
    assert "history" not in sqlite_world.call("GET", f"/ttl/{EMAILS}", **query).json()


# productStatusDetails

NAMES = ["Data Management", "Identity Service", "Profile Service", "Journey Orchestrator"]


@pytest.fixture
def executing(sqlite_world: World) -> World:
    made = create(sqlite_world, expiry=SOON).json()
    sqlite_world.later(hours=24)
    sqlite_world.execute(UUID(made["ttlId"][3:]))
    return sqlite_world


def test_products_are_shown_while_executing(executing: World) -> None:
    shown = executing.call("GET", f"/ttl/{EMAILS}").json()
    assert shown["status"] == "executing"
    assert shown["productStatusDetails"] == [
        {"productName": name, "productStatus": "waiting", "createdAt": "2026-03-05T12:00:00.000000Z"} for name in NAMES
    ]


def test_products_are_shown_once_completed(sqlite_world: World) -> None:
    made = create(sqlite_world, expiry=SOON).json()
    sqlite_world.later(hours=24)
    sqlite_world.execute(UUID(made["ttlId"][3:]), complete=True)
    shown = sqlite_world.call("GET", f"/ttl/{EMAILS}").json()
    assert [each["productStatus"] for each in shown["productStatusDetails"]] == ["success"] * 4


def test_lists_show_no_products(executing: World) -> None:
    assert "productStatusDetails" not in executing.expirations()[0]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("Data Management", ["Data Management"]),
        ("Journey Orchestrator,Data Management", ["Data Management", "Journey Orchestrator"]),
        ("Profile Service, Identity Service", ["Identity Service", "Profile Service"]),
        (",".join(NAMES), NAMES),
    ],
)
def test_products_may_be_chosen(executing: World, asked: str, shown: list[str]) -> None:
    answer = executing.call("GET", f"/ttl/{EMAILS}", productStatusDetails=asked).json()
    assert [each["productName"] for each in answer["productStatusDetails"]] == shown


@pytest.mark.parametrize(
    "asked", ["", "Data", "data management", "Data Management,", "Data Management;Profile Service"]
)
def test_an_unknown_product_is_400(executing: World, asked: str) -> None:
    response = executing.call("GET", f"/ttl/{EMAILS}", productStatusDetails=asked)
    refused(response, 400, "1003", "productStatusDetails")


def test_products_cannot_be_asked_for_while_pending_or_cancelled(sqlite_world: World) -> None:
    create(sqlite_world)
    for _ in ("pending", "cancelled"):
        response = sqlite_world.call("GET", f"/ttl/{EMAILS}", productStatusDetails="Data Management")
        refused(response, 400, "3006", "productStatusDetails")
        sqlite_world.call("DELETE", f"/ttl/{EMAILS}")


def test_duplicate_keys_are_refused(sqlite_world: World) -> None:
    body = b'{"datasetId": "%s", "expiry": "2030-01-01", "expiry": "2031-01-01"}' % EMAILS.encode()
    headers = sqlite_world.headers() | {"Content-Type": "application/json"}
    refused(sqlite_world.client.post(f"{HYGIENE}/ttl", content=body, headers=headers), 400, "1002", "expiry")
    assert sqlite_world.expirations() == []
