"""`/healthz`, `/readyz` and `/metrics`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lethe import __version__
from lethe.storage.interface import StoreHealth
from support.api import EMAILS, World


class Ailing:
    """A store that reports this health."""

    def __init__(self, health: StoreHealth) -> None:
        self._health = health

    def health(self) -> StoreHealth:
        return self._health


def test_the_process_lives(sqlite_world: World) -> None:
    response = sqlite_world.client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "version": __version__})


def test_it_is_ready(world: World) -> None:
    response = world.client.get("/readyz")
    assert response.status_code == 200
    answer = response.json()
    assert (answer["status"], answer["databaseReachable"], answer["migrationsCurrent"]) == ("ready", True, True)
    assert abs(answer["clockSkewSeconds"]) < 5
    assert "problem" not in answer


@pytest.mark.parametrize(
    ("health", "word"),
    [
        (StoreHealth(False, False, timedelta(0), "the database did not answer"), "did not answer"),
        (StoreHealth(True, False, timedelta(0), "migrations are missing"), "migrations"),
        (StoreHealth(True, True, timedelta(seconds=5.1), None), "clock"),
        (StoreHealth(True, True, timedelta(seconds=-5.1), None), "clock"),
    ],
)
def test_it_is_not_ready_and_says_why(sqlite_world: World, health: StoreHealth, word: str) -> None:
    services = replace(sqlite_world.services, store=Ailing(health))  # type: ignore[arg-type]
    sqlite_world.client.app.state.services = services  # type: ignore[attr-defined]
    response = sqlite_world.client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "not ready")
    assert word in response.json()["problem"]
    assert sqlite_world.client.get("/healthz").status_code == 200


def test_a_small_skew_is_no_problem(sqlite_world: World) -> None:
    health = StoreHealth(True, True, timedelta(seconds=5), None)
    services = replace(sqlite_world.services, store=Ailing(health))  # type: ignore[arg-type]
    sqlite_world.client.app.state.services = services  # type: ignore[attr-defined]
    assert sqlite_world.client.get("/readyz").status_code == 200


def test_metrics_count_by_route_and_never_by_id(sqlite_world: World) -> None:
    sqlite_world.call("GET", f"/ttl/{EMAILS}")
    sqlite_world.call("GET", "/somebody@example.com")
    sqlite_world.call("BREW", "/ttl")
    shown = sqlite_world.client.get("/metrics")
    assert shown.status_code == 200
    assert 'route="/data/core/hygiene/ttl/{ID}",status="404"' in shown.text
    assert 'route="unknown"' in shown.text
    assert 'method="OTHER"' in shown.text
    assert "BREW" not in shown.text
    assert EMAILS not in shown.text
    assert "somebody" not in shown.text
