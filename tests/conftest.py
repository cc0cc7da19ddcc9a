"""What every test may ask for: a store on either database, and a clock that stands until it is moved."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from lethe.storage.store import SqlStore
from lethe.storage.vault_keys import VaultKeys
from support.clock import Clock
from support.postgres import Postgres

settings.register_profile("lethe", deadline=None)
settings.load_profile("lethe")
"""Without a deadline for each example, since the machine may be busy with something else."""

KEYS = VaultKeys.from_secret(b"a secret of the tests, long enough")
_TEMPLATE = "lethe_template"
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for the whole session, with a migrated database to copy."""
    server = Postgres()
    try:
        server.start()
        server.execute(f"CREATE DATABASE {_TEMPLATE}")
        store = SqlStore(server.url(_TEMPLATE), KEYS)
        store.migrate()
        store.close()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A migrated SQLite file, to copy."""
    path = tmp_path_factory.mktemp("template") / "lethe.db"
    store = SqlStore(f"sqlite:///{path}", KEYS)
    store.migrate()
    store.close()
    return path.read_bytes()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: bytes) -> str:
    """A fresh, migrated SQLite database."""
    path = tmp_path / "lethe.db"
    path.write_bytes(migrated_sqlite)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_database(postgres: Postgres) -> Iterator[str]:
    """The name of a fresh, migrated PostgreSQL database."""
    name = f"lethe_{next(_numbers)}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield name
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database of each kind."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    server: Postgres = request.getfixturevalue("postgres")
    return server.url(request.getfixturevalue("postgres_database"))


@pytest.fixture
def open_store(clock: Clock) -> Iterator[Callable[..., SqlStore]]:
    """Open stores that are closed after the test: `open_store(url)`, with `keys` or a `now` if need be."""
    opened = []

    def open_one(url: str, keys: VaultKeys = KEYS, now: Callable[[], object] | None = clock) -> SqlStore:
        opened.append(SqlStore(url, keys, now=now))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(store_url: str, open_store: Callable[..., SqlStore]) -> SqlStore:
    """A store on each of the two databases, at the time of `clock`."""
    return open_store(store_url)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have to say at the end: `record_property("summary", "…")`."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(str(value))
