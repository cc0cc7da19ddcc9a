"""Expirations, from their time to proof, on real Parquet tables."""

from datetime import timedelta

from lethe.domain.product import Product
from support.workshop import Workshop

ANN, BOB = "ann@example.com", "bob@example.com"


def _schedule(workshop: Workshop, dataset_id: str = "ds", **lead: float) -> str:
    expiry = workshop.world.clock.now + timedelta(**lead)
    answer = workshop.world.call("POST", "/ttl", {"datasetId": dataset_id, "expiry": expiry.isoformat()})
    assert answer.status_code == 201, answer.text
    ttl_id: str = answer.json()["ttlId"]
    return ttl_id


def _status(workshop: Workshop, key: str) -> str:
    status: str = workshop.world.call("GET", f"/ttl/{key}").json()["status"]
    return status


def test_a_dataset_is_destroyed_at_its_minute_and_not_before(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    workshop.table("kept", [ANN])
    workshop.services[Product.PROFILE].traces = {("Email", ANN, "ds"), ("Email", ANN, "kept")}
    ttl_id = _schedule(workshop, hours=25)
    workshop.world.later(hours=24, minutes=59)
    assert not workshop.worker.run_once()
    assert _status(workshop, ttl_id) == "pending"
    workshop.world.later(minutes=1)
    while workshop.worker.run_once():
        pass
    assert _status(workshop, ttl_id) == "completed"
    assert workshop.people("ds") == []
    assert workshop.people("kept") == [ANN]
    assert workshop.services[Product.PROFILE].traces == {("Email", ANN, "kept")}
    shown = workshop.world.call("GET", f"/ttl/{ttl_id}", include="history").json()
    assert [each["productStatus"] for each in shown["productStatusDetails"]] == ["success"] * 4
    assert [each["status"] for each in shown["history"]] == ["created", "executing", "completed"]
    assert workshop.world.call("GET", "/data/foundation/catalog/dataSets/ds").status_code == 404


def test_cancelling_in_the_last_second_wins(workshop: Workshop) -> None:
    workshop.table("ds", [ANN])
    ttl_id = _schedule(workshop, hours=25)
    workshop.world.later(hours=24, minutes=59, seconds=59)
    assert workshop.world.call("DELETE", f"/ttl/{ttl_id}").status_code == 200
    workshop.world.later(hours=1)
    assert not workshop.worker.run_once()
    assert _status(workshop, ttl_id) == "cancelled"
    assert workshop.people("ds") == [ANN]


def test_cancelling_after_it_has_begun_is_too_late(workshop: Workshop) -> None:
    workshop.table("ds", [ANN])
    ttl_id = _schedule(workshop, hours=25)
    workshop.world.later(hours=26)
    assert workshop.worker.run_once()
    assert _status(workshop, ttl_id) == "executing"
    assert workshop.world.call("DELETE", f"/ttl/{ttl_id}").status_code == 404


def test_a_new_date_moves_the_execution(workshop: Workshop) -> None:
    workshop.table("ds", [ANN])
    ttl_id = _schedule(workshop, hours=25)
    expiry = workshop.world.clock.now + timedelta(hours=50)
    assert workshop.world.call("PATCH", f"/ttl/{ttl_id}", {"expiry": expiry.isoformat()}).status_code == 200
    workshop.world.later(hours=26)
    assert not workshop.worker.run_once()
    workshop.world.later(hours=24)
    while workshop.worker.run_once():
        pass
    assert _status(workshop, ttl_id) == "completed"


def test_a_record_delete_and_an_expiration_of_one_dataset_do_not_meet(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    ttl_id = _schedule(workshop, hours=25)
    order_id = workshop.delete("ds", ANN)
    workshop.work(until="submitted", order_id=order_id)
    workshop.world.later(hours=26)
    workshop.work(until="completed", order_id=order_id)
    assert workshop.order(order_id)["status"] == "completed"
    while workshop.worker.run_once():
        pass
    assert _status(workshop, ttl_id) == "completed"
    assert workshop.people("ds") == []


def test_the_id_of_a_destroyed_dataset_does_not_come_back(workshop: Workshop) -> None:
    workshop.table("ds", [ANN])
    _schedule(workshop, hours=25)
    workshop.world.later(hours=26)
    while workshop.worker.run_once():
        pass
    table = {"format": "parquet", "location": str(workshop.tables / "ds")}
    again = workshop.world.call(
        "POST", "/data/foundation/catalog/dataSets", {"id": "ds", "name": "ds", "schema": {}, "table": table}
    )
    assert again.status_code == 409
    assert workshop.world.call("GET", "/data/foundation/catalog/dataSets/ds").status_code == 404


def test_an_order_over_all_waits_for_a_dataset_that_is_being_destroyed_and_passes_it_by(workshop: Workshop) -> None:
    workshop.table("ds", [ANN])
    workshop.table("kept", [ANN, BOB])
    ttl_id = _schedule(workshop, hours=25)
    workshop.world.later(hours=26)
    while not (workshop.people("ds") == [] and _status(workshop, ttl_id) == "executing"):
        assert workshop.worker.run_once()
    order_id = workshop.delete("ALL", ANN)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert _status(workshop, ttl_id) == "completed"
    assert workshop.people("kept") == [BOB]
