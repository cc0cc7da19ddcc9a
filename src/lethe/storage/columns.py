"""Column types that mean the same on SQLite and PostgreSQL."""

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
