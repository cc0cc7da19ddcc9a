"""Products over a customer's database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lethe.products.sql.mapping import NamespaceForm
from products.sql_world import SqlWorld
from products.suite import ProductSuite


class TestSqlite(ProductSuite):
    @pytest.fixture(params=list(NamespaceForm))
    def world(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlWorld]:
        made = SqlWorld(f"sqlite:///{tmp_path / 'own.db'}", request.param)
        yield made
        made.close()


class TestSqliteThatComparesWithoutCase(ProductSuite):
    @pytest.fixture(params=list(NamespaceForm))
    def world(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlWorld]:
        made = SqlWorld(f"sqlite:///{tmp_path / 'own.db'}", request.param, collation="NOCASE")
        yield made
        made.close()


class TestPostgres(ProductSuite):
    @pytest.fixture(params=list(NamespaceForm))
    def world(self, request: pytest.FixtureRequest, empty_postgres: str) -> Iterator[SqlWorld]:
        made = SqlWorld(empty_postgres, request.param)
        yield made
        made.close()
