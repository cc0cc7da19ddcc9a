"""A world for every test of the edge, on both databases."""

from pathlib import Path

import pytest

from lethe.storage.store import SqlStore
from support.api import World
from support.clock import Clock


@pytest.fixture
def world(store: SqlStore, clock: Clock, tmp_path: Path) -> World:
    """A furnished Lethe."""
    made = World(store, clock, tmp_path / "world")
    made.directory.mkdir()
    made.furnish()
    return made
