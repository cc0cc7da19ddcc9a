"""A server that many tests share, on either database, and a world in this process for what needs a clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lethe.storage.store import SqlStore
from support.api import World
from support.clock import Clock
from support.postgres import Postgres
from support.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on SQLite that nobody changes for long: a test leaves alone what others made."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def world(store: SqlStore, clock: Clock, tmp_path: Path) -> World:
    """A furnished Lethe in this process."""
    made = World(store, clock, tmp_path / "world")
    made.directory.mkdir()
    made.furnish()
    return made


@pytest.fixture(scope="session")
def compat_database(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty PostgreSQL database for a server of these tests."""
    postgres.execute("CREATE DATABASE lethe_compat")
    yield postgres.url("lethe_compat")
    postgres.execute("DROP DATABASE lethe_compat WITH (FORCE)")
