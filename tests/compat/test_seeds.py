"""Every request that the published documents show is answered, and the answer has every field that they show.

The documents are named in `compat.seeds`.
"""

import json
from typing import Any
from uuid import UUID

import pytest

from compat import seeds
from compat.conftest import MakeWorld
from compat.seeds import assert_shows, parameters
from lethe.domain.ids import WorkOrderId
from lethe.domain.product import ALL_PRODUCTS, ProductProgress, ProductStatus
from support.api import HYGIENE, World, organization
from support.values import ORG, PROD

JSON_TYPE = {"Content-Type": "application/json"}
ACCEPT = {"Accept": "application/json"}


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """An org as it is today, with the datasets that the documents name."""
    return make_world([organization(ORG)])


@pytest.fixture
def world_2022(make_world: MakeWorld) -> World:
    """An org as it was in 2022: it leaves the sandbox header out."""
    return make_world([organization(ORG, sandbox_header_required=False)])


def headers(world: World, **more: str) -> dict[str, str]:
    """GUIDE, "Gather values for required headers": three, and `Content-Type` where there is a payload."""
    return world.headers(sandbox_name=None) | more


def in_org(text: str) -> Any:
    return json.loads(text.replace("{ORG}", ORG))


def mended(text: str) -> str:
    """The text without the comma that stands before a closing brace."""
    assert '"standard",\n              }' in text
    return text.replace('"standard",\n              }', '"standard"\n              }')


def scheduled(world: World) -> dict[str, Any]:
    """An expiration of the dataset that the answers show."""
    body = seeds.EXPIRATION_CREATE | {"datasetId": seeds.EXPIRATION_DATASET}
    created = world.call("POST", "/ttl", body)
    assert created.status_code == 201
    expiration: dict[str, Any] = created.json()
    return expiration


def executing(world: World) -> dict[str, Any]:
    """The same once its time has come."""
    expiration = scheduled(world)
    world.later(days=5 * 366)
    world.execute(UUID(expiration["ttlId"].removeprefix("SD-")))
    return expiration


def submitted(world: World) -> dict[str, Any]:
    """A work order of which every product knows."""
    order: dict[str, Any] = world.call("POST", "/workorder", seeds.ORDER_REQUEST).json()
    key = WorkOrderId(UUID(order["workorderId"].removeprefix("DI-")))
    with world.store.write() as tx:
        stored = tx.work_orders.find(ORG, PROD, key)
        assert stored is not None
        tx.work_orders.save(stored.advanced(tx.now).advanced(tx.now))
        tx.work_orders.save_products(
            {key: [ProductProgress(product, ProductStatus.WAITING, tx.now) for product in ALL_PRODUCTS]}
        )
    return order


# GUIDE


def test_guide_three_headers_are_enough_to_read_the_quotas(world: World) -> None:
    answered = world.call("GET", "/quota", headers=headers(world))
    assert answered.status_code == 200


# ALPHA


def test_alpha_create_a_delete_job(world: World) -> None:
    created = world.call("POST", "/jobs", in_org(mended(seeds.ALPHA_REQUEST)), headers=headers(world, **JSON_TYPE))
    assert created.status_code == 201
    assert_shows(created.json(), seeds.ALPHA_ANSWER)
    echoed = [
        {name: value for name, value in job.items() if name != "jobId"} for job in created.json()["jobs"]
    ]  # what the client sent comes back as the document shows it
    assert echoed == [
        {name: value for name, value in job.items() if name != "jobId"} for job in seeds.ALPHA_ANSWER["jobs"]
    ]
    assert created.json()["totalRecords"] == 2


def test_alpha_the_comma_too_many_is_not_json(world: World) -> None:
    body = seeds.ALPHA_REQUEST.replace("{ORG}", ORG).encode()
    answered = world.client.post(f"{HYGIENE}/jobs", content=body, headers=headers(world, **JSON_TYPE))
    assert (answered.status_code, answered.json()["error_code"]) == (400, "HYGN-1001-400")


# GUIDE_2022


def test_guide_2022_delete_an_identity(world_2022: World) -> None:
    world = world_2022
    created = world.call("POST", "/workorder", seeds.ORDER_2022_REQUEST, headers=headers(world, **JSON_TYPE))
    assert created.status_code == 201
    assert_shows(created.json(), seeds.ORDER_2022_ANSWER)
    for name in ("operation", "operationCount", "status"):
        assert created.json()[name] == seeds.ORDER_2022_ANSWER[name]
    assert created.json()["orgId"] == ORG


