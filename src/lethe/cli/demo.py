"""`lethe demo` and `lethe init-demo`: a small world to look at, to call, and to delete from."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    directory: Annotated[
        Path | None, typer.Option(help="A new directory for the world, which is kept; a temporary one when absent.")
    ] = None,
) -> None:
    """Delete people from a world made for it, and prove that they are gone.

    Exits with 0 only if everything was verified, and with 1 otherwise. Nothing is left running.
    """
    from lethe.cli.demo_world import walk_through

    walk_through(directory)


def init_demo(directory: Annotated[Path, typer.Argument(help="Where to make it: a new or empty directory.")]) -> None:
    """Make the demonstration world: settings, tables, products, and a client's variables in lethe.env."""
    from lethe.cli.demo_world import make

    make(directory)
