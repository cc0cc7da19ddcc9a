"""A server that many tests share, on either database, and a world in this process for what needs a clock."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from compat import seeds
from lethe.api.app import create_app
from lethe.domain.organization import Organization
from lethe.operations.namespaces import NamespaceDraft, create_namespace
from lethe.operations.own_call import own_call
from lethe.storage.store import SqlStore
from support.api import World
from support.clock import Clock
from support.postgres import Postgres
from support.server import Server

MakeWorld = Callable[[Sequence[Organization]], World]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on SQLite that nobody changes for long: a test leaves alone what others made."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The application, which is long to build; each test replaces its services by its own."""
    first = World(None, Clock(), tmp_path_factory.mktemp("first"))  # type: ignore[arg-type]
    return create_app(first.services)


@pytest.fixture
def make_world(application: FastAPI, store: SqlStore, clock: Clock, tmp_path: Path) -> MakeWorld:
    """Make a Lethe of these orgs in this process, on either database, with the datasets that the documents name."""

    def make(orgs: Sequence[Organization]) -> World:
        world = World(store, clock, tmp_path / "world", orgs=orgs)
        world.directory.mkdir()
        application.state.services = world.services
        world.__dict__["client"] = TestClient(application, raise_server_exceptions=False)
        for dataset_id in (seeds.EXPIRATION_CREATE["datasetId"], seeds.EXPIRATION_DATASET, seeds.ORDER_DATASET):
            world.register(dataset_id)
        draft = NamespaceDraft("Loyalty", "Loyalty ID", "CROSS_DEVICE")
        with store.write() as tx:
            create_namespace(tx, own_call(orgs[0], orgs[0].default_sandbox), draft)
        return world

    return make


@pytest.fixture(scope="session")
def compat_database(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty PostgreSQL database for a server of these tests."""
    postgres.execute("CREATE DATABASE lethe_compat")
    yield postgres.url("lethe_compat")
    postgres.execute("DROP DATABASE lethe_compat WITH (FORCE)")
