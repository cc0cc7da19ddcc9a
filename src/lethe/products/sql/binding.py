"""A mapping bound to its table: the conditions that pick rows, made of the columns as they really are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from lethe.domain.ids import DatasetId
from lethe.domain.namespace import Namespace
from lethe.products.interface import Space
from lethe.products.sql.databases import Condition, Database
from lethe.products.sql.failures import Misfit
from lethe.products.sql.kinds import Kind, Scalar, held, kind_of
from lethe.products.sql.mapping import FixedNamespace, IdentityColumns, NamespaceColumn, NamespaceForm, TableMapping


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

    def of_space(self, space: Space) -> Sequence[Condition]:
        """Rows of this org and sandbox, as far as the table tells them apart."""
        wanted = ((self.mapping.org_column, space.org_id), (self.mapping.sandbox_column, space.sandbox_name))
        return [self.is_any(self.table.c[name], [value]) for name, value in wanted if name is not None]

    def of_dataset(self, space: Space, dataset_id: DatasetId) -> Condition | None:
        """Rows that this dataset contributed to the space; None when the table does not say."""
        if self.mapping.dataset_column is None or not self.mapping.holds(space.org_id, space.sandbox_name):
            return None
        return sa.and_(*self.of_space(space), self.is_any(self.table.c[self.mapping.dataset_column], [dataset_id]))

    def of_namespace(self, end: BoundEnd, namespace: Namespace, codes: Sequence[str]) -> Condition:
        """Rows whose id is in this namespace; `codes` are its spellings in the table, where it is named by code."""
        if end.namespace_column is None:
            return sa.true()
        if end.names_codes:
            return self.database.among(end.namespace_column, codes) if codes else sa.false()
        return self.is_any(end.namespace_column, [str(namespace.id)])

    def is_any(self, column: sa.Column[Any], ids: Sequence[str]) -> Condition:
        """Whether the column is, to the letter, one of these.

        The first half is what an index answers; it may let through more than it should, which the second half stops.
        """
        kind = column_kind(column)
        values: Sequence[Scalar] = held(kind, ids)
        if not values:
            return sa.false()
        found = self.database.among(column, values)
        if kind is not Kind.TEXT:
            return found
        return sa.and_(found, self.database.among(self.database.exact(column), values))

    def _end(self, columns: IdentityColumns) -> BoundEnd:
        id_column = self.table.c[columns.id_column]
        match columns.namespace:
            case NamespaceColumn(name):
                return BoundEnd(id_column, self.table.c[name], columns)
            case FixedNamespace():
                return BoundEnd(id_column, None, columns)


def bind(mapping: TableMapping, database: Database) -> BoundTable:
    """Read the table's columns. Raises Misfit when the mapping names what is not there or cannot hold an id."""
    table: sa.Table | None
    try:
        table = sa.Table(
            mapping.table, sa.MetaData(), schema=mapping.schema, autoload_with=database.read, resolve_fks=False
        )
    except sa.exc.NoSuchTableError:
        table = None
    # Raised here, outside of the handler, so that no other exception goes along.
    if table is None:
        raise Misfit(f"there is no table {mapping.name}")
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
