"""Certificates: made on completion, signed, checked offline, pinned in the audit trail."""

import hashlib
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from lethe.cli.main import app
from lethe.domain.ids import DatasetId
from lethe.domain.product import Product
from lethe.products.interface import ProductUnavailable
from support.values import ORG, PROD
from support.workshop import Workshop

ANN, BOB = "ann@example.com", "bob@example.com"


def test_a_completed_order_has_a_certificate_that_can_be_checked_offline(workshop: Workshop, tmp_path: Path) -> None:
    workshop.table("ds", [ANN, ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    early = workshop.world.call("GET", f"/workorder/{order_id}/certificate")
    assert (early.status_code, early.json()["error_code"]) == (404, "HYGN-4011-404")
    workshop.work()
    answer = workshop.world.call("GET", f"/workorder/{order_id}/certificate")
    content = answer.json()["certificate"]
    assert content["workorderId"] == order_id
    assert content["identities"]["count"] == 1
    [dataset] = content["datasets"]
    assert (dataset["datasetId"], dataset["rowsDeleted"]) == ("ds", 2)
    assert dataset["verification"]["rowsExamined"] == 1
    assert {each["status"] for each in content["products"]} == {"success"}
    assert ANN not in answer.text

    file = tmp_path / "certificate.json"
    file.write_text(answer.text)
    checked = CliRunner().invoke(app, ["certificate", "check", str(file)])
    assert checked.exit_code == 0, checked.output
    assert "Valid: signed by" in checked.output


def test_a_changed_certificate_is_not_valid(workshop: Workshop, tmp_path: Path) -> None:
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    jws = workshop.world.call("GET", f"/workorder/{order_id}/certificate").json()["jws"]
    header, payload, signature = jws.split(".")
    middle = len(payload) // 2
    other = "A" if payload[middle] != "A" else "B"
    file = tmp_path / "certificate"
    for forged in (
        f"{header}.{payload[:middle]}{other}{payload[middle + 1 :]}.{signature}",
        f"{header}.{payload}.{'A' * len(signature)}",
        "no certificate at all",
    ):
        file.write_text(forged)
        assert CliRunner().invoke(app, ["certificate", "check", str(file)]).exit_code == 1
    file.write_text(jws)
    assert CliRunner().invoke(app, ["certificate", "check", str(file)]).exit_code == 0
    assert CliRunner().invoke(app, ["certificate", "check", str(file), "--key", "another"]).exit_code == 1


def test_the_audit_trail_pins_the_certificate(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    content = workshop.world.call("GET", f"/workorder/{order_id}/certificate").json()["certificate"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with workshop.world.store.read() as tx:
        made = [record.event for record in tx.audit.records() if record.event.action == "certificate.made"]
    assert [event.details["sha256"] for event in made] == [hashlib.sha256(text.encode()).hexdigest()]


def _certificate(workshop: Workshop, subject: str) -> dict[str, Any]:
    path = "ttl" if subject.startswith("SD-") else "workorder"
    answer = workshop.world.call("GET", f"/{path}/{subject}/certificate")
    assert answer.status_code == 200, answer.text
    assert ANN not in answer.text
    content: dict[str, Any] = answer.json()["certificate"]
    return content


def _expire(workshop: Workshop, dataset_id: str = "ds") -> str:
    expiry = workshop.world.clock.now + timedelta(hours=25)
    body = {"datasetId": dataset_id, "expiry": expiry.isoformat()}
    ttl_id: str = workshop.world.call("POST", "/ttl", body).json()["ttlId"]
    return ttl_id


def _work(workshop: Workshop) -> None:
    workshop.world.later(hours=26)
    while workshop.worker.run_once():
        pass


def _by_product(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["product"]: each for each in content["products"]}


def _drop(workshop: Workshop, dataset_id: str = "ds") -> str:
    body = {"action": "delete_dataset", "datasetId": dataset_id}
    order_id: str = workshop.world.call("POST", "/workorder", body).json()["workorderId"]
    workshop.work(until="completed", order_id=order_id)
    return order_id


ROW_CHECKS = [
    "no live row matches",
    "no file under the table's location, referenced or not, holds a matched row",
    "no metadata under the location holds an identity that no surviving row explains",
]


def test_a_record_delete_is_certified_with_counts_before_and_after(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, ANN, BOB])
    workshop.services[Product.PROFILE].traces = {("Email", ANN, "ds"), ("Email", BOB, "ds"), ("Email", ANN, "other")}
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    content = _certificate(workshop, order_id)
    [dataset] = content["datasets"]
    plan = workshop.world.call("GET", f"/workorder/{order_id}/plan").json()["datasets"][0]
    planned = dataset["planHash"], dataset["plannedFor"]
    assert (content["scope"], planned) == (["ds"], (plan["planHash"], plan["snapshot"]))
    assert (dataset["rowsMatched"], dataset["rowsDeleted"], dataset["rowsLeft"]) == (2, 2, 0)
    assert dataset["absence"] == "verified"
    seen = dataset["verification"]
    assert (seen["filesExamined"] > 0, seen["rowsExamined"], seen["snapshot"]) == (True, 1, dataset["snapshot"])
    assert content["acceptedAt"] <= seen["at"] <= content["completedAt"]
    assert len(content["identities"]["keyedHashesSha256"]) == 64
    products = _by_product(content)
    assert products["datalake"]["absence"] == "verified"
    found = {name: products["profile"].get(name) for name in ("absence", "tracesFound", "tracesRemoved", "tracesLeft")}
    assert found == {"absence": "verified", "tracesFound": 2, "tracesRemoved": 2, "tracesLeft": 0}
    assert products["identity"]["tracesFound"] == 0
    assert content["checks"] == [
        *ROW_CHECKS,
        "no trace is left, looked for after the deletion, in: identity, profile, ajo",
    ]


def test_the_word_of_a_service_that_cannot_be_asked_is_certified_as_its_word(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.services[Product.PROFILE].can_tell = False
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    content = _certificate(workshop, order_id)
    products = _by_product(content)
    assert {name: each["absence"] for name, each in products.items()} == {
        "datalake": "verified",
        "identity": "verified",
        "profile": "asserted",
        "ajo": "verified",
    }
    assert not {"tracesFound", "tracesLeft"} & set(products["profile"])
    assert content["checks"][-1] == "no trace is left, looked for after the deletion, in: identity, ajo"


def test_a_count_that_was_taken_before_a_crash_is_certified(workshop: Workshop) -> None:
    """The service forgets, and its answer is lost."""
    workshop.table("ds", [ANN, BOB])
    service = workshop.services[Product.PROFILE]
    service.traces = {("Email", ANN, "ds")}
    forget = service.forget

    def losing(*asked: Any, **more: Any) -> Any:
        forget(*asked, **more)
        service.forget = forget  # type: ignore[method-assign]
        raise ProductUnavailable("the connection broke")

    service.forget = losing  # type: ignore[method-assign]
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    profile = _by_product(_certificate(workshop, order_id))["profile"]
    assert (profile["tracesFound"], profile["tracesLeft"]) == (1, 0)


def test_an_order_that_destroys_a_dataset_is_certified_with_the_checks_of_a_drop(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    sizes = [path.stat().st_size for path in (workshop.tables / "ds").iterdir()]
    workshop.services[Product.PROFILE].traces = {("Email", ANN, "ds"), ("Email", ANN, "kept")}
    workshop.services[Product.JOURNEY].can_tell = False
    content = _certificate(workshop, _drop(workshop))
    [dataset] = content["datasets"]
    assert dataset.pop("lookedAt") <= content["completedAt"]
    assert dataset == {
        "datasetId": "ds",
        "absence": "verified",
        "filesRemoved": 2,
        "bytesRemoved": sum(sizes),
        "filesLeft": 0,
        "locationListed": True,
    }
    assert content["checks"] == [
        "the table's location is listed empty",
        "no trace is left, looked for after the deletion, in: identity, profile",
    ]
    assert "identities" not in content
    products = _by_product(content)
    assert (products["profile"]["absence"], products["profile"]["tracesRemoved"]) == ("verified", 1)
    assert products["ajo"]["absence"] == "asserted"


def test_a_completed_expiration_is_certified(workshop: Workshop) -> None:
    workshop.table("ds", [ANN])
    ttl_id = _expire(workshop)
    _work(workshop)
    content = _certificate(workshop, ttl_id)
    assert (content["ttlId"], content["datasetId"]) == (ttl_id, "ds")
    assert content["requestedBy"].startswith("Ann Ovid")
    [dataset] = content["datasets"]
    assert (dataset["absence"], dataset["filesRemoved"], dataset["filesLeft"]) == ("verified", 2, 0)
    assert _by_product(content)["datalake"]["bytesRemoved"] == dataset["bytesRemoved"] > 0
    assert content["checks"][0] == "the table's location is listed empty"
    assert "reason" not in content


def test_a_table_that_was_removed_outside_is_looked_for_all_the_same(workshop: Workshop) -> None:
    workshop.table("ds", [ANN])
    ttl_id = _expire(workshop)
    shutil.rmtree(workshop.tables / "ds")
    _work(workshop)
    content = _certificate(workshop, ttl_id)
    [dataset] = content["datasets"]
    assert (dataset["absence"], dataset["filesRemoved"], dataset["filesLeft"]) == ("verified", 0, 0)


def test_an_expiration_whose_dataset_was_deleted_by_other_means_claims_no_look(workshop: Workshop) -> None:
    workshop.table("ds", [ANN])
    ttl_id = _expire(workshop)
    _drop(workshop)
    reused = workshop.tables / "ds" / "of-somebody-else.parquet"
    reused.parent.mkdir(exist_ok=True)
    reused.write_bytes(b"what has come since is none of its business")
    _work(workshop)

    shown = workshop.world.call("GET", f"/ttl/{ttl_id}", include="history").json()
    reason = "the dataset had been deleted by other means"
    assert shown["status"] == "completed"
    assert [(each["status"], each.get("reason")) for each in shown["history"]] == [
        ("created", None),
        ("executing", None),
        ("completed", reason),
    ]
    with workshop.world.store.read() as tx:
        told = {record.event.action: record.event.details for record in tx.audit.records()}
    assert told["expiration.completed"]["reason"] == reason
    content = _certificate(workshop, ttl_id)
    assert content["reason"] == reason
    assert content["datasets"] == [
        {"datasetId": "ds", "absence": "deletedByOtherMeans", "filesRemoved": 0, "bytesRemoved": 0}
    ]
    assert _by_product(content)["datalake"]["absence"] == "deletedByOtherMeans"
    assert content["checks"] == ["no trace is left, looked for after the deletion, in: identity, profile, ajo"]
    assert reused.exists()


def test_a_dataset_that_went_after_it_was_planned_is_certified_as_gone_and_not_as_read(workshop: Workshop) -> None:
    workshop.table("ds", [ANN])
    workshop.table("kept", [ANN, BOB])
    order_id = workshop.delete("ds,kept", ANN)
    workshop.work(until="validated", order_id=order_id)
    with workshop.world.store.write() as tx:
        tx.datasets.remove(ORG, PROD, DatasetId("ds"))
    workshop.work()
    content = _certificate(workshop, order_id)
    gone, read = content["datasets"]
    assert (gone["datasetId"], gone["absence"], gone["rowsMatched"]) == ("ds", "deletedByOtherMeans", 1)
    assert not {"verification", "rowsLeft"} & set(gone)
    assert (read["datasetId"], read["absence"], read["rowsDeleted"]) == ("kept", "verified", 1)
    assert _by_product(content)["datalake"]["absence"] == "deletedByOtherMeans"
