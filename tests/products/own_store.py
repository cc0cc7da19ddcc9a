"""A customer's database in any shape that a test needs."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lethe.domain.product import Product
from lethe.products.sql.mapping import FixedNamespace, IdentityColumns, TableMapping
from lethe.products.sql.product import SqlProduct

FIXED = (IdentityColumns("id", FixedNamespace("email")),)


class Store:
    """A database for one test: run statements, make products, read names."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
        self._products: list[SqlProduct] = []

    def run(self, *statements: str, **parameters: Any) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), parameters)

    def put(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            names = ", ".join(row)
            self.run(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})", **row)

    def product(self, *tables: TableMapping, **options: Any) -> SqlProduct:
        self._products.append(SqlProduct(Product.PROFILE, self.url, tables, **options))
        return self._products[-1]

    def names(self, table: str = "people") -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.scalars(sa.text(f"SELECT name FROM {table} ORDER BY name")))

    def close(self) -> None:
        for product in self._products:
            product.close()
        self.engine.dispose()


def people(**parts: Any) -> TableMapping:
    values: dict[str, Any] = {"name": "people", "key": ("name",), "identities": FIXED}
    return TableMapping(**(values | parts))
