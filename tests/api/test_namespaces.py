"""Identity namespaces: the standard ones and the org's own."""

from typing import Any

import pytest

from support.api import World
from support.values import OTHER_ORG

from .refusals import refused

NAMESPACES = "/data/core/idnamespace/identities"
STANDARD = {
    "CORE": 0,
    "ECID": 4,
    "Email": 6,
    "Phone": 7,
    "WAID": 8,
    "TNTID": 9,
    "AdCloud": 411,
    "GAID": 20914,
    "IDFA": 20915,
}


def create(world: World, code: Any = "Loyalty", name: Any = "Loyalty ID", **more: Any) -> Any:
    return world.call("POST", NAMESPACES, {"code": code, "name": name, **more})


def listed(world: World, **headers: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.call("GET", NAMESPACES, headers=headers or None).json()
    return found


def test_the_standard_ones_with_their_published_numbers(sqlite_world: World) -> None:
    assert {each["code"]: each["id"] for each in listed(sqlite_world)} == STANDARD
    email = next(each for each in listed(sqlite_world) if each["code"] == "Email")
    assert email == {
        "id": 6,
        "code": "Email",
        "name": "Email",
        "idType": "Email",
        "custom": False,
        "status": "ACTIVE",
        "caseInsensitive": False,
    }


def test_custom_ones_are_numbered_from_ten_million(world: World) -> None:
    first, second = create(world), create(world, "Card", "Card", idType="COOKIE", caseInsensitive=True)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == {
        "id": 10_000_000,
        "code": "Loyalty",
        "name": "Loyalty ID",
        "idType": "CROSS_DEVICE",
        "custom": True,
        "status": "ACTIVE",
        "caseInsensitive": False,
    }
    assert (second.json()["id"], second.json()["idType"], second.json()["caseInsensitive"]) == (
        10_000_001,
        "COOKIE",
        True,
    )
    assert listed(world)[-2:] == [first.json(), second.json()]


def test_each_org_has_its_own(world: World) -> None:
    create(world)
    theirs = world.headers("stranger", org_id=OTHER_ORG)
    assert len(listed(world, **theirs)) == len(STANDARD)
    response = world.call("POST", NAMESPACES, {"code": "Loyalty", "name": "Theirs"}, headers=theirs)
    assert (response.status_code, response.json()["id"]) == (201, 10_000_000)


@pytest.mark.parametrize("code", ["Loyalty", "LOYALTY", "email", "EMAIL", "core"])
def test_a_code_is_taken_whatever_its_case(world: World, code: str) -> None:
    create(world)
    refused(create(world, code), 409, "5004", "code")
    assert len(listed(world)) == len(STANDARD) + 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": None}, "code"),
        ({"code": 7}, "code"),
        ({"code": "x" * 101}, "code"),
        ({"code": "a\0"}, "code"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"idType": ""}, "idType"),
        ({"caseInsensitive": "no"}, "caseInsensitive"),
        ({"id": 7}, "id"),
    ],
)
def test_what_is_wrong_is_named(sqlite_world: World, changed: dict[str, Any], field: str) -> None:
    refused(create(sqlite_world, **changed), 400, "1002", field)
    assert len(listed(sqlite_world)) == len(STANDARD)


def test_it_needs_no_sandbox(sqlite_world: World) -> None:
    assert len(listed(sqlite_world, **sqlite_world.headers(sandbox_name=None))) == len(STANDARD)
