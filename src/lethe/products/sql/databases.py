"""What differs between databases: how they are opened, how texts are compared to the letter, how bytes are let go.

Another database is another class here. One that is not listed is refused: whether it compares texts to the letter
would be a guess, and a wrong guess deletes somebody else.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from lethe.products.interface import Beat, Waiting
from lethe.products.sql.kinds import Kind, Scalar

Condition = sa.ColumnElement[bool]


class Database(Protocol):
    """One opened database."""

    @property
    def read(self) -> sa.Engine:
        """Connections that read."""
        ...

    @property
    def write(self) -> sa.Engine:
        """Connections whose transactions write from their beginning."""
        ...

    def among(self, column: sa.ColumnElement[Any], values: Sequence[Scalar]) -> Condition:
        """Whether the column is one of these, in the column's own comparison, so that its index serves.

        The values are one parameter of the statement, however many they are.
        """
        ...

    def exact(self, column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
        """The column, such that `among` compares it to the letter, and without any index."""
        ...

    def scrub(self, tables: Sequence[sa.Table], *, beat: Beat) -> Waiting | None:
        """Make the database let go of the deleted rows of these tables; None when it has."""
        ...

    def unscrubbable(self, tables: Sequence[sa.Table]) -> Sequence[str]:
        """Names of tables that this login may not scrub."""
        ...
