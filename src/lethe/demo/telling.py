"""How the tour talks to whoever watches: lines, tables and bars on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

PLAIN_WIDTH: Final = 110
Moved = Callable[[str, int, str], None]
"""Told which work is how far, of its steps, and what its status is."""


class DoesNotHold(Exception):
    """A check of the tour failed; the message is the fact that does not hold."""


class Teller:
    """Says what happens, and insists on what must hold."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        if not self.console.is_terminal:
            self.console.width = PLAIN_WIDTH

    def chapter(self, title: str) -> None:
        """Begin a part."""
        self.console.print(f"\n[bold]{title}[/bold]")

    def say(self, text: str) -> None:
        """Say a line."""
        self.console.print(f"  {text}", markup=False)

    def require(self, holds: bool, fact: str) -> None:
        """Say a fact that holds. Raises DoesNotHold."""
        if not holds:
            raise DoesNotHold(fact)
        self.console.print(f"  [green]✓[/green] {fact}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Show a table; all columns but the first are figures."""
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 2), header_style="dim")
        for number, column in enumerate(columns):
            table.add_column(column, justify="right" if number else "left")
        for row in rows:
            table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
        self.console.print(table)

    @contextmanager
    def following(self, steps: Mapping[str, int]) -> Iterator[Moved]:
        """Show how far several works are, each of so many steps; gives what is to be told."""
        if not self.console.is_terminal:
            last: dict[str, str] = {}

            def told(name: str, _: int, status: str) -> None:
                if last.get(name) != status:
                    last[name] = status
                    self.say(f"{name}: {status}")

            yield told
            return
        columns = (TextColumn("  {task.description}"), BarColumn(), TextColumn("{task.fields[status]}"))
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as bars:
            tasks = {name: bars.add_task(name, total=total, status="") for name, total in steps.items()}

            def moved(name: str, done: int, status: str) -> None:
                bars.update(tasks[name], completed=done, status=status)

            yield moved
