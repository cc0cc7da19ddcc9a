"""What a mapping lacks to be quick and sure: for whoever sets it up, before the first order comes."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedIndex

from lethe.products.sql.binding import BoundTable
from lethe.products.sql.mapping import NamespaceColumn, TableMapping


@dataclass(frozen=True, slots=True)
class _Index:
    columns: Sequence[str | None]
    """Names; None stands for an expression."""
    is_unique: bool


def unindexed(bound: BoundTable) -> Sequence[str]:
    """`table(columns)` for every identity, and the dataset, that only a scan of the whole table finds.

    An index serves when the column stands in it behind nothing but columns that the same query fixes.
    """
    mapping = bound.mapping
    indexes = _indexes(bound)
    fixed = {column for column in (mapping.org_column, mapping.sandbox_column) if column is not None}
    slow = [
        columns for columns in _wanted(mapping) if not any(_serves(index.columns, columns, fixed) for index in indexes)
    ]
    return [f"{mapping.name}({', '.join(columns)})" for columns in slow]


def is_key_unique(bound: BoundTable) -> bool:
    """Whether the database sees to it that the mapping's key tells rows apart."""
    key = set(bound.mapping.key)
    unique = [index.columns for index in _indexes(bound) if index.is_unique]
    return any(columns and None not in columns and set(columns) <= key for columns in unique)


def _wanted(mapping: TableMapping) -> Iterator[tuple[str, ...]]:
    """The columns that a query looks for together; the last one is the one that picks."""
    for identity in mapping.identities:
        match identity.namespace:
            case NamespaceColumn(name):
                yield (name, identity.id_column)
            case _:
                yield (identity.id_column,)
    if mapping.dataset_column is not None:
        yield (mapping.dataset_column,)


def _indexes(bound: BoundTable) -> Sequence[_Index]:
    """Every index that covers the whole table, in order of its columns."""
    inspector = sa.inspect(bound.database.read)
    name, schema = bound.table.name, bound.table.schema
    with warnings.catch_warnings():
        # Of an index over expressions SQLAlchemy warns that it leaves it out; it would serve nothing here.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        unique = [inspector.get_pk_constraint(name, schema)["constrained_columns"]]
        unique += [constraint["column_names"] for constraint in inspector.get_unique_constraints(name, schema)]
        others = [index for index in inspector.get_indexes(name, schema) if _is_whole(index)]
    return [
        *(_Index(columns, is_unique=True) for columns in unique),
        *(_Index(index["column_names"], is_unique=bool(index["unique"])) for index in others),
    ]


def _is_whole(index: ReflectedIndex) -> bool:
    """Whether it is ordered, and holds every row."""
    options = index.get("dialect_options", {})
    is_partial = any(option.endswith("_where") and options[option] is not None for option in options)
    return not is_partial and options.get("postgresql_using", "btree") in ("btree", "")


def _serves(index: Sequence[str | None], columns: Sequence[str], fixed: set[str]) -> bool:
    *others, picking = columns
    if picking not in index:
        return False
    return set(index[: index.index(picking)]) <= fixed | set(others)
