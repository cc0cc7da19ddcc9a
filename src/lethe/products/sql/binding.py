"""A mapping bound to its table: the conditions that pick rows, made of the columns as they really are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn

from lethe.domain.ids import DatasetId
from lethe.domain.namespace import Namespace
from lethe.products.interface import Space
from lethe.products.sql.databases import Condition, Database
from lethe.products.sql.failures import Misfit
from lethe.products.sql.kinds import Kind, held, kind_of
from lethe.products.sql.mapping import FixedNamespace, IdentityColumns, NamespaceColumn, NamespaceForm, TableMapping


@dataclass(frozen=True)
class Rows:
    """Which rows, said twice.

    Two lists of values that one index answers make the database try every pair of them: a statement that has `pick`
    in it already repeats it as `check`.
    """

    pick: Condition
    """As indexes answer it."""
    check: Condition
    """As each row answers it, whatever indexes there are."""

    def __and__(self, other: "Rows") -> "Rows":
        return Rows(sa.and_(self.pick, other.pick), sa.and_(self.check, other.check))


ALL_ROWS = Rows(sa.true(), sa.true())
NO_ROWS = Rows(sa.false(), sa.false())


@dataclass(frozen=True)
class BoundEnd:
    """One identity of a row: the columns of its id and its namespace."""

    id_column: sa.Column[Any]
    namespace_column: sa.Column[Any] | None
    columns: IdentityColumns

    @property
    def names_codes(self) -> bool:
        """Whether the namespace column holds codes, whose spelling only the table knows."""
        return isinstance(self.columns.namespace, NamespaceColumn) and (
            self.columns.namespace.form is NamespaceForm.CODE
        )

    @property
    def kind(self) -> Kind:
        """How the id column holds ids."""
        return column_kind(self.id_column)

    def can_hold(self, namespace: Namespace) -> bool:
        """Whether ids of this namespace can be here at all."""
        match self.columns.namespace:
            case FixedNamespace(code):
                return code.casefold() == namespace.folded_code
            case NamespaceColumn():
                return True


@dataclass(frozen=True)
class BoundTable:
    """A mapping, the table that it speaks of, and the database that holds it."""

    mapping: TableMapping
    table: sa.Table
    database: Database

    @property
    def key(self) -> tuple[sa.Column[Any], ...]:
        """The columns by which rows are told apart."""
        return tuple(self.table.c[name] for name in self.mapping.key)

    @cached_property
    def ends(self) -> tuple[BoundEnd, ...]:
        """Each identity of a row."""
        return tuple(self._end(columns) for columns in self.mapping.identities)

    def of_space(self, space: Space) -> Rows:
        """Rows of this org and sandbox, as far as the table tells them apart."""
        rows = ALL_ROWS
        if self.mapping.org_column is not None:
            rows &= self.are_any(self.table.c[self.mapping.org_column], [space.org_id])
        if self.mapping.sandbox_column is not None:
            rows &= self.are_any(self.table.c[self.mapping.sandbox_column], [space.sandbox_name])
        return rows

    def of_dataset(self, space: Space, dataset_id: DatasetId) -> Rows:
        """Rows that this dataset contributed to the space; none when the table does not say."""
        if self.mapping.dataset_column is None or not self.mapping.holds(space.org_id, space.sandbox_name):
            return NO_ROWS
        return self.of_space(space) & self.are_any(self.table.c[self.mapping.dataset_column], [dataset_id])

    def of_namespace(self, end: BoundEnd, namespace: Namespace, codes: Sequence[str]) -> Rows:
        """Rows whose id is in this namespace; `codes` are its spellings in the table, where it is named by code."""
        if end.namespace_column is None:
            return ALL_ROWS
        if not end.names_codes:
            return self.are_any(end.namespace_column, [str(namespace.id)])
        if not codes:
            return NO_ROWS
        # Spellings that the column itself takes for one were read as one, and are compared by the column again.
        same = self.database.among(end.namespace_column, codes)
        return Rows(same, same)

    def are_any(self, column: sa.Column[Any], ids: Sequence[str]) -> Rows:
        """Rows in which the column is, to the letter, one of these.

        What an index answers may let through more than it should: the column may compare without case.
        """
        kind = column_kind(column)
        values = held(kind, ids)
        if not values:
            return NO_ROWS
        found = self.database.among(column, values)
        exact = self.database.among(self.database.exact(column, kind), values)
        return Rows(sa.and_(found, exact) if kind is Kind.TEXT else found, exact)

    def _end(self, columns: IdentityColumns) -> BoundEnd:
        id_column = self.table.c[columns.id_column]
        match columns.namespace:
            case NamespaceColumn(name):
                return BoundEnd(id_column, self.table.c[name], columns)
            case FixedNamespace():
                return BoundEnd(id_column, None, columns)


def bind(mapping: TableMapping, database: Database) -> BoundTable:
    """Read the table's columns. Raises Misfit when the mapping names what is not there or cannot hold an id."""
    columns: Sequence[ReflectedColumn] | None
    try:
        columns = sa.inspect(database.read).get_columns(mapping.table, mapping.schema)
    except sa.exc.NoSuchTableError:
        columns = None
    # Raised here, outside of the handler, so that no other exception goes along.
    if columns is None:
        raise Misfit(f"there is no table {mapping.name}")
    table = sa.Table(
        mapping.table,
        sa.MetaData(),
        *(sa.Column(column["name"], column["type"], nullable=column["nullable"]) for column in columns),
        schema=mapping.schema,
    )
    missing = [name for name in mapping.columns if name not in table.c]
    if missing:
        raise Misfit(f"table {mapping.name} has no column {missing[0]}")
    for name in set(mapping.columns) - set(mapping.key):
        column_kind(table.c[name])
    for identity in mapping.identities:
        column_kind(table.c[identity.id_column])
    return BoundTable(mapping, table, database)


def column_kind(column: sa.Column[Any]) -> Kind:
    """How a column holds ids. Raises Misfit when it cannot."""
    kind = kind_of(column.type)
    if kind is None:
        raise Misfit(f"column {column.table.fullname}.{column.name} is neither text nor integer nor uuid")
    return kind
