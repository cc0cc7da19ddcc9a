"""Where the pool's processes come from: a server that has imported Arrow, started no thread, and forks on request."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from multiprocessing.forkserver import ensure_running
from typing import Final

_PRELOADED: Final = [
    "__main__",
    "lethe.engines.parquet.format",
    "lethe.engines.directory.prepare",
    "lethe.engines.verify.file",
]
"""Named, not imported: what the tasks need is imported once, by the server from which workers fork."""

_ALLOCATOR: Final = {"MIMALLOC_PURGE_DELAY": "10000"}
"""Arrow's allocator gives memory back to the system this many milliseconds after it was freed.

With its own choice, a few, every column of every row group is mapped anew, page by page. That is a quarter of the CPU
time of a copy, all of it in the kernel, where processes that do it at once wait for each other.
"""

_SOCKET_PATH_BYTES_MAX: Final = 107
"""Of a Unix socket's address, without its final NUL (unix(7))."""

_SOCKET_NAME_BYTES: Final = len("/pymp-12345678/listener-12345678")
"""What multiprocessing adds to the temporary directory to name the server's socket."""

_SHORT_DIRECTORIES: Final = ("/tmp", "/var/tmp")  # noqa: S108 - multiprocessing makes a directory of its own in it


@cache
def forked_processes() -> BaseContext:
    """The context of processes that begin at once and safely; its server is started by the first call."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    with _environment(_ALLOCATOR), _socket_directory():
        ensure_running()
    return context


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """Set what is not set, for what is started meanwhile."""
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def _socket_directory() -> Iterator[None]:
    """Let the server's socket lie elsewhere, where the temporary directory's path is too long for a socket."""
    chosen = tempfile.gettempdir()
    short = next(filter(_fits, [chosen, *_SHORT_DIRECTORIES]), chosen)
    before, tempfile.tempdir = tempfile.tempdir, short
    try:
        yield
    finally:
        tempfile.tempdir = before


def _fits(directory: str) -> bool:
    long = len(os.fsencode(directory)) + _SOCKET_NAME_BYTES > _SOCKET_PATH_BYTES_MAX
    return not long and os.access(directory, os.W_OK | os.X_OK)
