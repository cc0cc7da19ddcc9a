"""Webhooks at the edge: who manages them, what is refused, and secrets that are shown once."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from lethe.operations.webhooks import WebhookRules
from lethe.storage.store import SqlStore
from support.api import World
from support.values import DEV, ORG, OTHER_ORG

from .conftest import MakeWorld
from .refusals import refused

URL = "https://hooks.example.com/lethe?token=sesame"
EVERYTHING = {"url", "types", "sandboxName", "description", "enabled"}


def created(world: World, **more: Any) -> dict[str, Any]:
    response = world.call("POST", "/webhooks", {"url": URL} | more)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def test_a_webhook_is_created_looked_up_changed_and_removed(world: World) -> None:
    made = created(world, types=["org.lethe.workorder.completed"], sandboxName="prod", description="Tickets")
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert {name: made[name] for name in EVERYTHING} == {
        "url": URL,
        "types": ["org.lethe.workorder.completed"],
        "sandboxName": "prod",
        "description": "Tickets",
        "enabled": True,
    }
    path = f"/webhooks/{made['webhookId']}"
    assert world.call("GET", path).json() == made
    assert world.call("GET", "/webhooks").json() == {"results": [made], "total": 1}
    changed = world.call("PUT", path, {"enabled": False, "types": [], "sandboxName": "*"}).json()
    assert {name: changed[name] for name in EVERYTHING} == {
        "url": URL,
        "types": [],
        "sandboxName": "*",
        "description": "Tickets",
        "enabled": False,
    }
    assert world.call("DELETE", path).json() == changed
    refused(world.call("GET", path), 404, "6001")
    assert world.call("GET", "/webhooks").json() == {"results": [], "total": 0}


def test_a_secret_is_shown_when_it_is_made_and_never_again(world: World) -> None:
    made = created(world)
    path = f"/webhooks/{made['webhookId']}"
    rotated = world.call("POST", f"{path}/secret").json()["secret"]
    assert rotated.startswith("whsec_")
    assert rotated != made["secret"]
    for shown in (world.call("GET", path), world.call("GET", "/webhooks"), world.call("PUT", path, {"enabled": True})):
        assert "whsec_" not in shown.text


def test_a_repeated_request_is_answered_with_the_same_secret(sqlite_world: World) -> None:
    headers = sqlite_world.headers() | {"Idempotency-Key": "one"}
    first, second = (sqlite_world.call("POST", "/webhooks", {"url": URL}, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert sqlite_world.call("GET", "/webhooks").json()["total"] == 1


def test_secrets_are_encrypted_at_rest(sqlite_world: World, sqlite_url: str) -> None:
    made = created(sqlite_world)
    rotated = sqlite_world.call("POST", f"/webhooks/{made['webhookId']}/secret").json()["secret"]
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    content = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    assert URL.encode() in content, "what is not encrypted is found"
    for secret in (made["secret"], rotated):
        assert secret.encode() not in content


UNSAFE_URLS = (
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "hooks.example.com",
    "https://",
    "https:///path",
    "https://user:word@hooks.example.com/",
    "https://hooks.example.com/#part",
    "https://hooks.example.com:99999/",
    "https://hooks.example.com/a b",
    "https://hooks.exämple.com/",
    "https://127.0.0.1/",
    "http://127.0.0.1/",
    "http://localhost:8080/",
    "https://localhost/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://hooks.example.com/" + "x" * 2_048,
)


def test_a_url_that_is_not_safe_to_call_is_refused(sqlite_world: World) -> None:
    path = f"/webhooks/{created(sqlite_world)['webhookId']}"
    for url, method in ((url, method) for url in UNSAFE_URLS for method in ("POST", "PUT")):
        response = sqlite_world.call(method, path if method == "PUT" else "/webhooks", {"url": url})
        refused(response, 400, "1002", "url")
        assert "word@" not in response.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": 1}, "url"),
        ({"url": URL, "types": ["org.lethe.workorder.lost"]}, "types[0]"),
        ({"url": URL, "types": "all"}, "types"),
        ({"url": URL, "sandboxName": ""}, "sandboxName"),
        ({"url": URL, "description": "x" * 1_001}, "description"),
        ({"url": URL, "enabled": "yes"}, "enabled"),
        ({"url": URL, "secret": "mine"}, "secret"),
    ],
)
def test_bad_bodies_are_refused_by_their_field(sqlite_world: World, body: dict[str, Any], field: str) -> None:
    response = sqlite_world.call("POST", "/webhooks", body)
    refused(response, 400, "1002", field)
    assert sqlite_world.call("GET", "/webhooks").json()["total"] == 0


def test_a_change_changes_something(sqlite_world: World) -> None:
    refused(sqlite_world.call("PUT", f"/webhooks/{created(sqlite_world)['webhookId']}", {}), 400, "1002")


def test_an_unknown_sandbox_is_refused(sqlite_world: World) -> None:
    refused(sqlite_world.call("POST", "/webhooks", {"url": URL, "sandboxName": "nowhere"}), 404, "5005", "sandboxName")


def test_an_org_has_so_many_webhooks_and_no_more(store: SqlStore, make_world: MakeWorld) -> None:
    world = make_world(store, webhook_rules=WebhookRules(max_per_org=2))
    first = created(world)
    created(world)
    refused(world.call("POST", "/webhooks", {"url": URL}), 409, "6002")
    theirs = world.headers("stranger", org_id=OTHER_ORG)
    assert world.call("POST", "/webhooks", {"url": URL}, headers=theirs).status_code == 201
    world.call("DELETE", f"/webhooks/{first['webhookId']}")
    created(world)


def test_who_sees_some_sandboxes_manages_their_webhooks_only(sqlite_world: World) -> None:
    world = sqlite_world
    for_all, prod = created(world)["webhookId"], created(world, sandboxName="prod")["webhookId"]
    dev = created(world, sandboxName=DEV)["webhookId"]
    theirs = world.headers("dev-only", sandbox_name=None)
    listed = world.call("GET", "/webhooks", headers=theirs).json()["results"]
    assert [each["webhookId"] for each in listed] == [dev]
    for hidden in (for_all, prod):
        for method, path, body in (
            ("GET", "", None),
            ("PUT", "", {"enabled": False}),
            ("DELETE", "", None),
            ("POST", "/secret", None),
            ("POST", "/test", None),
            ("GET", "/deliveries", None),
        ):
            refused(world.call(method, f"/webhooks/{hidden}{path}", body, headers=theirs), 404, "6001")
    refused(
        world.call("POST", "/webhooks", {"url": URL, "sandboxName": "prod"}, headers=theirs), 404, "5005", "sandboxName"
    )
    refused(world.call("POST", "/webhooks", {"url": URL}, headers=theirs), 400, "1002", "sandboxName")
    refused(world.call("PUT", f"/webhooks/{dev}", {"sandboxName": "*"}, headers=theirs), 400, "1002", "sandboxName")
    refused(world.call("PUT", f"/webhooks/{dev}", {"sandboxName": "prod"}, headers=theirs), 404, "5005", "sandboxName")
    assert world.call("GET", f"/webhooks/{dev}").json()["sandboxName"] == DEV
    assert world.call("PUT", f"/webhooks/{dev}", {"description": "x"}, headers=theirs).status_code == 200


def test_what_does_not_exist_is_said_so(sqlite_world: World) -> None:
    webhook_id = created(sqlite_world)["webhookId"]
    nobody = "WH-00000000-0000-0000-0000-000000000000"
    for path in (f"/webhooks/{nobody}", "/webhooks/none", f"/webhooks/{nobody}/deliveries"):
        refused(sqlite_world.call("GET", path), 404, "6001")
    for delivery_id in (nobody[3:], "none"):
        path = f"/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"
        refused(sqlite_world.call("POST", path), 404, "6003")


def test_a_disabled_webhook_is_not_tried(sqlite_world: World) -> None:
    webhook_id = created(sqlite_world, enabled=False)["webhookId"]
    refused(sqlite_world.call("POST", f"/webhooks/{webhook_id}/test"), 400, "1002", "enabled")


def test_deliveries_are_listed_by_state_and_page(world: World) -> None:
    webhook_id = created(world)["webhookId"]
    tried = [world.call("POST", f"/webhooks/{webhook_id}/test").json()["deliveryId"] for _ in range(3)]
    path = f"/webhooks/{webhook_id}/deliveries"
    pages = [world.call("GET", f"{path}?limit=2&page={number}").json() for number in range(3)]
    assert [[each["deliveryId"] for each in page["results"]] for page in pages] == [tried[:0:-1], tried[:1], []]
    assert [(page["total"], page["count"]) for page in pages] == [(3, 2), (3, 1), (3, 0)]
    one = pages[0]["results"][0]
    assert (one["status"], one["attempts"], one["type"]) == ("pending", 0, "org.lethe.webhook.ping")
    assert one["subject"] == webhook_id
    assert world.call("GET", f"{path}?status=pending").json()["total"] == 3
    assert world.call("GET", f"{path}?status=failed").json() == {"results": [], "total": 0, "count": 0}
    refused(world.call("GET", f"{path}?status=lost"), 400, "1003", "status")


def test_every_change_is_audited_and_no_secret_is(sqlite_world: World) -> None:
    made = created(sqlite_world)
    path = f"/webhooks/{made['webhookId']}"
    sqlite_world.call("PUT", path, {"description": "New"})
    secret = sqlite_world.call("POST", f"{path}/secret").json()["secret"]
    delivery_id = sqlite_world.call("POST", f"{path}/test").json()["deliveryId"]
    sqlite_world.call("POST", f"{path}/deliveries/{delivery_id}/redeliver")
    sqlite_world.call("DELETE", path)
    with sqlite_world.store.read() as tx:
        records = [record.event for record in tx.audit.records() if record.event.subject == made["webhookId"][3:]]
    assert [event.action for event in records] == [
        "webhook.created",
        "webhook.updated",
        "webhook.secret_rotated",
        "webhook.pinged",
        "webhook.redelivered",
        "webhook.deleted",
    ]
    assert all(event.org_id == ORG for event in records)
    for hidden in (made["secret"], secret, "sesame", hashlib.sha256(secret.encode()).hexdigest()):
        assert hidden not in str(records)


def test_the_backlog_is_measured_and_no_url_is_told(sqlite_world: World) -> None:
    webhook_id = created(sqlite_world)["webhookId"]
    sqlite_world.call("POST", f"/webhooks/{webhook_id}/test")
    sqlite_world.later(minutes=2)
    told = sqlite_world.client.get("/metrics").text
    for line in (
        "lethe_events_written_total 1.0",
        'lethe_event_deliveries{state="pending"} 1.0',
        'lethe_event_deliveries{state="delivered"} 0.0',
        "lethe_event_backlog_age_seconds 120.0",
    ):
        assert line in told.splitlines()
    assert "example.com" not in told
    assert "sesame" not in told
