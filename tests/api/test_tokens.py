"""The token service: client credentials in, an access token out."""

from typing import Any

import pytest

from support.api import HYGIENE, SECRET, World

TOKENS = "/ims/token/v3"
GOOD = {
    "grant_type": "client_credentials",
    "client_id": "viewer",
    "client_secret": SECRET,
    "scope": "openid,AdobeID,read_organizations",
}


def ask(world: World, **changed: str | None) -> Any:
    form = {name: value for name, value in (GOOD | changed).items() if value is not None}
    return world.client.post(TOKENS, data=form)


def test_a_token_that_opens_the_api(sqlite_world: World) -> None:
    response = ask(sqlite_world)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    token = response.json()
    assert list(token) == ["access_token", "token_type", "expires_in"]
    assert token["token_type"] == "bearer"
    assert isinstance(token["expires_in"], int)
    assert token["expires_in"] > 500
    headers = sqlite_world.headers("viewer") | {"Authorization": f"Bearer {token['access_token']}"}
    assert sqlite_world.client.get(f"{HYGIENE}/quota", headers=headers).status_code == 200


@pytest.mark.parametrize("scope", [None, "", "openid AdobeID", "everything"])
def test_the_scope_changes_nothing(sqlite_world: World, scope: str | None) -> None:
    token = ask(sqlite_world, scope=scope).json()["access_token"]
    headers = sqlite_world.headers("viewer") | {"Authorization": f"Bearer {token}"}
    body = {"datasetId": "x", "expiry": "2031-01-01"}
    assert sqlite_world.client.post(f"{HYGIENE}/ttl", json=body, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "changed", [{"client_secret": "wrong"}, {"client_secret": ""}, {"client_id": "unknown"}, {"client_id": ""}]
)
def test_a_wrong_client_or_secret_is_401_in_the_same_words(sqlite_world: World, changed: dict[str, str]) -> None:
    response = ask(sqlite_world, **changed)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/json"
    assert response.json() == ask(sqlite_world, client_secret="other").json()
    assert response.json()["error"] == "invalid_client"
    assert response.json()["error_code"] == "401001"
    assert response.json()["message"]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": None}, "invalid_request"),
        ({"client_secret": None}, "invalid_request"),
    ],
)
def test_an_incomplete_form_is_400(sqlite_world: World, changed: dict[str, str | None], error: str) -> None:
    response = ask(sqlite_world, **changed)
    assert (response.status_code, response.json()["error"], response.json()["error_code"]) == (400, error, "400001")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff\xfe", b"grant_type", b"grant_type=client_credentials&client_id=%FF"]
)
def test_what_is_no_form_is_400(sqlite_world: World, content: bytes) -> None:
    assert sqlite_world.client.post(TOKENS, content=content).status_code == 400


def test_a_field_that_stands_twice_is_not_taken(sqlite_world: World) -> None:
    form = f"grant_type=client_credentials&client_id=viewer&client_id=administrator&client_secret={SECRET}"
    assert sqlite_world.client.post(TOKENS, content=form).status_code == 400


def test_a_large_form_is_413(sqlite_world: World) -> None:
    assert ask(sqlite_world, scope="x" * 20_000).status_code == 413


def test_the_keys_are_public_and_no_more_than_public(sqlite_world: World) -> None:
    keys = sqlite_world.client.get("/ims/keys").json()["keys"]
    assert keys
    assert all(key["kid"] and "d" not in key for key in keys)
