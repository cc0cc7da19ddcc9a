"""Each method of aepp's class Hygiene, and of the classes that its users call first, against a running server."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from compat.aepp.client import Aepp
from compat.aepp.conftest import EXPIRATIONS_IN
from support.server import CARDS, DEV, EMAILS, MAPPED, PROD, Server

pytestmark = pytest.mark.xdist_group("aepp")

EXPIRY, LATER = "2090-12-31T23:59:59Z", "2091-12-31T23:59:59Z"
ALIASES = {
    "expirationDatasetQuota": ["datasetExpirationQuota"],
    "deleteIdentityWorkOrderDatasetQuota": [
        "dailyConsumerDeleteIdentitiesQuota",
        "monthlyConsumerDeleteIdentitiesQuota",
    ],
    "fieldUpdateWorkOrderDatasetQuota": ["monthlyUpdatedFieldIdentitiesQuota"],
}


def order(aepp: Aepp, name: str, *ids: str, dataset_id: str = "ALL") -> dict[str, Any]:
    """Ask for a record delete, in the form of the version."""
    if aepp.version == "0.4.0":
        form = {"identities": [{"namespace": {"code": "email"}, "id": each} for each in ids]}
    else:
        form = {"namespacesIdentities": [{"namespace": {"code": "email"}, "IDs": list(ids)}]}
    created: dict[str, Any] = aepp.hygiene(
        "createRecordDeleteRequest", datasetId=dataset_id, name=name, description="by a client", **form
    )
    return created


def test_it_is_the_version_that_it_should_be(aepp: Aepp, session: str) -> None:
    assert aepp.version == session.split("-", maxsplit=1)[0]
    assert ("build/aepp-0.4.0" in aepp.file) is (aepp.version == "0.4.0")


def test_get_quotas(aepp: Aepp) -> None:
    quotas = aepp.hygiene("getQuotas")
    assert [each["name"] for each in quotas] == [name for names in ALIASES.values() for name in names]
    assert all(type(each["consumed"]) is int and type(each["quota"]) is int for each in quotas)


@pytest.mark.parametrize("quota_type", ALIASES)
def test_get_quotas_of_a_type(aepp: Aepp, quota_type: str) -> None:
    assert [each["name"] for each in aepp.hygiene("getQuotas", quotaType=quota_type)] == ALIASES[quota_type]


def test_an_expiration_from_creation_to_cancellation(aepp: Aepp, dataset: str) -> None:
    created = aepp.hygiene("createDatasetExpiration", datasetId=dataset, expiry=EXPIRY, name="Drop", description="d")
    assert (created["status"], created["datasetId"], created["displayName"]) == ("pending", dataset, "Drop")
    assert created["expiry"] == "2090-12-31T23:59:59.000000Z"

    by_dataset = aepp.hygiene("getDatasetExpiration", datasetId=dataset)
    assert [each["status"] for each in by_dataset.pop("history")] == ["created"]
    assert aepp.hygiene("getDatasetExpiration", ttlId=created["ttlId"]) == by_dataset == created

    for number, key in enumerate(({"ttlId": created["ttlId"]}, {"datasetId": dataset})):
        updated = aepp.hygiene("createDatasetExpiration", **key, expiry=LATER, name=f"Drop {number}")
        assert (updated["ttlId"], updated["displayName"]) == (created["ttlId"], f"Drop {number}")
        assert (updated["expiry"], updated["description"]) == ("2091-12-31T23:59:59.000000Z", "")

    assert aepp.hygiene("deleteDatasetExpiration", ttlId=created["ttlId"]) == 200
    cancelled = aepp.hygiene("getDatasetExpiration", datasetId=dataset)
    assert cancelled["status"] == "cancelled"
    assert [each["status"] for each in cancelled["history"]] == ["created", "updated", "updated", "cancelled"]
    again = aepp.hygiene("deleteDatasetExpiration", ttlId=created["ttlId"])
    assert (again["status"], again["error_code"]) == (404, "HYGN-3005-404")


@pytest.mark.parametrize("sandbox_name", EXPIRATIONS_IN)
def test_get_datasets_expirations_ends_with_the_last_page(aepp: Aepp, sandbox_name: str) -> None:
    listed = aepp.hygiene("getDatasetsExpirations", sandboxName=sandbox_name)
    # The library keeps the last page that it read: of 120 by 50, the last 20.
    assert len(listed) == EXPIRATIONS_IN[sandbox_name] % 50
    assert {each["sandboxName"] for each in listed} <= {sandbox_name}


@pytest.mark.parametrize(("limit", "last"), [(100, 20), (60, 60), (1, 1), (40, 40)])
def test_get_datasets_expirations_ends_whatever_the_size_of_a_page(aepp: Aepp, limit: int, last: int) -> None:
    assert len(aepp.hygiene("getDatasetsExpirations", sandboxName="many", limit=limit)) == last


def test_get_datasets_expirations_from_beyond_the_last_page(aepp: Aepp) -> None:
    # The library counts from the page that it was told to start with, and so reads past the end before it stops.
    assert aepp.hygiene("getDatasetsExpirations", sandboxName="many", page=7) == []


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"author": "LIKE %administrator%"}, 1),
        ({"author": "NOT LIKE %administrator%"}, 0),
        ({"author": "John Q. Public"}, 0),
        ({"datasetId": "single-0"}, 1),
        ({"datasetName": "ACME"}, 1),
        ({"createdDate": "2021-12-07"}, 0),
        ({"createdFromDate": "2021-12-07T00:00:00Z"}, 1),
        ({"createdToDate": "2021-12-07T23:59:59.00Z"}, 0),
        ({"completedToDate": "2021-11-11-06:00"}, 0),
        ({"status": "pending,cancelled"}, 1),
        ({"status": "cancelled"}, 0),
        ({"updatedDate": "2022-01-01"}, 0),
        ({"expiryDate": "2090-01-01"}, 1),
    ],
    ids=str,
)
def test_get_datasets_expirations_filtered_as_its_documentation_shows(
    aepp: Aepp, filters: dict[str, str], count: int
) -> None:
    listed = aepp.hygiene("getDatasetsExpirations", sandboxName="single", **filters)
    assert [each["datasetId"] for each in listed] == ["single-0"] * count


def test_a_record_delete_from_creation_to_a_new_name(aepp: Aepp) -> None:
    created = order(aepp, "Forget two", "a@example.com", "b@example.com", dataset_id=EMAILS)
    assert (created["status"], created["operationCount"], created["datasetId"]) == ("received", 2, EMAILS)
    assert (created["displayName"], created["description"]) == ("Forget two", "by a client")
    key = created["workorderId"]
    assert aepp.hygiene("getWorkOrderStatus", workorderId=key)["workorderId"] == key
    updated = aepp.hygiene("updateWorkOrder", workorderId=key, name="Forgot two", description="done")
    assert (updated["displayName"], updated["description"]) == ("Forgot two", "done")
    assert aepp.hygiene("getWorkOrderStatus", workorderId=key) == updated


def test_a_record_delete_from_a_dictionary(aepp: Aepp) -> None:
    if aepp.version == "0.4.0":  # which takes no dictionary
        return
    body = {
        "datasetId": "ALL",
        "displayName": "Forget",
        "namespacesIdentities": [{"namespace": {"code": "email"}, "IDs": ["c@example.com"]}],
    }
    assert aepp.hygiene("createRecordDeleteRequest", recordDeletionDict=body)["operationCount"] == 1


def test_get_work_orders_reads_every_page(aepp: Aepp) -> None:
    name = f"Order {uuid4()}"
    made = [order(aepp, name, f"{number}@example.com")["workorderId"] for number in range(7)]
    for limit in (50, 7, 3, 1):
        listed = aepp.hygiene("getWorkOrders", displayName=name, limit=limit)
        assert [each["workorderId"] for each in listed] == made[::-1], limit


def test_get_work_orders_of_which_there_are_none(aepp: Aepp) -> None:
    assert aepp.hygiene("getWorkOrders", sandboxName=DEV) == []


def test_get_work_orders_filtered_as_its_documentation_shows(aepp: Aepp) -> None:
    name = f"Acme {uuid4()}"
    key = order(aepp, name, "a@example.com")["workorderId"]
    for filters in (
        {"search": name},
        {"type": "identity-delete", "displayName": name},
        {"status": "received,validated,ingested,failed", "displayName": name},
        {"displayName": name.upper()},
        {"workorderId": key},
        {"sandboxName": PROD, "displayName": name},
    ):
        assert [each["workorderId"] for each in aepp.hygiene("getWorkOrders", **filters)] == [key], filters


def test_a_refusal_reaches_the_caller(aepp: Aepp) -> None:
    refused = aepp.hygiene("getDatasetExpiration", datasetId="unheard-of")
    assert (refused["status"], refused["error_code"]) == (404, "HYGN-3001-404")
    assert refused["message"]
    assert order(aepp, "x", dataset_id="unheard-of")["error_code"] == "HYGN-4002-400"


def test_sandboxes(aepp: Aepp) -> None:
    assert [each["name"] for each in aepp.call("Sandboxes", "getSandboxes")] == [PROD, DEV, *EXPIRATIONS_IN]
    one = aepp.call("Sandboxes", "getSandbox", name=PROD)
    assert (one["name"], one["isDefault"], one["state"]) == (PROD, True, "active")


def test_data_sets_with_the_tag_of_an_expiration(aepp: Aepp, dataset: str, aepp_server: Server) -> None:
    found = aepp.call("Catalog", "getDataSets")
    assert {EMAILS, CARDS, MAPPED, dataset} <= set(found)
    assert "adobe/hygiene/ttl" not in found[dataset]["tags"]
    aepp.hygiene("createDatasetExpiration", datasetId=dataset, expiry=EXPIRY, name="Drop")
    one = aepp.call("Catalog", "getDataSet", datasetId=dataset)[dataset]
    expires_at = datetime.fromisoformat(EXPIRY)
    assert one["tags"]["adobe/hygiene/ttl"] == [str(int(expires_at.timestamp() * 1000))]
    assert one["tags"]["unifiedIdentity"] == ["enabled:true"]
    listed = aepp.call("Catalog", "getDataSets", output="list")
    assert dataset in {each["id"] for each in listed}


def test_the_schema_of_a_data_set(aepp: Aepp) -> None:
    found = aepp.call("Catalog", "getDataSets")
    schema = aepp.call("Schema", "getSchema", schemaId=found[EMAILS]["schemaRef"]["id"])
    assert schema["$id"] == found[EMAILS]["schemaRef"]["id"]
    assert schema["properties"]["person"]["properties"]["email"]["xdm:isPrimary"] is True
    mapped = aepp.call("Schema", "getSchema", schemaId=found[MAPPED]["schemaRef"]["id"])
    assert "identityMap" in mapped["properties"]


def test_identity_namespaces(aepp: Aepp) -> None:
    by_code = {each["code"]: each["id"] for each in aepp.call("Identity", "getIdentities")}
    assert (by_code["ECID"], by_code["Email"]) == (4, 6)
