"""Counting what is left, by queries of another shape than those that delete.

The database is asked for more than is wanted, by plain lists in the column's own comparison; which of the rows are
somebody's is judged here, by the rules of `domain.identity`. A row with two ends counts once for each that is left.
"""

from collections import Counter
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
            1
            for end in bound.ends
            for group in identities.by_namespace.items()
            if end.can_hold(group[0])
            for _ in _matches(connection, bound, end, space, group)
        )


def count_by_identity(bound: BoundTable, space: Space, identities: Identities) -> Sequence[int]:
    """How many traces of each identity the table holds, in the order in which they iterate."""
    if not bound.mapping.holds(space.org_id, space.sandbox_name):
        return [0] * identities.count
    counts: list[int] = []
    with bound.database.read.connect() as connection:
        for namespace, ids in identities.by_namespace.items():
            of_namespace = [0] * len(ids)
            for end in bound.ends:
                if end.can_hold(namespace):
                    found = Counter(_matches(connection, bound, end, space, (namespace, ids)))
                    for at, key in enumerate(_keys(end, namespace, ids) if found else ()):
                        of_namespace[at] += 0 if key is None else found[key]
            counts += of_namespace
    return counts


def count_dataset(bound: BoundTable, space: Space, dataset_id: DatasetId) -> int:
    """How many rows of this dataset the table still holds; 0 when it holds none by its mapping."""
    column = bound.mapping.dataset_column
    if column is None or not bound.mapping.holds(space.org_id, space.sandbox_name):
        return 0
    contributed_by = bound.table.c[column]
    rows = [bound.of_space(space).pick, _listed(contributed_by, held(column_kind(contributed_by), [dataset_id]))]
    with bound.database.read.connect() as connection:
        return sum(str(value) == dataset_id for value in _read(connection, contributed_by, rows))


def _matches(
    connection: sa.Connection, bound: BoundTable, end: BoundEnd, space: Space, wanted: tuple[Namespace, Sequence[str]]
) -> Iterator[Scalar]:
    """The id of each trace, by its key (`_keys`)."""
    namespace, ids = wanted
    rows = [bound.of_space(space).pick]
    if end.namespace_column is not None:
        spelled = codes_of(connection, bound, end, space).of(namespace) if end.names_codes else [str(namespace.id)]
        rows.append(_listed(end.namespace_column, held(column_kind(end.namespace_column), spelled)))
    if needs_folding(end, namespace):
        folded = set(map(fold, ids))
        yield from (key for key in map(fold, _read(connection, end.id_column, rows)) if key in folded)
        return
    values = held(end.kind, ids)
    exactly = set(values)
    for begin in range(0, len(values), _PARAMETERS_MAX):
        listed = _listed(end.id_column, values[begin : begin + _PARAMETERS_MAX])
        yield from (value for value in _read(connection, end.id_column, [*rows, listed]) if value in exactly)


def _keys(end: BoundEnd, namespace: Namespace, ids: Sequence[str]) -> Sequence[Scalar | None]:
    """By what each of these ids is met in the column; None for one that it cannot hold."""
    if needs_folding(end, namespace):
        return [fold(value) for value in ids]
    return [next(iter(held(end.kind, [value])), None) for value in ids]


def _listed(column: sa.Column[Any], values: Sequence[Scalar]) -> Condition:
    """Whether the column is one of these, each a parameter of its own."""
    return column.in_(sa.bindparam(None, list(values), type_=element_type(column_kind(column)), expanding=True))


def _read(connection: sa.Connection, column: sa.Column[Any], rows: Sequence[Condition]) -> Iterator[Any]:
    query = sa.select(column).where(*rows, column.is_not(None))
    return iter(connection.execution_options(yield_per=_ROWS_READ_AT_ONCE).execute(query).scalars())
