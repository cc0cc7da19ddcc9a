"""The pytest plugin: the fixtures `lethe_server` and `lethe`.

Every pytest run with Lethe installed loads this, so it imports nothing of Lethe before a fixture is asked for.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lethe.client import Lethe
    from lethe.testing.server import LetheServer


@pytest.fixture(scope="session")
def lethe_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[LetheServer]":
    """A Lethe of this test run: a real server, whose data goes with the run's temporary directory."""
    from lethe.testing.server import LetheServer  # noqa: PLC0415 - see above

    with LetheServer(tmp_path_factory.mktemp("lethe")) as server:
        yield server


@pytest.fixture
def lethe(lethe_server: "LetheServer") -> "Iterator[Lethe]":
    """A client of the run's Lethe that may do everything, in the sandbox `prod`."""
    with lethe_server.client() as client:
        yield client
