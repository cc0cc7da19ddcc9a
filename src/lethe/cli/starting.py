"""What stands in the way of a start: said in one line, with exit status 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from lethe.auth.signing_keys import SigningKeysUnusable
from lethe.storage.interface import StoreUnavailable
from lethe.wiring import DatasetUnfit


@contextmanager
def starting() -> Iterator[None]:
    """End the process where an installation cannot be put together: whoever supervises it starts it again."""
    try:
        yield
    except (DatasetUnfit, StoreUnavailable, SigningKeysUnusable) as error:
        typer.echo(f"Lethe cannot start: {error}.", err=True)
        raise typer.Exit(1) from None
