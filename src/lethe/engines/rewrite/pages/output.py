"""The new file as it grows: bytes that are written, and ranges of the old file that are copied."""

import os
from contextlib import suppress
from typing import IO, Any, Final

import pyarrow as pa

from lethe.engines.rewrite.pages.footer import Span, read_at
from lethe.engines.storage.interface import Taking

_BLOCK: Final = 8 << 20


class Output:
    """A sink that knows its position. Ranges are copied by the kernel where both files are local, and by S3."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self._number = _file_number(sink)
        self.position = 0

    def write(self, data: Any) -> None:
        """Append bytes."""
        self._sink.write(data)
        self.position += len(data)

    def copy(self, source: Any, span: Span) -> None:
        """Append a range of a `pyarrow.NativeFile`. Raises Damaged where it ends before."""
        start = span.start
        if self._number is not None and isinstance(source, pa.OSFile):
            start += self._copied_by_kernel(source, span)
        elif isinstance(self._sink, Taking) and self._sink.take(source, start, span.size):
            self.position += span.size
            return
        while start < span.end:
            block = read_at(source, Span(start, min(_BLOCK, span.end - start)))
            self.write(block)
            start += len(block)

    def _copied_by_kernel(self, source: Any, span: Span) -> int:
        """How many bytes of a range the kernel copied; the rest is for others."""
        number = self._number
        if number is None or not hasattr(os, "copy_file_range"):
            return 0
        self._sink.flush()
        done = 0
        # Not every file system copies, and none says so before it is asked.
        with suppress(OSError):
            while done < span.size:
                some = os.copy_file_range(source.fileno(), number, span.size - done, offset_src=span.start + done)
                if not some:
                    break
                done += some
        self.position += done
        return done


def _file_number(sink: IO[bytes]) -> int | None:
    try:
        return sink.fileno()
    except (OSError, AttributeError):
        return None
