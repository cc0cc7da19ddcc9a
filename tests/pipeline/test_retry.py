"""Failed work, healed and retried through HTTP: on real tables, with a service that refuses or cannot be reached."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from lethe.domain.ids import DatasetId, NamespaceId, WorkOrderId
from lethe.domain.product import Product
from lethe.domain.quota import QuotaName
from lethe.domain.task import Step, TaskState
from lethe.products.interface import GraphNode, Space
from lethe.products.memory import Trace
from lethe.storage.work_interface import StaleClaim
from products.http_service import ErasureService, http_product
from support.values import ORG, PROD
from support.workshop import Workshop

ANN, BOB, CY, DEE, EVE = (f"{name}@example.com" for name in ("ann", "bob", "cy", "dee", "eve"))


class StubbornService(ErasureService):
    """Remembers under its key that it refused, as an idempotent service does."""

    refuses = False

    def _progress(self, key: str) -> tuple[int, dict[str, Any]]:
        if self.requests[key].get("refused"):
            return 200, {"status": "refused", "reason": "legal_hold"}
        return super()._progress(key)

    def _forget(self, space: Space, message: dict[str, Any]) -> int:
        return 0 if self.refuses else super()._forget(space, message)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        key = headers["idempotency-key"]
        is_new = key not in self.requests
        status, answer = super().answer(method, path, headers, body)
        if self.refuses and is_new and key in self.requests:
            self.requests[key]["refused"] = True
            return self._progress(key)
        return status, answer


@pytest.fixture
def service(workshop: Workshop) -> Iterator[StubbornService]:
    """The profile service, behind HTTP, with a trace of Ann's and one of Bob's."""
    service = StubbornService()
    product = http_product(service.url, monotonic=lambda: workshop.world.clock().timestamp())
    workshop.services[Product.PROFILE] = product  # type: ignore[assignment]
    space, email = Space(ORG, PROD), NamespaceId(6)
    service.memory.put(Trace(each, space, (GraphNode((email, each)),), DatasetId("ds")) for each in (ANN, BOB))
    yield service
    product.close()
    service.close()


def validated(workshop: Workshop, *order_ids: str) -> None:
    """Let the worker work until each of these orders has its plan."""
    for order_id in order_ids:
        workshop.work(until="validated", order_id=order_id)
    assert [workshop.order(each)["status"] for each in order_ids] == ["validated"] * len(order_ids)


def traces(service: StubbornService) -> set[str]:
    return {trace.name for trace in service.memory.traces}


def retry(workshop: Workshop, order_id: str, status: int = 200, **more: Any) -> dict[str, Any]:
    answer = workshop.world.call("POST", f"/workorder/{order_id}/retry", **more)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def states(workshop: Workshop, order_id: str) -> dict[tuple[str, str | None, str | None], tuple[TaskState, int]]:
    """State and round of every task of the order's bundle."""
    bundle_id = UUID(workshop.order(order_id)["bundleId"].removeprefix("BN-"))
    with workshop.world.store.read() as tx:
        return {
            (task.step.value, task.product and task.product.value, task.dataset_id): (task.state, task.round)
            for task in tx.tasks.of(bundle_id)
        }


def results(workshop: Workshop, order_id: str) -> tuple[dict[str, int], list[tuple[str, int]]]:
    """Rows deleted by dataset; status and rows by identity."""
    shown = workshop.world.call("GET", f"/workorder/{order_id}/results").json()
    by_dataset = {each["datasetId"]: each["rowsDeleted"] for each in shown["datasets"]}
    return by_dataset, [(each["status"], each["rows"]) for each in shown["results"]]


def holders(workshop: Workshop, *dataset_ids: str) -> list[UUID | None]:
    with workshop.world.store.read() as tx:
        return [tx.dataset_locks.holder(ORG, PROD, DatasetId(each)) for each in dataset_ids]


def versions(workshop: Workshop, dataset_id: str) -> dict[Path, tuple[int, int]]:
    files = (path for path in (workshop.tables / dataset_id).rglob("*") if path.is_file())
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


@contextmanager
def broken(workshop: Workshop, dataset_id: str) -> Iterator[Callable[[], None]]:
    """One file of the table cannot be read until it is healed."""
    path = workshop.tables / dataset_id / "part-0.parquet"
    content = path.read_bytes()
    path.write_bytes(b"PAR1 and nothing that is Parquet PAR1")
    yield lambda: [path.write_bytes(content)][0] and None


