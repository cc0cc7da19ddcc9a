"""The headers of a call: each row of the contract's table, and in which order they are looked at."""

from typing import Any

import pytest

from lethe.storage.store import SqlStore
from support.api import EMAILS, HYGIENE, World, organization
from support.values import DEV, ORG, OTHER_ORG, PROD

from .conftest import MakeWorld

LISTS = ["/ttl", "/workorder"]


def refusal(response: Any) -> tuple[int, str, str]:
    answer = response.json()
    assert set(answer) == {"error_code", "message"}
    assert response.headers["content-type"] == "application/json"
    return response.status_code, answer["error_code"], answer["message"]


def call_with(world: World, path: str = "/ttl", /, **changed: str | None) -> Any:
    """A good call but for these headers; None leaves one out."""
    headers: dict[str, str | None] = {**world.headers()}
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    return world.call("GET", path, headers={name: value for name, value in headers.items() if value is not None})


# Authorization


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "Bearer    ", "Basic dXNlcjpwYXNz", "token"])
def test_without_a_bearer_token(sqlite_world: World, value: str | None) -> None:
    response = call_with(sqlite_world, Authorization=value)
    assert refusal(response) == (403, "403010", "Oauth token is missing.")


@pytest.mark.parametrize("value", ["nonsense", "a.b.c", "x" * 100_000, "TOKEN TOKEN", "TOKENx", ".TOKEN", "CUT"])
def test_with_a_token_that_is_not_valid(sqlite_world: World, value: str) -> None:
    token = sqlite_world.headers()["Authorization"].removeprefix("Bearer ")
    spoilt = value.replace("TOKEN", token).replace("CUT", token.rpartition(".")[0] + ".")
    response = call_with(sqlite_world, Authorization=f"Bearer {spoilt}")
    assert refusal(response) == (401, "401013", "Oauth token is not valid")


def test_with_an_expired_token(sqlite_world: World) -> None:
    headers = sqlite_world.headers()
    sqlite_world.later(hours=24, seconds=29)
    assert sqlite_world.call("GET", "/quota", headers=headers).status_code == 200  # the clocks may differ by 30 s
    sqlite_world.later(seconds=2)
    response = sqlite_world.call("GET", "/quota", headers=headers)
    assert refusal(response) == (401, "401013", "Oauth token is not valid")


def test_with_a_token_for_another_audience(sqlite_world: World) -> None:
    issuer = sqlite_world.issuer
    sqlite_world.__dict__["issuer"] = type(issuer)(
        clients=issuer._clients.values(),
        signing_keys=sqlite_world._keys,
        issuer="lethe",
        audience="somebody-else",
        now=sqlite_world.clock,
        new_id=issuer._new_id,
    )
    response = sqlite_world.call("GET", "/quota")
    assert refusal(response) == (401, "401013", "Oauth token is not valid")


def test_the_scheme_is_read_whatever_its_case(sqlite_world: World) -> None:
    token = sqlite_world.headers()["Authorization"].removeprefix("Bearer ")
    assert call_with(sqlite_world, Authorization=f"bearer {token}").status_code == 200


# x-api-key


@pytest.mark.parametrize("value", [None, ""])
def test_without_an_api_key(sqlite_world: World, value: str | None) -> None:
    assert refusal(call_with(sqlite_world, x_api_key=value)) == (403, "403000", "Api Key is required")


@pytest.mark.parametrize("value", ["viewer", "ADMINISTRATOR", "administrator ,", "é"])
def test_with_the_api_key_of_another_client(sqlite_world: World, value: str) -> None:
    headers = [("Authorization", sqlite_world.headers()["Authorization"].encode()), ("x-api-key", value.encode())]
    response = sqlite_world.client.get(f"{HYGIENE}/ttl", headers=headers)
    assert refusal(response) == (403, "403003", "Api Key is invalid")


# x-gw-ims-org-id


@pytest.mark.parametrize("value", [None, ""])
def test_without_an_org(sqlite_world: World, value: str | None) -> None:
    response = call_with(sqlite_world, x_gw_ims_org_id=value)
    assert refusal(response) == (400, "400003", "Missing header: x-gw-ims-org-id")


@pytest.mark.parametrize("value", [OTHER_ORG, "UNKNOWN@LetheOrg", ORG.lower(), f"{ORG},{OTHER_ORG}"])
def test_with_an_org_that_the_token_is_not_entitled_to(sqlite_world: World, value: str) -> None:
    response = call_with(sqlite_world, x_gw_ims_org_id=value)
    assert refusal(response) == (403, "403025", "Profile is not valid")


