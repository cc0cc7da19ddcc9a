"""Manifests and manifest lists through the engines' storage, so that every read and write has one seam."""

from io import SEEK_SET, BytesIO
from types import TracebackType

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream

from lethe.engines.iceberg.places import Places
from lethe.engines.storage.interface import FileMissing


class StorageFileIO(FileIO):
    """pyiceberg's view of the storage. What it writes appears whole or not at all, and never over another file."""

    def __init__(self, places: Places) -> None:
        super().__init__({})
        self._places = places

    def new_input(self, location: str) -> InputFile:
        """A small file to read."""
        return _Input(location, self._places)

    def new_output(self, location: str) -> OutputFile:
        """A small file to write."""
        return _Output(location, self._places)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Remove a file; one that is not there is removed."""
        storage, path = self._places.of(location if isinstance(location, str) else location.location)
        storage.remove(path)


class _Bytes(BytesIO):
    """Bytes as pyiceberg's streams want them."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size)

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        return super().seek(offset, whence)


class _Input(InputFile):
    def __init__(self, location: str, places: Places) -> None:
        super().__init__(location)
        self._storage, self._path = places.of(location)

    def __len__(self) -> int:
        return self._storage.stat(self._path).size_bytes

    def exists(self) -> bool:
        try:
            self._storage.stat(self._path)
        except FileMissing:
            return False
        return True

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 - pyiceberg's signature
        return _Bytes(self._storage.read(self._path))


class _Output(OutputFile):
    def __init__(self, location: str, places: Places) -> None:
        super().__init__(location)
        self._places = places
        self._storage, self._path = places.of(location)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def exists(self) -> bool:
        return self.to_input_file().exists()

    def to_input_file(self) -> InputFile:
        return _Input(self.location, self._places)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002 - names are never reused
        return _Sink(self)

    def put(self, data: bytes) -> None:
        """Write the whole file."""
        self._storage.put(self._path, data, if_absent=True)
        self._size = len(data)


class _Sink(_Bytes):
    """Gathers a file; it is written when the stream is closed."""

    def __init__(self, output: _Output) -> None:
        super().__init__()
        self._output = output

    def close(self) -> None:
        if not self.closed:
            data = self.getvalue()
            super().close()
            self._output.put(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()