def test_a_service_that_refuses_fails_the_order_and_is_asked_anew_when_it_is_retried(
    workshop: Workshop, service: StubbornService
) -> None:
    workshop.table("ds", [ANN, ANN, BOB, CY])
    workshop.table("other", [BOB, ANN])
    service.refuses = True
    order_id = workshop.delete("ds,other", ANN, DEE)
    workshop.work()
    failed = workshop.order(order_id)
    assert failed["status"] == "failed"
    [held] = failed["heldBy"]
    assert (held["productName"], held["step"], held["productStatus"]) == ("Profile Service", "forget", "failure")
    assert (held["reason"], held["attempts"]) == ("the records are under a legal hold", 1)
    assert ANN not in str(failed)
    before = {name: versions(workshop, name) for name in ("ds", "other")}
    consumed = workshop.world.consumed(QuotaName.DAILY_DELETES)

    still = retry(workshop, order_id)
    assert still["status"] == "submitted", "the service has acknowledged nothing"
    assert "heldBy" not in still
    assert {each["productName"]: each["productStatus"] for each in still["productStatusDetails"]}[
        "Profile Service"
    ] == "waiting"
    workshop.work()
    assert workshop.order(order_id)["status"] == "failed", "the hold is still there"

    service.refuses = False
    retry(workshop, order_id)
    workshop.work()
    done = workshop.order(order_id)
    assert done["status"] == "completed"
    assert "heldBy" not in done
    assert traces(service) == {BOB}
    assert workshop.people("ds") == [BOB, CY]
    assert workshop.people("other") == [BOB]
    assert {name: versions(workshop, name) for name in ("ds", "other")} == before, "each table was committed once"
    # The service counts its requests: whose the trace was that it removed, nobody knows.
    assert results(workshop, order_id) == ({"ds": 2, "other": 1}, [("deleted", 3), ("absent", 0)])
    assert workshop.world.consumed(QuotaName.DAILY_DELETES) == consumed


def test_a_service_that_cannot_be_reached_is_reached_after_a_retry(
    workshop: Workshop, service: StubbornService
) -> None:
    workshop.table("ds", [ANN, BOB])
    service.fails_after = 0
    order_id = workshop.delete("ds", ANN)
    workshop.work()
    [held] = workshop.order(order_id)["heldBy"]
    assert held["attempts"] == 10
    assert held["reason"].startswith("profile: the service")
    service.fails_after = None
    workshop.world.later(minutes=5)
    retry(workshop, order_id)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert traces(service) == {BOB}


def test_what_is_waited_for_is_said_while_it_is_waited_for(workshop: Workshop, service: StubbornService) -> None:
    workshop.table("ds", [ANN, BOB])
    service.fails_after = 0
    order_id = workshop.delete("ds", ANN)
    for _ in range(60):
        if not workshop.worker.run_once():
            break
    shown = workshop.order(order_id)
    assert shown["status"] == "submitted"
    [held] = shown["heldBy"]
    assert (held["productName"], held["productStatus"], held["attempts"]) == ("Profile Service", "waiting", 1)
    assert held["reason"] == "profile: the service answers 500"
    assert held["retryAt"] > shown["createdAt"]


