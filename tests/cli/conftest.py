"""The command in this process, in an empty directory and an environment without settings."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lethe.cli.main import app

Lethe = Callable[..., Result]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("LETHE_"):
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def lethe(directory: Path) -> Lethe:
    """Run `lethe` with these words and these variables in the environment."""

    def run(*words: str, **environment: str) -> Result:
        return CliRunner().invoke(app, words, env=dict(environment))

    return run
