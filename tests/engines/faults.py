"""A storage whose every call can be made to fail, before or after its effect, or be the last of the process.

Reads of an opened file can fail as well.
"""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

import pyarrow as pa

from lethe.engines.storage.interface import FileStat, Keeping, Storage, StorageFailed


@dataclass
class Faults:
    """Counts the calls; at the chosen one the blow falls."""

    at: int | None = None
    when: str = "before"
    """`before` or `after` the effect of the call."""
    blow: Callable[[], None] = lambda: None
    calls: int = 0
    names: list[str] = field(default_factory=list)
    reading_at: int | None = None
    """Which read of an opened file is struck; those are counted apart, for there are many of them."""
    readings: int = 0

    def read(self) -> None:
        """A read of an opened file begins."""
        number = self.readings
        self.readings += 1
        if number == self.reading_at:
            self.blow()

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        number = self.calls
        self.calls += 1
        self.names.append(name)
        if number == self.at and self.when == "before":
            self.blow()
        try:
            yield
        finally:
            if number == self.at and self.when == "after":
                self.blow()


def fail() -> None:
    raise StorageFailed("injected")


def fail_as_a_disk() -> None:
    """What Arrow raises when the operating system cannot read a file that is open."""
    raise OSError(errno.EIO, "injected")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def freeze() -> None:
    """Until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


@dataclass
class FaultyStorage:
    """Wraps a storage."""

    inner: Storage
    faults: Faults

    @property
    def url(self) -> str:
        return self.inner.url

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        with self.faults.call("list"):
            found = list(self.inner.list(prefix))
        yield from found

    def stat(self, path: str) -> FileStat:
        with self.faults.call("stat"):
            return self.inner.stat(path)

    def read(self, path: str) -> bytes:
        with self.faults.call("read"):
            return self.inner.read(path)

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        with self.faults.call("open"):
            pass
        with self.inner.open(path) as file, pa.PythonFile(_Source(file, self.faults), mode="r") as source:
            yield source

    @contextmanager
    def create(self, path: str) -> Iterator[IO[bytes]]:
        with self.faults.call("create"):
            pass
        with self.inner.create(path) as sink:
            yield _Sink(sink, self.faults)  # type: ignore[misc]
        with self.faults.call("created"):
            pass

    def put(self, path: str, data: bytes, *, if_absent: bool = False) -> None:
        with self.faults.call("put"):
            self.inner.put(path, data, if_absent=if_absent)

    def replace(self, source: str, destination: str) -> None:
        with self.faults.call("replace"):
            self.inner.replace(source, destination)

    def remove(self, path: str) -> None:
        with self.faults.call("remove"):
            self.inner.remove(path)

    def remove_empty_directories(self) -> None:
        with self.faults.call("remove_empty_directories"):
            self.inner.remove_empty_directories()

    def keeping(self) -> Keeping:
        with self.faults.call("keeping"):
            return self.inner.keeping()

    def old_versions(self, before: datetime | None = None) -> int | None:
        with self.faults.call("old_versions"):
            return self.inner.old_versions(before)


class _Source:
    """An opened file, of which every read may be struck."""

    def __init__(self, file: Any, faults: Faults) -> None:
        self._file = file
        self._faults = faults

    def read(self, size: int | None = None) -> Any:
        self._faults.read()
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Sink:
    def __init__(self, sink: Any, faults: Faults) -> None:
        self._sink = sink
        self._faults = faults

    def write(self, data: Any) -> Any:
        with self._faults.call("write"):
            return self._sink.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)
