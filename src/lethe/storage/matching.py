"""Conditions of a list: how texts, authors and windows of time become SQL that means the same on both databases."""

import re
from typing import Any

import sqlalchemy as sa

from lethe.domain.listing import AuthorMatch, Exactly, Like, Window
from lethe.storage.folding import folded, storable
from lethe.storage.session import Session

Condition = sa.ColumnElement[bool]
_TEXT_LENGTH_MAX = 10_000
"""Characters; no column that is matched against a pattern holds more."""


def contains(session: Session, column: sa.Column[str], needle: str) -> Condition:
    """Whether the folded column holds the needle somewhere, whatever its case."""
    if not storable(needle):
        return sa.false()
    if session.is_postgres:
        return column.like(_like_escaped(folded(needle)), escape="\\")
    return sa.func.instr(column, folded(needle)) > 0


def _like_escaped(text: str) -> str:
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return f"%{escaped}%"


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
