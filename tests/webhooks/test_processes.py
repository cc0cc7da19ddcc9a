"""Events through real processes: senders killed in the midst of a delivery, the example, a service that calls back."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import IO, Any

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from standardwebhooks import Webhook

from lethe.clock import system_now
from products.http_service import SECRET, LoopbackServer
from support.postgres import Postgres
from support.receiver import Message, Receiver, wait_until
from support.server import ORG, PROD, Server, a_client, an_org

ROOT = Path(__file__).parents[2]
HYGIENE = "/data/core/hygiene"
PEOPLE = [f"person-{number}@example.com" for number in range(6)]
FATAL = 3
"""Which message is the last that the first worker sends."""
ORDER_WAY = ["received", "validated", "submitted", "ingested", "completed"]


def settings(directory: Path, **more: Any) -> dict[str, Any]:
    table = {"format": "parquet", "location": str(directory / "table")}
    names = {"primary_identity_path": ["id"], "primary_identity_namespace": "Email"}
    (directory / "table").mkdir(parents=True)
    pq.write_table(pa.table({"id": PEOPLE}), directory / "table" / "part.parquet")
    work = {"workers": 0, "processes": 1, "lease_seconds": 1, "writers_grace_seconds": 0}
    return {
        "orgs": [an_org()],
        "clients": [a_client("administrator", "administrator")],
        "datasets": [{"id": "table", "org": ORG, "sandbox": PROD, "name": "Table", **table, **names}],
        "work": work | more.pop("work", {}),
        "webhooks": {"allowed_networks": ["127.0.0.0/8"], "timeout_seconds": 2, "senders": 1},
        **more,
    }


def add_webhook(api: httpx2.Client, url: str) -> dict[str, Any]:
    answer = api.post(f"{HYGIENE}/webhooks", json={"url": url})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def delete(api: httpx2.Client, person: str) -> str:
    body = {"datasetId": "table", "identities": [{"namespace": {"code": "Email"}, "id": person}]}
    answer = api.post(f"{HYGIENE}/workorder", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["workorderId"])


@contextmanager
def worker_process(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """A `lethe worker` beside the server, which the test may kill."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
    environment |= {
        "LETHE_CONFIG": str(server.directory / "lethe.toml"),
        "LETHE_DATA_DIR": str(server.directory / "data"),
    }
    if server.database_url is not None:
        environment["LETHE_DATABASE_URL"] = server.database_url
    with (server.directory / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lethe", "worker"], env=environment, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_sender_that_is_killed_while_it_delivers_loses_nothing(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, receiver: Receiver
) -> None:
    url = None
    if database == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.url(request.getfixturevalue("postgres_database"))
    posted, killed = Event(), Event()

    def answer(_: Message) -> int:
        """A message arrives, and whoever sent it dies before it hears so."""
        if len(receiver.messages) == FATAL:
            posted.set()
            killed.wait(60)
        return 204

    receiver.answer = answer
    with Server(tmp_path / "lethe", settings(tmp_path / "lake"), url) as lethe, lethe.client() as api:
        webhook = add_webhook(api, receiver.url)
        receiver.secret = webhook["secret"]
        orders = [delete(api, person) for person in PEOPLE[:2]]
        with worker_process(lethe) as process:
            assert posted.wait(60), (lethe.directory / "worker.log").read_text()
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed.set()
        expected = len(orders) * len(ORDER_WAY)
        with worker_process(lethe):
            receiver.wait_for(lambda _: len(receiver.accepted()) == expected)
            path = f"{HYGIENE}/webhooks/{webhook['webhookId']}/deliveries?status=delivered"
            wait_until(lambda: api.get(path).json()["total"] == expected, "every delivery is recorded")
        statuses = {each["workorderId"]: each["status"] for each in api.get(f"{HYGIENE}/workorder").json()["results"]}
    assert set(statuses.values()) == {"completed"}
    for order_id in orders:
        assert receiver.types(order_id) == ORDER_WAY
    ids = [message.message_id for message in receiver.messages]
    assert len(set(ids)) == expected
    assert ids.count(ids[FATAL]) == 2, "what was posted and not recorded is posted again, under its id"
    assert len(ids) == expected + 1
    assert receiver.bad == []


