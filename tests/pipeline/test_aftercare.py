"""After the end: later looks for erased identities, raw identities of failed orders, and what is no longer kept."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import pytest
from structlog.testing import capture_logs

from lethe.domain.ids import WorkOrderId
from lethe.pipeline.shop import Aftercare
from support.workshop import Workshop

ANN, BOB, CY = "ann@example.com", "bob@example.com", "cy@example.com"
LOOKS = Aftercare(reverify_after=[timedelta(days=1), timedelta(days=7)])


def run(workshop: Workshop) -> None:
    """Work while there is anything due now."""
    for _ in range(200):
        if not workshop.worker.run_once():
            return
    raise AssertionError("the worker does not come to an end")


def looks(workshop: Workshop, order_id: str) -> list[dict[str, Any]]:
    shown = workshop.world.call("GET", f"/workorder/{order_id}/results").json()
    found: list[dict[str, Any]] = shown.get("reverifications", [])
    return found


def come_back(workshop: Workshop, dataset_id: str, *people: str) -> None:
    """Somebody writes rows of these people into the table."""
    workshop.table("source", people)
    for number, path in enumerate(sorted((workshop.tables / "source").rglob("*.parquet"))):
        path.rename(workshop.tables / dataset_id / f"late-{number}.parquet")


def events(workshop: Workshop, action: str) -> list[Any]:
    with workshop.world.store.read() as tx:
        return [each.event for each in tx.audit.records() if each.event.action == action]


def metric(workshop: Workshop) -> str:
    text = workshop.world.client.get("/metrics").text
    return next(line for line in text.splitlines() if line.startswith("lethe_erased_identity_back_total"))


def test_an_erased_identity_that_comes_back_raises_the_alarm(workshop: Workshop) -> None:
    workshop.aftercare = LOOKS
    workshop.table("ds", [ANN, BOB, CY, ANN])
    anns, bobs = workshop.delete("ds", ANN), workshop.delete("ds", BOB, "nobody@example.com")
    workshop.work()
    assert looks(workshop, anns) == []
    workshop.world.later(days=1)
    run(workshop)
    [first] = looks(workshop, anns)
    assert (first["datasetId"], first["rowsExamined"], first["rowsBack"], first["identitiesBack"]) == ("ds", 1, 0, 0)
    assert metric(workshop) == "lethe_erased_identity_back_total 0.0"

    come_back(workshop, "ds", ANN, CY, ANN, CY)
    workshop.world.later(days=6)
    with capture_logs() as logs:
        run(workshop)
    assert [(each["rowsBack"], each["identitiesBack"]) for each in looks(workshop, anns)] == [(0, 0), (2, 1)]
    assert [(each["rowsBack"], each["identitiesBack"]) for each in looks(workshop, bobs)] == [(0, 0), (0, 0)]
    [alarm] = [entry for entry in logs if entry["event"] == "erased_identity_back"]
    assert alarm["log_level"] == "error"
    assert (alarm["work_order_id"], alarm["dataset_id"]) == (anns.removeprefix("DI-"), "ds")
    [event] = events(workshop, "work_order.identity_back")
    assert (event.subject, event.details["rows"]) == (anns.removeprefix("DI-"), 2)
    assert metric(workshop) == "lethe_erased_identity_back_total 1.0"
    assert ANN not in f"{logs}{event}"
    assert workshop.order(anns)["status"] == "completed"
    workshop.world.later(days=60)
    run(workshop)
    assert len(looks(workshop, anns)) == 2, "no look follows the last one"


def test_a_table_that_cannot_be_examined_is_said_to_be_so_and_is_looked_at_again(workshop: Workshop) -> None:
    workshop.aftercare = LOOKS
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    run(workshop)
    path = next((workshop.tables / "ds").glob("*.parquet"))
    content = path.read_bytes()
    path.write_bytes(b"PAR1 and nothing that is Parquet PAR1")
    workshop.world.later(minutes=11)
    run(workshop)
    workshop.world.later(days=1)
    run(workshop)
    [look] = looks(workshop, order_id)
    assert look["problem"]
    assert look["rowsExamined"] == 0
    path.write_bytes(content)
    workshop.world.later(days=7)
    run(workshop)
    assert [each.get("problem") is None for each in looks(workshop, order_id)] == [False, True]


def test_nothing_is_looked_at_again_unless_it_is_asked_for(workshop: Workshop) -> None:
    workshop.table("ds", [ANN, BOB])
    order_id = workshop.delete("ds", ANN)
    run(workshop)
    workshop.world.later(days=100)
    run(workshop)
    assert looks(workshop, order_id) == []


def test_raw_identities_of_a_failed_order_are_destroyed_when_their_time_has_come(workshop: Workshop) -> None:
    workshop.register("missing")
    order_id = workshop.delete("missing", ANN)
    run(workshop)
    assert workshop.order(order_id)["status"] == "failed"
    uuid = WorkOrderId(UUID(order_id.removeprefix("DI-")))
    workshop.world.later(days=29)
    run(workshop)
    with workshop.world.store.read() as tx:
        assert tx.identities.can_open(uuid)
    workshop.world.later(days=1, minutes=10)
    run(workshop)
    with workshop.world.store.read() as tx, pytest.raises(KeyError):
        tx.identities.open(uuid)
    answer = workshop.world.call("POST", f"/workorder/{order_id}/retry")
    assert answer.json()["error_code"] == "HYGN-4013-409"
    assert [event.subject for event in events(workshop, "work_order.identities_destroyed")] == [str(uuid)]
    body = {"namespace": {"code": "Email"}, "id": ANN}
    asked = workshop.world.call("POST", f"/workorder/{order_id}/results/lookup", body).json()
    assert asked["requested"] is True, "the keyed hashes stay"


def test_history_goes_and_certificates_stay(workshop: Workshop) -> None:
    workshop.aftercare = Aftercare(history=timedelta(days=90))
    workshop.table("ds", [ANN, BOB, CY])
    workshop.table("old", [ANN])
    order_id = workshop.delete("ds", ANN)
    expiry = workshop.world.clock.now + timedelta(hours=25)
    ttl_id = workshop.world.call("POST", "/ttl", {"datasetId": "old", "expiry": expiry.isoformat()}).json()["ttlId"]
    run(workshop)
    workshop.world.later(hours=26)
    run(workshop)
    workshop.world.later(days=80)
    late = workshop.delete("ds", BOB)
    run(workshop)
    certificates = [workshop.world.call("GET", f"/{path}/certificate").json() for path in paths(order_id, ttl_id)]
    workshop.world.later(days=11)
    run(workshop)
    assert workshop.world.call("GET", f"/workorder/{order_id}/plan").status_code == 404
    assert workshop.world.call("GET", f"/workorder/{order_id}/results").json()["total"] == 0
    assert workshop.order(order_id)["status"] == "completed"
    assert workshop.world.call("GET", f"/ttl/{ttl_id}").json()["status"] == "completed"
    after = [workshop.world.call("GET", f"/{path}/certificate").json() for path in paths(order_id, ttl_id)]
    assert after == certificates
    subjects = [UUID(order_id[3:]), UUID(workshop.order(order_id)["bundleId"][3:]), UUID(ttl_id[3:])]
    with workshop.world.store.read() as tx:
        assert [task for each in subjects for task in tx.tasks.of(each)] == []
        assert tx.tasks.of(UUID(workshop.order(late)["bundleId"][3:])) != []
    assert workshop.world.call("GET", f"/workorder/{late}/plan").status_code == 200
    assert len(events(workshop, "work_order.history_removed")) == 1
    assert len(events(workshop, "expiration.history_removed")) == 1
    assert [row["person"]["id"] for row in pq.read_table(workshop.tables / "ds").to_pylist()] == [CY]


def paths(order_id: str, ttl_id: str) -> list[str]:
    return [f"workorder/{order_id}", f"ttl/{ttl_id}"]
