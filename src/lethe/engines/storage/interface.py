"""What the engines ask of a place that holds files."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import IO, Any, Protocol, runtime_checkable


class StorageFailed(Exception):
    """A file could not be listed, read, written or removed; the context names the call, not the content."""


class FileMissing(StorageFailed):
    """The file does not exist."""


class FileExists(StorageFailed):
    """The file already exists."""


class RemovalForbidden(StorageFailed):
    """The place keeps the file on purpose: a retention, a legal hold, an object lock."""


class Keeping(Enum):
    """What a place keeps of files after they were replaced or removed."""

    NOTHING = auto()
    VERSIONS = auto()
    """Their old versions, or it did so once."""
    UNSEEN = auto()
    """It would tell, but not with these credentials."""
    UNKNOWN = auto()
    """It cannot be asked."""


@dataclass(frozen=True, slots=True)
class FileStat:
    """One file, and what tells one version of it from another."""

    path: str
    """Relative to the storage's root."""
    size_bytes: int
    modified_at: datetime
    version: str
    """Changes whenever the content may have: an entity tag, or inode, size and nanoseconds."""


@runtime_checkable
class Taking(Protocol):
    """A new file that takes ranges of other files of its place, which need not be read for it."""

    def take(self, source: Any, start: int, size: int) -> bool:
        """Append a range of a file that `open` gave. Whether it can be had this way. Raises StorageFailed."""
        ...


class Storage(Protocol):
    """A root with files under it. Implementations pickle, so that they travel to workers.

    Every method raises StorageFailed when the place does not answer or refuses.
    """

    @property
    def url(self) -> str:
        """The root, for messages. Never carries credentials."""
        ...

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        """Every file under a directory of the root, at any depth, sorted by path. A missing directory is empty."""
        ...

    def stat(self, path: str) -> FileStat:
        """One file. Raises FileMissing."""
        ...

    def read(self, path: str) -> bytes:
        """A whole small file. Raises FileMissing."""
        ...

    def open(self, path: str) -> AbstractContextManager[Any]:
        """A `pyarrow.NativeFile` for random access. Raises FileMissing."""
        ...

    def create(self, path: str) -> AbstractContextManager[IO[bytes]]:
        """A stream into a new file, whose content is durable once the context ends well; after an exception it is gone.

        The path must be a temporary one: a crash may leave part of the file on a local disk. The name itself is durable
        after the next `put` beside it.
        """
        ...

    def put(self, path: str, data: bytes, *, if_absent: bool = False) -> None:
        """Write a small file whole: readers see the old content or the new. Durable on return.

        Raises FileExists when `if_absent` and there is one.
        """
        ...

    def replace(self, source: str, destination: str) -> None:
        """Put one file in the place of another, atomically for readers, and durably; the source is gone after.

        A source that the place keeps on purpose stays beside its copy. Raises FileMissing when there is no source.
        """
        ...

    def remove(self, path: str) -> None:
        """Remove a file, durably. A file that is not there is removed. Raises RemovalForbidden."""
        ...

    def remove_empty_directories(self) -> None:
        """Remove directories that hold nothing, below the root; object stores have none."""
        ...

    def keeping(self) -> Keeping:
        """What this place keeps of files after they were replaced or removed."""
        ...

    def old_versions(self, before: datetime | None = None) -> int | None:
        """How many old versions of files are kept that were stored before an instant: none, or some of them, counted.

        None where these credentials may not see them. To be asked where versions are kept.
        """
        ...
