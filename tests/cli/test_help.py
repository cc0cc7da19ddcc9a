"""Every command and every option says what it is for, and stands in the reference."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from lethe.cli.exits import Exit
from lethe.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs/reference/cli.md").read_text()
GUIDE = (Path(__file__).parents[2] / "docs/cli.md").read_text()


def commands(command: Any, words: tuple[str, ...] = ("lethe",)) -> Iterator[tuple[str, Any]]:
    yield " ".join(words), command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*words, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def silent(command: Any) -> list[str]:
    """The parameters that have no help, and the command itself if it has none."""
    return [each.name for each in command.params if not (each.help or "").strip()] + (
        [] if (command.help or "").strip() else ["the command"]
    )


@pytest.mark.parametrize("words", COMMANDS)
def test_everything_has_help(words: str) -> None:
    assert silent(COMMANDS[words]) == []


def test_what_has_none_is_found() -> None:
    wordless = typer.Typer(add_completion=False)

    @wordless.command()
    def verb(flag: bool = False) -> None:
        pass

    assert silent(typer.main.get_command(wordless)) == ["flag", "the command"]


@pytest.mark.parametrize("words", [words for words, command in COMMANDS.items() if not hasattr(command, "commands")])
def test_every_verb_and_option_stands_in_the_reference(words: str) -> None:
    _, _, part = PAGE.partition(f"## {words}\n")
    part = part.partition("\n## ")[0]
    assert part
    for each in COMMANDS[words].params:
        if each.param_type_name == "option" and each.name != "help":
            assert ", ".join(each.opts) in part


@pytest.mark.parametrize("status", Exit)
def test_every_exit_status_is_documented(status: Exit) -> None:
    assert status.meaning
    assert f"| `{status.value}` | {status.meaning} |" in PAGE
    assert f"\n| {status.value} | " in GUIDE


def test_completion_is_offered() -> None:
    assert {"install_completion", "show_completion"} <= {each.name for each in COMMANDS["lethe"].params}
