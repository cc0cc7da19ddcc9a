"""Expirations that can be taken back, and those of which something was given up."""

from datetime import timedelta
from typing import Any

from lethe.domain.dataset import TableFormat
from lethe.domain.product import Product
from lethe.engines.interface import TableUnavailable
from lethe.pipeline.fate import LEFT_BEHIND_REASON
from support.workshop import RememberingService, Workshop

ANN, BOB, CY = "ann@example.com", "bob@example.com", "cy@example.com"


class Offline:
    """The real engine, but the store of the tables does not answer when one is dropped."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def drop(self, *_: Any, **__: Any) -> Any:
        raise TableUnavailable("the object store does not answer")


def schedule(workshop: Workshop, dataset_id: str = "ds") -> str:
    expiry = workshop.world.clock.now + timedelta(hours=25)
    answer = workshop.world.call("POST", "/ttl", {"datasetId": dataset_id, "expiry": expiry.isoformat()})
    assert answer.status_code == 201, answer.text
    workshop.world.later(hours=26)
    ttl_id: str = answer.json()["ttlId"]
    return ttl_id


def look(workshop: Workshop, ttl_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = workshop.world.call("GET", f"/ttl/{ttl_id}", include="history").json()
    return shown


def ask(workshop: Workshop, ttl_id: str, verb: str, status: int = 200, **more: Any) -> dict[str, Any]:
    answer = workshop.world.call("POST", f"/ttl/{ttl_id}/{verb}", **more)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def run(workshop: Workshop) -> None:
    """Work while there is anything due now."""
    for _ in range(200):
        if not workshop.worker.run_once():
            return
    raise AssertionError("the worker does not come to an end")


def test_a_flagged_dataset_is_whole_and_can_be_restored(workshop: Workshop) -> None:
    workshop.trash = timedelta(days=7)
    workshop.table("ds", [ANN, BOB])
    workshop.services[Product.PROFILE].traces = {("Email", ANN, "ds")}
    ttl_id = schedule(workshop)
    run(workshop)
    flagged = look(workshop, ttl_id)
    assert flagged["status"] == "executing"
    assert [each["productStatus"] for each in flagged["productStatusDetails"]] == ["waiting"] * 4
    assert workshop.world.call("GET", "/data/foundation/catalog/dataSets/ds").json()["ds"]["state"] == "DELETING"
    assert workshop.world.call("DELETE", f"/ttl/{ttl_id}").status_code == 404, "it is no longer to be cancelled"
    workshop.world.later(days=6, hours=23)
    run(workshop)
    assert workshop.people("ds") == [ANN, BOB]

    restored = ask(workshop, "ds", "restore")
    assert restored["status"] == "cancelled"
    shown = look(workshop, ttl_id)
    assert [each["status"] for each in shown["history"]] == ["created", "executing", "restored"]
    assert shown["history"][-1]["updatedBy"].startswith("Ann Ovid")
    assert not {"productStatusDetails", "destroyAfter", "heldBy"} & shown.keys()
    assert workshop.world.consumed("datasetExpirationQuota") == 0
    assert workshop.world.call("GET", "/data/foundation/catalog/dataSets/ds").json()["ds"]["state"] == "ENABLED"
    workshop.world.later(days=30)
    run(workshop)
    assert workshop.people("ds") == [ANN, BOB]
    assert workshop.services[Product.PROFILE].traces == {("Email", ANN, "ds")}

    again = (workshop.world.clock.now + timedelta(hours=25)).isoformat()
    assert workshop.world.call("PUT", f"/ttl/{ttl_id}", {"expiry": again}).json()["status"] == "pending"
    workshop.world.later(days=1, hours=2)
    run(workshop)
    workshop.world.later(days=7)
    run(workshop)
    assert look(workshop, ttl_id)["status"] == "completed"
    assert workshop.people("ds") == []


def test_destruction_begins_when_the_window_has_passed_and_then_nothing_is_restored(workshop: Workshop) -> None:
    workshop.trash = timedelta(days=7)
    workshop.table("ds", [ANN, BOB])
    ttl_id = schedule(workshop)
    run(workshop)
    assert look(workshop, ttl_id)["destroyAfter"].startswith(f"{workshop.world.clock.now + timedelta(days=7):%Y-%m-%d}")
    workshop.world.later(days=7)
    assert workshop.worker.run_once()
    refused = ask(workshop, ttl_id, "restore", 409)
    assert refused["error_code"] == "HYGN-3008-409"
    run(workshop)
    assert look(workshop, ttl_id)["status"] == "completed"
    assert workshop.people("ds") == []


def test_a_claim_of_the_last_moment_destroys_nothing_that_was_restored(workshop: Workshop) -> None:
    workshop.trash = timedelta(days=7)
    workshop.table("ds", [ANN, BOB])
    ttl_id = schedule(workshop)
    run(workshop)
    workshop.world.later(days=7)
    with workshop.world.store.write() as tx:
        claim = tx.tasks.claim("worker-1", workshop.worker._lease)
    assert claim is not None
    ask(workshop, ttl_id, "restore")
    workshop.worker._do(claim)
    run(workshop)
    assert look(workshop, ttl_id)["status"] == "cancelled"
    assert workshop.people("ds") == [ANN, BOB]


def test_orders_reach_a_dataset_that_is_only_flagged(workshop: Workshop) -> None:
    workshop.trash = timedelta(days=7)
    workshop.table("ds", [ANN, BOB])
    ttl_id = schedule(workshop)
    run(workshop)
    order_id = workshop.delete("ALL", ANN)
    run(workshop)
    assert workshop.order(order_id)["status"] == "completed"
    ask(workshop, ttl_id, "restore")
    assert workshop.people("ds") == [BOB]


def test_only_what_is_flagged_is_restored(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    assert ask(workshop, "ds", "restore", 404)["error_code"] == "HYGN-3001-404"
    ttl_id = schedule(workshop)
    assert ask(workshop, ttl_id, "restore", 409)["error_code"] == "HYGN-3008-409"
    assert ask(workshop, ttl_id, "retry", 409)["error_code"] == "HYGN-3007-409"
    ask(workshop, ttl_id, "restore", 403, client_id="viewer")
    run(workshop)
    assert ask(workshop, ttl_id, "retry", 409)["error_code"] == "HYGN-3007-409"


def test_a_stuck_expiration_lets_others_go_on_and_is_retried(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.table("other", [ANN, CY])
    profile = workshop.services[Product.PROFILE] = RememberingService(Product.PROFILE, {("Email", BOB, "ds")}, 10)
    ttl_id = schedule(workshop)
    workshop.work()
    order_id = workshop.delete("ALL", ANN)
    workshop.work()
    stuck = look(workshop, ttl_id)
    assert stuck["status"] == "executing"
    [held] = stuck["heldBy"]
    assert (held["productName"], held["datasetId"], held["step"]) == ("Profile Service", "ds", "drop")
    assert (held["reason"], held["attempts"]) == ("the service is down", 10)
    done = workshop.order(order_id)
    assert done["status"] == "completed"
    assert done["skippedDatasets"] == [{"datasetId": "ds", "reason": LEFT_BEHIND_REASON}]
    assert workshop.people("other") == [CY]

    again = ask(workshop, "ds", "retry")
    assert "heldBy" not in again
    workshop.work()
    shown = look(workshop, ttl_id)
    assert shown["status"] == "completed"
    assert [each["status"] for each in shown["history"]] == ["created", "executing", "completed"]
    assert (workshop.people("ds"), profile.traces) == ([], set())
    with workshop.world.store.read() as tx:
        [event] = [each.event for each in tx.audit.records() if each.event.action == "expiration.retried"]
    assert event.actor.startswith("Ann Ovid")
    assert event.details["places"] == ["drop/profile/ds"]


def test_rows_of_a_table_that_could_not_be_dropped_are_still_deleted_by_orders(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    engines = dict(workshop.world.engines)
    workshop.shop.engines[TableFormat.PARQUET] = Offline(engines[TableFormat.PARQUET])  # type: ignore[index]
    ttl_id = schedule(workshop)
    workshop.work()
    assert [each["reason"] for each in look(workshop, ttl_id)["heldBy"]] == ["the object store does not answer"]
    order_id = workshop.delete("ALL", ANN)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert workshop.order(order_id)["skippedDatasets"] == []
    assert workshop.people("ds") == [BOB]
    workshop.shop.engines.update(engines)  # type: ignore[attr-defined]
    ask(workshop, ttl_id, "retry")
    workshop.work()
    assert look(workshop, ttl_id)["status"] == "completed"
    assert workshop.people("ds") == []
