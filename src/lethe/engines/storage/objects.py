"""A bucket of an object store, through obstore: S3, GCS, Azure, or memory."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, Final, cast

import obstore
import pyarrow as pa
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, S3Store

from lethe.engines.storage.interface import (
    FileExists,
    FileMissing,
    FileStat,
    Keeping,
    RemovalForbidden,
    StorageFailed,
)
from lethe.engines.storage.versions import BucketVersions

_KEPT_ON_PURPOSE: Final = ("object lock", "objectlock", "object-lock", "worm", "retention", "immutab", "legal")
"""Words of the stores' answers when a removal is forbidden for a while; permissions that lack are told otherwise."""


@dataclass(frozen=True, slots=True)
class ObjectStorage:
    """Objects under a store's prefix. Credentials are the store's own, from the settings."""

    url: str
    store: Any = field(repr=False)
    """An `obstore.store` store, rooted at the table's location."""

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        """List by prefix, sorted."""
        with _failures("list"):
            found = [entry for batch in obstore.list(self.store, prefix or None) for entry in batch]
        for entry in sorted(found, key=lambda entry: entry["path"]):
            yield _stat(entry)

    def stat(self, path: str) -> FileStat:
        """Head."""
        with _failures("stat"):
            return _stat(obstore.head(self.store, path))

    def read(self, path: str) -> bytes:
        """Get."""
        with _failures("read"):
            return bytes(obstore.get(self.store, path).bytes())

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        """A `pyarrow.PythonFile` over ranged gets."""
        file = pa.PythonFile(_Ranges(self.store, self.stat(path)), mode="r")
        with file:
            yield file

    @contextmanager
    def create(self, path: str) -> Iterator[IO[bytes]]:
        """A multipart upload; it is given up on an exception, so that no object appears."""
        with _failures("create"):
            writer = obstore.open_writer(self.store, path)
        with _failures("write"), writer as sink:
            yield cast("IO[bytes]", _Sink(sink))

    def put(self, path: str, data: bytes, *, if_absent: bool = False) -> None:
        """One put, conditional where asked."""
        with _failures("put"):
            obstore.put(self.store, path, data, mode="create" if if_absent else "overwrite", use_multipart=False)

    def replace(self, source: str, destination: str) -> None:
        """A copy within the store, which readers see whole or not, then the removal of the source."""
        with _failures("replace"):
            obstore.copy(self.store, source, destination)
        # What a retention keeps beside its copy is a leftover, which a purge finds and holds.
        with suppress(RemovalForbidden):
            self.remove(source)

    def remove(self, path: str) -> None:
        """Delete; stores answer alike for an object that is not there."""
        forbidden = False
        with _failures("remove"):
            try:
                obstore.delete(self.store, path)
            except FileNotFoundError:
                return
            except (exceptions.BaseError, PermissionError, OSError) as error:
                forbidden = self._is_kept_on_purpose(error, path)
                if not forbidden:
                    raise
        if forbidden:
            raise RemovalForbidden("a retention, legal hold or object lock of the store keeps it")

    def remove_empty_directories(self) -> None:
        """There are no directories."""

    def keeping(self) -> Keeping:
        """S3 is asked; of other stores nobody can ask through obstore."""
        if isinstance(self.store, S3Store):
            return BucketVersions(self.store).keeping()
        return Keeping.UNKNOWN if isinstance(self.store, GCSStore | AzureStore) else Keeping.NOTHING

    def old_versions(self, before: datetime | None = None) -> int | None:
        """Those below the prefix, page by page until one has some."""
        return BucketVersions(self.store).old(before) if isinstance(self.store, S3Store) else 0

    def _is_kept_on_purpose(self, error: BaseException, path: str) -> bool:
        """By the words of the answer, in which names of files and buckets do not count."""
        said = str(error).lower()
        prefix, config = getattr(self.store, "prefix", None) or "", getattr(self.store, "config", {})
        for name in (f"{prefix}/{path}", path, *(config[key] for key in ("bucket", "container_name") if key in config)):
            said = said.replace(str(name).strip("/").lower(), "")
        return any(word in said for word in _KEPT_ON_PURPOSE)


class _Sink:
    """A stream into an upload, as far as Arrow and gzip need one; the upload is ended by its owner."""

    def __init__(self, upload: Any) -> None:
        self._upload = upload
        self._position = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Hand over a copy: Arrow reuses its buffers."""
        with _failures("write"):
            self._upload.write(bytes(data))
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """The upload decides."""

    def close(self) -> None:
        self.closed = True


class _Ranges:
    """A file of ranged gets, as far as Arrow needs one."""

    def __init__(self, store: Any, stat: FileStat) -> None:
        self._store = store
        self._stat = stat
        self._position = 0
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        end = self._stat.size_bytes if size < 0 else min(self._position + size, self._stat.size_bytes)
        if end <= self._position:
            return b""
        with _failures("read"):
            data = bytes(obstore.get_range(self._store, self._stat.path, start=self._position, end=end))
        self._position = end
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._position, self._stat.size_bytes)[whence]
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


def _stat(entry: Any) -> FileStat:
    # A listing does not tell the version's id, and both must tell one version by the same name.
    version = entry["e_tag"] or entry["version"] or f"{entry['size']}-{entry['last_modified'].isoformat()}"
    return FileStat(entry["path"], entry["size"], entry["last_modified"], version)


@contextmanager
def _failures(call: str) -> Iterator[None]:
    """Errors of a store name keys, and a key may hold an identity: only the kind of error goes on."""
    try:
        yield
    except FileNotFoundError:
        raise FileMissing(f"{call}: no such object") from None
    except exceptions.AlreadyExistsError:
        raise FileExists(f"{call}: the object exists") from None
    except (exceptions.BaseError, PermissionError, OSError) as error:
        raise StorageFailed(f"{call}: {type(error).__name__}") from None
