"""A file that stands where its bytes would, and of which only those parts are read that somebody looks at."""

from typing import Any, Protocol

import pyarrow as pa


class Sliced(Protocol):
    """Bytes, or what can be sliced like them."""

    def __len__(self) -> int: ...
    def __getitem__(self, at: slice, /) -> bytes: ...


class Parts:
    """An open file on a local disk, where a part costs no more than its bytes."""

    def __init__(self, file: Any) -> None:
        """`file` is one that a storage opened; it stays open for as long as this is used."""
        self._file = file
        self._size: int = file.size()

    def __len__(self) -> int:
        """How many bytes the file has."""
        return self._size

    def __getitem__(self, at: slice) -> bytes:
        """The bytes from one place to another."""
        start, stop, _ = at.indices(self._size)
        found: bytes = self._file.read_at(max(stop - start, 0), start)
        return found


def parts_of(file: Any) -> Sliced:
    """The file in parts; whole, where each part would be a request to a store."""
    if isinstance(file, pa.OSFile):
        return Parts(file)
    whole: bytes = file.read()
    return whole
