"""Counting what is left, by queries of another shape than those that delete.

The database is asked for more than is wanted, by plain lists in the column's own comparison; which of the rows are
somebody's is judged here, by the rules of `domain.identity`. A row with two ends counts once for each that is left.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from lethe.domain.identity import Identities, fold
from lethe.domain.ids import DatasetId
from lethe.domain.namespace import Namespace
from lethe.products.interface import Space
from lethe.products.sql.binding import BoundEnd, BoundTable, column_kind
from lethe.products.sql.databases import Condition
from lethe.products.sql.kinds import Scalar, element_type, held
from lethe.products.sql.spellings import codes_of, needs_folding

_PARAMETERS_MAX: Final = 1_000
_ROWS_READ_AT_ONCE: Final = 5_000


def count_identities(bound: BoundTable, space: Space, identities: Identities) -> int:
    """How many traces of these identities the table still holds."""
    if not bound.mapping.holds(space.org_id, space.sandbox_name):
        return 0
    with bound.database.read.connect() as connection:
        return sum(
            _count(connection, bound, end, space, group)
            for end in bound.ends
            for group in identities.by_namespace.items()
            if end.can_hold(group[0])
        )


def count_dataset(bound: BoundTable, space: Space, dataset_id: DatasetId) -> int:
    """How many rows of this dataset the table still holds; 0 when it holds none by its mapping."""
    column = bound.mapping.dataset_column
    if column is None or not bound.mapping.holds(space.org_id, space.sandbox_name):
        return 0
    contributed_by = bound.table.c[column]
    rows = [bound.of_space(space).pick, _listed(contributed_by, held(column_kind(contributed_by), [dataset_id]))]
    with bound.database.read.connect() as connection:
        return sum(str(value) == dataset_id for value in _read(connection, contributed_by, rows))


def _count(
    connection: sa.Connection, bound: BoundTable, end: BoundEnd, space: Space, wanted: tuple[Namespace, Sequence[str]]
) -> int:
    namespace, ids = wanted
    rows = [bound.of_space(space).pick]
    if end.namespace_column is not None:
        spelled = codes_of(connection, bound, end, space).of(namespace) if end.names_codes else [str(namespace.id)]
        rows.append(_listed(end.namespace_column, held(column_kind(end.namespace_column), spelled)))
    if needs_folding(end, namespace):
        folded = set(map(fold, ids))
        return sum(fold(value) in folded for value in _read(connection, end.id_column, rows))
    values = held(end.kind, ids)
    exactly = set(values)
    return sum(
        value in exactly
        for begin in range(0, len(values), _PARAMETERS_MAX)
        for value in _read(
            connection, end.id_column, [*rows, _listed(end.id_column, values[begin : begin + _PARAMETERS_MAX])]
        )
    )


def _listed(column: sa.Column[Any], values: Sequence[Scalar]) -> Condition:
    """Whether the column is one of these, each a parameter of its own."""
    return column.in_(sa.bindparam(None, list(values), type_=element_type(column_kind(column)), expanding=True))


def _read(connection: sa.Connection, column: sa.Column[Any], rows: Sequence[Condition]) -> Iterator[Any]:
    query = sa.select(column).where(*rows, column.is_not(None))
    return iter(connection.execution_options(yield_per=_ROWS_READ_AT_ONCE).execute(query).scalars())
