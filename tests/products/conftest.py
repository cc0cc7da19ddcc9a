"""Databases for products: a customer's own, empty ones."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from products.own_store import Store
from support.postgres import Postgres

_numbers = count(1)


@pytest.fixture
def empty_postgres(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    name = f"product_{next(_numbers)}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        made = Store(f"sqlite:///{tmp_path / 'own.db'}")
    else:
        made = Store(request.getfixturevalue("empty_postgres"))
    yield made
    made.close()


@pytest.fixture
def postgres_store(empty_postgres: str) -> Iterator[Store]:
    made = Store(empty_postgres)
    yield made
    made.close()
