"""Preview, plan and results: what an order would do, is to do and did; identities under keyed hashes alone."""

from lethe.domain.product import Product
from lethe.domain.quota import QuotaName
from support.workshop import Workshop

ANN, BOB, CY = "ann@example.com", "bob@example.com", "cy@example.com"
DAN = "dan@example.com"
NOBODY = "nobody@example.com"


def _body(dataset_id: str, *people: str) -> dict[str, object]:
    return {
        "action": "delete_identity",
        "datasetId": dataset_id,
        "namespacesIdentities": [{"namespace": {"code": "Email"}, "IDs": list(people)}],
    }


def test_a_preview_says_what_would_happen_and_changes_nothing(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, ANN, BOB, CY])
    workshop.table("cookies", [ANN], "ECID")
    shown = workshop.world.call("POST", "/workorder/preview", _body("ALL", ANN, CY, NOBODY))
    assert shown.status_code == 200, shown.text
    preview = shown.json()
    assert (preview["operationCount"], preview["identitiesNotFound"]) == (3, 1)
    [dataset] = preview["datasets"]
    assert (dataset["datasetId"], dataset["rowsMatched"]) == ("ds", 3)
    assert dataset["files"] == {"keep": 0, "rewrite": 1, "drop": 1}
    assert [each["datasetId"] for each in preview["skippedDatasets"]] == ["cookies"]
    assert workshop.people("ds") == [ANN, ANN, BOB, CY]
    quotas = {each["name"]: each["consumed"] for each in workshop.world.call("GET", "/quota").json()["quotas"]}
    assert quotas[QuotaName.DAILY_DELETES] == 0
    assert workshop.world.call("GET", "/workorder").json()["total"] == 0


def test_a_preview_names_the_table_that_stands_in_the_way(workshop: Workshop) -> None:
    workshop.register("missing")
    shown = workshop.world.call("POST", "/workorder/preview", _body("missing", ANN))
    assert shown.status_code == 409
    assert "missing" in shown.json()["detail"]
    assert ANN not in shown.text


def test_the_plan_of_an_order_is_that_of_its_preview(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB, CY])
    previewed = workshop.world.call("POST", "/workorder/preview", _body("ds", ANN)).json()["datasets"]
    order_id = workshop.delete("ds", ANN)
    assert workshop.world.call("GET", f"/workorder/{order_id}/plan").status_code == 404
    workshop.work(until="validated", order_id=order_id)
    [planned] = workshop.world.call("GET", f"/workorder/{order_id}/plan").json()["datasets"]
    assert planned["planHash"] == previewed[0]["planHash"]
    assert [(each["action"], each["rowsMatched"]) for each in planned["touchedFiles"]] == [("drop", 1)]


def test_results_count_rows_for_each_identity_and_show_none(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, ANN, BOB, CY])
    order_id = workshop.delete("ds", ANN, NOBODY, CY)
    held = workshop.world.call("GET", f"/workorder/{order_id}/results").json()
    assert {each["status"] for each in held["results"]} == {"held"}
    workshop.work()
    answer = workshop.world.call("GET", f"/workorder/{order_id}/results")
    shown = answer.json()
    assert [(each["status"], each["rows"]) for each in shown["results"]] == [
        ("deleted", 2),
        ("notFound", 0),
        ("deleted", 1),
    ]
    assert (shown["count"], shown["total"], shown["datasets"][0]["rowsDeleted"]) == (3, 3, 3)
    for person in (ANN, NOBODY, CY):
        assert person not in answer.text
    second = workshop.world.call("GET", f"/workorder/{order_id}/results", limit=2, page=1).json()
    assert [each["hash"] for each in second["results"]] == [shown["results"][2]["hash"]]


def test_a_look_up_reveals_only_what_was_asked(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    workshop.work()

    def look_up(person: str) -> dict[str, object]:
        body = {"namespace": {"code": "email"}, "id": person}
        found: dict[str, object] = workshop.world.call("POST", f"/workorder/{order_id}/results/lookup", body).json()
        return found

    asked = look_up(ANN)
    assert asked["requested"] is True
    assert asked["result"]["status"] == "deleted"  # type: ignore[index]
    assert look_up(BOB) == {"requested": False}


def _statuses(workshop: Workshop, order_id: str) -> list[str]:
    shown = workshop.world.call("GET", f"/workorder/{order_id}/results").json()
    return [each["status"] for each in shown["results"]]


def test_who_was_only_in_a_service_is_deleted_and_a_failure_is_only_theirs_whom_it_concerns(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.services[Product.IDENTITY].traces = {("Email", CY, "ds")}
    journey = workshop.services[Product.JOURNEY]
    journey.traces, journey.failures = {("Email", DAN, "ds")}, 1_000_000
    order_id = workshop.delete("ds", ANN, CY, DAN, NOBODY)
    workshop.work()
    assert workshop.order(order_id)["status"] == "failed"
    assert _statuses(workshop, order_id) == ["deleted", "deleted", "failed", "notFound"]
    looked_up = workshop.world.call(
        "POST", f"/workorder/{order_id}/results/lookup", {"namespace": {"code": "Email"}, "id": CY}
    ).json()
    assert looked_up["result"]["status"] == "deleted"
    journey.failures = 0
    assert workshop.world.call("POST", f"/workorder/{order_id}/retry").status_code == 200
    workshop.work()
    assert _statuses(workshop, order_id) == ["deleted", "deleted", "deleted", "notFound"]


def test_only_those_are_held_of_whom_something_is_still_under_way(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    journey = workshop.services[Product.JOURNEY]
    journey.traces, journey.failures = {("Email", DAN, "ds")}, 2
    order_id = workshop.delete("ds", ANN, DAN, NOBODY)
    assert _statuses(workshop, order_id) == ["held"] * 3
    while workshop.worker.run_once():
        pass
    assert workshop.order(order_id)["status"] == "submitted"
    assert _statuses(workshop, order_id) == ["deleted", "held", "notFound"]
    workshop.work()
    assert _statuses(workshop, order_id) == ["deleted", "deleted", "notFound"]


def test_a_dataset_that_fails_is_the_failure_of_those_who_are_in_it(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.table("broken", [BOB, CY])
    order_id = workshop.delete("ds,broken", ANN, CY)
    workshop.work(until="validated", order_id=order_id)
    for path in (workshop.tables / "broken").iterdir():
        path.write_bytes(b"no Parquet")
    workshop.work()
    assert workshop.order(order_id)["status"] == "failed"
    assert _statuses(workshop, order_id) == ["deleted", "failed"]


def test_of_a_service_that_counts_requests_nobody_is_told_that_nothing_was_found(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    profile = workshop.services[Product.PROFILE]
    profile.can_tell, profile.traces = False, {("Email", CY, "ds")}
    several = workshop.delete("ds", ANN, CY, NOBODY)
    workshop.work()
    assert _statuses(workshop, several) == ["deleted", "absent", "absent"]

    profile.traces = {("Email", CY, "ds")}
    one = workshop.delete("ds", CY)
    nobody = workshop.delete("ds", NOBODY, "nobody.else@example.com")
    workshop.work()
    assert _statuses(workshop, one) == ["deleted"]
    assert _statuses(workshop, nobody) == ["notFound", "notFound"]


def test_a_failure_before_anything_was_touched_is_everybodys(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN, NOBODY)
    for path in (workshop.tables / "ds").iterdir():
        path.write_bytes(b"no Parquet")
    workshop.work()
    assert workshop.order(order_id)["status"] == "failed"
    assert _statuses(workshop, order_id) == ["failed", "failed"]
