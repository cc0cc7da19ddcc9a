"""Conditions of a list: how texts, authors and windows of time become SQL that means the same on both databases."""

import re
from typing import Any, Final

import sqlalchemy as sa

from lethe.domain.listing import AuthorMatch, Exactly, Like, Window
from lethe.storage.folding import folded, storable
from lethe.storage.session import Session

Condition = sa.ColumnElement[bool]
_TEXT_LENGTH_MAX = 10_000
"""Characters; no column that is matched against a pattern holds more."""


def contains(session: Session, column: sa.Column[str], needle: str) -> Condition:
    """Whether the folded column holds the needle somewhere, whatever its case.

    Three characters or more are first looked up in the table's search index, if the database has one: what a folded
    column holds, the row's search text holds too.
    """
    if not storable(needle):
        return sa.false()
    needle = folded(needle)
    table: sa.Table = column.table
    if session.is_postgres:
        pattern = f"%{_like_escaped(needle)}%"
        found = column.like(pattern, escape="\\")
        if len(needle) < _TRIGRAM or column is table.c.search_text:
            return found
        return table.c.search_text.like(pattern, escape="\\") & found
    held: Condition = sa.func.instr(column, needle) > 0
    if len(needle) < _TRIGRAM:
        return held
    index = sa.table(_SEARCH_INDEX[table.name], sa.column("rowid"))
    trigrams = dict.fromkeys(needle[at : at + _TRIGRAM] for at in range(len(needle) - _TRIGRAM + 1))
    wanted = " AND ".join('"{}"'.format(one.replace('"', '""')) for one in list(trigrams)[:_TRIGRAMS_MAX])
    candidates = sa.select(index.c.rowid).where(sa.literal_column(index.name).op("MATCH")(wanted))
    return table.c.number.in_(candidates) & held


_TRIGRAM: Final = 3
_TRIGRAMS_MAX: Final = 30
"""More than these narrow a search no further."""
_SEARCH_INDEX: Final = {"work_orders": "work_order_search", "expirations": "expiration_search"}


def _like_escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def by_author(session: Session, column: sa.Column[str], author: AuthorMatch) -> Condition:
    """Whether the column matches the author that the caller asks for."""
    match author:
        case Exactly(text):
            return column == text if storable(text) else sa.false()
        case Like(pattern, negated):
            matched = _like(session, column, pattern)
            return sa.not_(matched) if negated else matched


def _like(session: Session, column: sa.Column[str], pattern: str) -> Condition:
    """SQL's LIKE without an escape character, case-sensitive: `%` any run, `_` one character."""
    pattern = re.sub("%+", "%", pattern)
    if not storable(pattern) or len(pattern) > _TEXT_LENGTH_MAX:
        return sa.false()
    if session.is_postgres:
        return column.like(pattern, escape="")
    glob = "".join(_GLOB.get(character, character) for character in pattern)
    return column.op("GLOB", is_comparison=True)(glob)


_GLOB = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}


def within(column: sa.ColumnElement[Any], window: Window) -> list[Condition]:
    """Whether the instant is in the window; an absent instant is in none."""
    conditions: list[Condition] = [column.is_not(None)]
    if window.from_at is not None:
        conditions.append(column >= window.from_at)
    if window.before_at is not None:
        conditions.append(column < window.before_at)
    return conditions
