"""Datasets, namespaces, sandboxes, expirations and jobs through the client, against a real server."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lethe.auth.documents import check_document
from lethe.client import Conflict, Expiration, Invalid, Lethe, NotFound, StillWorking, UserId
from lethe.testing.server import LetheServer
from support.people import MakeTable, people_of

WAIT_SECONDS_MAX = 90
ANN, BEN = "ann@example.com", "ben@example.com"


def test_datasets(lethe: Lethe, lethe_server: LetheServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lethe.client.datasets.PAGE_SIZE", 5)
    made = lethe.datasets.register(
        "Nested",
        format="delta",
        location=str(tmp_path / "n"),
        identity=["person", "email"],
        namespace="Email",
        dataset_id="nested-1",
        description="who did what",
        tags={"team": ["crm"]},
    )
    assert (made.dataset_id, made.table.format, made.table.location) == ("nested-1", "delta", str(tmp_path / "n"))
    assert made.tags["team"] == ("crm",)
    assert abs(made.created - datetime.now(UTC)) < timedelta(minutes=10)
    assert lethe.datasets.get("nested-1") == made
    mapped = lethe.datasets.register("Mapped", format="ndjson", location=str(tmp_path / "m"), identity_map=True)
    alike = lethe.datasets.register(
        "Alike", format="parquet", location=str(tmp_path / "a"), schema_id=made.schema_ref.id
    )
    assert alike.schema_ref == made.schema_ref
    with lethe_server.client("dev") as dev:
        assert list(dev.datasets.list()) == []
        many = [dev.datasets.register(f"D{n}", format="parquet", location=f"/d/{n}").dataset_id for n in range(11)]
        assert sorted(each.dataset_id for each in dev.datasets.list()) == sorted(many)
    assert {made.dataset_id, mapped.dataset_id, alike.dataset_id} <= {each.dataset_id for each in lethe.datasets.list()}
    with pytest.raises(Conflict):
        lethe.datasets.register("Twin", format="delta", location="/x", dataset_id="nested-1")
    with pytest.raises(NotFound):
        lethe.datasets.get("unknown")
    with pytest.raises(ValueError, match="identity and namespace"):
        lethe.datasets.register("Half", format="delta", location="/x", identity="email")


def test_namespaces_and_sandboxes(lethe: Lethe) -> None:
    made = lethe.namespaces.create("Tail", "Tail number", case_insensitive=True)
    assert (made.code, made.name, made.custom, made.case_insensitive) == ("Tail", "Tail number", True, True)
    assert {"Email", "ECID", "Tail"} <= {each.code for each in lethe.namespaces.list()}
    assert [(each.name, each.is_default) for each in lethe.sandboxes.list()] == [("prod", True), ("dev", False)]
    assert lethe.sandboxes.get("dev").title == "Development"
    with pytest.raises(NotFound):
        lethe.sandboxes.get("staging")


def test_a_dataset_expires(lethe: Lethe, make_table: MakeTable) -> None:
    dataset = make_table([ANN, BEN])
    expiration = lethe.expirations.create(
        dataset.dataset_id, datetime.now(UTC) + timedelta(seconds=1), display_name="Due"
    )
    seen: list[Expiration] = []
    done = expiration.wait(WAIT_SECONDS_MAX, seen.append)
    assert people_of(dataset) == []
    assert (seen[0].status, done.status) == ("pending", "completed")
    assert dataset.dataset_id in check_document(done.certificate().jws).content.decode()
    assert [each.status for each in lethe.expirations.history(expiration.ttl_id)] == [
        "created",
        "executing",
        "completed",
    ]


def test_an_expiration_is_changed_and_cancelled(lethe: Lethe, make_table: MakeTable) -> None:
    dataset = make_table([ANN]).dataset_id
    made = lethe.expirations.create(dataset, date(2090, 1, 1))
    assert made.expiry == datetime(2090, 1, 1, tzinfo=UTC)
    changed = lethe.expirations.update(dataset, expiry="2091-01-01", description="later")
    assert (changed.ttl_id, changed.expiry.year, changed.description) == (made.ttl_id, 2091, "later")
    with pytest.raises(StillWorking):
        changed.wait(timeout=0)
    assert [each.ttl_id for each in lethe.expirations.list(dataset_id=dataset, status="pending")] == [made.ttl_id]
    assert list(lethe.expirations.list(dataset_id=dataset, expiry_to=date(2090, 6, 1))) == []
    assert changed.cancel().status == "cancelled"
    assert changed.refresh().wait(timeout=5).status == "cancelled"
    with pytest.raises(NotFound):
        lethe.expirations.cancel(dataset)
    with pytest.raises(Invalid) as wrong:
        lethe.expirations.create(dataset, "tomorrow")
    assert wrong.value.field == "expiry"
    with pytest.raises(ValueError, match="without a time zone"):
        lethe.expirations.create(dataset, datetime(2090, 1, 1))  # noqa: DTZ001


def test_jobs_of_the_alpha(lethe: Lethe) -> None:
    submitted = lethe.jobs.create({"user-1": [UserId("Email", ANN)], "user-2": [UserId("Email", BEN)]})
    assert (submitted.total_records, len(submitted.jobs)) == (2, 2)
    assert lethe.work_orders.get(submitted.jobs[0].job_id).operation_count == 1
    assert ANN not in repr(UserId("Email", ANN))
