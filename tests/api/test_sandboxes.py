"""The sandboxes of the org, as far as the caller may see them."""

from typing import Any

import pytest

from support.api import World

from .refusals import refused

ROOT = "/data/foundation/sandbox-management"


def names(world: World, path: str, **who: Any) -> list[str]:
    response = world.call("GET", ROOT + path, headers=world.headers(sandbox_name=None, **who))
    assert response.status_code == 200
    return [each["name"] for each in response.json()["sandboxes"]]


@pytest.mark.parametrize("path", ["/", "", "/sandboxes", "/sandboxes/"])
def test_all_that_the_caller_may_see(sqlite_world: World, path: str) -> None:
    assert names(sqlite_world, path) == ["prod", "dev"]
    assert names(sqlite_world, path, client_id="prod-only") == ["prod"]
    assert names(sqlite_world, path, client_id="dev-only") == ["dev"]


def test_one_by_its_name_with_every_field(sqlite_world: World) -> None:
    assert sqlite_world.call("GET", f"{ROOT}/sandboxes/prod").json() == {
        "name": "prod",
        "title": "Prod",
        "state": "active",
        "type": "production",
        "region": "LOCAL",
        "isDefault": True,
        "id": "id-of-prod",
    }
    assert sqlite_world.call("GET", f"{ROOT}/sandboxes/dev").json()["isDefault"] is False


@pytest.mark.parametrize("name", ["unheard-of", "PROD", "*", "%00"])
def test_an_unknown_one_is_404(sqlite_world: World, name: str) -> None:
    refused(sqlite_world.call("GET", f"{ROOT}/sandboxes/{name}"), 404, "5005")


def test_an_invisible_one_is_answered_as_an_unknown_one(sqlite_world: World) -> None:
    answers = []
    for name in ("dev", "unheard-of"):
        response = sqlite_world.call("GET", f"{ROOT}/sandboxes/{name}", client_id="prod-only")
        refused(response, 404, "5005")
        answers.append(response.json()["detail"])
    assert answers[0] == answers[1]


def test_a_name_that_is_too_long_is_400(sqlite_world: World) -> None:
    refused(sqlite_world.call("GET", f"{ROOT}/sandboxes/{'x' * 256}"), 400, "1003", "name")
