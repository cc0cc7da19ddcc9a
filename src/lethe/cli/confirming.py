"""Asking before what cannot be undone."""

import sys
from typing import Annotated

import typer

from lethe.cli.exits import Exit, Misused
from lethe.cli.output import say

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts. Nothing is previewed then.")]


def require_somebody(*, yes: bool, reads_stdin: bool = False) -> None:
    """Make sure that there is a person to ask, before any work. Raises Misused."""
    if not yes and (reads_stdin or not sys.stdin.isatty()):
        raise Misused("there is no terminal to ask on; --yes does it without asking")


def confirm(question: str, *, yes: bool) -> None:
    """Ask the person; ends the command when the answer is not yes."""
    if not yes and not typer.confirm(question, err=True):
        say("Nothing was done.")
        raise typer.Exit(Exit.REFUSED)
