"""Kinds of column that can hold an id or a namespace, and which ids each kind can hold.

An id is a text. In an integer column it can only be met as decimal digits without leading zeros, in a uuid column
only as a uuid; an id that the column cannot hold matches nothing there.
"""

import re
from collections.abc import Iterable
from enum import Enum, auto
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

Scalar = str | int | UUID

_INTEGER_MAX: Final = 2**63 - 1
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


class Kind(Enum):
    """How a column holds ids."""

    TEXT = auto()
    INTEGER = auto()
    UUID = auto()


def kind_of(column_type: sa.types.TypeEngine[Any]) -> Kind | None:
    """The kind of a column of this type; None when it can hold no id."""
    match column_type:
        case sa.Enum():
            return None
        case sa.String():
            return Kind.TEXT
        case sa.Integer():
            return Kind.INTEGER
        case sa.Uuid():
            return Kind.UUID
        case _:
            return None


def element_type(kind: Kind) -> sa.types.TypeEngine[Any]:
    """The type that values for a column of this kind are sent as: the widest, so that none is out of range."""
    match kind:
        case Kind.TEXT:
            return sa.Text()
        case Kind.INTEGER:
            return sa.BigInteger()
        case Kind.UUID:
            return sa.Uuid()


def held(kind: Kind, ids: Iterable[str]) -> list[Scalar]:
    """Those of these ids that a column of this kind can hold, as its database holds them; each once."""
    match kind:
        case Kind.TEXT:
            return [value for value in dict.fromkeys(ids) if _storable(value)]
        case Kind.INTEGER:
            return list(dict.fromkeys(int(value) for value in ids if _is_canonical_integer(value)))
        case Kind.UUID:
            return list(dict.fromkeys(UUID(value) for value in ids if _is_canonical_uuid(value)))


def _storable(value: str) -> bool:
    """Whether a database can hold this text: no NUL character, no half of a surrogate pair."""
    return _UNSTORABLE.search(value) is None


def _is_canonical_integer(value: str) -> bool:
    digits = value.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > len(str(_INTEGER_MAX)):
        return False
    number = int(value)
    return str(number) == value and abs(number) <= _INTEGER_MAX


def _is_canonical_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False
