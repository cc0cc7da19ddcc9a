"""What a database's errors become: a sentence of ours.

A driver's message may quote the row that it is about, and an exception that is chained to another shows it. So an
error becomes a value, and whoever raises does so outside of the handler: nothing of the driver's goes along.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

T = TypeVar("T")


class Obstructed(Exception):
    """The database does not do what it says that it did. The text names tables and columns only."""


class Misfit(Exception):
    """The mapping does not fit the database. The text names tables and columns only."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the database did not do it."""

    text: str
    is_final: bool = False
    """Whether asking again is in vain, as long as the data stay as they are."""


def attempt(work: Callable[[], T]) -> T | Failure:
    """Do the work; a database's error becomes a Failure. Everything else is raised as it is."""
    try:
        return work()
    except (Misfit, Obstructed) as error:
        return Failure(str(error))
    except sa.exc.IntegrityError as error:
        return Failure(f"rows are still referred to by rows of a table that is not deleted from{_code(error)}", True)
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        return Failure(f"the database failed: {type(error).__name__}{_code(error)}")


def _code(error: BaseException) -> str:
    """The driver's code of the error, when it gives one."""
    origin = getattr(error, "orig", None) or error
    code = getattr(origin, "sqlstate", None) or getattr(origin, "sqlite_errorname", None)
    return f" ({code})" if isinstance(code, str) else ""
