"""Callbacks of services: admitted by a signature alone, heard once, and never believed further than a nudge."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from lethe.domain.ids import WorkOrderId
from lethe.domain.product import Product
from lethe.domain.task import Claim, Step, Task, TaskState, promise
from lethe.products.http.product import HttpProduct
from lethe.products.http.service import HttpService
from lethe.storage.store import SqlStore
from support.api import EMAILS, World
from support.values import ORG, PROD

from .conftest import MakeWorld
from .refusals import refused

SECRET = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cywgbG9uZyBlbm91Z2g="
IDENTITY = {"namespace": {"code": "email"}, "id": "somebody"}
OTHER_SECRET = "whsec_YW5vdGhlciBzZWNyZXQgb2YgdGhlIHRlc3RzIGhlcmU="


@pytest.fixture
def world(store: SqlStore, make_world: MakeWorld, clock: Any) -> World:
    """A world whose Profile Service is behind HTTP."""
    service = HttpService(base_url="http://127.0.0.1:9/", secret=SECRET)
    world = make_world(store)
    product = HttpProduct(
        Product.PROFILE, service, now=clock, new_id=world.services.ids.uuid, monotonic=lambda: clock().timestamp()
    )
    return make_world(store, callbacks={Product.PROFILE: product}, furnished=False)


def send(world: World, key: str, *, path: str = "profile", secret: str = SECRET, **more: Any) -> Any:
    body = json.dumps({"request_key": key, "status": more.pop("status", "completed")}).encode()
    at = more.pop("at", world.clock.now)
    message_id = more.pop("message_id", "message-1")
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body.decode()),
        **more,
    }
    return world.client.post(f"/data/core/hygiene/callbacks/{path}", content=body, headers=headers)


def waiting_task(world: World) -> Task:
    """A bundle's task that waits for the Profile Service for an hour, and its order."""
    order = world.call("POST", "/workorder", {"datasetId": EMAILS, "identities": [IDENTITY]}).json()
    with world.store.write() as tx:
        bundle_id = tx.work_orders.find_any(WorkOrderId(UUID(order["workorderId"][3:]))).bundle_id  # type: ignore[union-attr]
        later = tx.now + timedelta(hours=1)
        task = promise(Step.FORGET, bundle_id, ORG, PROD, later, product=Product.PROFILE)
        tx.tasks.add(task)
    return task


def claimed(world: World, task: Task) -> Claim:
    """A worker's hold on this task; others that are due are held on the way."""
    with world.store.write() as tx:
        while (claim := tx.tasks.claim("somebody", timedelta(minutes=1))) is not None:
            if claim.task.task_id == task.task_id:
                return claim
    raise AssertionError("the task is not due")


def due_at(world: World, task: Task) -> Any:
    with world.store.read() as tx:
        return next(each.due_at for each in tx.tasks.of(task.subject_id) if each.task_id == task.task_id)


def key_of(world: World) -> str:
    return f"{world.orders()[0]['workorderId'][3:]}/profile"


@pytest.mark.parametrize("suffix", ["", ".1", ".12"])
def test_a_callback_makes_the_waiting_task_due(world: World, suffix: str) -> None:
    task = waiting_task(world)
    response = send(world, key_of(world) + suffix, status="in_progress")
    assert (response.status_code, response.json()) == (202, {"status": "accepted"})
    assert due_at(world, task) == world.clock.now


def test_a_message_that_comes_again_changes_nothing(world: World) -> None:
    task = waiting_task(world)
    assert send(world, key_of(world)).status_code == 202
    later = world.clock.now + timedelta(minutes=30)
    claim = claimed(world, task)
    with world.store.write() as tx:
        tx.tasks.postpone(claim, later, "still waiting", failed=False)
    assert send(world, key_of(world)).status_code == 202
    assert due_at(world, task) == later
    assert send(world, key_of(world), message_id="message-2").status_code == 202
    assert due_at(world, task) == world.clock.now


def test_news_while_a_worker_asks_makes_it_ask_once_more(world: World) -> None:
    task = waiting_task(world)
    world.later(minutes=60)
    claim = claimed(world, task)
    assert send(world, key_of(world)).status_code == 202
    with world.store.write() as tx:
        tx.tasks.postpone(claim, tx.now + timedelta(hours=1), "answered before the news", failed=False)
    assert due_at(world, task) == world.clock.now


def test_news_of_what_is_done_is_heard_and_changes_nothing(world: World) -> None:
    task = waiting_task(world)
    world.later(minutes=60)
    claim = claimed(world, task)
    with world.store.write() as tx:
        tx.tasks.finish(claim)
    assert send(world, key_of(world)).status_code == 202
    with world.store.read() as tx:
        assert {each.task_id: each.state for each in tx.tasks.of(task.subject_id)}[task.task_id] is TaskState.DONE


def test_a_message_that_is_not_the_services_is_refused(world: World) -> None:
    task = waiting_task(world)
    before, key = due_at(world, task), key_of(world)
    old, ahead = world.clock.now - timedelta(minutes=6), world.clock.now + timedelta(minutes=6)
    for response in (
        send(world, key, secret=OTHER_SECRET),
        send(world, key, at=old),
        send(world, key, at=ahead),
        send(world, key, **{"webhook-signature": ""}),
        send(world, key, **{"webhook-signature": "v1,AAAA"}),
        send(world, key, **{"webhook-id": "another"}),
        send(world, key, status="gone fishing"),
    ):
        refused(response, 401, "6004")
        assert key not in response.text
    assert due_at(world, task) == before


def test_a_callback_about_nothing_is_said_so(world: World) -> None:
    waiting_task(world)
    order_id = key_of(world).partition("/")[0]
    for key in (
        "",
        "x",
        f"{order_id}",
        f"{order_id}/identity",
        "00000000-0000-0000-0000-000000000000/profile",
    ):
        refused(send(world, key), 404, "6005")
    for path in ("identity", "datalake", "nobody"):
        refused(send(world, key_of(world), path=path), 404, "6005")


def test_a_long_message_is_not_read(world: World) -> None:
    body = b'"' + b"x" * 65_535 + b'"'
    response = world.client.post(
        "/data/core/hygiene/callbacks/profile", content=body, headers={"content-type": "application/json"}
    )
    refused(response, 413, "1004")