def test_a_table_that_cannot_be_searched_fails_the_order_before_anything_is_touched(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.table("sick", [ANN, CY])
    workshop.services[Product.IDENTITY].traces = {("Email", ANN, "ds")}
    with broken(workshop, "sick") as heal:
        order_id = workshop.delete("ds,sick", ANN)
        workshop.work()
        failed = workshop.order(order_id)
        assert failed["status"] == "failed"
        [held] = failed["heldBy"]
        assert (held["step"], held["productStatus"]) == ("find", "failure")
        assert "dataset sick" in held["reason"]
        assert workshop.people("ds") == [ANN, BOB]
        heal()
    again = retry(workshop, order_id)
    assert again["status"] == "received"
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert (workshop.people("ds"), workshop.people("sick")) == ([BOB], [CY])
    assert workshop.services[Product.IDENTITY].traces == set()
    assert results(workshop, order_id) == ({"ds": 1, "sick": 1}, [("deleted", 2)])


def test_what_no_deletion_removes_fails_the_order_after_ten_looks(workshop: Workshop) -> None:
    workshop.table("ds", ["annword", BOB, CY, DEE])
    named = (workshop.tables / "ds/part-1.parquet").rename(workshop.tables / "ds/export-annword.parquet")
    order_id = workshop.delete("ds", "annword")
    workshop.work()
    failed = workshop.order(order_id)
    assert failed["status"] == "failed"
    [held] = failed["heldBy"]
    assert (held["productName"], held["step"], held["attempts"]) == ("Data Management", "verify", 10)
    assert held["reason"] == "1 residues, the first a value that no surviving row explains (file name)"
    assert holders(workshop, "ds") == [None], "the next order need not wait"
    assert workshop.people("ds") == [CY, DEE, BOB]

    named.rename(named.with_name("part-1.parquet"))
    retry(workshop, order_id)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert workshop.people("ds") == [BOB, CY, DEE]
    assert results(workshop, order_id) == ({"ds": 1}, [("deleted", 1)])


def test_a_service_that_does_not_forget_what_it_says_it_forgot_fails_the_order(
    workshop: Workshop, service: StubbornService, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.table("ds", [ANN, BOB])
    with monkeypatch.context() as lying:
        lying.setattr(workshop.services[Product.PROFILE], "remaining", lambda *_: 2)
        order_id = workshop.delete("ds", ANN)
        workshop.work()
    [held] = workshop.order(order_id)["heldBy"]
    assert (held["step"], held["attempts"], held["reason"]) == ("verify", 10, "2 traces are left")
    assert workshop.order(order_id)["status"] == "failed"
    retry(workshop, order_id)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert traces(service) == {BOB}


def test_an_order_that_missed_its_bundle_joins_another(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB, CY])
    workshop.table("sick", [ANN, CY])
    with broken(workshop, "sick") as heal:
        good, bad = workshop.delete("ds", ANN), workshop.delete("sick", CY)
        bundle_id = workshop.order(bad)["bundleId"]
        assert workshop.order(good)["bundleId"] == bundle_id
        workshop.work()
        assert [workshop.order(each)["status"] for each in (good, bad)] == ["completed", "failed"]
        heal()
    assert retry(workshop, bad)["bundleId"] != bundle_id
    workshop.work()
    assert workshop.order(bad)["status"] == "completed"
    assert (workshop.people("ds"), workshop.people("sick")) == ([BOB, CY], [ANN])


def test_one_table_of_several_is_retried_from_its_step(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.table("sick", [ANN, CY, ANN])
    order_id = workshop.delete("ds,sick", ANN)
    validated(workshop, order_id)
    with broken(workshop, "sick") as heal:
        workshop.work()
        failed = workshop.order(order_id)
        assert failed["status"] == "failed"
        [held] = failed["heldBy"]
        assert (held["productName"], held["datasetId"], held["step"]) == ("Data Management", "sick", "forget")
        assert workshop.people("ds") == [BOB], "what could be done was done"
        before = versions(workshop, "ds")
        heal()
    assert retry(workshop, order_id)["status"] == "submitted"
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert workshop.people("sick") == [CY]
    assert versions(workshop, "ds") == before
    assert results(workshop, order_id) == ({"ds": 1, "sick": 2}, [("deleted", 3)])
    assert {round_ for _, round_ in states(workshop, order_id).values()} == {0}


@pytest.mark.parametrize("together", [False, True], ids=["one after the other", "together"])
def test_orders_that_failed_together_are_retried_each_for_itself(workshop: Workshop, *, together: bool) -> None:
    workshop.table("ds", [ANN, BOB, CY, BOB, DEE])
    anns, bobs = workshop.delete("ds", ANN), workshop.delete("ds", BOB, EVE)
    validated(workshop, anns, bobs)
    with broken(workshop, "ds") as heal:
        workshop.work()
        heal()
    assert [workshop.order(each)["status"] for each in (anns, bobs)] == ["failed", "failed"]
    retry(workshop, anns)
    if not together:
        workshop.work()
        assert [workshop.order(each)["status"] for each in (anns, bobs)] == ["completed", "failed"]
        assert workshop.people("ds") == [BOB, CY, BOB, DEE], "whoever is not retried is not deleted"
    retry(workshop, bobs)
    workshop.work()
    assert [workshop.order(each)["status"] for each in (anns, bobs)] == ["completed", "completed"]
    assert workshop.people("ds") == [CY, DEE]
    assert results(workshop, anns) == ({"ds": 1}, [("deleted", 1)])
    assert results(workshop, bobs) == ({"ds": 2}, [("deleted", 2), ("notFound", 0)])


def test_a_proof_under_way_does_not_count_for_an_order_that_is_retried_meanwhile(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB, CY])
    anns, bobs = workshop.delete("ds", ANN), workshop.delete("ds", BOB)
    validated(workshop, anns, bobs)
    with broken(workshop, "ds") as heal:
        workshop.work()
        heal()
    retry(workshop, anns)
    verify = ("verify", "datalake", "ds")
    while states(workshop, anns).get(verify, (None, 0))[0] is not TaskState.READY:
        assert workshop.worker.run_once()
    with workshop.world.store.write() as tx:
        claim = tx.tasks.claim("slow", workshop.worker._lease)
    assert claim is not None
    assert claim.task.step is Step.VERIFY
    retry(workshop, bobs)
    with pytest.raises(StaleClaim), workshop.world.store.write() as tx:
        tx.tasks.require(claim)
    workshop.work()
    assert [workshop.order(each)["status"] for each in (anns, bobs)] == ["completed", "completed"]
    assert workshop.people("ds") == [CY]
    assert results(workshop, bobs) == ({"ds": 1}, [("deleted", 1)])


def test_a_retried_order_waits_for_a_table_that_another_bundle_has(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB, CY])
    order_id = workshop.delete("ds", ANN)
    validated(workshop, order_id)
    with broken(workshop, "ds") as heal:
        workshop.work()
        heal()
    other = workshop.delete("ds", BOB)
    workshop.work(until="submitted", order_id=other)
    workshop.services[Product.PROFILE].failures = 1  # it keeps the table while one of its services is asked again
    retry(workshop, order_id)
    while "heldBy" not in workshop.order(order_id):
        assert workshop.worker.run_once()
    [held] = workshop.order(order_id)["heldBy"]
    bundle_id = workshop.order(other)["bundleId"]
    assert held["reason"] == f"dataset ds is in work for bundle {bundle_id}"
    workshop.work()
    assert [workshop.order(each)["status"] for each in (order_id, other)] == ["completed", "completed"]
    assert workshop.people("ds") == [CY]