def test_with_an_org_of_the_token_that_is_not_served_here(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    world = make_world(sqlite_store, orgs=[organization(ORG)])
    response = world.call("GET", "/quota", headers=world.headers("both-orgs", org_id=OTHER_ORG))
    assert refusal(response) == (403, "403025", "Profile is not valid")


# x-sandbox-name


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("path", [*LISTS, f"/ttl/{EMAILS}", "/workorder/DI-1"])
def test_without_a_sandbox(sqlite_world: World, path: str, value: str | None) -> None:
    response = call_with(sqlite_world, path, x_sandbox_name=value)
    assert refusal(response) == (400, "400003", "Missing header: x-sandbox-name")


@pytest.mark.parametrize(
    "method_path", [("POST", "/ttl"), ("PUT", "/ttl/x"), ("PATCH", "/ttl/x"), ("DELETE", "/ttl/x")]
)
def test_a_change_of_an_expiration_needs_the_sandbox(sqlite_world: World, method_path: tuple[str, str]) -> None:
    response = sqlite_world.call(*method_path, {}, headers=sqlite_world.headers(sandbox_name=None))
    assert refusal(response) == (400, "400003", "Missing header: x-sandbox-name")


@pytest.mark.parametrize("method_path", [("POST", "/workorder"), ("PUT", "/workorder/x")])
def test_a_change_of_a_work_order_needs_the_sandbox(sqlite_world: World, method_path: tuple[str, str]) -> None:
    response = sqlite_world.call(*method_path, {}, headers=sqlite_world.headers(sandbox_name=None))
    assert refusal(response) == (400, "400003", "Missing header: x-sandbox-name")


@pytest.mark.parametrize("value", ["unheard-of", "PROD", "*", "prod,dev"])
@pytest.mark.parametrize("path", LISTS)
def test_with_an_unknown_sandbox(sqlite_world: World, path: str, value: str) -> None:
    status, code, _ = refusal(call_with(sqlite_world, path, x_sandbox_name=value))
    assert (status, code) == (403, "403027")


def test_an_invisible_sandbox_is_answered_as_an_unknown_one(sqlite_world: World) -> None:
    invisible, unknown = (
        sqlite_world.call("GET", "/ttl", headers=sqlite_world.headers("prod-only", sandbox_name=name))
        for name in (DEV, "unheard-of")
    )
    assert refusal(invisible) == refusal(unknown)
    assert refusal(invisible)[:2] == (403, "403027")


@pytest.mark.parametrize("sandbox_name", [None, "unheard-of"])
def test_the_quota_is_org_wide_and_never_needs_the_sandbox(sqlite_world: World, sandbox_name: str | None) -> None:
    assert call_with(sqlite_world, "/quota", x_sandbox_name=sandbox_name).status_code == 200


@pytest.mark.parametrize("path", LISTS)
def test_an_org_may_do_without_the_sandbox_header(make_world: MakeWorld, sqlite_store: SqlStore, path: str) -> None:
    orgs = [organization(ORG, sandbox_header_required=False), organization(OTHER_ORG)]
    world = make_world(sqlite_store, orgs=orgs)
    world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2030-01-01"})
    world.call("POST", "/workorder", {"action": "delete_dataset", "datasetId": EMAILS})
    assert len(call_with(world, path, x_sandbox_name=None).json()["results"]) == 1  # the default sandbox's
    assert call_with(world, path, x_sandbox_name=DEV).json()["results"] == []
    assert refusal(call_with(world, path, x_sandbox_name="unheard-of"))[1] == "403027"
    other = world.call("GET", path, headers=world.headers("stranger", org_id=OTHER_ORG, sandbox_name=None))
    assert refusal(other) == (400, "400003", "Missing header: x-sandbox-name")


def test_without_the_header_the_default_sandbox_must_be_visible(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    world = make_world(sqlite_store, orgs=[organization(ORG, sandbox_header_required=False)])
    response = world.call("GET", "/ttl", headers=world.headers("dev-only", sandbox_name=None))
    assert refusal(response)[1] == "403027"


# Order, and what comes after


def test_headers_are_looked_at_in_the_order_of_the_table(sqlite_world: World) -> None:
    """From nothing, one header is put right after the other."""
    token = sqlite_world.headers()["Authorization"]
    steps = [
        ({}, "403010"),
        ({"Authorization": "Bearer wrong"}, "403000"),
        ({"x-api-key": "wrong"}, "401013"),
        ({"Authorization": token}, "403003"),
        ({"x-api-key": "administrator"}, "400003"),
        ({"x-gw-ims-org-id": "wrong"}, "403025"),
        ({"x-gw-ims-org-id": ORG}, "400003"),
        ({"x-sandbox-name": "wrong"}, "403027"),
    ]
    headers: dict[str, str] = {}
    for put_right, code in steps:
        headers |= put_right
        assert refusal(sqlite_world.call("GET", "/workorder", headers=headers))[1] == code
    assert sqlite_world.call("GET", "/workorder", headers=headers | {"x-sandbox-name": PROD}).status_code == 200


@pytest.mark.parametrize("body", [b"{", b"", b'{"datasetId": "x"}'])
def test_who_calls_is_asked_before_what_they_send(sqlite_world: World, body: bytes) -> None:
    response = sqlite_world.client.post(f"{HYGIENE}/workorder", content=body)
    assert refusal(response)[1] == "403010"


def test_permission_is_asked_before_what_they_send(sqlite_world: World) -> None:
    response = sqlite_world.client.post(f"{HYGIENE}/workorder", content=b"{", headers=sqlite_world.headers("viewer"))
    assert (response.status_code, response.json()["error_code"]) == (403, "HYGN-1006-403")


def test_a_query_is_read_only_for_callers(sqlite_world: World) -> None:
    assert refusal(sqlite_world.client.get(f"{HYGIENE}/ttl?limit=0"))[1] == "403010"


# x-request-id


@pytest.mark.parametrize("given", ["1", "req-1.2:3/4@5_6+7=", "A" * 128, "0b3ddbba-7fae-4f4b-8d6a-1f2f3f4f5f6f"])
def test_a_request_id_is_echoed(sqlite_world: World, given: str) -> None:
    assert call_with(sqlite_world, x_request_id=given).headers["x-request-id"] == given


HOSTILE = [
    b"",
    b"a b",
    b"A" * 1_024,
    "é".encode(),
    b"\xff\xfe",
    b"a\r\nSet-Cookie: x=1",
    b"a\nb",
    b"<script>",
    b"a\0b",
    b'"',
]


@pytest.mark.parametrize("given", HOSTILE)
def test_a_hostile_request_id_is_replaced(sqlite_world: World, given: bytes) -> None:
    response = sqlite_world.client.get("/healthz", headers=[(b"x-request-id", given)])
    assert response.status_code == 200
    assert len(response.headers["x-request-id"]) == 36
    assert "set-cookie" not in response.headers


def test_a_request_id_is_made_when_absent_and_never_twice(sqlite_world: World) -> None:
    ids = {sqlite_world.client.get("/healthz").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("path", ["/nothing", "/ttl", "/workorder/x", "/quota?quotaType=x"])
def test_refusals_carry_the_request_id(sqlite_world: World, path: str) -> None:
    response = sqlite_world.client.get(HYGIENE + path, headers={"x-request-id": "mine"})
    assert (response.status_code >= 400, response.headers["x-request-id"]) == (True, "mine")


# Content-Type and Accept


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "nonsense", "multipart/form-data"])
@pytest.mark.parametrize("path", ["/quota", "/ttl", "/workorder"])
def test_a_content_type_without_a_body_is_ignored(sqlite_world: World, path: str, content_type: str) -> None:
    headers = sqlite_world.headers() | {"Content-Type": content_type}
    assert sqlite_world.client.get(HYGIENE + path, headers=headers).status_code == 200


def test_a_cancellation_with_a_content_type_and_no_body(sqlite_world: World) -> None:
    sqlite_world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2030-01-01"})
    headers = sqlite_world.headers() | {"Content-Type": "application/json"}
    assert sqlite_world.client.delete(f"{HYGIENE}/ttl/{EMAILS}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"],
)
def test_a_body_of_a_json_type_is_read(sqlite_world: World, content_type: str) -> None:
    headers = sqlite_world.headers() | {"Content-Type": content_type}
    body = b'{"datasetId": "%s", "expiry": "2030-01-01"}' % EMAILS.encode()
    assert sqlite_world.client.post(f"{HYGIENE}/ttl", content=body, headers=headers).status_code == 201


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/jsonx", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ttl"),
        ("PUT", f"/ttl/{EMAILS}"),
        ("PATCH", f"/ttl/{EMAILS}"),
        ("POST", "/workorder"),
        ("POST", "/jobs"),
    ],
)
def test_a_body_of_another_type_is_400(sqlite_world: World, method: str, path: str, content_type: str | None) -> None:
    headers = sqlite_world.headers() | ({} if content_type is None else {"Content-Type": content_type})
    response = sqlite_world.client.request(method, HYGIENE + path, content=b'{"expiry": "2030-01-01"}', headers=headers)
    assert response.status_code == 400
    assert response.json()["error_code"] == "HYGN-1001-400"
    assert response.json()["report"]["additionalContext"] == {"field": "Content-Type"}
    assert sqlite_world.expirations() == []


@pytest.mark.parametrize("accept", ["application/json", "text/html", "*/*", "image/png;q=0.1"])
def test_it_is_json_whatever_is_accepted(sqlite_world: World, accept: str) -> None:
    response = call_with(sqlite_world, Accept=accept)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")


# Who it was


def test_created_by_reads_name_email_and_id(sqlite_world: World) -> None:
    order = sqlite_world.call("POST", "/workorder", {"action": "delete_dataset", "datasetId": EMAILS}).json()
    name = "Ann Ovid <administrator@example.com> administrator@techacct.example.com"
    assert order["createdBy"] == name
    sqlite_world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2030-01-01"}, client_id="service")
    expiration = sqlite_world.call("GET", f"/ttl/{EMAILS}").json()
    assert expiration["updatedBy"] == name.replace("administrator", "service")
