"""Columns that mean the same on SQLite and PostgreSQL, and what they may hold."""

from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text that is compared by code point, as SQLite's BINARY collation compares it."""

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A number of 64 bits; on SQLite the type whose primary key is the row's own number."""


class Instant(TypeDecorator[datetime]):
    """An aware instant: timestamptz on PostgreSQL, naive UTC text with microseconds on SQLite.

    Refuses a naive datetime with ValueError, for nobody could say which instant it means.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The instant in UTC, as the database keeps it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """The instant in UTC, aware."""
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def text(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[str]:
    """A column of text."""
    return sa.Column(name, TEXT, nullable=nullable, primary_key=primary_key)


def instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A column of instants."""
    return sa.Column(name, Instant(), nullable=nullable)


def one_of(column: str, *words: str) -> sa.CheckConstraint:
    """The column holds one of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def at_most(column: str, length: int) -> sa.CheckConstraint:
    """The text has so many characters at the most."""
    return sa.CheckConstraint(f"length({column}) <= {length}", name=f"{column}_short")


def at_least(column: str, minimum: int) -> sa.CheckConstraint:
    """The number is not smaller."""
    return sa.CheckConstraint(f"{column} >= {minimum}", name=f"{column}_at_least_{minimum}")
