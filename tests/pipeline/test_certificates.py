"""Certificates: made on completion, signed, checked offline, pinned in the audit trail."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

from typer.testing import CliRunner

from lethe.cli.main import app
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


def test_a_completed_expiration_has_a_certificate(workshop: Workshop) -> None:
    workshop.table("ds", [ANN])
    expiry = workshop.world.clock.now + timedelta(hours=25)
    ttl_id = workshop.world.call("POST", "/ttl", {"datasetId": "ds", "expiry": expiry.isoformat()}).json()["ttlId"]
    workshop.world.later(hours=26)
    while workshop.worker.run_once():
        pass
    content = workshop.world.call("GET", f"/ttl/{ttl_id}/certificate").json()["certificate"]
    assert (content["ttlId"], content["datasetId"]) == (ttl_id, "ds")
    assert content["requestedBy"].startswith("Ann Ovid")
