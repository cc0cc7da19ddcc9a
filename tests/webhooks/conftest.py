"""A workshop whose events are delivered: a sender over real HTTP, at the time of the test's clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from lethe.api.event_rendering import event_json
from lethe.clock import monotonic_seconds
from lethe.domain.addresses import AddressRule
from lethe.operations.webhooks import WebhookRules
from lethe.pipeline.delivering import DeliveryPolicy, Sender
from lethe.storage.store import SqlStore
from lethe.webhooks.poster import Poster
from support.api import World
from support.clock import Clock
from support.receiver import Receiver
from support.workshop import Workshop, parquet_engines

ROUNDS_MAX = 200
LOOPBACK = AddressRule((ip_network("127.0.0.0/8"),))


@dataclass
class Post:
    """A workshop, and what delivers its events."""

    workshop: Workshop
    sender: Sender
    receivers: list[Receiver] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.workshop.world

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """A call that succeeds; its answer."""
        response = self.world.call(method, f"/webhooks{path}", body, **more)
        assert response.status_code < 300, response.text
        return response.json()

    def hook(self, receiver: Receiver, **more: Any) -> str:
        """A new webhook of this receiver; its id."""
        made = self.call("POST", "", {"url": receiver.url} | more)
        receiver.secret = made["secret"]
        return str(made["webhookId"])

    def deliver(self) -> int:
        """Deliver what is due; how often a webhook was served."""
        served = 0
        while self.sender.run_once():
            served += 1
        return served

    def deliver_all(self) -> None:
        """Deliver, and let time pass while anything is on its way."""
        for _ in range(ROUNDS_MAX):
            self.deliver()
            with self.world.store.read() as tx:
                due_at = tx.webhooks.next_due_at()
            if due_at is None:
                return
            self.world.clock.advance(max(due_at - self.world.clock.now, timedelta(seconds=1)))
        raise AssertionError("deliveries do not come to an end")

    def deliveries(self, webhook_id: str, **query: Any) -> list[dict[str, Any]]:
        """The log of a webhook, the oldest first."""
        text = "&".join(f"{name}={value}" for name, value in query.items())
        results: list[dict[str, Any]] = self.call("GET", f"/{webhook_id}/deliveries?limit=100&{text}")["results"]
        return results[::-1]


def sender_of(store: SqlStore, name: str = "sender-1", **more: Any) -> Sender:
    # Receivers check the time of a signature by their own clock, which is not the test's.
    values: dict[str, Any] = {"now": lambda: datetime.now(UTC), "monotonic": monotonic_seconds} | more
    poster = Poster(values.pop("rule", LOOPBACK), values.pop("timeout_seconds", 5.0), **values)
    return Sender(
        store, poster, event_json, owner=name, jitter=lambda: 0.0, policy=DeliveryPolicy(lease=timedelta(seconds=30))
    )


@pytest.fixture
def post(store: SqlStore, clock: Clock, tmp_path: Path) -> Post:
    """On both databases."""
    return post_over(store, clock, tmp_path)


@pytest.fixture
def sqlite_post(sqlite_url: str, clock: Clock, open_store: Any, tmp_path: Path) -> Post:
    """For behaviour in which databases make no difference."""
    return post_over(open_store(sqlite_url), clock, tmp_path)


def post_over(store: SqlStore, clock: Clock, tmp_path: Path) -> Post:
    rules = WebhookRules(addresses=LOOPBACK)
    world = World(store, clock, tmp_path / "world", engines=parquet_engines(), webhook_rules=rules)
    world.directory.mkdir()
    return Post(Workshop(world, tmp_path / "tables"), sender_of(store))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made
