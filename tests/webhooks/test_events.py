"""Every change of status is an event, stored with it and told once, in order, and without anybody's identity."""

import json
import random
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.domain.reverification import CompletedOrder, Reverification
from lethe.pipeline.alarm import erased_identity_back
from lethe.pipeline.worker import Worker
from lethe.storage.schema import work_order_changes
from support.receiver import Receiver
from support.values import DEV, ORG, PROD

from .conftest import Post, sender_of

ANN, BOB, CY = "ann@example.com", "bob@example.com", "cy@example.com"
SEED = 1
ORDER_WAY = ["received", "validated", "submitted", "ingested", "completed"]


def test_an_orders_events_are_its_statuses_in_order(post: Post, receiver: Receiver) -> None:
    post.workshop.table("ds", [ANN, BOB, CY])
    post.hook(receiver)
    orders = [post.workshop.delete("ds", ANN), post.workshop.delete("ds", CY)]
    post.workshop.work()
    post.deliver_all()
    assert receiver.bad == []
    for order_id in orders:
        assert receiver.types(order_id) == ORDER_WAY
        sequences = [event["sequence"] for event in receiver.accepted(order_id)]
        assert sequences == sorted(set(sequences))
    assert len(receiver.messages) == len(ORDER_WAY) * len(orders)


def test_an_event_is_a_cloud_event_about_what_the_api_shows(sqlite_post: Post, receiver: Receiver) -> None:
    sqlite_post.workshop.table("ds", [ANN, BOB])
    sqlite_post.hook(receiver, types=["org.lethe.workorder.completed"])
    order_id = sqlite_post.workshop.delete("ds", ANN)
    sqlite_post.workshop.work()
    sqlite_post.deliver_all()
    [message] = receiver.messages
    event = message.event
    assert message.headers["content-type"] == "application/cloudevents+json"
    assert {name: value for name, value in event.items() if name not in {"data", "time", "sequence"}} == {
        "specversion": "1.0",
        "id": message.message_id,
        "source": "/data/core/hygiene",
        "type": "org.lethe.workorder.completed",
        "subject": order_id,
        "datacontenttype": "application/json",
    }
    shown = sqlite_post.workshop.order(order_id)
    kept = set(event["data"]) - {"sandboxName"}
    assert {name: event["data"][name] for name in kept} == {name: shown[name] for name in kept}
    assert set(shown) - kept == {
        "createdBy", "datasetName", "displayName", "description", "operation", "created_at", "updated_at",
    }  # fmt: skip
    assert event["data"]["sandboxName"] == "prod"
    assert event["time"] == shown["updatedAt"]


def test_no_event_holds_an_identity_or_a_text_that_a_person_wrote(sqlite_post: Post, receiver: Receiver) -> None:
    sqlite_post.workshop.table("ds", [ANN, BOB])
    sqlite_post.hook(receiver)
    body = {
        "datasetId": "ds",
        "displayName": f"for {BOB}",
        "description": CY,
        "identities": [{"namespace": {"code": "Email"}, "id": ANN}],
    }
    sqlite_post.world.call("POST", "/workorder", body)
    sqlite_post.world.call(
        "POST", "/ttl", {"datasetId": "ds", "expiry": "2031-01-01", "displayName": CY, "description": BOB}
    )
    sqlite_post.workshop.work()
    sqlite_post.deliver_all()
    assert len(receiver.messages) == len(ORDER_WAY) + 1
    told = json.dumps([message.event for message in receiver.messages])
    for secret in (ANN, BOB, CY, "Ann Ovid", "example.com"):
        assert secret not in told


def test_a_failed_order_is_told_as_such(sqlite_post: Post, receiver: Receiver) -> None:
    sqlite_post.workshop.register("missing")
    sqlite_post.hook(receiver)
    order_id = sqlite_post.workshop.delete("missing", ANN)
    sqlite_post.workshop.work()
    sqlite_post.deliver_all()
    assert receiver.types(order_id) == ["received", "failed"]


def test_renaming_an_order_is_no_event(sqlite_post: Post, receiver: Receiver) -> None:
    sqlite_post.workshop.table("ds", [ANN])
    sqlite_post.hook(receiver)
    order_id = sqlite_post.workshop.delete("ds", ANN)
    assert sqlite_post.world.call("PUT", f"/workorder/{order_id}", {"name": "New"}).status_code == 200
    sqlite_post.workshop.work()
    sqlite_post.deliver_all()
    assert receiver.types(order_id) == ORDER_WAY


def test_an_expirations_events_are_the_lines_of_its_history(post: Post, receiver: Receiver) -> None:
    post.workshop.table("ds", [ANN])
    post.hook(receiver)
    ttl_id = post.world.call("POST", "/ttl", {"datasetId": "ds", "expiry": "2026-04-01"}).json()["ttlId"]
    post.world.call("PUT", "/ttl/ds", {"expiry": "2026-04-02"})
    post.world.call("DELETE", "/ttl/ds")
    post.world.call("PUT", "/ttl/ds", {"expiry": "2026-04-03"})
    post.world.clock.advance(timedelta(days=40))
    post.workshop.work()
    post.deliver_all()
    assert receiver.types(ttl_id) == ["created", "updated", "cancelled", "updated", "executing", "completed"]
    history = post.world.call("GET", "/ttl/ds?include=history").json()["history"]
    told = receiver.accepted(ttl_id)
    assert [event["time"] for event in told] == [line["updatedAt"] for line in history]
    assert [event["data"]["expiry"] for event in told] == [line["expiry"] for line in history]


