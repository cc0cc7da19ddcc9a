"""The migrated schema is the one of `schema`, however many processes bring it about."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lethe.storage.engine import open_engines
from lethe.storage.interface import StoreUnavailable
from lethe.storage.schema import metadata
from lethe.storage.store import SqlStore
from support.postgres import Postgres
from support.processes import at_once, migrate


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    postgres.execute("CREATE DATABASE lethe_empty")
    yield postgres.url("lethe_empty")
    postgres.execute("DROP DATABASE lethe_empty WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/private/lethe.db"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


def described(engine: sa.Engine) -> dict[str, object]:
    """Every table of ours with its columns, constraints and indexes, as the database itself tells."""
    inspector = sa.inspect(engine)
    by_name = lambda things: sorted(things, key=lambda thing: str(thing["name"]))  # noqa: E731
    description: dict[str, object] = {}
    for table in metadata.tables:
        indexes = [index for index in inspector.get_indexes(table) if not str(index["name"]).endswith("_trigrams")]
        description[table] = {
            "columns": [
                {name: repr(value) for name, value in column.items()} for column in inspector.get_columns(table)
            ],
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": by_name(inspector.get_foreign_keys(table)),
            "unique": by_name(inspector.get_unique_constraints(table)),
            "checks": by_name(inspector.get_check_constraints(table)),
            "indexes": [
                {name: str(value) for name, value in index.items() if name != "dialect_options"}
                for index in by_name(indexes)
            ],
            "conditions": [sorted(map(str, index.get("dialect_options", {}).values())) for index in by_name(indexes)],
        }
    return description


def test_migrations_lead_to_the_schema(store: SqlStore, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if store._engines.is_postgres:
        created = open_engines(request.getfixturevalue("empty_postgres_url"))
    else:
        created = open_engines(f"sqlite:///{tmp_path}/created.db")
    metadata.create_all(created.write)
    assert described(store._engines.write) == described(created.write)
    created.dispose()


def test_no_table_is_left_out_of_the_schema(store: SqlStore) -> None:
    tables = set(sa.inspect(store._engines.write).get_table_names()) - set(metadata.tables) - {"alembic_version"}
    assert {table for table in tables if "_search" not in table} == set()


def test_several_processes_migrate_at_once(empty_url: str) -> None:
    assert at_once(migrate, [(empty_url,)] * 6) == [True] * 6


def test_migrating_again_changes_nothing(store: SqlStore) -> None:
    before = described(store._engines.write)
    store.migrate()
    assert described(store._engines.write) == before


def test_health_tells_a_database_without_migrations(empty_url: str, open_store: Callable[..., SqlStore]) -> None:
    store = open_store(empty_url)
    health = store.health()
    assert health.reachable
    assert not health.migrations_current
    assert health.problem is not None
    assert "migrations" in health.problem
    store.migrate()
    assert store.health().problem is None


def test_a_sqlite_file_is_its_owners_alone(tmp_path: Path, open_store: Callable[..., SqlStore]) -> None:
    path = tmp_path / "private" / "lethe.db"
    store = open_store(f"sqlite:///{path}")
    store.migrate()
    with store.read() as transaction:
        assert transaction.audit.head()[0] == 0
        modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    assert modes == {"lethe.db": "0o600", "lethe.db-wal": "0o600", "lethe.db-shm": "0o600"}
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"


def test_an_unmigrated_database_is_unavailable(empty_url: str, open_store: Callable[..., SqlStore]) -> None:
    store = open_store(empty_url)
    with pytest.raises((StoreUnavailable, sa.exc.ProgrammingError)), store.read() as transaction:
        transaction.audit.head()
