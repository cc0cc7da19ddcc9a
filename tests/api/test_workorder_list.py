"""`GET /workorder`: filters, orderings, pages and their links."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from lethe.domain.ids import WorkOrderId
from lethe.domain.product import ProductProgress, ProductStatus
from support.api import ANONYMOUS, EMAILS, HYGIENE, MAPPED, World
from support.values import DEV, ORG, OTHER_ORG, PROD

from .refusals import refused


def accept(world: World, count: int = 1, *, client_id: str = "administrator", **body: Any) -> dict[str, Any]:
    ids = [{"namespace": {"code": "email"}, "id": str(number)} for number in range(count)]
    whole = {"datasetId": EMAILS, **({} if body.get("action") == "delete_dataset" else {"identities": ids}), **body}
    response = world.call("POST", "/workorder", whole, client_id=client_id)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def advance(world: World, made: dict[str, Any], steps: int = 1, *, fail: bool = False) -> None:
    """Bring an order further along its way."""
    with world.store.write() as tx:
        order = tx.work_orders.find(world.orgs[0].org_id, PROD, WorkOrderId(UUID(made["workorderId"][3:])))
        assert order is not None
        for _ in range(steps):
            order = order.advanced(tx.now)
            tx.work_orders.save(order)
        if fail:
            tx.work_orders.save(order.failed(tx.now))


@pytest.fixture
def office(world: World) -> World:
    return furnish(world)


@pytest.fixture
def sqlite_office(sqlite_world: World) -> World:
    return furnish(sqlite_world)


def furnish(world: World) -> World:
    """Four orders, a day apart from 2026-03-04: one received, two submitted by another, three renamed, four failed."""
    accept(world, 3, displayName="one", description="Ticket 1, 100%")
    world.later(days=1)
    two = accept(world, 1, datasetId="ALL", displayName="two TWO", description="Ticket_2", client_id="service")
    world.later(days=1)
    three = accept(world, action="delete_dataset", datasetId=ANONYMOUS, displayName="before")
    world.later(days=1)
    four = accept(world, 2, datasetId=f"{MAPPED},{EMAILS}", displayName="four", description="quote ' \\ Ⅷ")
    world.later(days=1)
    advance(world, two, 3)
    world.later(days=1)
    world.call("PUT", f"/workorder/{three['workorderId']}", {"name": "three"}, client_id="record-delete-manager")
    world.later(days=1)
    advance(world, four, fail=True)
    return world


def found(world: World, **query: object) -> list[str]:
    return sorted(each["displayName"].split()[0] for each in world.orders(**query))


ALL = ["four", "one", "three", "two"]
AUTHOR = "Ann Ovid <administrator@example.com> administrator@techacct.example.com"

FILTERS: Sequence[tuple[dict[str, str], list[str]]] = [
    ({}, ALL),
    ({"search": "ticket"}, ["one", "two"]),
    ({"search": "two two"}, ["two"]),
    ({"search": "dataset anonymous"}, ["three"]),
    ({"search": "service@"}, ["two"]),
    ({"search": "%"}, ["one"]),
    ({"search": "ⅷ"}, ["four"]),
    ({"search": "' OR 1=1"}, []),
    ({"type": "identity-delete"}, ["four", "one", "two"]),
    ({"type": "delete_identity"}, ["four", "one", "two"]),
    ({"type": "dataset-delete"}, ["three"]),
    ({"type": "delete_dataset,identity-delete"}, ALL),
    ({"type": "unheard-of"}, []),
    ({"type": "unheard-of,dataset-delete"}, ["three"]),
    ({"status": "received"}, ["one", "three"]),
    ({"status": "ingested"}, ["two"]),
    ({"status": "failed,received"}, ["four", "one", "three"]),
    ({"status": "unheard-of"}, []),
    ({"status": ""}, []),
    ({"author": AUTHOR}, ["four", "one"]),
    ({"author": "LIKE %service%"}, ["two"]),
    ({"author": "LIKE %record-delete-manager%"}, ["three"]),
    ({"author": "NOT LIKE %administrator%"}, ["three", "two"]),
    ({"author": "administrator"}, []),
    ({"displayName": "TWO"}, ["two"]),
    ({"displayName": "o"}, ["four", "one", "two"]),
    ({"displayName": "_"}, []),
    ({"description": "100%"}, ["one"]),
    ({"description": "t_2"}, ["two"]),
    ({"description": "\\"}, ["four"]),
    ({"description": "'"}, ["four"]),
    ({"sandboxName": "prod"}, ALL),
    ({"sandboxName": "*"}, ALL),
    ({"sandboxName": "dev"}, []),
    ({"sandboxName": "unheard-of"}, []),
    ({"fromDate": "2026-03-05", "toDate": "2026-03-06"}, ["three", "two"]),
    ({"fromDate": "2026-03-05T12:00:00Z", "toDate": "2026-03-05T12:00:00Z"}, ["two"]),
    ({"fromDate": "2026-03-05T12:00:00.000001Z", "toDate": "2026-03-06T11:59:59Z"}, []),
    ({"fromDate": "2026-03-06", "toDate": "2026-03-05"}, []),
    ({"filterDate": "2026-03-04"}, ["one"]),
    ({"filterDate": "2026-03-06"}, ["three"]),
    ({"filterDate": "2026-03-08"}, ["two"]),
    ({"filterDate": "2026-03-09"}, ["three"]),
    ({"filterDate": "2026-03-10"}, ["four"]),
    ({"filterDate": "2026-03-11"}, []),
    ({"filterDate": "2026-03-07", "status": "failed"}, ["four"]),
    ({"filterDate": "2026-03-08T12:00:00Z"}, ["two"]),
    ({"orgId": OTHER_ORG}, ALL),
    ({"unheardOf": "x"}, ALL),
]


def test_filters(office: World) -> None:
    wrong = {
        str(query): (shown, expected)
        for query, expected in FILTERS
        if (shown := found(office, **({"sandboxName": "prod"} | query))) != expected
    }
    assert wrong == {}


@pytest.mark.parametrize("name", ["workorderId", "WORKORDER_ID", "requestId", "search"])
def test_by_id(office: World, name: str) -> None:
    wanted = office.orders(displayName="four")[0]["workorderId"]
    assert found(office, **{name: wanted}) == found(office, **{name: wanted[3:]}) == ["four"]
    for other in ("DI-42215a53-b79e-49bc-bd00-69f8a470329f", "DI-", "nonsense", f"{wanted}0", "' OR 1=1 --"):
        assert found(office, **{name: other}) == []


def test_several_words_for_the_id_must_agree(sqlite_office: World) -> None:
    four, one = (sqlite_office.orders(displayName=name)[0]["workorderId"] for name in ("four", "one"))
    assert found(sqlite_office, workorderId=four, requestId=four[3:]) == ["four"]
    assert found(sqlite_office, workorderId=four, WORKORDER_ID=one) == []


def test_it_is_another_orgs_and_sandboxs_that_are_not_listed(world: World) -> None:
    world.register("there", sandbox_name=DEV)
    world.register("theirs", org_id=OTHER_ORG)
    for dataset_id, headers in (
        (EMAILS, world.headers()),
        ("there", world.headers(sandbox_name=DEV)),
        ("theirs", world.headers("stranger", org_id=OTHER_ORG)),
    ):
        body = {"action": "delete_dataset", "datasetId": dataset_id}
        assert world.call("POST", "/workorder", body, headers=headers).status_code == 201

    def listed(client_id: str, sandbox_name: str, **query: object) -> list[str]:
        headers = world.headers(client_id, sandbox_name=sandbox_name)
        return sorted(
            each["datasetId"] for each in world.call("GET", "/workorder", headers=headers, **query).json()["results"]
        )

    assert listed("viewer", PROD) == [EMAILS]
    assert listed("viewer", PROD, sandboxName="*") == [EMAILS, "there"]
    assert listed("prod-only", PROD, sandboxName="*") == [EMAILS]
    assert listed("prod-only", PROD, sandboxName=DEV) == []
    assert listed("both-orgs", PROD, orgId=OTHER_ORG) == [EMAILS]


# Orderings


def in_order(world: World, order_by: str | None) -> list[str]:
    query = {} if order_by is None else {"orderBy": order_by}
    return [each["displayName"].split()[0] for each in world.orders(**query)]


ORDERS: Sequence[tuple[str | None, list[str]]] = [
    (None, ["four", "three", "two", "one"]),
    ("createdAt", ["one", "two", "three", "four"]),
    ("+createdAt", ["one", "two", "three", "four"]),
    ("-createdAt", ["four", "three", "two", "one"]),
    ("updatedAt", ["one", "two", "three", "four"]),
    ("-updatedAt", ["four", "three", "two", "one"]),
    ("displayName", ["four", "one", "three", "two"]),
    ("-displayName", ["two", "three", "one", "four"]),
    ("-description", ["four", "two", "one", "three"]),
    ("datasetName", ["two", "one", "three", "four"]),
    ("operationCount", ["three", "two", "four", "one"]),
    ("-operationCount", ["one", "four", "two", "three"]),
    ("operation,createdAt", ["three", "one", "two", "four"]),
    ("status,createdAt", ["four", "two", "one", "three"]),
    ("createdBy,-createdAt", ["four", "three", "one", "two"]),
    ("updatedBy,-createdAt", ["four", "one", "three", "two"]),
]


def test_orderings(office: World) -> None:
    wrong = {str(by): (shown, expected) for by, expected in ORDERS if (shown := in_order(office, by)) != expected}
    assert wrong == {}


def test_ordered_by_id(office: World) -> None:
    ids = [each["workorderId"] for each in office.orders(orderBy="id")]
    assert ids == sorted(ids)
    assert [each["workorderId"] for each in office.orders(orderBy="-id")] == ids[::-1]


@pytest.mark.parametrize("order_by", ["", "-", "expiry", "created_at", "displayName,", "--id", "id;", "1"])
def test_an_unknown_ordering_is_400(sqlite_world: World, order_by: str) -> None:
    refused(sqlite_world.call("GET", "/workorder", orderBy=order_by), 400, "1003", "orderBy")


# Pages and links


def test_the_page_of_a_short_list(world: World) -> None:
    made = accept(world)
    answer = world.call("GET", "/workorder").json()
    assert list(answer) == ["results", "total", "count", "_links"]
    assert answer == {
        "results": [made],
        "total": 1,
        "count": 1,
        "_links": {"page": {"href": f"http://testserver{HYGIENE}/workorder?limit=25&page={{page}}", "templated": True}},
    }


def test_an_empty_list_has_no_next(world: World) -> None:
    answer = world.call("GET", "/workorder").json()
    assert (answer["results"], answer["total"], answer["count"], list(answer["_links"])) == ([], 0, 0, ["page"])


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_following_next_gives_every_order_once(sqlite_office: World, limit: int) -> None:
    answer = sqlite_office.call("GET", "/workorder", limit=limit, orderBy="-status").json()
    seen = [each["displayName"] for each in answer["results"]]
    pages = 1
    while "next" in answer["_links"]:
        link = answer["_links"]["next"]
        assert link["templated"] is False
        answer = sqlite_office.client.get(link["href"], headers=sqlite_office.headers()).json()
        assert answer["count"] == len(answer["results"]) > 0
        assert answer["total"] == 4
        seen += [each["displayName"] for each in answer["results"]]
        pages += 1
    assert sorted(seen) == ["four", "one", "three", "two TWO"]
    assert pages == -(-4 // limit)


def test_links_keep_the_filters(sqlite_office: World) -> None:
    query = {"displayName": "o & {x}=%é", "status": "received", "sandboxName": "*", "limit": "1", "fruit": "fig"}
    links = sqlite_office.call("GET", "/workorder", page=3, **query).json()["_links"]
    href = links["page"]["href"].replace("{page}", "7")
    assert parse_qs(urlsplit(href).query) == {name: [value] for name, value in query.items()} | {"page": ["7"]}
    assert "next" not in links
    following = sqlite_office.call("GET", "/workorder", status="received", limit=1).json()["_links"]["next"]["href"]
    assert parse_qs(urlsplit(following).query) == {"status": ["received"], "limit": ["1"], "page": ["1"]}


def test_links_begin_with_the_public_url(sqlite_world: World) -> None:
    services = sqlite_world.services
    from dataclasses import replace

    sqlite_world.client.app.state.services = replace(services, public_url="https://lethe.example.com/proxied/")
    href = sqlite_world.call("GET", "/workorder").json()["_links"]["page"]["href"]
    assert href == f"https://lethe.example.com/proxied{HYGIENE}/workorder?limit=25&page={{page}}"


def test_a_page_past_the_end_is_empty_and_no_error(world: World) -> None:
    accept(world)
    for number in (1, 7, 1_000_000_000):
        answer = world.call("GET", "/workorder", page=number).json()
        assert (answer["results"], answer["total"], answer["count"], list(answer["_links"])) == ([], 1, 0, ["page"])


@pytest.mark.parametrize("host", ["[::1", "a b", "x:y", "<b>", "a/b?c#d@e", ""])
def test_an_odd_host_breaks_nothing(sqlite_world: World, host: str) -> None:
    response = sqlite_world.client.get(f"{HYGIENE}/workorder", headers=sqlite_world.headers() | {"Host": host})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("limit", ["0", "101", "-1", "", "x", "5.0", "1_0", "9" * 400]),
        ("page", ["-1", "", "x", "1.0", "1000000001"]),
        ("filterDate", ["", "today", "2026-02-31", "10000-01-01"]),
        ("properties", ["", ",", "a,", "a b", "a;b", "é", "a'b", "x" * 1_001]),
        ("search", ["a\0b", "x" * 1_001]),
        ("author", ["a\0b", "x" * 1_001]),
        ("WORKORDER_ID", ["a\0b", "x" * 1_001]),
    ],
)
def test_malformed_values_are_400(sqlite_world: World, name: str, values: list[str]) -> None:
    for value in values:
        refused(sqlite_world.call("GET", "/workorder", **{name: value}), 400, "1003", name)


@pytest.mark.parametrize("name", ["fromDate", "toDate"])
def test_both_dates_or_neither(sqlite_world: World, name: str) -> None:
    response = sqlite_world.call("GET", "/workorder", **{name: "2026-03-04"})
    refused(response, 400, "1003")
    assert "fromDate and toDate" in response.json()["detail"]
    both = {"fromDate": "2026-03-04", "toDate": "2026-03-04"} | {name: "2026-02-31"}
    refused(sqlite_world.call("GET", "/workorder", **both), 400, "1003", name)


def test_odd_bytes_in_a_query_match_nothing(world: World) -> None:
    accept(world)
    for value in ("%ED%A0%80", "%FF%FE", "%F0%9F", "%EF%BF%BF", "%1F", "%0D%0ASet-Cookie:%20x"):
        for name in ("search", "type", "status", "author", "displayName", "description", "requestId", "sandboxName"):
            response = world.client.get(f"{HYGIENE}/workorder?{name}={value}", headers=world.headers())
            assert response.status_code == 200, (name, value)
            assert response.json()["results"] == []
            assert "set-cookie" not in response.headers


def test_properties_add_fields(office: World) -> None:
    with office.store.write() as tx:
        two = WorkOrderId(UUID(office.orders(displayName="two")[0]["workorderId"][3:]))
        order = tx.work_orders.find(ORG, PROD, two)
        assert order is not None
        progress = [ProductProgress(each, ProductStatus.WAITING, tx.now) for each in order.target_products]
        tx.work_orders.save_products({two: progress})
    plain = {each["displayName"]: each for each in office.orders(properties="workorderId,unheard/of")}
    assert not any("productStatusDetails" in each or "skippedDatasets" in each for each in plain.values())
    full = {each["displayName"]: each for each in office.orders(properties="productStatusDetails,skippedDatasets")}
    shown = [(each["productName"], each["productStatus"]) for each in full["two TWO"]["productStatusDetails"]]
    assert shown == [
        ("Data Management", "waiting"),
        ("Identity Service", "waiting"),
        ("Profile Service", "waiting"),
        ("Journey Orchestrator", "waiting"),
    ]
    assert full["two TWO"]["skippedDatasets"]
    assert "productStatusDetails" not in full["one"]
    looked_up = office.call("GET", f"/workorder/{two}").json()
    assert looked_up["productStatusDetails"] == full["two TWO"]["productStatusDetails"]


# Looking up and renaming


def test_an_unknown_order_is_404(world: World) -> None:
    for key in (
        "DI-42215a53-b79e-49bc-bd00-69f8a470329f",
        "nonsense",
        "DI-",
        "SD-42215a53-b79e-49bc-bd00-69f8a470329f",
        "%00",
    ):
        refused(world.call("GET", f"/workorder/{key}"), 404, "4001")
        refused(world.call("PUT", f"/workorder/{key}", {"name": "x"}), 404, "4001")
    refused(world.call("GET", f"/workorder/{'x' * 256}"), 400, "1003", "WORKORDER_ID")


def test_an_order_is_not_seen_or_changed_from_another_sandbox_or_org(world: World) -> None:
    made = accept(world)
    path = f"/workorder/{made['workorderId']}"
    for headers in (world.headers(sandbox_name=DEV), world.headers("stranger", org_id=OTHER_ORG)):
        refused(world.call("GET", path, headers=headers), 404, "4001")
        refused(world.call("PUT", path, {"name": "x"}, headers=headers), 404, "4001")
    assert world.orders() == [made]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"displayName": "New"}, {"displayName": "New"}),
        ({"name": "New"}, {"displayName": "New"}),
        ({"name": "New", "displayName": "New"}, {"displayName": "New"}),
        ({"description": "New"}, {"description": "New"}),
        ({"displayName": "", "description": None}, {"displayName": ""}),
        ({"name": "  Ü ", "description": "\n'"}, {"displayName": "  Ü ", "description": "\n'"}),
    ],
)
def test_put_changes_what_is_given_and_leaves_the_rest(
    world: World, body: dict[str, Any], shown: dict[str, Any]
) -> None:
    made = accept(world, displayName="Old", description="Old")
    world.later(hours=1)
    path = f"/workorder/{made['workorderId']}"
    response = world.call("PUT", path, body, client_id="service")
    assert response.status_code == 200
    at = "2026-03-04T13:00:00.000000Z"
    assert response.json() == made | shown | {"updatedAt": at, "updated_at": at}
    assert world.call("GET", path).json() == response.json()
    assert found_authors(world) == ["service"]


def found_authors(world: World) -> list[str]:
    return [name for name in ("administrator", "service") if world.orders(author=f"LIKE %{name}%")]


STEPS = ["received", "validated", "submitted", "ingested", "completed"]


@pytest.mark.parametrize("status", [*STEPS, "failed"])
def test_put_is_allowed_in_every_status(sqlite_world: World, status: str) -> None:
    made = accept(sqlite_world)
    advance(sqlite_world, made, 1 if status == "failed" else STEPS.index(status), fail=status == "failed")
    response = sqlite_world.call("PUT", f"/workorder/{made['workorderId']}", {"displayName": "New"})
    assert (response.status_code, response.json()["status"], response.json()["displayName"]) == (200, status, "New")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ({"displayName": None, "name": None, "description": None}, None),
        ({"displayName": "a", "name": "b"}, None),
        ({"displayName": "x" * 256}, "displayName"),
        ({"name": "x" * 256}, "name"),
        ({"description": "x" * 1_001}, "description"),
        ({"displayName": "a\0b"}, "displayName"),
        ({"displayName": 7}, "displayName"),
        ({"description": ["a"]}, "description"),
        ({"displayName": "a", "status": "completed"}, "status"),
        ({"displayName": "a", "identities": []}, "identities"),
    ],
)
def test_put_refuses_what_is_wrong_and_changes_nothing(
    sqlite_world: World, body: dict[str, Any], field: str | None
) -> None:
    made = accept(sqlite_world)
    refused(sqlite_world.call("PUT", f"/workorder/{made['workorderId']}", body), 400, "1002", field)
    assert sqlite_world.orders() == [made]


def test_put_costs_no_quota(sqlite_world: World) -> None:
    made = accept(sqlite_world, 3)
    sqlite_world.call("PUT", f"/workorder/{made['workorderId']}", {"name": "x"})
    assert sqlite_world.consumed("dailyConsumerDeleteIdentitiesQuota") == 3
