"""How the command ends: an exit status that a script can act on, and one line that says why."""

import sys
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final, Self

import typer
from typer.core import TyperGroup

from lethe.client import (
    InvalidArgument,
    LetheError,
    NotConfigured,
    NotFound,
    PartlySubmitted,
    Refused,
    StillWorking,
    WorkFailed,
)


class Exit(IntEnum):
    """Exit statuses of every verb, each with its meaning."""

    meaning: str

    def __new__(cls, status: int, meaning: str) -> Self:
        """A status, with what it says."""
        made = int.__new__(cls, status)
        made._value_ = status
        made.meaning = meaning
        return made

    DONE = 0, "It is done."
    FAILED = 1, "The work failed, or a check did not hold."
    USAGE = 2, "The command, its input or the settings cannot be used; nothing was sent."
    NOT_FOUND = 3, "There is no such thing, or not in this sandbox."
    REFUSED = 4, "The server, or whoever was asked to confirm, said no."
    UNAVAILABLE = 5, "There was no answer, or its outcome is not known: look before you repeat it."
    UNFINISHED = 6, "The work goes on: the time given to wait for it is over."


class Misused(Exception):
    """The command or its input cannot be used; the message says why, and never repeats an identity."""


_STATUSES: Final[Mapping[type[LetheError], Exit]] = {
    InvalidArgument: Exit.USAGE,
    NotConfigured: Exit.USAGE,
    NotFound: Exit.NOT_FOUND,
    Refused: Exit.REFUSED,
    PartlySubmitted: Exit.REFUSED,
    WorkFailed: Exit.FAILED,
    StillWorking: Exit.UNFINISHED,
    LetheError: Exit.UNAVAILABLE,
}
"""The first that fits counts."""


def exit_status(error: LetheError) -> Exit:
    """The exit status that an error stands for."""
    return next(status for kind, status in _STATUSES.items() if isinstance(error, kind))


class Commands(TyperGroup):
    """The root of all verbs: whatever one of them raises ends as a line on standard error, and a status."""

    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        try:
            return super().invoke(ctx)
        except Misused as error:
            typer.echo(f"lethe: {error}", err=True)
            raise typer.Exit(Exit.USAGE) from error
        except LetheError as error:
            typer.echo(f"lethe: {error}", err=True)
            if isinstance(error, PartlySubmitted):
                _tell_partly(error)
            raise typer.Exit(exit_status(error)) from error
        except BrokenPipeError:
            # Whoever read the output has enough of it; nothing more may be written to it at the end.
            sys.stdout = None
            raise typer.Exit(Exit.DONE) from None


def _tell_partly(error: PartlySubmitted) -> None:
    for order in error.orders:
        typer.echo(f"lethe: accepted: {order.workorder_id}", err=True)
    typer.echo(f"lethe: not accepted: {error.__cause__}", err=True)
    typer.echo(f"lethe: --idempotency-key {error.idempotency_key} with the same input sends only the rest", err=True)
