"""Paths and methods: what is not there is answered in JSON, and a trailing slash makes no difference."""

import pytest

from support.api import EMAILS, HYGIENE, World

CATALOG = "/data/foundation/catalog/dataSets"
SANDBOXES = "/data/foundation/sandbox-management"


@pytest.mark.parametrize("path", ["/nothing", "/ttl/a/b", "/workorder/a/b", "", "/quota/x", "/ttls"])
def test_an_unknown_path_is_404_in_json(sqlite_world: World, path: str) -> None:
    response = sqlite_world.client.get(HYGIENE + path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"error_code": "404000", "message": "Resource not found"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/workorder/DI-1", "GET, PUT"),
        ("DELETE", "/workorder/DI-1", "GET, PUT"),
        ("POST", "/workorder/DI-1", "GET, PUT"),
        ("POST", "/workorder/DI-1/", "GET, PUT"),
        ("DELETE", "/workorder", "GET, POST"),
        ("PUT", "/ttl", "GET, POST"),
        ("POST", "/ttl/SD-1", "GET, PUT, PATCH, DELETE"),
        ("POST", "/quota", "GET"),
        ("GET", "/jobs", "POST"),
        ("GET", "/ims/token/v3", "POST"),
        ("PUT", CATALOG, "GET, POST"),
        ("DELETE", f"{CATALOG}/{EMAILS}", "GET"),
        ("POST", "/healthz", "GET"),
        ("BREW", "/ttl", "GET, POST"),
        ("OPTIONS", "/workorder", "GET, POST"),
    ],
)
def test_an_unknown_method_is_405_and_allow_names_every_method_of_the_path(
    sqlite_world: World, method: str, path: str, allowed: str
) -> None:
    response = sqlite_world.call(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"error_code": "405000", "message": "Method not allowed"}


def test_a_head_request_is_405_without_a_body(sqlite_world: World) -> None:
    response = sqlite_world.call("HEAD", "/workorder")
    assert (response.status_code, response.headers["allow"], response.content) == (405, "GET, POST", b"")


@pytest.mark.parametrize(
    "path",
    [
        "/quota",
        "/ttl",
        f"/ttl/{EMAILS}",
        "/workorder",
        "/workorder/ORDER",
        SANDBOXES,
        f"{SANDBOXES}/sandboxes",
        f"{SANDBOXES}/sandboxes/prod",
        CATALOG,
        f"{CATALOG}/{EMAILS}",
        "/data/core/idnamespace/identities",
        f"/data/foundation/schemaregistry/tenant/schemas/https%3A%2F%2Fns.example.com%2F{EMAILS}",
        "/ims/keys",
        "/healthz",
    ],
)
def test_every_get_answers_the_same_with_a_trailing_slash(sqlite_world: World, path: str) -> None:
    order = sqlite_world.call("POST", "/workorder", {"action": "delete_dataset", "datasetId": EMAILS}).json()
    sqlite_world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2030-01-01"})
    path = path.replace("ORDER", order["workorderId"])
    plain, slashed = (sqlite_world.call("GET", path + slash) for slash in ("", "/"))
    assert plain.status_code == 200
    assert plain.json()
    assert (slashed.status_code, slashed.json()) == (plain.status_code, plain.json())


def test_a_work_order_is_changed_with_a_trailing_slash(sqlite_world: World) -> None:
    order = sqlite_world.call("POST", "/workorder", {"action": "delete_dataset", "datasetId": EMAILS}).json()
    path = f"/workorder/{order['workorderId']}"
    assert sqlite_world.call("PUT", f"{path}/", {"name": "With a slash"}).status_code == 200
    assert sqlite_world.call("GET", path).json()["displayName"] == "With a slash"


def test_a_trailing_slash_keeps_the_query(sqlite_world: World) -> None:
    assert sqlite_world.call("GET", "/ttl/", limit=0).status_code == 400
    assert sqlite_world.call("GET", "/quota/", quotaType="datasetExpirationQuota").json()["quotas"][0]["consumed"] == 0


def test_the_root_is_404(sqlite_world: World) -> None:
    assert sqlite_world.client.get("/").status_code == 404


def test_the_document_and_its_page_are_served(sqlite_world: World) -> None:
    assert sqlite_world.client.get("/openapi.json").json()["openapi"] == "3.1.0"
    page = sqlite_world.client.get("/docs")
    assert page.status_code == 200
    assert "/openapi.json" in page.text
