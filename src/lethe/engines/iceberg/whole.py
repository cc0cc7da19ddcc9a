"""All files of a table as one storage: those under its location, and those that lie elsewhere."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final

from lethe.engines.storage.interface import FileStat, Keeping, Storage, StorageFailed

OUTSIDE: Final = "outside of the location"
"""The directory under which files from elsewhere are listed, by number."""


@dataclass(frozen=True, slots=True)
class WholeTable:
    """A storage to read from, for the verification. It writes nothing."""

    root: Storage
    outside: Mapping[str, tuple[Storage, str]]
    """Storage and path there, of files elsewhere, by the path under which they are listed."""

    @property
    def url(self) -> str:
        """The table's location."""
        return self.root.url

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        """The files of the location, then the others."""
        yield from self.root.list(prefix)
        for path in sorted(self.outside):
            if path.startswith(prefix):
                yield self.stat(path)

    def stat(self, path: str) -> FileStat:
        """One file."""
        storage, there = self._at(path)
        found = storage.stat(there)
        return FileStat(path, found.size_bytes, found.modified_at, found.version)

    def read(self, path: str) -> bytes:
        """A whole file."""
        storage, there = self._at(path)
        return storage.read(there)

    def open(self, path: str) -> AbstractContextManager[Any]:
        """A file for random access."""
        storage, there = self._at(path)
        return storage.open(there)

    def create(self, path: str) -> AbstractContextManager[IO[bytes]]:  # noqa: ARG002
        """Refused."""
        raise StorageFailed("this view of the table is not written to")

    def put(self, path: str, data: bytes, *, if_absent: bool = False) -> None:  # noqa: ARG002
        """Refused."""
        raise StorageFailed("this view of the table is not written to")

    def replace(self, source: str, destination: str) -> None:  # noqa: ARG002
        """Refused."""
        raise StorageFailed("this view of the table is not written to")

    def remove(self, path: str) -> None:  # noqa: ARG002
        """Refused."""
        raise StorageFailed("this view of the table is not written to")

    def remove_empty_directories(self) -> None:
        """Refused."""
        raise StorageFailed("this view of the table is not written to")

    def keeping(self) -> Keeping:
        """Of the location."""
        return self.root.keeping()

    def old_versions(self, before: datetime | None = None) -> int | None:
        """Of the location."""
        return self.root.old_versions(before)

    def _at(self, path: str) -> tuple[Storage, str]:
        return self.outside.get(path, (self.root, path))
