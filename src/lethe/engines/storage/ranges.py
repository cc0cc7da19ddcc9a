"""An object as a file, of which every read is a ranged get."""

from dataclasses import dataclass, field
from typing import Any

import obstore
import pyarrow as pa

from lethe.engines.storage.failures import failures
from lethe.engines.storage.interface import FileStat


@dataclass(frozen=True, slots=True)
class Source:
    """One version of an object."""

    store: Any = field(repr=False)
    """An `obstore.store` store."""
    stat: FileStat = field(repr=False)

    def read(self, start: int, end: int) -> bytes:
        """A range. Raises StorageFailed."""
        with failures("read"):
            return bytes(obstore.get_range(self.store, self.stat.path, start=start, end=end))


class ObjectFile(pa.PythonFile):  # type: ignore[misc]
    """The file, and for who copies without reading, what it is of."""

    source: Source

    @classmethod
    def of(cls, source: Source) -> "ObjectFile":
        """An open file."""
        file = cls(_Reader(source), mode="r")
        file.source = source
        return file


class _Reader:
    """As much of a file as Arrow needs."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._position = 0
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        whole = self._source.stat.size_bytes
        end = whole if size < 0 else min(self._position + size, whole)
        if end <= self._position:
            return b""
        data = self._source.read(self._position, end)
        self._position = end
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._position, self._source.stat.size_bytes)[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True
