"""The pages of a chunk, decompressed one after another."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pyarrow as pa

from lethe.engines.verify.findings import Unreadable
from lethe.engines.verify.parquet.footer import Chunk, Statistics, statistics
from lethe.engines.verify.parquet.thrift import struct_at
from lethe.engines.verify.parts import Sliced

_DATA, _INDEX, _DICTIONARY, _DATA_V2 = range(4)
PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED = 0, 2, 3, 4
DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY, RLE_DICTIONARY, BYTE_STREAM_SPLIT = 5, 6, 7, 8, 9
_CODECS: Final = {1: "snappy", 4: "brotli", 6: "zstd", 7: "lz4_raw"}
_GZIP, _LZ4_HADOOP = 2, 5


@dataclass(frozen=True)
class Page:
    """One page; it is decompressed when its content is asked for."""

    dictionary: bool
    values: int
    """Values, nulls included."""
    encoding: int
    statistics: Statistics
    open: Callable[[], tuple[bytes, bytes, bytes]] = field(repr=False)

    @cached_property
    def _parts(self) -> tuple[bytes, bytes, bytes]:
        return self.open()

    @property
    def repetition(self) -> bytes:
        """Encoded levels; empty where the column has none."""
        return self._parts[0]

    @property
    def definition(self) -> bytes:
        """Encoded levels; empty where the column has none."""
        return self._parts[1]

    @property
    def body(self) -> bytes:
        """The values alone, decompressed."""
        return self._parts[2]


def pages(data: Sliced, chunk: Chunk) -> Iterator[Page]:
    """Walk a chunk of a whole file. Raises Unreadable where the walk does not end with the chunk."""
    position, end = chunk.start, chunk.start + chunk.size_bytes
    while position < end:
        try:
            header, start = struct_at(data, position)
        except (IndexError, KeyError) as error:
            raise Unreadable("a page header cannot be read") from error
        position = start + header[3]
        if position > end:
            raise Unreadable("a page leads out of its chunk")
        if header[1] != _INDEX:
            yield _page(header, data, slice(start, position), chunk)
    if position != end:
        raise Unreadable("the pages do not fill their chunk")


def _page(header: dict[int, Any], data: Sliced, at: slice, chunk: Chunk) -> Page:
    """The page whose compressed bytes stand there. Of most pages only the header is wanted: they are not read."""
    kind, size, leaf = header[1], header[2], chunk.leaf
    if kind == _DICTIONARY:
        details = header[7]
        return Page(
            dictionary=True,
            values=details[1],
            encoding=details[2],
            statistics=Statistics(),
            open=lambda: (b"", b"", decompressed(data[at], chunk.codec, size)),
        )
    if kind == _DATA:
        details = header[5]
        if (leaf.definition_max and details[3] == BIT_PACKED) or (leaf.repetition_max and details[4] == BIT_PACKED):
            raise Unreadable("levels in an encoding that is no longer written")
        bounds = statistics(details.get(5))
        return Page(False, details[1], details[2], bounds, lambda: _opened_v1(data[at], chunk, size))
    if kind == _DATA_V2:
        details = header[8]
        return Page(
            False, details[1], details[4], statistics(details.get(8)), lambda: _opened_v2(data[at], chunk, header)
        )
    raise Unreadable("a page of an unknown kind")


def _opened_v1(raw: bytes, chunk: Chunk, size: int) -> tuple[bytes, bytes, bytes]:
    """Levels and values are compressed together."""
    body = decompressed(raw, chunk.codec, size)
    repetition, body = _levels_v1(body, chunk.leaf.repetition_max)
    definition, body = _levels_v1(body, chunk.leaf.definition_max)
    return repetition, definition, body


def _opened_v2(raw: bytes, chunk: Chunk, header: dict[int, Any]) -> tuple[bytes, bytes, bytes]:
    """Levels stand before the values, never compressed."""
    details = header[8]
    values = details[6] + details[5]
    body = raw[values:]
    if details.get(7, True):
        body = decompressed(body, chunk.codec, header[2] - values)
    return raw[: details[6]], raw[details[6] : values], body


def _levels_v1(body: bytes, maximum: int) -> tuple[bytes, bytes]:
    if not maximum:
        return b"", body
    length = int.from_bytes(body[:4], "little")
    return body[4 : 4 + length], body[4 + length :]


def decompressed(raw: bytes, codec: int, size: int) -> bytes:
    """The bytes behind a codec of parquet-format's `CompressionCodec`. Raises Unreadable."""
    if codec == 0 or not size:
        return raw
    try:
        if codec == _GZIP:
            return zlib.decompress(raw, wbits=47)
        if codec == _LZ4_HADOOP:
            return _lz4_hadoop(raw, size)
        return bytes(pa.Codec(_CODECS[codec]).decompress(raw, decompressed_size=size).to_pybytes())
    except (KeyError, OSError, ValueError, zlib.error) as error:
        raise Unreadable("a page cannot be decompressed") from error


def _lz4_hadoop(raw: bytes, size: int) -> bytes:
    """Hadoop's frames: size and compressed size, big-endian, before each block; some writers left them out."""
    codec = pa.Codec("lz4_raw")
    out, position = [], 0
    while position + 8 <= len(raw):
        block = int.from_bytes(raw[position : position + 4], "big")
        packed = int.from_bytes(raw[position + 4 : position + 8], "big")
        if position + 8 + packed > len(raw) or block > size:
            return bytes(codec.decompress(raw, decompressed_size=size).to_pybytes())
        out.append(codec.decompress(raw[position + 8 : position + 8 + packed], decompressed_size=block).to_pybytes())
        position += 8 + packed
    return b"".join(out)
