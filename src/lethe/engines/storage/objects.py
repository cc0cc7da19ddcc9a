"""A bucket of an object store, through obstore: S3, GCS, Azure, or memory."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, Final, cast

import obstore
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, S3Store

from lethe.engines.storage.failures import failures
from lethe.engines.storage.interface import FileStat, Keeping, RemovalForbidden
from lethe.engines.storage.multipart import client_of, upload
from lethe.engines.storage.ranges import ObjectFile, Source
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
        with failures("list"):
            found = [entry for batch in obstore.list(self.store, prefix or None) for entry in batch]
        for entry in sorted(found, key=lambda entry: entry["path"]):
            yield _stat(entry)

    def stat(self, path: str) -> FileStat:
        """Head."""
        with failures("stat"):
            return _stat(obstore.head(self.store, path))

    def read(self, path: str) -> bytes:
        """Get."""
        with failures("read"):
            return bytes(obstore.get(self.store, path).bytes())

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        """A `pyarrow.PythonFile` over ranged gets."""
        with ObjectFile.of(Source(self.store, self.stat(path))) as file:
            yield file

    @contextmanager
    def create(self, path: str) -> Iterator[IO[bytes]]:
        """A multipart upload; it is given up on an exception, so that no object appears."""
        client = client_of(self.store)
        if client is not None:
            with upload(client, self.store, path) as parts:
                yield cast("IO[bytes]", parts)
            return
        with failures("create"):
            writer = obstore.open_writer(self.store, path)
        with failures("write"), writer as sink:
            yield cast("IO[bytes]", _Sink(sink))

    def put(self, path: str, data: bytes, *, if_absent: bool = False) -> None:
        """One put, conditional where asked."""
        with failures("put"):
            obstore.put(self.store, path, data, mode="create" if if_absent else "overwrite", use_multipart=False)

    def replace(self, source: str, destination: str) -> None:
        """A copy within the store, which readers see whole or not, then the removal of the source."""
        with failures("replace"):
            obstore.copy(self.store, source, destination)
        # What a retention keeps beside its copy is a leftover, which a purge finds and holds.
        with suppress(RemovalForbidden):
            self.remove(source)

    def remove(self, path: str) -> None:
        """Delete; stores answer alike for an object that is not there."""
        forbidden = False
        with failures("remove"):
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
        with failures("write"):
            self._upload.write(bytes(data))
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """The upload decides."""

    def close(self) -> None:
        self.closed = True


def _stat(entry: Any) -> FileStat:
    # A listing does not tell the version's id, and both must tell one version by the same name.
    version = entry["e_tag"] or entry["version"] or f"{entry['size']}-{entry['last_modified'].isoformat()}"
    return FileStat(entry["path"], entry["size"], entry["last_modified"], version)
