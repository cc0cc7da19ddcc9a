"""The schema registry, as far as a hygiene client reads it."""

from typing import Any
from urllib.parse import quote

import pytest

from support.api import ANONYMOUS, EMAILS, MAPPED, World
from support.values import OTHER_ORG

from .refusals import refused

SCHEMAS = "/data/foundation/schemaregistry/tenant/schemas"
PRIMARY = {"xdm:isPrimary": True, "xdm:namespace": "Email", "xdm:sourceProperty": "/person/id"}


def schema(world: World, schema_id: str, **headers: str) -> Any:
    return world.call("GET", f"{SCHEMAS}/{quote(schema_id, safe='')}", headers=headers or None)


def test_the_primary_field_says_so(sqlite_world: World) -> None:
    response = schema(sqlite_world, f"https://ns.example.com/{EMAILS}")
    assert response.status_code == 200
    assert response.json() == {
        "$id": f"https://ns.example.com/{EMAILS}",
        "title": "Schema",
        "type": "object",
        "properties": {"person": {"type": "object", "properties": {"id": {"type": "string"} | PRIMARY}}},
    }


def test_or_there_is_an_identity_map(sqlite_world: World) -> None:
    properties = schema(sqlite_world, f"https://ns.example.com/{MAPPED}").json()["properties"]
    entry = properties["identityMap"]["additionalProperties"]["items"]["properties"]
    assert set(entry) == {"id", "authenticatedState", "primary"}
    assert "xdm:isPrimary" not in str(properties)


def test_or_neither(sqlite_world: World) -> None:
    assert schema(sqlite_world, f"https://ns.example.com/{ANONYMOUS}").json()["properties"] == {}


def test_registered_properties_are_kept_and_the_primary_field_marked(world: World) -> None:
    properties = {
        "person": {"type": "object", "title": "Who", "properties": {"id": {"type": "string", "title": "Mail"}}}
    }
    given = {
        "title": "People",
        "primaryIdentity": {"path": ["person", "id"], "namespace": "EMAIL"},
        "properties": properties | {"other": {"type": "number"}},
    }
    body = {
        "name": "n",
        "table": {"format": "parquet", "location": "/x"},
        "schema": given,
        "schemaRef": {"id": "my/schema?#1"},
    }
    assert world.call("POST", "/data/foundation/catalog/dataSets", body).status_code == 201
    shown = schema(world, "my/schema?#1").json()
    assert (shown["$id"], shown["title"]) == ("my/schema?#1", "People")
    assert shown["properties"]["other"] == {"type": "number"}
    assert shown["properties"]["person"]["title"] == "Who"
    assert shown["properties"]["person"]["properties"]["id"] == {"type": "string", "title": "Mail"} | PRIMARY


@pytest.mark.parametrize("schema_id", ["unheard-of", "https://ns.example.com/", "%", "\0", "é"])
def test_an_unknown_one_is_404(world: World, schema_id: str) -> None:
    refused(schema(world, schema_id), 404, "5003")


def test_another_orgs_is_unknown(sqlite_world: World) -> None:
    theirs = sqlite_world.headers("stranger", org_id=OTHER_ORG)
    refused(schema(sqlite_world, f"https://ns.example.com/{EMAILS}", **theirs), 404, "5003")


def test_a_schema_id_that_is_too_long_is_400(sqlite_world: World) -> None:
    refused(schema(sqlite_world, "x" * 1_001), 400, "1003", "schema_id")