def test_guide_2022_the_same_call_names_the_missing_header_where_an_org_requires_it(world: World) -> None:
    answered = world.call("POST", "/workorder", seeds.ORDER_2022_REQUEST, headers=headers(world, **JSON_TYPE))
    assert (answered.status_code, answered.json()["error_code"]) == (400, "400003")
    assert "x-sandbox-name" in answered.json()["message"]


# REFERENCE, "Quota"


def test_reference_list_your_data_hygiene_quotas(world: World) -> None:
    answered = world.call("GET", "/quota", headers=headers(world, **JSON_TYPE))
    assert answered.status_code == 200
    assert_shows(answered.json(), seeds.QUOTAS_ANSWER)
    assert tuple(each["name"] for each in answered.json()["quotas"]) == seeds.QUOTA_TYPES


@pytest.mark.parametrize("quota_type", seeds.QUOTA_TYPES)
def test_reference_one_quota_by_its_type(world: World, quota_type: str) -> None:
    answered = world.call("GET", "/quota", quotaType=quota_type)
    assert answered.status_code == 200
    assert [each["name"] for each in answered.json()["quotas"]] == [quota_type]
    assert_shows(answered.json()["quotas"], seeds.QUOTAS_ANSWER["quotas"])


# REFERENCE, "Dataset Expiration"


def test_reference_list_your_dataset_expirations(world: World) -> None:
    scheduled(world)
    answered = world.call("GET", "/ttl", headers=world.headers() | ACCEPT)
    assert answered.status_code == 200
    assert_shows(answered.json(), seeds.EXPIRATIONS_ANSWER)


def test_reference_every_query_of_the_expiration_list(world: World) -> None:
    expiration = scheduled(world)
    for query in seeds.EXPIRATION_QUERIES:
        answered = world.call("GET", "/ttl", **parameters(query))
        assert answered.status_code == 200, query
        assert set(seeds.EXPIRATIONS_ANSWER) <= set(answered.json()), query
    found = world.call("GET", "/ttl", status="pending,canceled", datasetId=expiration["datasetId"]).json()["results"]
    assert [each["ttlId"] for each in found] == [expiration["ttlId"]]


def test_reference_create_a_dataset_expiration(world: World) -> None:
    created = world.call("POST", "/ttl", seeds.EXPIRATION_CREATE, headers=world.headers() | ACCEPT)
    assert created.status_code == 201
    assert_shows(created.json(), seeds.EXPIRATION_ANSWER)
    assert created.json() | {"expiry": seeds.EXPIRATION_CREATE["expiry"]} == created.json() | seeds.EXPIRATION_CREATE


def test_reference_create_a_dataset_expiration_without_a_sandbox_as_its_header_table_does(world_2022: World) -> None:
    created = world_2022.call("POST", "/ttl", seeds.EXPIRATION_CREATE, headers=headers(world_2022, **ACCEPT))
    assert created.status_code == 201
    assert created.json()["sandboxName"] == PROD


@pytest.mark.parametrize("by", ["ttlId", "datasetId"])
def test_reference_retrieve_a_specific_dataset_expiration(world: World, by: str) -> None:
    expiration = executing(world)
    answered = world.call("GET", f"/ttl/{expiration[by]}", headers=world.headers() | ACCEPT)
    assert answered.status_code == 200
    assert answered.json()["status"] == "executing"
    assert_shows(answered.json(), seeds.EXPIRATION_ANSWER | {"productStatusDetails": seeds.EXPIRATION_PRODUCTS})


def test_reference_the_products_of_an_expiration_one_by_one(world: World) -> None:
    expiration = executing(world)
    for name in seeds.PRODUCT_NAMES:
        answered = world.call("GET", f"/ttl/{expiration['ttlId']}", productStatusDetails=name)
        assert answered.status_code == 200, name
        assert [each["productName"] for each in answered.json()["productStatusDetails"]] == [name]


@pytest.mark.parametrize("by", ["ttlId", "datasetId"])
def test_reference_update_an_existing_dataset_expiration(world: World, by: str) -> None:
    expiration = scheduled(world)
    answered = world.call("PUT", f"/ttl/{expiration[by]}", seeds.EXPIRATION_UPDATE)
    assert answered.status_code == 200
    assert_shows(answered.json(), seeds.EXPIRATION_ANSWER)
    assert answered.json()["ttlId"] == expiration["ttlId"]
    assert answered.json()["displayName"] == seeds.EXPIRATION_UPDATE["displayName"]


