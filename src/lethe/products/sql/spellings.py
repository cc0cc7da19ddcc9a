"""How the wanted ids and namespaces are spelled in the store.

Ids of a case-insensitive namespace are compared by full Unicode case folding (`domain.identity.fold`), which no
database does alike. So every id of such a namespace is read and folded here, and the rows are then deleted by the
spellings that were found. That reads the whole namespace: right before fast, such namespaces are rare.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from lethe.domain.identity import fold
from lethe.domain.namespace import Namespace
from lethe.products.interface import Beat, Space
from lethe.products.sql.binding import BoundEnd, BoundTable
from lethe.products.sql.databases import Condition
from lethe.products.sql.kinds import Kind

_ROWS_READ_AT_ONCE: Final = 5_000
_CODES_MAX: Final = 10_000
"""Namespace codes in one table; beyond, the column holds something else."""


@dataclass(frozen=True)
class Spellings:
    """The namespace codes of one end of a table in one space, by their folded form."""

    codes: Mapping[str, Sequence[str]]

    def of(self, namespace: Namespace) -> Sequence[str]:
        """How the table spells this namespace's code."""
        return self.codes.get(namespace.folded_code, ())


def codes_of(connection: sa.Connection, bound: BoundTable, end: BoundEnd, space: Space) -> Spellings:
    """Read which codes the namespace column holds, one step of its index a code."""
    column = end.namespace_column
    codes: dict[str, list[str]] = {}
    if column is None or not end.names_codes:
        return Spellings(codes)
    here = bound.of_space(space).pick
    last: str | None = None
    for _ in range(_CODES_MAX):
        beyond = [column > last] if last is not None else []
        last = connection.execute(sa.select(sa.func.min(column)).where(here, *beyond)).scalar_one()
        if last is None:
            break
        codes.setdefault(last.casefold(), []).append(last)
    return Spellings(codes)


def needs_folding(end: BoundEnd, namespace: Namespace) -> bool:
    """Whether the ids of this namespace may be spelled otherwise in the store than they are wanted."""
    return namespace.case_insensitive and end.kind is Kind.TEXT


def ids_of(
    connection: sa.Connection, end: BoundEnd, rows: Condition, ids: Sequence[str], *, beat: Beat
) -> Sequence[str]:
    """The spellings, in these rows, of ids that differ from the wanted ones by case at the most."""
    wanted = set(map(fold, ids))
    return list(dict.fromkeys(value for value in _stored(connection, end, rows, beat) if fold(value) in wanted))


def _stored(connection: sa.Connection, end: BoundEnd, rows: Condition, beat: Beat) -> Iterator[str]:
    # Not DISTINCT: a column that compares without case would give one spelling for several.
    query = sa.select(end.id_column).where(rows, end.id_column.is_not(None))
    result = connection.execution_options(yield_per=_ROWS_READ_AT_ONCE).execute(query)
    for part in result.scalars().partitions():
        yield from part
        beat()
