"""What verbs print: tables for people, JSON in the words of the wire for scripts.

Results go to standard output and everything else to standard error, so that a pipe carries results alone. A table that
goes to no terminal is plain columns, with nothing wrapped or cut off.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lethe.client.result import Result

PLAIN_WIDTH: Final = 1_000
T = TypeVar("T", bound=Result)
Row = Callable[[T], Sequence[object]]
"""The cells of one result."""


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[
    Format, typer.Option("--output", "-o", help="How to print: a table for people, or JSON for scripts.")
]


def say(text: str) -> None:
    """Tell the person a line that is no result."""
    typer.echo(text, err=True)


def show(result: Result, output: Format, facts: Mapping[str, object]) -> None:
    """Print one result: all of it as JSON, or these facts."""
    if output is Format.JSON:
        show_json(result.to_wire())
        return
    table = _table()
    for name, value in facts.items():
        if value not in (None, ""):
            table.add_row(Text(f"{name}:"), cell(value))
    _console().print(table)


def show_all(results: Iterable[T], output: Format, columns: Sequence[str], row: Row[T]) -> None:
    """Print results: a JSON array, or a table with these columns."""
    if output is Format.JSON:
        show_json([result.to_wire() for result in results])
        return
    show_table(columns, (row(result) for result in results))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, err: bool = False) -> None:
    """Print a table; with `err`, to the person alone."""
    table = _table(*columns)
    for cells in rows:
        table.add_row(*map(cell, cells))
    if table.row_count:
        _console(err=err).print(table)
    else:
        say("Nothing to show.")


def show_json(value: object) -> None:
    """Print JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def cell(value: object) -> Text:
    """A value as a table shows it; what would steer the terminal is shown as a replacement character."""
    match value:
        case datetime():
            text = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        case bool():
            text = "yes" if value else "no"
        case int():
            text = f"{value:,}"
        case _:
            text = str(value)
    return Text("".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text))


def _table(*columns: str) -> Table:
    is_terminal = sys.stdout.isatty()
    table = Table(box=None, pad_edge=False, show_header=bool(columns), header_style="bold")
    for column in columns or ("", ""):
        table.add_column(column, no_wrap=not is_terminal, overflow="fold")
    return table


def _console(*, err: bool = False) -> Console:
    stream = sys.stderr if err else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH, highlight=False)
