"""Databases for products: a customer's own, empty ones."""

from collections.abc import Iterator
from itertools import count

import pytest

from support.postgres import Postgres

_numbers = count(1)


@pytest.fixture
def empty_postgres(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    name = f"product_{next(_numbers)}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
