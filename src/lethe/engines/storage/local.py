"""A local directory. What counts is on disk before its call returns, so that a power cut cannot reorder two of them."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import get_ident
from typing import IO, Any

import pyarrow as pa

from lethe.engines.interface import TableRefused
from lethe.engines.storage.interface import FileExists, FileMissing, FileStat, Keeping, StorageFailed


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """Files under a directory."""

    root: str

    @property
    def url(self) -> str:
        """The directory."""
        return self.root

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        """Walk the directory, depth first, sorted. Raises TableRefused for a symbolic link: its target would stay."""
        with _failures("list"):
            found = sorted(self._walk(self._path(prefix) if prefix else self.root), key=lambda stat: stat.path)
        yield from found

    def _walk(self, directory: str) -> Iterator[FileStat]:
        try:
            entries = list(os.scandir(directory))
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.is_symlink():
                raise TableRefused(
                    "there is a symbolic link in the table's directory; what it names would not be deleted"
                )
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(entry.path)
            elif entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    yield _stat(os.path.relpath(entry.path, self.root), entry.stat(follow_symlinks=False))

    def stat(self, path: str) -> FileStat:
        """One file."""
        with _failures("stat"):
            return _stat(path, Path(self._path(path)).stat())

    def read(self, path: str) -> bytes:
        """A whole file."""
        with _failures("read"):
            return Path(self._path(path)).read_bytes()

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        """A `pyarrow.OSFile`."""
        with _failures("open"):
            file = pa.OSFile(self._path(path))
        with file, _told_by_the_disk():
            yield file

    @contextmanager
    def create(self, path: str) -> Iterator[IO[bytes]]:
        """Write, flush and sync; on an exception remove what was written.

        The directory is synced by the `put` or `replace` that makes the file count.
        """
        name = self._path(path)
        with _failures("create"):
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            file = Path(name).open("wb")  # noqa: SIM115 - closed below, before the directory is synced
        try:
            with _told_by_the_disk():
                yield file
            with _failures("write"):
                file.flush()
                os.fsync(file.fileno())
                file.close()
        except BaseException:
            with suppress(OSError):
                file.close()
            with suppress(OSError):
                Path(name).unlink()
            raise

    def put(self, path: str, data: bytes, *, if_absent: bool = False) -> None:
        """Write a file beside it and give it the name; a hard link refuses a name that is taken."""
        name = self._path(path)
        # A name of this thread's own: two that put the same file must not write into each other's. After a crash it is
        # a leftover.
        beside = f".lethe-put-{os.getpid()}-{get_ident()}"
        with self.create(path + beside) as file:
            file.write(data)
        with _failures("put"):
            if if_absent:
                try:
                    os.link(name + beside, name)
                finally:
                    Path(name + beside).unlink()
            else:
                Path(name + beside).replace(name)
            _sync_parent(name)

    def replace(self, source: str, destination: str) -> None:
        """One rename."""
        with _failures("replace"):
            Path(self._path(source)).replace(self._path(destination))
            _sync_parent(self._path(destination))

    def remove(self, path: str) -> None:
        """Unlink."""
        with _failures("remove"), suppress(FileNotFoundError):
            Path(self._path(path)).unlink()
            _sync_parent(self._path(path))

    def remove_empty_directories(self) -> None:
        """From the leaves up; a directory that is not empty stays."""
        with _failures("remove directories"):
            for directory, _, _ in os.walk(self.root, topdown=False):
                if directory != self.root:
                    with suppress(OSError):
                        Path(directory).rmdir()

    def keeping(self) -> Keeping:
        """A directory keeps nothing. Snapshots of its file system are copies, of which nobody here knows."""
        return Keeping.NOTHING

    def old_versions(self, before: datetime | None = None) -> int | None:  # noqa: ARG002
        """There are none."""
        return 0

    def _path(self, path: str) -> str:
        if ".." in path.split("/") or path.startswith("/"):
            raise StorageFailed("a path leads out of the table's directory")
        return f"{self.root}/{path}"


def _stat(path: str, found: os.stat_result) -> FileStat:
    return FileStat(
        path,
        found.st_size,
        datetime.fromtimestamp(found.st_mtime, UTC),
        f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}",
    )


def _sync_parent(name: str) -> None:
    directory = os.open(str(Path(name).parent), os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _failures(call: str) -> Iterator[None]:
    """Errors of the operating system name paths, and a path may hold an identity: only the kind of error goes on."""
    try:
        yield
    except FileNotFoundError:
        raise FileMissing(f"{call}: no such file") from None
    except FileExistsError:
        raise FileExists(f"{call}: the file exists") from None
    except OSError as error:
        raise StorageFailed(f"{call}: {errno.errorcode.get(error.errno or 0, 'unknown error')}") from None


@contextmanager
def _told_by_the_disk() -> Iterator[None]:
    """What the disk says while a file is in use; Arrow's own errors have no number, and are of the content."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise StorageFailed(f"read or write: {errno.errorcode.get(error.errno, 'unknown error')}") from None
