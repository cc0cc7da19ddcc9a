"""A world for every test of the edge.

`world` is on both databases, for behaviour in which they could differ; `sqlite_world` is on the quicker one. The
application is built once: what a test calls differs in its services alone. On PostgreSQL one database is emptied for
each test, which is much quicker than a new one.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.testclient import TestClient

from lethe.api.app import create_app
from lethe.domain.audit import GENESIS
from lethe.storage.schema import audit_head, metadata
from lethe.storage.store import SqlStore
from lethe.storage.vault_keys import VaultKeys
from support.api import World
from support.clock import Clock
from support.postgres import Postgres

KEYS = VaultKeys.from_secret(b"a secret of the tests, long enough")
TEMPLATE = "lethe_template"
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


@pytest.fixture(scope="session")
def shared_postgres_store(postgres: Postgres) -> Iterator[SqlStore]:
    """A migrated PostgreSQL database for all tests of the edge."""
    postgres.execute(f"CREATE DATABASE lethe_edge TEMPLATE {TEMPLATE}")
    store = SqlStore(postgres.url("lethe_edge"), KEYS)
    yield store
    store.close()


@pytest.fixture
def postgres_store(shared_postgres_store: SqlStore, clock: Clock) -> SqlStore:
    """A store on PostgreSQL, at the time of `clock`, as empty as a new one."""
    with shared_postgres_store._engines.write.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))  # the audit trail resists otherwise
        for table in metadata.tables.values():
            if table is not audit_head:
                connection.execute(table.delete())
        connection.execute(audit_head.update().values(sequence=0, hash=GENESIS))
    shared_postgres_store._now = clock
    return shared_postgres_store


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> SqlStore:
    """A store on each of the two databases."""
    made: SqlStore = request.getfixturevalue(f"{request.param}_store")
    return made


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
