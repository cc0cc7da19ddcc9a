"""Fixtures of the auth tests."""

from collections.abc import Iterator

import pytest

from auth.support import Clock, KeyServer, key_server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with key_server() as running:
        yield running
