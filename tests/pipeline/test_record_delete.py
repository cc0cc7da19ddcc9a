"""Work orders, from acceptance to proof, on real Parquet tables."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.domain.product import Product
from lethe.domain.task import Step
from lethe.engines.storage.interface import Keeping
from lethe.engines.storage.local import LocalStorage
from lethe.pipeline.record_delete import CLOCKS_APART
from lethe.pipeline.worker import Worker
from lethe.storage.work_interface import StaleClaim
from support.values import ORG, PROD
from support.workshop import Workshop

ANN, BOB, CY, DEE = "ann@example.com", "bob@example.com", "cy@example.com", "dee@example.com"
ALL_SUCCEEDED = {
    "Data Management": "success",
    "Identity Service": "success",
    "Profile Service": "success",
    "Journey Orchestrator": "success",
}


def test_an_order_over_one_dataset_deletes_its_rows_and_completes(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB, None, CY, ANN, DEE])
    workshop.services[Product.IDENTITY].traces = {("Email", ANN, "ds"), ("Email", BOB, "ds"), ("ECID", ANN, "ds")}
    order_id = workshop.delete("ds", ANN, CY)
    assert workshop.order(order_id)["status"] == "received"
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert workshop.people("ds") == [BOB, None, DEE]
    assert workshop.services[Product.IDENTITY].traces == {("Email", BOB, "ds"), ("ECID", ANN, "ds")}
    assert workshop.products(order_id) == ALL_SUCCEEDED


def test_statuses_follow_each_other(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    seen = [workshop.order(order_id)["status"]]
    while workshop.worker.run_once():
        status = workshop.order(order_id)["status"]
        if status != seen[-1]:
            seen.append(status)
    assert seen == ["received", "validated", "submitted", "ingested", "completed"]


def test_an_order_over_all_datasets_searches_those_that_can_match(workshop: Workshop) -> None:
    workshop.table("mail", [ANN, BOB])
    workshop.table("cookies", [ANN, "e-1", "e-2"], "ECID")
    workshop.table("phones", [ANN, "p-1"], "Phone")
    body = [
        {"namespace": {"code": "Email"}, "IDs": [ANN]},
        {"namespace": {"code": "ECID"}, "IDs": ["e-1"]},
    ]
    order_id = workshop.delete("ALL", ANN, namespacesIdentities=body)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert workshop.people("mail") == [BOB]
    assert workshop.people("cookies") == [ANN, "e-2"], "an e-mail address in the wrong namespace is no match"
    assert workshop.people("phones") == [ANN, "p-1"]


def test_an_order_that_finds_nothing_completes_and_changes_nothing(workshop: Workshop) -> None:
    workshop.table("ds", [BOB, DEE])
    before = {path: path.stat().st_mtime_ns for path in (workshop.tables / "ds").iterdir()}
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert {path: path.stat().st_mtime_ns for path in (workshop.tables / "ds").iterdir()} == before


def test_nothing_is_touched_when_one_find_fails(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.register("missing")
    workshop.services[Product.PROFILE].traces = {("Email", ANN, "ds")}
    order_id = workshop.delete("ds,missing", ANN)
    workshop.work()
    assert workshop.order(order_id)["status"] == "failed"
    assert workshop.people("ds") == [ANN, BOB]
    assert workshop.services[Product.PROFILE].traces == {("Email", ANN, "ds")}


def test_a_service_that_comes_back_is_asked_again_under_the_same_key(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    profile = workshop.services[Product.PROFILE]
    profile.traces, profile.failures = {("Email", ANN, "ds")}, 3
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert profile.traces == set()
    assert len(profile.asked) == 4
    assert len(set(profile.asked)) == 1


def test_a_service_that_never_answers_fails_the_order_and_only_its_product(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.services[Product.JOURNEY].failures = 1_000
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    assert workshop.order(order_id)["status"] == "failed"
    assert workshop.products(order_id) == ALL_SUCCEEDED | {"Journey Orchestrator": "failure"}
    assert workshop.people("ds") == [BOB]


def test_rows_that_come_back_before_the_proof_are_deleted_again(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    while workshop.people("ds") != [BOB]:
        assert workshop.worker.run_once()
    source = workshop.tables / "other"
    workshop.table("other", [ANN, CY])
    (source / "part-1.parquet").rename(workshop.tables / "ds" / "late.parquet")
    (source / "part-0.parquet").rename(workshop.tables / "ds" / "later.parquet")
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert workshop.people("ds") == [CY, BOB]
    with workshop.world.store.read() as tx:
        [result] = tx.plans.results(WorkOrderId(_uuid(order_id)))
    assert (result.rows_deleted, list(result.rows_by_identity)) == (2, [2]), "the rows of both rounds"


def test_a_trace_of_somebodys_careless_deletion_takes_one_round_more(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB, ANN, CY])
    careless = workshop.tables / "ds" / "part-0.parquet"
    table = pq.read_table(careless, read_dictionary=["person.id"])
    pq.write_table(table.filter(pa.array([False, True])), careless)
    assert workshop.people("ds") == [BOB, ANN, CY]
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert workshop.people("ds") == [BOB, CY]
    with workshop.world.store.read() as tx:
        [result] = tx.plans.results(WorkOrderId(_uuid(order_id)))
        bundle_id = UUID(workshop.order(order_id)["bundleId"].removeprefix("BN-"))
        rounds = {task.round for task in tx.tasks.of(bundle_id) if task.dataset_id and task.step is Step.FORGET}
    assert (result.rows_deleted, list(result.rows_by_identity)) == (1, [1])
    assert rounds == {1}


def test_orders_of_one_bundle_share_a_pass_and_have_their_own_counts(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB, CY, ANN, DEE])
    first, second = workshop.delete("ds", ANN), workshop.delete("ds", CY, "nobody@example.com")
    assert workshop.order(first)["bundleId"] == workshop.order(second)["bundleId"]
    workshop.work()
    assert workshop.people("ds") == [BOB, DEE]
    with workshop.world.store.read() as tx:
        results = [tx.plans.results(WorkOrderId(_uuid(each)))[0] for each in (first, second)]
    assert [list(result.rows_by_identity) for result in results] == [[2], [1, 0]]
    assert [result.rows_deleted for result in results] == [2, 1]


def test_a_dataset_in_other_hands_is_waited_for(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    holder = workshop.world.services.ids.uuid()
    with workshop.world.store.write() as tx:
        assert not tx.dataset_locks.acquire(ORG, PROD, [DatasetId("ds")], holder)
    order_id = workshop.delete("ds", ANN)
    workshop.work(until="validated", order_id=order_id)
    for _ in range(3):
        assert workshop.worker.run_once()
        workshop.world.later(minutes=1)
    assert workshop.order(order_id)["status"] == "validated"
    assert workshop.people("ds") == [ANN, BOB]
    with workshop.world.store.write() as tx:
        tx.dataset_locks.release(holder)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"


def test_raw_identities_are_nowhere_after_completion(workshop: Workshop, tmp_path: Path) -> None:
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    with workshop.world.store.read() as tx, pytest.raises(KeyError):
        tx.identities.open(WorkOrderId(_uuid(order_id)))
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert ANN.encode() not in path.read_bytes(), path


def test_dropping_a_dataset_by_order_removes_it_everywhere(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.table("kept", [ANN])
    workshop.services[Product.PROFILE].traces = {("Email", ANN, "ds"), ("Email", ANN, "kept")}
    body = {"action": "delete_dataset", "datasetId": "ds"}
    order_id = workshop.world.call("POST", "/workorder", body).json()["workorderId"]
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert workshop.products(order_id) == ALL_SUCCEEDED
    assert workshop.people("ds") == []
    assert workshop.people("kept") == [ANN]
    assert workshop.services[Product.PROFILE].traces == {("Email", ANN, "kept")}
    assert workshop.world.call("GET", "/data/foundation/catalog/dataSets/ds").status_code == 404


def test_a_worker_that_stood_still_records_nothing(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    store = workshop.world.store
    with store.write() as tx:
        stale = tx.tasks.claim("sleeper", workshop.worker._lease)
    assert stale is not None
    workshop.world.later(minutes=5)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    with pytest.raises(StaleClaim), store.write() as tx:
        tx.tasks.require(stale)


def test_two_workers_never_hold_one_task(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.delete("ds", ANN)
    with workshop.world.store.write() as tx:
        assert tx.tasks.claim("first", workshop.worker._lease) is not None
    with workshop.world.store.write() as tx:
        assert tx.tasks.claim("second", workshop.worker._lease) is None
    assert not Worker(workshop.shop, "third", lambda: 0.0).run_once()


def _uuid(order_id: str) -> UUID:
    return UUID(order_id.removeprefix("DI-"))


def test_an_order_waits_for_old_versions_from_before_its_deletion(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime | None] = []
    left = [3, 3, 0]

    def old_versions(storage: LocalStorage, before: datetime | None = None) -> int:
        asked.append(before)
        return left.pop(0)

    monkeypatch.setattr(LocalStorage, "keeping", lambda _: Keeping.VERSIONS)
    monkeypatch.setattr(LocalStorage, "old_versions", old_versions)
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    while workshop.worker.run_once():
        pass
    waiting = workshop.order(order_id)
    assert workshop.products(order_id)["Data Management"] == "waiting"
    [held] = waiting["heldBy"]
    assert (held["step"], "old versions" in held["reason"]) == ("purge", True)
    ingested_at = datetime.fromisoformat(waiting["updatedAt"])
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert len(asked) == 3
    assert asked[-1] is not None
    assert ingested_at <= asked[-1] <= ingested_at + CLOCKS_APART


def test_a_service_is_looked_at_once_for_all_orders_and_each_keeps_its_own_counts(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB, CY])
    profile = workshop.services[Product.PROFILE]
    profile.traces = {("Email", ANN, "ds"), ("Email", ANN, "other"), ("Email", BOB, "ds"), ("Email", DEE, "ds")}
    looks: list[int] = []
    found = profile.found
    profile.found = lambda space, identities: looks.append(identities.count) or found(space, identities)  # type: ignore[method-assign,func-returns-value]
    orders = [workshop.delete("ds", CY, ANN), workshop.delete("ds", ANN, BOB)]
    workshop.work()
    assert [workshop.order(each)["status"] for each in orders] == ["completed", "completed"]
    assert profile.traces == {("Email", DEE, "ds")}
    assert looks == [3]
    with workshop.world.store.read() as tx:
        results = [tx.service_results.of(WorkOrderId(_uuid(each))) for each in orders]
    traces = [next(each for each in some if each.product is Product.PROFILE).traces_by_identity for some in results]
    assert traces == [[0, 2], [2, 1]]
