"""The catalog's data sets: listed, looked up, registered, and tagged while they are to expire."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from support.api import ANONYMOUS, EMAILS, LOYALTY_CARDS, MAPPED, World
from support.clock import NOON
from support.values import DEV, ORG, OTHER_ORG, PROD

from .refusals import refused

CATALOG = "/data/foundation/catalog/dataSets"
TAG = "adobe/hygiene/ttl"
TABLE = {"format": "parquet", "location": "/lake/new"}


def new(**changed: Any) -> dict[str, Any]:
    body = {
        "name": "New",
        "table": TABLE,
        "schema": {"primaryIdentity": {"path": ["_org", "mail"], "namespace": "email"}},
    }
    return {name: value for name, value in (body | changed).items() if value is not ...}


def register(world: World, **changed: Any) -> Any:
    return world.call("POST", CATALOG, new(**changed))


def one(world: World, dataset_id: str = EMAILS) -> dict[str, Any]:
    response = world.call("GET", f"{CATALOG}/{dataset_id}")
    assert response.status_code == 200, response.text
    assert list(response.json()) == [dataset_id]
    found: dict[str, Any] = response.json()[dataset_id]
    return found


def test_a_data_set_with_every_field(world: World) -> None:
    millis = int(NOON.timestamp() * 1000)
    assert one(world) == {
        "name": f"Dataset {EMAILS}",
        "description": "",
        "tags": {"unifiedIdentity": ["enabled:true"], "unifiedProfile": ["enabled:true"]},
        "schemaRef": {
            "id": f"https://ns.example.com/{EMAILS}",
            "contentType": "application/vnd.adobe.xed-full+json;version=1",
        },
        "classification": {"dataBehavior": "record", "managedBy": "CUSTOMER"},
        "state": "ENABLED",
        "imsOrg": ORG,
        "sandboxId": "id-of-prod",
        "created": millis,
        "updated": millis,
        "table": {"format": "parquet", "location": f"/lake/{EMAILS}"},
    }


def test_the_list_is_keyed_by_id_and_in_pages(world: World) -> None:
    assert set(world.call("GET", CATALOG).json()) == {EMAILS, LOYALTY_CARDS, MAPPED, ANONYMOUS}
    seen: list[str] = []
    for start in range(0, 6, 2):
        seen += world.call("GET", CATALOG, start=start, limit=2).json()
    assert sorted(seen) == sorted([EMAILS, LOYALTY_CARDS, MAPPED, ANONYMOUS])
    assert world.call("GET", CATALOG, start=1_000_000_000).json() == {}


def test_the_list_speaks_of_its_sandbox_and_org_alone(world: World) -> None:
    world.register("there", sandbox_name=DEV)
    world.register("theirs", org_id=OTHER_ORG)
    assert list(world.call("GET", CATALOG, headers=world.headers(sandbox_name=DEV)).json()) == ["there"]
    theirs = world.headers("stranger", org_id=OTHER_ORG)
    assert list(world.call("GET", CATALOG, headers=theirs).json()) == ["theirs"]
    assert len(world.call("GET", CATALOG, headers=world.headers(sandbox_name=None)).json()) == 4  # the default one
    for dataset_id in ("there", "theirs", "unheard-of", "%00"):
        refused(world.call("GET", f"{CATALOG}/{dataset_id}"), 404, "5001")


@pytest.mark.parametrize(
    ("properties", "fields"),
    [("name", {"name"}), ("name,schemaRef", {"name", "schemaRef"}), ("unheardOf", set()), ("tags,tags", {"tags"})],
)
def test_properties_choose_the_fields(sqlite_world: World, properties: str, fields: set[str]) -> None:
    for shown in sqlite_world.call("GET", CATALOG, properties=properties).json().values():
        assert set(shown) == fields


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "101"), ("limit", "x"), ("start", "-1"), ("start", "1.0"), ("properties", "\0")],
)
def test_malformed_parameters_are_400(sqlite_world: World, name: str, value: str) -> None:
    refused(sqlite_world.call("GET", CATALOG, **{name: value}), 400, "1003", name)


def test_the_tag_stands_while_an_expiration_is_pending_or_executing(world: World) -> None:
    expiry_at = NOON + timedelta(hours=24)
    millis = str(int(expiry_at.timestamp() * 1000))

    def tag() -> list[str] | None:
        listed: dict[str, Any] = world.call("GET", CATALOG).json()[EMAILS]["tags"]
        assert listed == one(world)["tags"]
        return listed.get(TAG)

    assert tag() is None
    made = world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": expiry_at.isoformat()}).json()
    assert tag() == [millis]
    world.call("DELETE", f"/ttl/{EMAILS}")
    assert tag() is None
    world.call("PATCH", f"/ttl/{EMAILS}", {"expiry": expiry_at.isoformat()})
    assert tag() == [millis]
    assert TAG not in one(world, MAPPED)["tags"]
    world.later(hours=24)
    world.execute(UUID(made["ttlId"][3:]))
    assert tag() == [millis]
    from lethe.domain.ids import ExpirationId
    from lethe.operations.expirations import complete_execution

    with world.store.write() as tx:
        complete_execution(tx, ORG, PROD, ExpirationId(UUID(made["ttlId"][3:])))
    assert tag() is None


def test_a_millisecond_of_the_tag(sqlite_world: World) -> None:
    sqlite_world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2030-12-31T23:59:59.262521Z"})
    at = datetime(2030, 12, 31, 23, 59, 59, 263_000, tzinfo=UTC)
    assert one(sqlite_world)["tags"][TAG] == [str(round(at.timestamp() * 1000))]


# Registering


def test_a_registered_data_set_can_be_looked_up_and_deleted_from(world: World) -> None:
    response = register(world, description="What it is", tags={"team": ["a", "b"]})
    assert response.status_code == 201
    [reference] = response.json()
    root, dataset_id = reference.rsplit("/", 1)
    assert root == "@/dataSets"
    assert len(dataset_id) == 24
    shown = one(world, dataset_id)
    assert (shown["name"], shown["description"], shown["tags"]["team"]) == ("New", "What it is", ["a", "b"])
    identity = {"namespace": {"code": "email"}, "id": "a"}
    assert world.call("POST", "/workorder", {"datasetId": dataset_id, "identities": [identity]}).status_code == 201


def test_an_id_of_another_catalog_may_be_kept(sqlite_world: World) -> None:
    assert register(sqlite_world, id="kept-id_1").json() == ["@/dataSets/kept-id_1"]
    refused(register(sqlite_world, id="kept-id_1"), 409, "5002")
    assert one(sqlite_world, "kept-id_1")["name"] == "New"


def test_a_known_schema_may_be_named(sqlite_world: World) -> None:
    schema_id = f"https://ns.example.com/{EMAILS}"
    [reference] = register(sqlite_world, schema=..., schemaRef={"id": schema_id}).json()
    assert one(sqlite_world, reference.rsplit("/", 1)[1])["schemaRef"]["id"] == schema_id
    refused(register(sqlite_world, schema=..., schemaRef={"id": "unheard-of"}), 404, "5003", "schemaRef.id")
    different = {"title": "Other", "identityMap": True}
    refused(register(sqlite_world, schema=different, schemaRef={"id": schema_id}), 400, "1002", "schemaRef.id")


def test_a_table_may_be_in_a_catalog(sqlite_world: World) -> None:
    table = {"format": "iceberg", "catalog": "main", "identifier": "db.events"}
    [reference] = register(sqlite_world, table=table).json()
    assert one(sqlite_world, reference.rsplit("/", 1)[1])["table"] == table


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": ...}, "name"),
        ({"table": ...}, "table"),
        ({"table": {"format": "csv", "location": "/x"}}, "table.format"),
        ({"table": {"format": "delta"}}, "table"),
        ({"table": {"format": "delta", "catalog": "main"}}, "table"),
        ({"table": {"format": "delta", "location": "/x", "identifier": "db.x"}}, "table"),
        ({"id": "a/b"}, "id"),
        ({"id": "a,b"}, "id"),
        ({"id": ""}, "id"),
        ({"id": "x" * 256}, "id"),
        ({"schema": ...}, None),
        ({"schema": {"primaryIdentity": {"path": [], "namespace": "email"}}}, "schema.primaryIdentity.path"),
        ({"schema": {"primaryIdentity": {"path": [""], "namespace": "email"}}}, "schema.primaryIdentity.path[0]"),
        ({"schema": {"primaryIdentity": {"path": ["a"]}}}, "schema.primaryIdentity.namespace"),
        ({"schema": {"identityMap": "yes"}}, "schema.identityMap"),
        ({"tags": {"a": "b"}}, "tags.a"),
        ({"tags": {"a": [1]}}, "tags.a[0]"),
        ({"location": "/x"}, "location"),
        ({"description": "x" * 1_001}, "description"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_registered(
    sqlite_world: World, changed: dict[str, Any], field: str | None
) -> None:
    refused(register(sqlite_world, **changed), 400, "1002", field)
    assert len(sqlite_world.call("GET", CATALOG).json()) == 4


def test_the_namespace_of_a_primary_identity_must_be_known(sqlite_world: World) -> None:
    schema = {"primaryIdentity": {"path": ["a"], "namespace": "shoe size"}}
    refused(register(sqlite_world, schema=schema), 400, "4005", "schema.primaryIdentity.namespace")


def test_it_is_registered_in_the_sandbox_of_the_header(sqlite_world: World) -> None:
    headers = sqlite_world.headers(sandbox_name=DEV)
    assert sqlite_world.call("POST", CATALOG, new(id="there"), headers=headers).status_code == 201
    assert list(sqlite_world.call("GET", CATALOG, headers=headers).json()) == ["there"]
    refused(sqlite_world.call("GET", f"{CATALOG}/there"), 404, "5001")


@pytest.mark.parametrize(
    "table",
    [
        {"format": "parquet", "location": "/lake/new"},
        {"format": "delta", "location": "file:///lake/x/../new/"},
        {"format": "parquet", "location": "/lake/new/2026"},
        {"format": "ndjson", "location": "/lake"},
    ],
)
def test_a_table_of_another_data_set_is_refused_and_that_one_is_not_named(world: World, table: dict[str, str]) -> None:
    theirs = world.headers("stranger", org_id=OTHER_ORG)
    made = world.call("POST", CATALOG, new(id="theirs", name="Secret"), headers=theirs)
    assert made.status_code == 201, made.text
    again = register(world, id="twin", table=table)
    refused(again, 409, "5006", "table")
    assert not {"theirs", "Secret", OTHER_ORG} & set(again.text.split('"'))
    refused(world.call("GET", f"{CATALOG}/twin"), 404, "5001")


def test_a_link_to_a_registered_table_is_that_table(world: World, tmp_path: Path) -> None:
    (tmp_path / "table").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "table")
    place = {"format": "parquet", "location": str(tmp_path / "table")}
    assert register(world, id="first", table=place).status_code == 201
    refused(register(world, id="second", table=place | {"location": str(tmp_path / "link")}), 409, "5006", "table")


def test_what_is_no_location_is_refused(sqlite_world: World) -> None:
    refused(register(sqlite_world, table={"format": "delta", "location": "s3://[lake"}), 400, "1002", "table.location")
