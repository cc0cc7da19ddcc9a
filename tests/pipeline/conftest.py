"""A workshop on both databases."""

from pathlib import Path

import pytest

from lethe.storage.store import SqlStore
from support.api import World
from support.clock import Clock
from support.workshop import Workshop, parquet_engines


@pytest.fixture
def workshop(store: SqlStore, clock: Clock, tmp_path: Path) -> Workshop:
    world = World(store, clock, tmp_path / "world", engines=parquet_engines())
    world.directory.mkdir()
    return Workshop(world, tmp_path / "tables")
