"""Every I/O call of find and drop fails, or is the process's last; the next run ends it. Forget and purge: `ordeal`."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from engines.asking import CRM, asked, order
from engines.delta.lake import (
    BY_ID,
    NOW,
    VERIFIER,
    adds,
    hide,
    inline_vector,
    people,
    stored_vector,
    target,
    write,
)
from engines.faults import Faults, FaultyStorage, die, fail
from lethe.engines.delta.engine import DeltaEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import TableUnavailable
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.storage.local import LocalStorage

WANTED = asked(order(CRM, "annegret", "deegret"), order(CRM, "annegret", "zoe"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to rewrite, one to keep, one with hidden rows of which the only live one matches, one to drop."""
    root = tmp_path_factory.mktemp("template") / "t"
    write(root, people("annegret", "bob", "cy", None), people("eve", "fay", first=10))
    write(root, people("annegret", "deegret", first=20), people("annegret", first=30))
    hide(root, 4, adds(root)[2], stored_vector(root, 0))
    return root


@pytest.fixture
def make(template: Path, tmp_path: Path) -> Callable[[int], Path]:
    def make(number: int) -> Path:
        return Path(shutil.copytree(template, tmp_path / str(number)))

    return make


def engine(root: Path, faults: Faults) -> DeltaEngine:
    storage = FaultyStorage(LocalStorage(str(root)), faults)
    return DeltaEngine(
        lambda _: storage,
        InlineExecutor(),
        best_rewriter(),
        VERIFIER,
        new_name=lambda: str(uuid4()),
        clock=lambda: NOW,
    )


@pytest.fixture(scope="module")
def calls(template: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many I/O calls a whole drop makes."""
    root = Path(shutil.copytree(template, tmp_path_factory.mktemp("calls") / "t"))
    dropping = Faults()
    assert engine(root, dropping).drop(target(root), NOW).clean
    return dropping.calls


def in_a_child(work: Callable[[], Any]) -> int:
    """Run in a process of its own; the number of the signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


@pytest.mark.parametrize("blow", [fail, die], ids=["fails", "is killed"])
def test_a_drop_bears_every_call(blow: Callable[[], None], calls: int, make: Callable[[int], Path]) -> None:
    for number in range(calls):
        root = make(number)

        def dropping(root: Path = root, number: int = number) -> None:
            try:
                engine(root, Faults(number, "after", blow)).drop(target(root), NOW)
            except TableUnavailable:
                assert blow is fail

        in_a_child(dropping)
        assert engine(root, Faults()).drop(target(root), NOW).clean
        assert list(root.iterdir()) == []


def test_a_find_bears_the_failure_of_every_call(make: Callable[[int], Path]) -> None:
    root, counting = make(0), Faults()
    expected = engine(root, counting).find(target(root, BY_ID), WANTED)
    for number in range(counting.calls):
        with pytest.raises(TableUnavailable):
            engine(root, Faults(number, "after", fail)).find(target(root), WANTED)
    assert engine(root, Faults()).find(target(root), WANTED) == expected


def test_a_pruned_inline_vector_needs_no_call(tmp_path: Path) -> None:
    root = write(tmp_path, people("bob", "cy"))
    hide(root, 1, adds(root)[0], inline_vector(0))
    faults = Faults()
    engine(root, faults).find(target(root), WANTED)
    assert faults.names.count("open") == 2
