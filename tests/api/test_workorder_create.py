"""`POST /workorder`: record deletes in every form of the body, and immediate dataset deletes."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lethe.domain.ids import WorkOrderId
from lethe.storage.store import SqlStore
from support.api import ANONYMOUS, EMAILS, LOYALTY_CARDS, MAPPED, BundleLimits, World, organization
from support.values import DEV, EMAIL, ORG, OTHER_ORG

from .conftest import MakeWorld
from .refusals import refused

FIELDS = [
    "workorderId",
    "orgId",
    "bundleId",
    "action",
    "createdAt",
    "updatedAt",
    "operationCount",
    "targetServices",
    "status",
    "createdBy",
    "datasetId",
    "datasetName",
    "displayName",
    "description",
    "operation",
    "created_at",
    "updated_at",
]
UUID_TEXT = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PEOPLE = ["poul.anderson@example.com", "cordwainer.smith@gmail.com", "cyril.kornbluth@yahoo.com"]


def identities(*ids: Any, code: Any = "email") -> list[dict[str, Any]]:
    return [{"namespace": {"code": code}, "id": each} for each in ids]


def order(world: World, dataset_id: Any = EMAILS, *, client_id: str = "administrator", **body: Any) -> Any:
    if not body.keys() & {"identities", "namespacesIdentities"}:
        body["identities"] = identities(*PEOPLE)
    return world.call("POST", "/workorder", {"datasetId": dataset_id, **body}, client_id=client_id)


def stored_nothing(world: World) -> bool:
    return world.orders() == [] and world.consumed("dailyConsumerDeleteIdentitiesQuota") == 0


def asked_for(world: World, answer: dict[str, Any]) -> dict[str, list[str]]:
    """The identities that were kept, by the code of their namespace."""
    with world.store.read() as tx:
        kept = tx.identities.open(WorkOrderId(UUID(answer["workorderId"][3:])))
    return {namespace.code: sorted(ids) for namespace, ids in kept.by_namespace.items()}


# What is answered


def test_it_is_answered_with_every_field(world: World) -> None:
    response = order(world, action="delete_identity", displayName="Example", description="Ticket 12345")
    assert response.status_code == 201
    made = response.json()
    assert list(made) == FIELDS
    assert re.fullmatch(f"DI-{UUID_TEXT}", made.pop("workorderId"))
    assert re.fullmatch(f"BN-{UUID_TEXT}", made.pop("bundleId"))
    at = "2026-03-04T12:00:00.000000Z"
    assert made == {
        "orgId": ORG,
        "action": "identity-delete",
        "createdAt": at,
        "updatedAt": at,
        "operationCount": 3,
        "targetServices": ["datalake", "identity", "profile", "ajo"],
        "status": "received",
        "createdBy": "Ann Ovid <administrator@example.com> administrator@techacct.example.com",
        "datasetId": EMAILS,
        "datasetName": f"Dataset {EMAILS}",
        "displayName": "Example",
        "description": "Ticket 12345",
        "operation": "delete_identity",
        "created_at": at,
        "updated_at": at,
    }


def test_it_is_found_by_its_id_with_and_without_the_prefix(world: World) -> None:
    made = order(world).json()
    for key in (made["workorderId"], made["workorderId"][3:], made["workorderId"][3:].upper()):
        assert world.call("GET", f"/workorder/{key}").json() == made
    assert world.orders() == [made]


def test_what_was_asked_for_is_kept_and_counted(world: World) -> None:
    made = order(world).json()
    assert asked_for(world, made) == {"Email": sorted(PEOPLE)}
    assert world.consumed("dailyConsumerDeleteIdentitiesQuota") == 3
    assert world.consumed("monthlyConsumerDeleteIdentitiesQuota") == 3
    assert world.consumed("monthlyUpdatedFieldIdentitiesQuota") == 0


def test_the_answer_holds_no_identity(sqlite_world: World) -> None:
    response = order(sqlite_world)
    assert not any(person in response.text for person in PEOPLE)


@pytest.mark.parametrize("action", ["delete_identity", "delete-identity", "identity-delete", None])
def test_spellings_of_the_action(sqlite_world: World, action: str | None) -> None:
    made = order(sqlite_world, action=action).json()
    assert (made["action"], made["operation"]) == ("identity-delete", "delete_identity")


def test_the_action_may_be_absent(sqlite_world: World) -> None:
    assert order(sqlite_world).json()["action"] == "identity-delete"


@pytest.mark.parametrize(
    "action", ["", "delete", "DELETE_IDENTITY", "update_identity", " delete_identity", "x" * 1_001]
)
def test_another_action_is_400(sqlite_world: World, action: str) -> None:
    refused(order(sqlite_world, action=action), 400, "1002", "action")
    assert stored_nothing(sqlite_world)


# The two forms of identities


def test_the_object_form(world: World) -> None:
    made = order(world, MAPPED, identities=[*identities("a", "b"), *identities("c", code="ECID")]).json()
    assert made["operationCount"] == 3
    assert asked_for(world, made) == {"Email": ["a", "b"], "ECID": ["c"]}


@pytest.mark.parametrize("spelling", ["IDs", "ids"])
def test_the_list_form(world: World, spelling: str) -> None:
    lists = [{"namespace": {"code": "email"}, spelling: ["a", "b"]}, {"namespace": {"code": "ECID"}, spelling: ["c"]}]
    made = order(world, MAPPED, namespacesIdentities=lists).json()
    assert made["operationCount"] == 3
    assert asked_for(world, made) == {"Email": ["a", "b"], "ECID": ["c"]}


def test_the_other_form_may_be_null(sqlite_world: World) -> None:
    lists = [{"namespace": {"code": "email"}, "IDs": ["a"]}]
    assert order(sqlite_world, identities=None, namespacesIdentities=lists).status_code == 201
    assert order(sqlite_world, identities=identities("a"), namespacesIdentities=None).status_code == 201


@pytest.mark.parametrize("listed", [[], [{"namespace": {"code": "email"}, "IDs": ["a"]}]])
@pytest.mark.parametrize("objects", [[], identities("a")])
def test_both_forms_are_400(sqlite_world: World, listed: Any, objects: Any) -> None:
    response = order(sqlite_world, identities=objects, namespacesIdentities=listed)
    refused(response, 400, "4003")
    assert response.json()["message"] == "Identities and NamespacesIdentities are not allowed at the same time"
    assert stored_nothing(sqlite_world)


NONE: list[dict[str, Any]] = [
    {"identities": None},
    {"identities": []},
    {"namespacesIdentities": None},
    {"namespacesIdentities": []},
    {"identities": None, "namespacesIdentities": None},
    {"namespacesIdentities": [{"namespace": {"code": "email"}, "IDs": []}]},
    {"namespacesIdentities": [{"namespace": {"code": "email"}, "ids": None}]},
]


@pytest.mark.parametrize("none", NONE)
def test_no_identities_are_400(sqlite_world: World, none: dict[str, Any]) -> None:
    response = order(sqlite_world, **none)
    refused(response, 400, "4002")
    assert response.json()["message"] == "Identities are Empty for Delete Identity request."
    assert stored_nothing(sqlite_world)


def test_neither_form_is_400(sqlite_world: World) -> None:
    refused(sqlite_world.call("POST", "/workorder", {"datasetId": EMAILS}), 400, "4002")


@pytest.mark.parametrize("bad", ["", " ", "\t\n", "\u00a0", "\u2003"])
def test_an_empty_or_blank_id_is_400_with_its_index(sqlite_world: World, bad: str) -> None:
    context = refused(order(sqlite_world, identities=identities("a", "b", bad)), 400, "1002", "identities[2].id")
    assert context["index"] == 2
    lists = [{"namespace": {"code": "email"}, "IDs": ["a"]}, {"namespace": {"code": "email"}, "ids": ["b", bad]}]
    context = refused(order(sqlite_world, namespacesIdentities=lists), 400, "1002", "namespacesIdentities[1].ids[1]")
    assert context["index"] == 1
    assert stored_nothing(sqlite_world)


def test_a_null_id_is_400_with_its_index(sqlite_world: World) -> None:
    refused(order(sqlite_world, identities=identities("a", None)), 400, "1002", "identities[1].id")
    lists = [{"namespace": {"code": "email"}, "IDs": ["a", "b", None]}]
    refused(order(sqlite_world, namespacesIdentities=lists), 400, "1002", "namespacesIdentities[0].IDs[2]")
    assert stored_nothing(sqlite_world)


def test_ids_in_both_spellings_are_400(sqlite_world: World) -> None:
    lists = [{"namespace": {"code": "email"}, "IDs": ["a"], "ids": ["b"]}]
    refused(order(sqlite_world, namespacesIdentities=lists), 400, "1002", "namespacesIdentities[0].IDs")
    lists = [{"namespace": {"code": "email"}}]
    refused(order(sqlite_world, namespacesIdentities=lists), 400, "1002", "namespacesIdentities[0].IDs")


def test_duplicates_are_removed_within_a_namespace_alone(world: World) -> None:
    doubled = [*identities("a", "a", "A", " a"), *identities("a", code="ECID"), *identities("a", code="EMAIL")]
    made = order(world, MAPPED, identities=[*doubled, {"namespace": {"id": 6}, "id": "a"}]).json()
    assert made["operationCount"] == 4
    assert asked_for(world, made) == {"Email": [" a", "A", "a"], "ECID": ["a"]}


def test_a_case_insensitive_namespace_counts_spellings_once(world: World) -> None:
    created = world.call(
        "POST", "/data/core/idnamespace/identities", {"code": "Handle", "name": "Handle", "caseInsensitive": True}
    )
    assert created.status_code == 201
    made = order(world, "ALL", identities=identities("STRASSE", "straße", "Strasse", "other", code="handle")).json()
    assert made["operationCount"] == 2
    assert asked_for(world, made) == {"Handle": ["STRASSE", "other"]}


def test_ids_are_kept_byte_for_byte(world: World) -> None:
    odd = ["é", "e\u0301", "😀", " spaced ", "a\tb", "x" * 1_024, "\u200b", "{}", "'\"\\", "%_"]
    made = order(world, identities=identities(*odd)).json()
    assert asked_for(world, made) == {"Email": sorted(odd)}


# Namespaces


@pytest.mark.parametrize(
    "namespace",
    [
        {"code": "Email"},
        {"code": "email"},
        {"code": "EMAIL"},
        {"id": 6},
        {"code": "email", "id": 6},
        {"code": None, "id": 6},
    ],
)
def test_a_namespace_by_code_by_number_or_both(sqlite_world: World, namespace: dict[str, Any]) -> None:
    assert order(sqlite_world, identities=[{"namespace": namespace, "id": "a"}]).status_code == 201
    assert order(sqlite_world, namespacesIdentities=[{"namespace": namespace, "IDs": ["a"]}]).status_code == 201


@pytest.mark.parametrize(
    "namespace",
    [
        {"code": "shoe size"},
        {"code": ""},
        {"id": 5},
        {"id": -1},
        {"id": 10**30},
        {"code": "email", "id": 4},
        {"code": "shoe", "id": 6},
    ],
)
def test_an_unknown_namespace_is_400_with_its_place(sqlite_world: World, namespace: dict[str, Any]) -> None:
    bad = [*identities("a", "b"), {"namespace": namespace, "id": "c"}]
    refused(order(sqlite_world, "ALL", identities=bad), 400, "4005", "identities[2].namespace")
    lists = [{"namespace": {"code": "email"}, "IDs": ["a"]}, {"namespace": namespace, "IDs": ["c"]}]
    refused(order(sqlite_world, "ALL", namespacesIdentities=lists), 400, "4005", "namespacesIdentities[1].namespace")
    assert stored_nothing(sqlite_world)


@pytest.mark.parametrize("namespace", [{}, {"code": None}, {"id": None}, {"code": None, "id": None}])
def test_a_namespace_that_names_nothing_is_400(sqlite_world: World, namespace: dict[str, Any]) -> None:
    bad = [*identities("a"), {"namespace": namespace, "id": "b"}]
    refused(order(sqlite_world, identities=bad), 400, "1002", "identities[1].namespace")


def test_another_orgs_custom_namespace_is_unknown(world: World) -> None:
    theirs = world.headers("stranger", org_id=OTHER_ORG)
    made = world.call("POST", "/data/core/idnamespace/identities", {"code": "Card", "name": "Card"}, headers=theirs)
    assert made.status_code == 201
    for namespace in ({"code": "Card"}, {"id": made.json()["id"]}):
        bad = [{"namespace": namespace, "id": "a"}]
        refused(order(world, "ALL", identities=bad), 400, "4005", "identities[0].namespace")


# Datasets


def test_a_dataset_of_another_namespace_is_400_with_the_place(world: World) -> None:
    mixed = [*identities("a", "b"), *identities("c", code="ECID")]
    context = refused(order(world, EMAILS, identities=mixed), 400, "4006", "identities[2].namespace")
    assert context["datasetId"] == EMAILS
    lists = [{"namespace": {"code": "email"}, "IDs": ["a"]}, {"namespace": {"id": 4}, "IDs": ["c"]}]
    refused(order(world, EMAILS, namespacesIdentities=lists), 400, "4006", "namespacesIdentities[1].namespace")
    refused(order(world, LOYALTY_CARDS), 400, "4006", "identities[0].namespace")
    assert stored_nothing(world)


def test_a_dataset_with_an_identity_map_takes_any_namespace(sqlite_world: World) -> None:
    assert order(sqlite_world, MAPPED, identities=identities("a", code="GAID")).status_code == 201


def test_a_dataset_without_an_identity_is_400(sqlite_world: World) -> None:
    context = refused(order(sqlite_world, ANONYMOUS), 400, "4007", "datasetId")
    assert context["datasetId"] == ANONYMOUS
    assert stored_nothing(sqlite_world)


def test_a_primary_identity_comes_before_an_identity_map(sqlite_world: World) -> None:
    sqlite_world.register("both", namespace_code="Email", identity_map=True)
    refused(
        order(sqlite_world, "both", identities=identities("a", code="ECID")), 400, "4006", "identities[0].namespace"
    )


def test_several_datasets(world: World) -> None:
    made = order(world, f" {EMAILS} , {MAPPED},{EMAILS}").json()
    assert made["datasetId"] == f"{EMAILS},{MAPPED}"
    assert made["datasetName"] == f"Dataset {EMAILS}, Dataset {MAPPED}"
    assert "skippedDatasets" not in made
    assert world.call("GET", f"/workorder/{made['workorderId']}").json() == made


def test_each_of_several_datasets_must_fit(world: World) -> None:
    refused(order(world, f"{EMAILS},{LOYALTY_CARDS}"), 400, "4006", "identities[0].namespace")
    refused(order(world, f"{EMAILS},{ANONYMOUS}"), 400, "4007", "datasetId")
    context = refused(order(world, f"{EMAILS},{MAPPED},unheard-of"), 404, "5001", "datasetId")
    assert context["index"] == 2
    assert stored_nothing(world)


def test_an_unknown_dataset_is_404(world: World) -> None:
    for dataset_id in ("unheard-of", "all", "x" * 300, "%", EMAILS.upper()):
        refused(order(world, dataset_id), 404, "5001", "datasetId")
    assert stored_nothing(world)


def test_another_orgs_and_another_sandboxs_dataset_are_answered_as_unknown(world: World) -> None:
    world.register("theirs", org_id=OTHER_ORG)
    world.register("elsewhere", sandbox_name=DEV)
    answers = []
    for dataset_id in ("theirs", "elsewhere", "unheard-of"):
        answer = order(world, dataset_id).json()
        del answer["error-chain"]
        answers.append(answer)
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["status"] == 404
    assert stored_nothing(world)


@pytest.mark.parametrize(
    "dataset_id",
    [
        None,
        "",
        " ",
        ",",
        f"{EMAILS},",
        f",{EMAILS}",
        f"{EMAILS},,{MAPPED}",
        "ALL,ALL",
        f"ALL,{EMAILS}",
        "a\0b",
        "x," * 1_001,
    ],
)
def test_a_dataset_id_of_no_use_is_400(sqlite_world: World, dataset_id: Any) -> None:
    refused(order(sqlite_world, dataset_id), 400, "1002", "datasetId")
    assert stored_nothing(sqlite_world)


def test_the_dataset_id_is_required(sqlite_world: World) -> None:
    refused(sqlite_world.call("POST", "/workorder", {"identities": identities("a")}), 400, "1002", "datasetId")


def test_all_datasets_skips_those_that_cannot_match_and_says_so(world: World) -> None:
    made = order(world, "ALL").json()
    assert (made["datasetId"], made["datasetName"]) == ("ALL", "ALL")
    assert made["skippedDatasets"] == [
        {
            "datasetId": LOYALTY_CARDS,
            "reason": "its primary identity is in namespace ECID, which the order does not hold",
        },
        {"datasetId": ANONYMOUS, "reason": "it has neither a primary identity nor an identity map"},
    ]
    assert world.call("GET", f"/workorder/{made['workorderId']}").json() == made


def test_all_datasets_takes_any_namespace_known_to_the_org(sqlite_world: World) -> None:
    every = [*identities("a"), *identities("b", code="ECID"), *identities("c", code="GAID")]
    made = order(sqlite_world, "ALL", identities=every).json()
    assert [each["datasetId"] for each in made["skippedDatasets"]] == [ANONYMOUS]


def test_all_datasets_speaks_of_this_sandbox_alone(world: World) -> None:
    world.register("theirs", org_id=OTHER_ORG, namespace_code=None)
    world.register("elsewhere", sandbox_name=DEV, namespace_code=None)
    skipped = {each["datasetId"] for each in order(world, "ALL").json()["skippedDatasets"]}
    assert skipped == {LOYALTY_CARDS, ANONYMOUS}


# Target services


def test_the_services_may_be_narrowed_for_all_datasets(world: World) -> None:
    made = order(world, "ALL", targetServices=["profile", "ajo", "identity"]).json()
    assert made["targetServices"] == ["identity", "profile", "ajo"]
    assert world.orders() == [{name: value for name, value in made.items() if name != "skippedDatasets"}]


@pytest.mark.parametrize("services", [None, ["datalake", "identity", "profile", "ajo"]])
def test_all_services(sqlite_world: World, services: Any) -> None:
    made = order(sqlite_world, targetServices=services).json()
    assert made["targetServices"] == ["datalake", "identity", "profile", "ajo"]


@pytest.mark.parametrize(
    "services",
    [
        [],
        ["datalake"],
        ["identity"],
        ["identity", "profile"],
        ["identity", "profile", "ajo", "shoes"],
        ["datalake", "identity", "profile"],
        [""],
    ],
)
def test_other_services_are_400(sqlite_world: World, services: list[str]) -> None:
    refused(order(sqlite_world, "ALL", targetServices=services), 400, "1002", "targetServices")
    assert stored_nothing(sqlite_world)


def test_the_services_cannot_be_narrowed_for_named_datasets(sqlite_world: World) -> None:
    response = order(sqlite_world, EMAILS, targetServices=["identity", "profile", "ajo"])
    refused(response, 400, "1002", "targetServices")
    assert "ALL" in response.json()["detail"]


# Texts


@pytest.mark.parametrize("text", ["  spaces ", "Ünïcödé 🗑", "line\nbreak", "'; DROP TABLE x; --", "<b>&amp;\\", ""])
def test_texts_are_kept_byte_for_byte(world: World, text: str) -> None:
    made = order(world, displayName=text, description=text).json()
    assert (made["displayName"], made["description"]) == (text, text)
    assert world.call("GET", f"/workorder/{made['workorderId']}").json() == made


def test_texts_of_the_greatest_length(world: World) -> None:
    made = order(world, displayName="ü" * 255, description="ü" * 1_000).json()
    assert (len(made["displayName"]), len(made["description"])) == (255, 1_000)


@pytest.mark.parametrize(
    ("field", "value"),
    [("displayName", "x" * 256), ("description", "x" * 1_001), ("displayName", "a\0b"), ("description", "a\0b")],
)
def test_texts_that_are_too_long_or_hold_nul(sqlite_world: World, field: str, value: str) -> None:
    refused(order(sqlite_world, **{field: value}), 400, "1002", field)
    assert stored_nothing(sqlite_world)


# Deleting a dataset


@pytest.mark.parametrize("action", ["delete_dataset", "delete-dataset", "dataset-delete"])
def test_a_dataset_is_deleted_now(world: World, action: str) -> None:
    response = world.call("POST", "/workorder", {"action": action, "datasetId": ANONYMOUS}, client_id="dataset-deleter")
    assert response.status_code == 201
    made = response.json()
    assert (made["action"], made["operation"], made["operationCount"]) == ("dataset-delete", "delete_dataset", 0)
    assert (made["datasetId"], made["status"]) == (ANONYMOUS, "received")
    assert world.consumed("dailyConsumerDeleteIdentitiesQuota") == 0


@pytest.mark.parametrize("dataset_id", ["ALL", f"{EMAILS},{MAPPED}", ""])
def test_exactly_one_dataset_is_deleted(sqlite_world: World, dataset_id: str) -> None:
    body = {"action": "delete_dataset", "datasetId": dataset_id}
    refused(sqlite_world.call("POST", "/workorder", body), 400, "1002", "datasetId")
    assert stored_nothing(sqlite_world)


def test_deleting_a_dataset_takes_no_identities(sqlite_world: World) -> None:
    for form in ({"identities": identities("a")}, {"namespacesIdentities": [{"namespace": {"id": 6}, "IDs": ["a"]}]}):
        body = {"action": "delete_dataset", "datasetId": EMAILS, **form}
        refused(sqlite_world.call("POST", "/workorder", body), 400, "1002", "identities")
    assert stored_nothing(sqlite_world)


def test_deleting_an_unknown_dataset_is_404(sqlite_world: World) -> None:
    body = {"action": "delete_dataset", "datasetId": "unheard-of"}
    refused(sqlite_world.call("POST", "/workorder", body), 404, "5001", "datasetId")


@pytest.mark.parametrize("client_id", ["record-delete-manager", "service"])
def test_deleting_a_dataset_needs_its_own_permission(sqlite_world: World, client_id: str) -> None:
    body = {"action": "delete_dataset", "datasetId": EMAILS}
    context = refused(sqlite_world.call("POST", "/workorder", body, client_id=client_id), 403, "1006")
    assert context["permissions"] == ["delete-datasets"]
    assert stored_nothing(sqlite_world)


def test_who_deletes_datasets_may_not_therefore_delete_records(sqlite_world: World) -> None:
    context = refused(order(sqlite_world, client_id="dataset-deleter"), 403, "1006")
    assert context["permissions"] == ["manage-record-deletes"]
    assert stored_nothing(sqlite_world)


# Bundles


def test_orders_join_the_open_bundle_of_their_org_and_sandbox(make_world: MakeWorld, store: SqlStore) -> None:
    limits = BundleLimits(window=timedelta(hours=1), orders_max=2)
    world = make_world(store, orgs=[organization(ORG, bundle_limits=limits), organization(OTHER_ORG)])
    world.register("there", sandbox_name=DEV)
    first, second, third = (order(world).json()["bundleId"] for _ in range(3))
    body = {"action": "delete_dataset", "datasetId": "there"}
    other_sandbox = world.call("POST", "/workorder", body, headers=world.headers(sandbox_name=DEV)).json()["bundleId"]
    assert first == second
    assert len({first, third, other_sandbox}) == 3


# 100,000


def test_100_000_identities_in_either_form(sqlite_world: World) -> None:
    ids = [f"{number}@example.com" for number in range(100_000)]
    lists = [{"namespace": {"code": EMAIL.code}, "IDs": [*ids, *ids[:100]]}]  # duplicates do not count
    assert order(sqlite_world, namespacesIdentities=lists).json()["operationCount"] == 100_000
    assert order(sqlite_world, identities=identities(*ids)).json()["operationCount"] == 100_000
    assert sqlite_world.consumed("dailyConsumerDeleteIdentitiesQuota") == 200_000


def test_100_001_identities_are_too_many(sqlite_world: World) -> None:
    lists = [{"namespace": {"code": "email"}, "IDs": [str(number) for number in range(100_001)]}]
    context = refused(order(sqlite_world, namespacesIdentities=lists), 400, "4004")
    assert context == {"count": 100_001, "maximum": 100_000}
    assert stored_nothing(sqlite_world)