class SlowService(LoopbackServer):
    """A service that has not finished, until it is told to and then calls back."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.is_done = False
        super().__init__()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        Webhook(SECRET).verify(body, headers, json_parse=False)
        key = headers["idempotency-key"]
        if method == "GET" and key not in self.keys:
            return 404, {}
        if method == "POST":
            self.keys.append(key)
        return 200, {"status": "completed", "removed": 2} if self.is_done else {"status": "in_progress"}

    def call_back(self, url: str) -> int:
        self.is_done = True
        body = json.dumps({"request_key": self.keys[0], "status": "completed"})
        now = system_now()
        headers = {
            "content-type": "application/json",
            "webhook-id": "message-1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign("message-1", now, body),
        }
        path = f"{url}{HYGIENE}/callbacks/profile"
        return httpx2.post(path, content=body, headers=headers, trust_env=False).status_code


@contextmanager
def example_receiver(secret: str) -> Iterator[tuple[str, IO[str]]]:
    """The example, as docs/how-to/webhooks.md has it: its URL, and what it says."""
    environment = os.environ | {"LETHE_WEBHOOK_SECRET": secret}
    command = [sys.executable, str(ROOT / "examples" / "webhook_receiver.py"), "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as example:
        assert example.stdout is not None
        try:
            port = json.loads(example.stdout.readline())["listening"]
            yield f"http://127.0.0.1:{port}/hooks", example.stdout
        finally:
            example.terminate()


def test_a_service_calls_back_and_the_example_is_told(tmp_path: Path) -> None:
    """The service is polled once an hour: what ends the order is the callback. What happens is told to the example."""
    service = SlowService()
    product = {"kind": "http", "http": {"base_url": service.url, "secret": SECRET, "poll_seconds": 3_600}}
    configured = settings(tmp_path / "lake", work={"workers": 1}, products={"profile": product})
    try:
        with Server(tmp_path / "lethe", configured) as lethe, lethe.client() as api:
            made = api.post(f"{HYGIENE}/webhooks", json={"url": "https://hooks.example.com/", "enabled": False}).json()
            with example_receiver(made["secret"]) as (hook, said):
                changed = api.put(f"{HYGIENE}/webhooks/{made['webhookId']}", json={"url": hook, "enabled": True})
                assert changed.status_code == 200, changed.text
                order_id = delete(api, PEOPLE[0])
                path = f"{HYGIENE}/workorder/{order_id}"

                def products() -> dict[str, str]:
                    shown = api.get(path).json().get("productStatusDetails", [])
                    return {each["productName"]: each["productStatus"] for each in shown}

                done = {"Data Management", "Identity Service", "Journey Orchestrator"}
                wait_until(lambda: {name for name, is_so in products().items() if is_so == "success"} == done, "others")
                assert products()["Profile Service"] == "waiting"
                assert service.call_back(lethe.url) == 202
                lines = [said.readline().split() for _ in ORDER_WAY]
                assert products()["Profile Service"] == "success"
                assert service.call_back(lethe.url) == 202, "again, and nothing happens"
                assert api.get(path).json()["status"] == "completed"
                assert httpx2.post(hook, content=b"{}", trust_env=False).status_code == 401
    finally:
        service.close()
    assert [(line[1], line[2]) for line in lines] == [(f"org.lethe.workorder.{word}", order_id) for word in ORDER_WAY]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line[0]) for line in lines)
    assert pq.read_table(tmp_path / "lake" / "table")["id"].to_pylist() == PEOPLE[1:]
    assert service.keys == [f"{order_id[3:]}/profile.1"]