def test_a_dataset_is_given_back_when_the_orders_that_need_it_have_ended(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.table("sick", [ANN, CY])
    bad, good = workshop.delete("sick", ANN), workshop.delete("ds", BOB)
    validated(workshop, bad, good)
    with broken(workshop, "sick") as heal:
        workshop.work()
        heal()
    assert [workshop.order(each)["status"] for each in (bad, good)] == ["failed", "completed"]
    assert holders(workshop, "ds", "sick") == [None, None]
    retry(workshop, bad)
    while workshop.people("sick") != [CY]:
        assert workshop.worker.run_once()
    bundle_id = UUID(workshop.order(bad)["bundleId"].removeprefix("BN-"))
    assert holders(workshop, "ds", "sick") == [None, bundle_id], "only what is needed is taken"
    workshop.work()
    assert holders(workshop, "ds", "sick") == [None, None]


def test_only_what_failed_is_retried(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    assert retry(workshop, order_id, 409)["error_code"] == "HYGN-4012-409"
    workshop.work()
    refused = retry(workshop, order_id, 409)
    assert (refused["error_code"], refused["detail"]) == (
        "HYGN-4012-409",
        "the work order is completed; only a failed one is retried",
    )
    unknown = retry(workshop, "DI-00000000-0000-4000-8000-000000000000", 404)
    assert unknown["error_code"] == "HYGN-4001-404"


def test_a_retry_is_done_once_under_its_key_and_is_audited(workshop: Workshop) -> None:
    workshop.register("missing")
    order_id = workshop.delete("missing", ANN)
    workshop.work()
    headers = workshop.world.headers(Idempotency_Key="again-1")
    first = retry(workshop, order_id, headers=headers)
    assert retry(workshop, order_id, headers=headers) == first
    with workshop.world.store.read() as tx:
        events = [record.event for record in tx.audit.records()]
    [retried] = [event for event in events if event.action == "work_order.retried"]
    assert retried.subject == order_id.removeprefix("DI-")
    assert retried.actor.startswith("Ann Ovid <administrator@example.com>")
    assert retried.details["places"] == ["find"]


def test_deleting_a_dataset_is_retried_by_those_who_may_delete_datasets(
    workshop: Workshop, service: StubbornService
) -> None:
    workshop.table("ds", [ANN, BOB])
    service.refuses = True
    body = {"action": "delete_dataset", "datasetId": "ds"}
    order_id = workshop.world.call("POST", "/workorder", body).json()["workorderId"]
    workshop.work()
    assert workshop.order(order_id)["status"] == "failed"
    assert [each["step"] for each in workshop.order(order_id)["heldBy"]] == ["drop"]
    service.refuses = False
    retry(workshop, order_id, 403, client_id="record-delete-manager")
    retry(workshop, order_id, client_id="dataset-deleter")
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert traces(service) == set()
    assert workshop.world.call("GET", "/data/foundation/catalog/dataSets/ds").status_code == 404


def test_an_order_whose_identities_are_gone_cannot_be_retried(workshop: Workshop) -> None:
    workshop.register("missing")
    order_id = workshop.delete("missing", ANN)
    workshop.work()
    with workshop.world.store.write() as tx:
        tx.identities.destroy([WorkOrderId(UUID(order_id.removeprefix("DI-")))])
    assert retry(workshop, order_id, 409)["error_code"] == "HYGN-4013-409"
