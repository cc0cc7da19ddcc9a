"""Commands that the pages show can be typed: the program takes them as they stand."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from docs.test_site import PAGES, ROOT
from lethe.cli.main import app

SHOWN = re.compile(r"^ {4}(lethe .*?[^\\])$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`lethe ([^`]+)`")
TARGET = re.compile(r"(?:^ {4}|`)make (\w+)", re.MULTILINE)
FILE = re.compile(r"[\w/]+\.(?:csv|json)")
WRITTEN = [page for page in PAGES if page.name != "cli.md" or page.parent.name != "reference"]
each_page = pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))


def parsed(words: Sequence[str]) -> None:
    """As the program does, up to the point where it would act."""
    command: Any = get_command(app)
    context = command.make_context("lethe", list(words))
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)


def require_named(words: Sequence[str]) -> None:
    """A command, or a group of some, and options of it; what is given to them may be missing."""
    command: Any = get_command(app)
    left = iter(words)
    for word in left:
        if word.startswith("--"):
            options = {name: each for each in command.params for name in each.opts}
            name, _, value = word.partition("=")
            assert name in {"--help", *options}, words
            if not value and name in options and not options[name].is_flag:
                next(left, None)
        elif hasattr(command, "commands") and word != "…":
            assert word in command.commands, words
            command = command.commands[word]


def test_the_pages_show_some() -> None:
    texts = [page.read_text() for page in WRITTEN]
    assert all(sum(len(pattern.findall(text)) for text in texts) > 9 for pattern in (SHOWN, NAMED, TARGET))


@each_page
def test_what_a_page_tells_to_type_is_taken(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for line in SHOWN.findall(page.read_text()):
        words = shlex.split(line.replace("\\\n", " "), comments=True)[1:]
        for word in words:
            if FILE.fullmatch(word):
                Path(word).touch()
        parsed(words)


@each_page
def test_commands_that_a_page_names_are_there(page: Path) -> None:
    for text in NAMED.findall(page.read_text()):
        require_named(shlex.split(text.replace("\n", " ")))


@each_page
def test_targets_that_a_page_names_are_in_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(TARGET.findall(page.read_text())) <= targets


@pytest.mark.parametrize("line", ["workorder make", "workorder create --datasett x", "nonsense", "quota --none"])
def test_a_command_that_is_not_there_is_found_out(line: str) -> None:
    with pytest.raises(AssertionError):
        require_named(line.split())
    with pytest.raises(Exception, match=r"[Nn]o such"):
        parsed(line.split())