@pytest.mark.parametrize("by", ["ttlId", "datasetId"])
def test_reference_update_the_expiry_of_an_existing_dataset_expiration(world: World, by: str) -> None:
    expiration = scheduled(world)
    answered = world.call("PATCH", f"/ttl/{expiration[by]}", seeds.EXPIRATION_RESCHEDULE)
    assert answered.status_code == 200
    # The document shows productStatusDetails as well, which a pending expiration has none of, and only a pending one
    # can be changed.
    assert_shows(answered.json(), seeds.EXPIRATION_ANSWER)
    assert answered.json()["expiry"] == "2030-12-31T23:59:59.000000Z"


def test_reference_products_are_refused_while_an_expiration_is_pending(world: World) -> None:
    expiration = scheduled(world)
    path, query = f"/ttl/{expiration['ttlId']}", {"productStatusDetails": "Data Management"}
    for method, body in (("GET", None), ("PATCH", seeds.EXPIRATION_RESCHEDULE)):
        answered = world.call(method, path, body, **query)
        assert (answered.status_code, answered.json()["error_code"]) == (400, "HYGN-3006-400"), method


@pytest.mark.parametrize("by", ["ttlId", "datasetId"])
def test_reference_cancel_an_existing_dataset_expiration(world: World, by: str) -> None:
    expiration = scheduled(world)
    answered = world.call("DELETE", f"/ttl/{expiration[by]}")
    assert answered.status_code == 200
    assert_shows(answered.json(), seeds.CANCELLED_ANSWER | seeds.EXPIRATION_ANSWER)
    assert answered.json()["message"] == seeds.CANCELLED_ANSWER["message"]
    assert answered.json()["status"] == "cancelled"


# REFERENCE, "Record Delete"


def test_reference_list_workorders(world: World) -> None:
    world.call("POST", "/workorder", seeds.ORDER_REQUEST)
    answered = world.call("GET", "/workorder")
    assert answered.status_code == 200
    # The document shows one work order where a list must be; each of the list has what it shows.
    assert_shows(answered.json()["results"], [seeds.ORDER_ANSWER])


def test_reference_every_query_of_the_work_order_list(world: World) -> None:
    world.call("POST", "/workorder", seeds.ORDER_REQUEST)
    for query in seeds.ORDER_QUERIES:
        answered = world.call("GET", "/workorder", **parameters(query))
        assert answered.status_code == 200, query
        assert {"results", "total", "count", "_links"} <= set(answered.json()), query


@pytest.mark.parametrize(
    "identities", [{"identities": seeds.IDENTITIES}, {"namespacesIdentities": seeds.NAMESPACES_IDENTITIES}], ids=list
)
def test_reference_create_a_workorder(world: World, identities: dict[str, Any]) -> None:
    body = {name: value for name, value in seeds.ORDER_REQUEST.items() if name != "identities"} | identities
    created = world.call("POST", "/workorder", body, headers=world.headers() | JSON_TYPE)
    assert created.status_code == 201
    assert_shows(created.json(), seeds.ORDER_ANSWER)
    for name in ("action", "status", "datasetId", "displayName", "description"):
        assert created.json()[name] == seeds.ORDER_ANSWER[name]
    assert created.json()["operationCount"] == 3


@pytest.mark.parametrize("bare", [False, True], ids=["DI-uuid", "bare uuid"])
def test_reference_retrieve_a_workorder(world: World, bare: bool) -> None:
    key = submitted(world)["workorderId"]
    path = f"/workorder/{key.removeprefix('DI-') if bare else key}"
    answered = world.call("GET", path, headers=world.headers() | JSON_TYPE)
    assert answered.status_code == 200
    assert answered.json()["workorderId"] == key
    assert_shows(answered.json(), seeds.ORDER_ANSWER | {"productStatusDetails": seeds.ORDER_PRODUCTS})
    shown = [each["productName"] for each in answered.json()["productStatusDetails"]]
    assert shown == [each["productName"] for each in seeds.ORDER_PRODUCTS]


def test_reference_update_a_workorder(world: World) -> None:
    key = submitted(world)["workorderId"]
    answered = world.call("PUT", f"/workorder/{key}", seeds.ORDER_UPDATE)
    assert answered.status_code == 200
    assert_shows(answered.json(), seeds.ORDER_ANSWER | {"productStatusDetails": seeds.ORDER_PRODUCTS})
    assert answered.json()["displayName"] == seeds.ORDER_UPDATE["displayName"]
    assert answered.json()["description"] == seeds.ORDER_UPDATE["description"]
