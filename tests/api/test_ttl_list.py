"""`GET /ttl`: filters, orderings and pages."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lethe.domain.ids import ExpirationId
from lethe.operations.expirations import complete_execution
from lethe.storage.store import SqlStore
from support.api import HYGIENE, World, organization, sandbox
from support.clock import NOON
from support.values import DEV, ORG, OTHER_ORG, PROD

from .conftest import MakeWorld
from .refusals import refused


def schedule(world: World, dataset_id: str, *, name: str = "", client_id: str = "administrator", **body: Any) -> Any:
    world.register(dataset_id, name=name or f"Dataset {dataset_id}")
    body = {"expiry": "2031-01-01"} | body
    made = world.call("POST", "/ttl", {"datasetId": dataset_id, **body}, client_id=client_id)
    assert made.status_code == 201, made.text
    return made.json()


def furnish(world: World) -> World:
    """Four expirations, an hour apart: apple pending, pear cancelled, plum completed, quince pending by another."""
    schedule(world, "apple", name="Green Apples", displayName="Drop A", description="Ticket 1, 100%")
    world.later(hours=1)
    schedule(world, "pear", name="Yellow PEARS", displayName="drop b", description="Ticket_2")
    world.later(hours=1)
    plum = schedule(world, "plum", expiry=(world.clock.now + timedelta(hours=24)).isoformat(), displayName="Ünder Ⅷ")
    world.later(hours=1)
    schedule(world, "quince", client_id="service", displayName="back\\slash 'quote\"", description="ticket x2")
    world.later(hours=1)
    world.call("DELETE", "/ttl/pear")
    world.later(hours=22)
    world.execute(UUID(plum["ttlId"][3:]))
    world.later(hours=1)
    with world.store.write() as tx:
        complete_execution(tx, ORG, PROD, ExpirationId(UUID(plum["ttlId"][3:])))
    return world


@pytest.fixture
def orchard(world: World) -> World:
    return furnish(world)


@pytest.fixture
def sqlite_orchard(sqlite_world: World) -> World:
    return furnish(sqlite_world)


def found(world: World, **query: object) -> list[str]:
    return sorted(each["datasetId"] for each in world.expirations(**query))


ALL = ["apple", "pear", "plum", "quince"]
AUTHOR = "Ann Ovid <administrator@example.com> administrator@techacct.example.com"

FILTERS: Sequence[tuple[dict[str, str], list[str]]] = [
    ({}, ALL),
    ({"author": AUTHOR}, ["apple", "pear"]),
    ({"author": AUTHOR.lower()}, []),
    ({"author": "Ann Ovid"}, []),
    ({"author": "LIKE %administrator%"}, ["apple", "pear"]),
    ({"author": "LIKE %Administrator%"}, []),
    ({"author": "LIKE Ann Ovid%"}, ["apple", "pear", "quince"]),
    ({"author": "LIKE %service_techacct%"}, ["quince"]),
    ({"author": "LIKE administrator"}, []),
    ({"author": "NOT LIKE %administrator%"}, ["plum", "quince"]),
    ({"author": "NOT LIKE %"}, []),
    ({"author": "like %administrator%"}, []),
    ({"author": "LIKE %*%"}, []),
    ({"author": "LIKE %?%"}, []),
    ({"author": "LIKE %[a-z]%"}, []),
    ({"author": "LIKE %\\%%"}, []),
    ({"author": "LIKE '"}, []),
    ({"author": ""}, []),
    ({"datasetId": "apple"}, ["apple"]),
    ({"datasetId": "APPLE"}, []),
    ({"datasetId": "app"}, []),
    ({"datasetId": "apple,pear"}, []),
    ({"datasetName": "apples"}, ["apple"]),
    ({"datasetName": "pears"}, ["pear"]),
    ({"datasetName": "e"}, ALL),
    ({"displayName": "DROP"}, ["apple", "pear"]),
    ({"displayName": "ünder ⅷ"}, ["plum"]),
    ({"displayName": "back\\slash"}, ["quince"]),
    ({"displayName": "'quote\""}, ["quince"]),
    ({"displayName": "\\"}, ["quince"]),
    ({"displayName": "' OR 1=1 --"}, []),
    ({"description": "%"}, ["apple"]),
    ({"description": "_"}, ["pear"]),
    ({"description": "t%2"}, []),
    ({"description": "ticket_"}, ["pear"]),
    ({"description": "ticket"}, ["apple", "pear", "quince"]),
    ({"description": ""}, ALL),
    ({"search": "ticket"}, ["apple", "pear", "quince"]),
    ({"search": "green apples"}, ["apple"]),
    ({"search": "DROP A"}, ["apple"]),
    ({"search": "lethe@localhost"}, ["plum"]),
    ({"search": "drop aticket"}, []),
    ({"search": "%"}, ["apple"]),
    ({"search": "SD-"}, []),
    ({"status": "pending"}, ["apple", "quince"]),
    ({"status": "canceled"}, ["pear"]),
    ({"status": "cancelled"}, ["pear"]),
    ({"status": "pending,canceled"}, ["apple", "pear", "quince"]),
    ({"status": "pending, completed"}, ["apple", "plum", "quince"]),
    ({"status": "executing"}, []),
    ({"status": "unheard-of"}, []),
    ({"status": "unheard-of,completed"}, ["plum"]),
    ({"status": "PENDING"}, []),
    ({"status": ""}, []),
    ({"status": "pending", "displayName": "drop"}, ["apple"]),
    ({"search": "ticket", "author": "NOT LIKE %service%"}, ["apple", "pear"]),
    ({"sandboxName": "prod"}, ALL),
    ({"sandboxName": "dev"}, []),
    ({"sandboxName": "*"}, ALL),
    ({"sandboxName": "unheard-of"}, []),
    ({"sandboxName": "prod,dev"}, []),
    ({"unheardOf": "x", "fruit": "quince"}, ALL),
    ({"orgId": OTHER_ORG}, ALL),
]


def test_filters(orchard: World) -> None:
    wrong = {
        str(query): (shown, expected)
        for query, expected in FILTERS
        if (shown := found(orchard, **({"sandboxName": "prod"} | query))) != expected
    }
    assert wrong == {}


DATES: Sequence[tuple[dict[str, str], list[str]]] = [
    # made on 2026-03-04 at 12, 13, 14 and 15; pear cancelled at 16; plum begun on 03-05 at 14, done at 15
    ({"createdDate": "2026-03-04"}, ALL),
    ({"createdDate": "2026-03-05"}, []),
    ({"createdDate": "2026-03-04T13:00:00Z"}, ["pear", "plum", "quince"]),
    ({"createdDate": "2026-03-03T13:00:00Z"}, ["apple"]),
    ({"createdDate": "2026-03-03T14:00:00+01:00"}, ["apple"]),
    ({"createdFromDate": "2026-03-04"}, ALL),
    ({"createdFromDate": "2026-03-04T14:00:00"}, ["plum", "quince"]),
    ({"createdFromDate": "2026-03-04T14:00:00.000001"}, ["quince"]),
    ({"createdFromDate": "2026-03-05"}, []),
    ({"createdToDate": "2026-03-04"}, ALL),
    ({"createdToDate": "2026-03-03"}, []),
    ({"createdToDate": "2026-03-04T13:00:00Z"}, ["apple", "pear"]),
    ({"createdToDate": "2026-03-04T12:59:59.999999Z"}, ["apple"]),
    ({"createdFromDate": "2026-03-04T13:00:00Z", "createdToDate": "2026-03-04T14:00:00Z"}, ["pear", "plum"]),
    ({"createdFromDate": "2026-03-05", "createdToDate": "2026-03-03"}, []),
    ({"createdDate": "2026-03-04", "createdFromDate": "2026-03-04T15:00:00Z"}, ["quince"]),
    ({"updatedDate": "2026-03-04"}, ["apple", "pear", "quince"]),
    ({"updatedDate": "2026-03-05"}, ["plum"]),
    ({"updatedFromDate": "2026-03-04T16:00:00Z"}, ["pear", "plum"]),
    ({"updatedToDate": "2026-03-04T15:59:59Z"}, ["apple", "quince"]),
    ({"cancelledDate": "2026-03-04"}, ["pear"]),
    ({"cancelledDate": "2026-03-05"}, []),
    ({"cancelledFromDate": "2026-03-04T16:00:00Z"}, ["pear"]),
    ({"cancelledFromDate": "2026-03-04T16:00:01Z"}, []),
    ({"cancelledToDate": "2026-03-04"}, ["pear"]),
    ({"executedDate": "2026-03-05"}, ["plum"]),
    ({"executedFromDate": "2026-03-05T14:00:00Z"}, ["plum"]),
    ({"executedToDate": "2026-03-05T13:59:59Z"}, []),
    ({"completedDate": "2026-03-05"}, ["plum"]),
    ({"completedFromDate": "2026-03-05T15:00:00Z"}, ["plum"]),
    ({"completedToDate": "2026-03-05T14:59:59Z"}, []),
    ({"expiryDate": "2031-01-01"}, ["apple", "pear", "quince"]),
    ({"expiryDate": "2026-03-05"}, ["plum"]),
    ({"expiryFromDate": "2030-12-31T23:59:59Z"}, ["apple", "pear", "quince"]),
    ({"expiryToDate": "2031-01-01"}, ALL),
    ({"expiryToDate": "2030-12-31"}, ["plum"]),
    ({"expiryToDate": "9999-12-30"}, ALL),
    ({"expiryFromDate": "0001-01-01"}, ALL),
]


def test_dates(orchard: World) -> None:
    wrong = {
        str(query): (shown, expected) for query, expected in DATES if (shown := found(orchard, **query)) != expected
    }
    assert wrong == {}


def test_a_plus_that_a_query_left_unescaped(sqlite_orchard: World) -> None:
    url = f"{HYGIENE}/ttl?createdFromDate=2026-03-04T15:00:00+01:00&orderBy=+datasetName"
    results = sqlite_orchard.client.get(url, headers=sqlite_orchard.headers()).json()["results"]
    assert [each["datasetId"] for each in results] == ["plum", "quince"]


def test_by_ttl_id(orchard: World) -> None:
    ttl_id = orchard.call("GET", "/ttl/apple").json()["ttlId"]
    assert (
        found(orchard, ttlId=ttl_id) == found(orchard, search=ttl_id) == found(orchard, search=ttl_id[3:]) == ["apple"]
    )
    for other in ("SD-42215a53-b79e-49bc-bd00-69f8a470329f", ttl_id[3:], "SD-", "apple", ttl_id + "0", "' OR 1=1"):
        assert found(orchard, ttlId=other) == []


def test_a_cancelled_and_reopened_one_is_still_found_by_its_cancellation(sqlite_orchard: World) -> None:
    sqlite_orchard.call("PATCH", "/ttl/pear", {"expiry": "2031-01-01"})
    assert found(sqlite_orchard, status="cancelled") == []
    assert found(sqlite_orchard, cancelledDate="2026-03-04", status="pending") == ["pear"]


# Orderings


def in_order(world: World, order_by: str | None) -> list[str]:
    query = {} if order_by is None else {"orderBy": order_by}
    return [each["datasetId"] for each in world.expirations(**query)]


ORDERS: Sequence[tuple[str | None, list[str]]] = [
    (None, ["plum", "pear", "quince", "apple"]),
    ("-updatedAt", ["plum", "pear", "quince", "apple"]),
    ("updatedAt", ["apple", "quince", "pear", "plum"]),
    ("+updatedAt", ["apple", "quince", "pear", "plum"]),
    ("datasetName", ["plum", "quince", "apple", "pear"]),
    ("-datasetName", ["pear", "apple", "quince", "plum"]),
    ("displayName", ["apple", "quince", "pear", "plum"]),
    ("-displayName", ["plum", "pear", "quince", "apple"]),
    ("-expiry,updatedAt", ["apple", "quince", "pear", "plum"]),
    ("expiry,-updatedAt", ["plum", "pear", "quince", "apple"]),
    ("status,updatedAt", ["pear", "plum", "apple", "quince"]),
    ("-status,-updatedAt", ["quince", "apple", "plum", "pear"]),
    ("updatedBy,updatedAt", ["apple", "pear", "quince", "plum"]),
    ("-description,updatedAt", ["quince", "pear", "apple", "plum"]),
    ("updatedAt,updatedAt", ["apple", "quince", "pear", "plum"]),
]


def test_orderings(orchard: World) -> None:
    wrong = {str(by): (shown, expected) for by, expected in ORDERS if (shown := in_order(orchard, by)) != expected}
    assert wrong == {}


def test_ordered_by_id(orchard: World) -> None:
    ids = [each["ttlId"] for each in orchard.expirations(orderBy="id")]
    assert ids == sorted(ids)
    assert [each["ttlId"] for each in orchard.expirations(orderBy="-id")] == ids[::-1]


@pytest.mark.parametrize(
    "order_by",
    ["", "-", "+", ",", "name", "DISPLAYNAME", "displayName,", "createdAt", "-+id", "--id", "id;"],
)
def test_an_unknown_ordering_is_400(sqlite_world: World, order_by: str) -> None:
    refused(sqlite_world.call("GET", "/ttl", orderBy=order_by), 400, "1003", "orderBy")


# Pages


def page(world: World, **query: object) -> tuple[int, int, int, int]:
    response = world.call("GET", "/ttl", **query)
    assert response.status_code == 200, response.text
    body = response.json()
    assert list(body) == ["results", "current_page", "total_pages", "total_count"]
    return len(body["results"]), body["current_page"], body["total_pages"], body["total_count"]


def test_pages_count_from_zero(orchard: World) -> None:
    assert page(orchard) == (4, 0, 1, 4)
    assert page(orchard, limit=3) == (3, 0, 2, 4)
    assert page(orchard, limit=3, page=1) == (1, 1, 2, 4)
    assert page(orchard, limit=2, page=1) == (2, 1, 2, 4)
    assert page(orchard, limit=100) == (4, 0, 1, 4)
    assert page(orchard, limit=1, status="pending") == (1, 0, 2, 2)


def test_a_page_past_the_end_is_empty_and_no_error(orchard: World) -> None:
    assert page(orchard, limit=3, page=2) == (0, 2, 2, 4)
    assert page(orchard, page=1) == (0, 1, 1, 4)
    assert page(orchard, page=1_000_000_000, limit=100) == (0, 1_000_000_000, 1, 4)


def test_an_empty_list_has_one_page(world: World) -> None:
    assert page(world) == (0, 0, 1, 0)
    assert page(world, page=1) == (0, 1, 1, 0)
    assert page(world, status="unheard-of") == (0, 0, 1, 0)
    assert page(world, ttlId="nonsense") == (0, 0, 1, 0)


@pytest.mark.parametrize("order_by", ["-updatedAt", "status", "expiry", "displayName,-description"])
def test_pages_together_hold_each_one_once(sqlite_orchard: World, order_by: str) -> None:
    seen = []
    for number in range(4):
        seen += [each["datasetId"] for each in sqlite_orchard.expirations(orderBy=order_by, limit=1, page=number)]
    assert sorted(seen) == ALL


def test_size_is_another_word_for_limit(sqlite_orchard: World) -> None:
    assert page(sqlite_orchard, size=3) == (3, 0, 2, 4)
    assert page(sqlite_orchard, size=3, limit=2) == (2, 0, 2, 4)


@pytest.mark.parametrize("name", ["limit", "size"])
@pytest.mark.parametrize(
    "value", ["0", "101", "-1", "", "ten", "1.5", "5.0", "1_0", "1e1", "9" * 400, "NaN", "\u0665", "+5"]
)
def test_a_limit_is_an_integer_from_1_to_100(sqlite_world: World, name: str, value: str) -> None:
    refused(sqlite_world.call("GET", "/ttl", **{name: value}), 400, "1003", name)


@pytest.mark.parametrize("value", ["-1", "", "one", "1.0", "1000000001", "9" * 400, "--1"])
def test_a_page_is_an_integer_from_0(sqlite_world: World, value: str) -> None:
    refused(sqlite_world.call("GET", "/ttl", page=value), 400, "1003", "page")


# Malformed values


INSTANTS = ["created", "updated", "cancelled", "completed", "executed", "expiry"]


@pytest.mark.parametrize("what", INSTANTS)
@pytest.mark.parametrize("part", ["Date", "FromDate", "ToDate"])
def test_a_malformed_date_is_400(sqlite_world: World, what: str, part: str) -> None:
    for value in ("", "yesterday", "2026-02-31", "2026-13-01", "10000-01-01", "2026-03-04T25:00:00Z", "1741089600"):
        refused(sqlite_world.call("GET", "/ttl", **{what + part: value}), 400, "1003", what + part)


TEXTS = ["author", "datasetId", "ttlId", "datasetName", "displayName", "description", "search", "status", "sandboxName"]


@pytest.mark.parametrize("name", [*TEXTS, "orgId"])
def test_a_text_that_is_too_long_or_holds_nul_is_400(sqlite_world: World, name: str) -> None:
    refused(sqlite_world.call("GET", "/ttl", **{name: "x" * 1_001}), 400, "1003", name)
    refused(sqlite_world.call("GET", "/ttl", **{name: "a\0b"}), 400, "1003", name)


def test_odd_bytes_in_a_query_match_nothing(world: World) -> None:
    for value in ("%ED%A0%80", "%FF%FE", "%C0%80", "%F0%9F", "%EF%BF%BF", "%1F", "%0D%0ASet-Cookie:%20x"):
        for name in (*TEXTS, "orgId", "fruit"):
            response = world.client.get(f"{HYGIENE}/ttl?{name}={value}", headers=world.headers())
            assert response.status_code == 200, (name, value)
            assert response.json()["results"] == []
            assert "set-cookie" not in response.headers


# Sandboxes and orgs


def test_the_list_is_of_the_headers_sandbox_unless_another_is_named(world: World) -> None:
    world.register("here")
    world.register("there", sandbox_name=DEV)
    world.call("POST", "/ttl", {"datasetId": "here", "expiry": "2031-01-01"})
    world.call("POST", "/ttl", {"datasetId": "there", "expiry": "2031-01-01"}, headers=world.headers(sandbox_name=DEV))

    def listed(client_id: str, sandbox_name: str, **query: object) -> list[str]:
        headers = world.headers(client_id, sandbox_name=sandbox_name)
        return sorted(
            each["datasetId"] for each in world.call("GET", "/ttl", headers=headers, **query).json()["results"]
        )

    assert listed("viewer", PROD) == ["here"]
    assert listed("viewer", DEV) == ["there"]
    assert listed("viewer", PROD, sandboxName=DEV) == ["there"]
    assert listed("viewer", PROD, sandboxName="*") == ["here", "there"]
    assert listed("prod-only", PROD, sandboxName="*") == ["here"]
    assert listed("prod-only", PROD, sandboxName=DEV) == []
    assert listed("dev-only", DEV, sandboxName="*") == ["there"]


def test_another_org_is_listed_for_an_entitled_service_token_alone(make_world: MakeWorld, store: SqlStore) -> None:
    other = organization(OTHER_ORG, sandbox_header_required=False)
    lab = sandbox(type(PROD)("lab"))
    other = type(other)(OTHER_ORG, (*other.sandboxes, lab))
    world = make_world(store, orgs=[organization(ORG), other])
    world.register("ours")
    world.call("POST", "/ttl", {"datasetId": "ours", "expiry": "2031-01-01"})
    for dataset_id, name in (("theirs", PROD), ("experiment", lab.name)):
        world.register(dataset_id, org_id=OTHER_ORG, sandbox_name=name)
        headers = world.headers("stranger", org_id=OTHER_ORG, sandbox_name=name)
        assert world.call("POST", "/ttl", {"datasetId": dataset_id, "expiry": "2031-01-01"}, headers=headers).is_success

    def listed(client_id: str, **query: object) -> list[str]:
        results = world.call("GET", "/ttl", client_id=client_id, **query).json()["results"]
        return sorted(each["datasetId"] for each in results)

    assert listed("both-orgs") == ["ours"]
    assert listed("both-orgs", orgId=OTHER_ORG) == ["theirs"]
    assert listed("both-orgs", orgId=OTHER_ORG, sandboxName="lab") == ["experiment"]
    assert listed("both-orgs", orgId=OTHER_ORG, sandboxName="*") == ["experiment", "theirs"]
    assert listed("both-orgs", orgId=ORG) == ["ours"]
    assert listed("both-orgs", orgId="UNKNOWN@LetheOrg") == []
    assert listed("service", orgId=OTHER_ORG) == []  # a service token of one org alone
    assert listed("administrator", orgId=OTHER_ORG) == ["ours"]  # ignored
    assert listed("viewer", orgId="UNKNOWN@LetheOrg") == ["ours"]


def test_the_clock_of_the_list_is_utc_with_microseconds(sqlite_world: World) -> None:
    schedule(sqlite_world, "apple")
    shown = sqlite_world.expirations()[0]
    assert shown["updatedAt"] == NOON.strftime("%Y-%m-%dT%H:%M:%S.%fZ") == "2026-03-04T12:00:00.000000Z"
