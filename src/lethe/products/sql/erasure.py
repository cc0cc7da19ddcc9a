"""Deleting rows from one table.

Order of effects: one transaction after another, each deleting at most `chunk` rows of at most `chunk` ids. A crash
between any two leaves fewer of the same rows, and nothing else: the next call finds and deletes the rest. Rows that
arrive meanwhile under a wanted id go too, or are found by the verification.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import sqlalchemy as sa

from lethe.domain.identity import Identities
from lethe.products.interface import Beat, Space
from lethe.products.sql.binding import BoundEnd, BoundTable, Rows
from lethe.products.sql.databases import Condition
from lethe.products.sql.failures import Obstructed
from lethe.products.sql.spellings import codes_of, ids_of, needs_folding

_FRUITLESS_MAX: Final = 3
"""Deletes in a row that delete nothing although rows match: a rival took them, or a trigger keeps them."""


def erase_identities(bound: BoundTable, space: Space, identities: Identities, *, chunk: int, beat: Beat) -> int:
    """Delete the rows of these identities; gives how many went."""
    if not bound.mapping.holds(space.org_id, space.sandbox_name):
        return 0
    removed = 0
    for end in bound.ends:
        for rows in list(_selections(bound, end, space, identities, chunk=chunk, beat=beat)):
            removed += erase(bound, rows, chunk=chunk, beat=beat)
    return removed


def holds_any(bound: BoundTable, space: Space, identities: Identities, *, chunk: int, beat: Beat) -> bool:
    """Whether there is a row of any of these identities."""
    if not bound.mapping.holds(space.org_id, space.sandbox_name):
        return False
    for end in bound.ends:
        for rows in list(_selections(bound, end, space, identities, chunk=chunk, beat=beat)):
            found = sa.select(sa.literal(1)).select_from(bound.table).where(rows.pick).limit(1)
            with bound.database.read.connect() as connection:
                if connection.execute(found).first() is not None:
                    return True
            beat()
    return False


def erase(bound: BoundTable, rows: Rows, *, chunk: int, beat: Beat) -> int:
    """Delete these rows, at most `chunk` in one transaction; gives how many went. Raises Obstructed.

    Whether any are left is asked after each transaction, not inferred from the number that went: a rival may have
    taken some of the chosen ones.
    """
    found = sa.select(sa.literal(1)).select_from(bound.table).where(rows.pick).limit(chunk + 1)
    up_to_one_more = sa.select(sa.func.count()).select_from(found.subquery())
    removed = fruitless = 0
    while True:
        with bound.database.write.begin() as connection:
            left = connection.execute(up_to_one_more).scalar_one()
            gone = connection.execute(_deletion(bound, rows, chunk, left)).rowcount if left else 0
        removed += gone
        if not left:
            return removed
        beat()
        fruitless = 0 if gone else fruitless + 1
        if fruitless >= _FRUITLESS_MAX:
            raise Obstructed(
                f"rows of {bound.table.fullname} that match are not deleted: is there a trigger or a policy?"
            )


def _deletion(bound: BoundTable, rows: Rows, chunk: int, left: int) -> sa.Delete:
    """Of all rows that are left, or, where that are more than `chunk`, of the first ones."""
    if left <= chunk:
        return sa.delete(bound.table).where(rows.pick)
    return sa.delete(bound.table).where(rows.check, _first_of(bound, rows, chunk))


def _first_of(bound: BoundTable, rows: Rows, chunk: int) -> Condition:
    """Whether the row's key is among the first ones.

    The rows are checked beside it (`rows.check`): a key that is not unique after all deletes no row of somebody else.
    """
    key = bound.key
    told_apart = [column.is_not(None) for column in key]
    first = sa.select(*key).where(rows.pick, *told_apart).limit(chunk)
    among_first = sa.tuple_(*key).in_(first) if len(key) > 1 else key[0].in_(first)
    nameless = [column.is_(None) for column in key if column.nullable]
    return sa.or_(among_first, *nameless) if nameless else among_first


def _selections(
    bound: BoundTable, end: BoundEnd, space: Space, identities: Identities, *, chunk: int, beat: Beat
) -> Iterator[Rows]:
    """Parts that together are the rows of these identities, none of more than `chunk` ids."""
    wanted = {namespace: ids for namespace, ids in identities.by_namespace.items() if ids and end.can_hold(namespace)}
    if not wanted:
        return
    with bound.database.read.connect() as connection:
        codes = codes_of(connection, bound, end, space)
        for namespace, ids in wanted.items():
            if end.names_codes and not codes.of(namespace):
                continue
            rows = bound.of_space(space) & bound.of_namespace(end, namespace, codes.of(namespace))
            spelled = ids
            if needs_folding(end, namespace):
                spelled = tuple(ids_of(connection, end, rows.pick, ids, beat=beat))
            for part in _parts(spelled, chunk):
                yield rows & bound.are_any(end.id_column, part)


def _parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for begin in range(0, len(ids), size):
        yield ids[begin : begin + size]