def test_what_is_rolled_back_is_not_told(post: Post, receiver: Receiver) -> None:
    post.workshop.table("ds", [ANN])
    post.hook(receiver)
    order_id = WorkOrderId(UUID(post.workshop.delete("ds", ANN)[3:]))
    with suppress(ZeroDivisionError), post.world.store.write() as tx:
        order = tx.work_orders.find_any(order_id)
        assert order is not None
        tx.work_orders.save(order.advanced(tx.now))
        raise ZeroDivisionError
    post.deliver_all()
    assert receiver.types() == ["received"]


def test_an_alarm_is_told_once_for_each_place_and_search(sqlite_post: Post, receiver: Receiver) -> None:
    sqlite_post.workshop.table("ds", [ANN, BOB])
    sqlite_post.hook(receiver)
    order_id = sqlite_post.workshop.delete("ds", ANN)
    sqlite_post.workshop.work()
    completed = CompletedOrder(WorkOrderId(UUID(order_id[3:])), ORG, PROD, sqlite_post.world.clock.now)
    for day in (1, 1, 2):
        at = sqlite_post.world.clock.now + timedelta(days=day)
        with sqlite_post.world.store.write() as tx:
            seen = Reverification(completed.work_order_id, DatasetId("ds"), at, "s", 9, rows_back=2, identities_back=1)
            erased_identity_back(tx, completed, seen)
    sqlite_post.deliver_all()
    assert receiver.types(order_id) == [*ORDER_WAY, "alarm", "alarm"]
    alarm = receiver.accepted(order_id)[-1]["data"]
    assert alarm["foundAgain"] == {"productName": "Data Management", "datasetId": "ds", "traces": 2}
    assert alarm["status"] == "completed"


def test_a_webhook_is_told_of_what_it_asks_for(sqlite_post: Post, receiver: Receiver) -> None:
    sqlite_post.workshop.table("ds", [ANN])
    with Receiver() as everything, Receiver() as elsewhere, Receiver() as disabled:
        sqlite_post.hook(receiver, types=["org.lethe.workorder.received", "org.lethe.workorder.completed"])
        sqlite_post.hook(everything, sandboxName="prod")
        sqlite_post.hook(elsewhere, sandboxName=DEV)
        sqlite_post.hook(disabled, enabled=False)
        sqlite_post.workshop.delete("ds", ANN)
        sqlite_post.workshop.work()
        sqlite_post.deliver_all()
        assert receiver.types() == ["received", "completed"]
        assert everything.types() == ORDER_WAY
        assert elsewhere.messages == disabled.messages == []


def test_a_later_webhook_is_told_of_what_happens_later(sqlite_post: Post, receiver: Receiver) -> None:
    sqlite_post.workshop.table("ds", [ANN])
    order_id = sqlite_post.workshop.delete("ds", ANN)
    sqlite_post.workshop.work(until="validated", order_id=order_id)
    sqlite_post.hook(receiver)
    sqlite_post.workshop.work()
    sqlite_post.deliver_all()
    assert receiver.types(order_id) == ORDER_WAY[2:]


def test_workers_and_senders_do_not_need_each_other(sqlite_post: Post, receiver: Receiver) -> None:
    """Whoever delivers while orders are under way tells the same."""
    sqlite_post.workshop.table("ds", [ANN, BOB])
    sqlite_post.hook(receiver)
    order_id = sqlite_post.workshop.delete("ds", ANN)
    worker = Worker(sqlite_post.workshop.shop, "worker-2", lambda: 0.0)
    while worker.run_once():
        sqlite_post.deliver()
    sqlite_post.deliver_all()
    assert receiver.types(order_id) == ORDER_WAY


def test_whatever_fails_in_between_the_events_told_are_the_changes_that_happened(
    post: Post, receiver: Receiver
) -> None:
    """Workers and senders take turns at random, receivers fail, senders die before they record; all is told once."""
    dice = random.Random(SEED)
    receiver.answer = lambda _: dice.choice([200, 204, 204, 500, 503])
    post.workshop.table("ds", [ANN, BOB, CY])
    post.hook(receiver)
    orders = [post.workshop.delete("ds", person) for person in (ANN, CY)]

    class DyingCourier:
        """Posts, and is dead before it can say so."""

        def send(self, *args: Any) -> Any:
            post.sender._courier.send(*args)
            raise SystemExit

    dying = sender_of(post.world.store, "dying")
    dying._courier = DyingCourier()
    for _ in range(60):
        match dice.randrange(4):
            case 0:
                post.workshop.worker.run_once()
            case 1:
                post.sender.run_once()
            case 2:
                with suppress(SystemExit):
                    dying.run_once()
            case _:
                post.world.clock.advance(timedelta(seconds=dice.choice([1, 40])))
    post.workshop.work()
    post.deliver_all()
    for order_id in orders:
        with post.world.store.read() as tx:
            changes = tx._session.rows(
                sa.select(work_order_changes.c.status)
                .where(work_order_changes.c.work_order_id == UUID(order_id[3:]))
                .order_by(work_order_changes.c.number)
            )
        assert receiver.types(order_id) == [row["status"] for row in changes] == ORDER_WAY
    assert len(receiver.accepted()) == len(orders) * len(ORDER_WAY), "nothing else is told"
