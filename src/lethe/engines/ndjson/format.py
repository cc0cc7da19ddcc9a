"""How one file of newline-delimited JSON is searched and copied: line by line, untouched lines byte for byte."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any, Final

from lethe.domain.dataset import PrimaryIdentity, TableFormat
from lethe.engines.directory.formats import Searched
from lethe.engines.directory.listing import partition_values
from lethe.engines.interface import TableRefused
from lethe.engines.matching import Matcher
from lethe.engines.ndjson.lines import judged
from lethe.engines.tally import Counts

_BATCH_BYTES: Final = 1 << 24
_GZIP_MAGIC: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class _Copied:
    rows: int
    lines: int
    """Lines of the copy, blank ones included."""
    gzipped: bool
    counts: Counts


@dataclass(frozen=True, slots=True)
class NdjsonFormat:
    """Lines of JSON objects. A blank line is no row, and stays."""

    gzip_level: int = 6

    @property
    def format(self) -> TableFormat:
        """Newline-delimited JSON."""
        return TableFormat.NDJSON

    def search(self, source: Any, path: str, matcher: Matcher) -> Searched:
        """Decode every line."""
        rows, counts, around = 0, Counts(), _named_around(path, matcher)
        with _lines(source) as stream:
            for first_line, batch in _batches(stream):
                judgement = judged(batch, matcher, first_line, around)
                rows += judgement.rows
                counts += judgement.counts
        return Searched(rows, counts)

    def copy(self, source: Any, path: str, sink: IO[bytes], matcher: Matcher, *, anew: bool) -> _Copied:  # noqa: ARG002
        """Write the lines that stay. The last line keeps, or keeps lacking, its end."""
        gzipped, around = _is_gzip(source), _named_around(path, matcher)
        rows, lines, counts = 0, 0, Counts()
        with ExitStack() as stack:
            stream = stack.enter_context(_lines(source))
            out: Any = sink
            if gzipped:
                # No name and no time: neither tells anything of the rows.
                out = stack.enter_context(gzip.GzipFile("", "wb", self.gzip_level, sink, mtime=0))
            for first_line, batch in _batches(stream):
                judgement = judged(batch, matcher, first_line, around)
                rows += judgement.rows
                counts += judgement.counts
                kept = [line for line, gone in zip(batch, judgement.leave_out, strict=True) if not gone]
                lines += len(kept)
                out.writelines(kept)
        return _Copied(rows, lines, gzipped, counts)

    def require_same_form(self, source: Any, result: Any, copied: Any) -> Searched:  # noqa: ARG002
        """Count the lines that arrived."""
        if _is_gzip(result) != copied.gzipped and result.size():
            raise TableRefused("rewriting would change the compression")
        with _lines(result) as stream:
            lines = sum(1 for _ in stream)
        if lines != copied.lines:
            raise TableRefused("rewriting would change the number of lines")
        return Searched(copied.rows, copied.counts)


def _named_around(path: str, matcher: Matcher) -> str | None:
    """Whom a directory names where the identity is a partition column: `id=…`."""
    selector = matcher.selector
    if isinstance(selector, PrimaryIdentity) and len(selector.path) == 1:
        return partition_values(path).get(selector.path[0])
    return None


def _is_gzip(source: Any) -> bool:
    source.seek(0)
    return bool(source.read(2) == _GZIP_MAGIC)


def _lines(source: Any) -> Any:
    """The decompressed stream of a `pyarrow.NativeFile`, split at newlines only."""
    gzipped = _is_gzip(source)
    source.seek(0)
    raw = io.BufferedReader(_Unclosed(source), 1 << 20)
    return gzip.GzipFile(fileobj=raw, mode="rb") if gzipped else raw


class _Unclosed(io.RawIOBase):
    """A source that stays open when its reader is closed."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _batches(stream: Any) -> Iterator[tuple[int, list[bytes]]]:
    """Lines, in batches of bounded size, each with the number of its first line."""
    first_line = 1
    while batch := _batch(stream):
        yield first_line, batch
        first_line += len(batch)


def _batch(stream: Any) -> list[bytes]:
    try:
        return list(stream.readlines(_BATCH_BYTES))
    except (gzip.BadGzipFile, EOFError, zlib.error):
        pass
    raise TableRefused("it is not a complete gzip file")
