"""A customer's own database: a table of people and a table of edges, on SQLite or PostgreSQL."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from lethe.domain.ids import NamespaceId
from lethe.domain.namespace import Namespace
from lethe.domain.product import Product
from lethe.products.memory import Trace
from lethe.products.sql.mapping import IdentityColumns, NamespaceColumn, NamespaceForm, TableMapping
from lethe.products.sql.product import SqlProduct
from products.suite import CHUNK
from support.values import EMAIL, HANDLE, LOYALTY

CODES: Mapping[NamespaceId, Namespace] = {each.id: each for each in (EMAIL, HANDLE, LOYALTY)}


def mappings(form: NamespaceForm = NamespaceForm.NUMBER) -> tuple[TableMapping, ...]:
    def identity(prefix: str) -> IdentityColumns:
        return IdentityColumns(f"{prefix}id", NamespaceColumn(f"{prefix}namespace", form))

    shared = {"org_column": "org", "sandbox_column": "sandbox", "dataset_column": "dataset"}
    return (
        TableMapping(
            name="edges", key=("a_namespace", "a_id", "row"), identities=(identity("a_"), identity("b_")), **shared
        ),
        TableMapping(name="people", key=("row",), identities=(identity(""),), **shared),
    )


class SqlWorld:
    """Rows by SQLAlchemy of its own, so that what the product does to them is seen from outside."""

    has_edges = True

    def __init__(
        self,
        url: str,
        form: NamespaceForm = NamespaceForm.NUMBER,
        collation: str | None = None,
        **options: Any,
    ) -> None:
        self.form = form
        self.engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
        text = sa.Text(collation=collation) if collation else sa.Text()
        namespace = text if form is NamespaceForm.CODE else sa.Integer()
        metadata = sa.MetaData()

        def rest() -> list[Any]:
            return [*(sa.Column(name, text) for name in ("org", "sandbox", "dataset")), sa.Column("name", sa.Text)]

        self.people = sa.Table(
            "people",
            metadata,
            sa.Column("row", sa.Integer, primary_key=True),
            sa.Column("namespace", namespace),
            sa.Column("id", text),
            *rest(),
            sa.Index("people_id", "org", "sandbox", "namespace", "id"),
            sa.Index("people_dataset", "dataset"),
        )
        self.edges = sa.Table(
            "edges",
            metadata,
            sa.Column("row", sa.Integer),
            *(sa.Column(f"{end}_namespace", namespace) for end in "ab"),
            *(sa.Column(f"{end}_id", text) for end in "ab"),
            *rest(),
            sa.PrimaryKeyConstraint("a_namespace", "a_id", "row"),
            sa.Index("edges_b", "b_namespace", "b_id"),
            sa.Index("edges_dataset", "dataset"),
        )
        metadata.create_all(self.engine)
        self.product = SqlProduct(Product.PROFILE, url, mappings(form), chunk=CHUNK, **options)
        self._chunks_left: int | None = None
        sa.event.listen(self.product._database.read, "before_cursor_execute", self._perhaps_fail)
        self._rows = 0

    def close(self) -> None:
        self.product.close()
        self.engine.dispose()

    def put(self, traces: Iterable[Trace]) -> None:
        people: list[dict[str, object]] = []
        edges: list[dict[str, object]] = []
        for trace in traces:
            self._rows += 1
            row: dict[str, object] = {
                "row": self._rows,
                "org": trace.space.org_id,
                "sandbox": trace.space.sandbox_name,
                "dataset": trace.dataset_id,
                "name": trace.name,
            }
            (first, *second) = trace.ends
            if second:
                row |= {"a_namespace": self._namespace(first[0]), "a_id": first[1]}
                edges.append(row | {"b_namespace": self._namespace(second[0][0]), "b_id": second[0][1]})
            else:
                people.append(row | {"namespace": self._namespace(first[0]), "id": first[1]})
        with self.engine.begin() as connection:
            for table, rows in ((self.people, people), (self.edges, edges)):
                if rows:
                    connection.execute(sa.insert(table), rows)

    def names(self) -> set[str]:
        with self.engine.connect() as connection:
            return {name for table in (self.people, self.edges) for name in connection.scalars(sa.select(table.c.name))}

    def fail_after(self, chunks: int | None) -> None:
        self._chunks_left = chunks

    def _namespace(self, number: NamespaceId) -> object:
        """The number; or the code, in a case that changes from row to row."""
        if self.form is NamespaceForm.NUMBER:
            return number
        code = CODES[number].code if number in CODES else f"unknown-{number}"
        return (code, code.upper(), code.lower())[self._rows % 3]

    def _perhaps_fail(self, *event: Any) -> None:
        statement = event[2]
        if self._chunks_left is None or not statement.lstrip().startswith("DELETE FROM people"):
            return
        if self._chunks_left == 0:
            raise sqlite3.OperationalError("the row (id)=(secret-1@example.com) cannot be deleted")
        self._chunks_left -= 1
