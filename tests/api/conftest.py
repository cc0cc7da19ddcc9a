"""A world for every test of the edge.

`world` is on both databases, for behaviour in which they could differ; `sqlite_world` is on the quicker one. The
application is built once: what a test calls differs in its services alone.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from lethe.api.app import create_app
from lethe.storage.store import SqlStore
from support.api import World
from support.clock import Clock

MakeWorld = Callable[..., World]


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: bytes) -> FastAPI:
    """The application, whose services each test replaces by its own."""
    first = World(None, Clock(), tmp_path_factory.mktemp("first"))  # type: ignore[arg-type]
    return create_app(first.services)


@pytest.fixture
def make_world(application: FastAPI, clock: Clock, tmp_path: Path) -> MakeWorld:
    """Make a furnished Lethe over a store, with other rules if need be: `make_world(store, orgs=…, limits=…)`."""

    def make(store: SqlStore, *, furnished: bool = True, **rules: object) -> World:
        made = World(store, clock, tmp_path / "world", **rules)  # type: ignore[arg-type]
        made.directory.mkdir(exist_ok=True)
        application.state.services = made.services
        made.__dict__["client"] = TestClient(application, raise_server_exceptions=False)
        if furnished:
            made.furnish()
        return made

    return make


@pytest.fixture
def world(store: SqlStore, make_world: MakeWorld) -> World:
    """A furnished Lethe on each of the two databases."""
    return make_world(store)


@pytest.fixture
def sqlite_store(sqlite_url: str, open_store: Callable[..., SqlStore]) -> SqlStore:
    """A store on SQLite, at the time of `clock`."""
    return open_store(sqlite_url)


@pytest.fixture
def sqlite_world(sqlite_store: SqlStore, make_world: MakeWorld) -> World:
    """A furnished Lethe on SQLite, for behaviour in which databases make no difference."""
    return make_world(sqlite_store)
