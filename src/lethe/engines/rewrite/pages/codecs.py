"""Compression of pages, by the numbers of parquet-format's `CompressionCodec`.

Arrow's codecs fill a buffer of the size that the page's header claims, and some of them do not say when there was less
to fill it with. What was not filled is somebody's old memory, so the claim is checked here.
"""

import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.faults import Damaged, Unfit

UNCOMPRESSED, SNAPPY, GZIP, LZO, BROTLI, LZ4_HADOOP, ZSTD, LZ4_RAW = range(8)
_NAMES: Final[Mapping[int, str]] = {
    SNAPPY: "snappy",
    GZIP: "gzip",
    BROTLI: "brotli",
    ZSTD: "zstd",
    LZ4_RAW: "lz4_raw",
}
_ANY_GZIP: Final = 47
PAGE_SIZE_MAX: Final = 1 << 28
"""Larger pages are not taken apart: what a header claims must not exhaust the memory."""


def why_not(codec: int) -> str | None:
    """Why pages of a codec are not cut."""
    if codec == UNCOMPRESSED or codec in _NAMES:
        return None
    return {LZO: "the codec LZO", LZ4_HADOOP: "the codec LZ4 in Hadoop's framing"}.get(codec, "an unknown codec")


@lru_cache(maxsize=32)
def _codec(codec: int, level: int | None) -> Any:
    return pa.Codec(_NAMES[codec]) if level is None else pa.Codec(_NAMES[codec], compression_level=level)


def compressed(data: Any, codec: int, levels: Mapping[str, int]) -> Any:
    """The bytes of a page's body, compressed; the page's own, whatever becomes of the data."""
    if codec == UNCOMPRESSED:
        return bytes(data)
    buffer = _codec(codec, levels.get(_NAMES[codec].upper())).compress(data)
    # The buffer was made for the worst case. What is in it is copied, for the page waits until all of its row group is
    # cut, and the memory of the buffer, used again for the next page, needs not be cleared by the kernel each time.
    return bytes(memoryview(buffer).cast("B")[: buffer.size])


def decompressed(data: Any, codec: int, size: int) -> Any:
    """The bytes of a page's body. Raises Damaged, Unfit."""
    if not 0 <= size <= PAGE_SIZE_MAX:
        raise Unfit("a page is too large")
    if codec == UNCOMPRESSED:
        if len(data) != size:
            raise Damaged("a page has another size than it says")
        return data
    if not size:
        return b""
    if codec not in _NAMES:
        raise Unfit("the codec")
    try:
        found = _decompressed(data, codec, size)
    except (OSError, ValueError, zlib.error, pa.ArrowException) as error:
        raise Damaged("a page cannot be decompressed") from error
    if len(found) != size:
        raise Damaged("a page has another size than it says")
    return found


def _decompressed(data: Any, codec: int, size: int) -> Any:
    """No more than a byte above the size: a bomb must not go off."""
    if codec == GZIP:
        return zlib.decompressobj(_ANY_GZIP).decompress(data, size + 1)
    if codec == BROTLI:
        with pa.CompressedInputStream(pa.BufferReader(pa.py_buffer(data)), "brotli") as stream:
            return stream.read(size + 1)
    if _claimed(data, codec, size) != size:
        raise Damaged("a page has another size than it says")
    return _codec(codec, None).decompress(data, decompressed_size=size)


def _claimed(data: Any, codec: int, size: int) -> int:
    """The size that compressed bytes themselves give; Arrow checks that of ZSTD."""
    if codec == LZ4_RAW:
        return _native.lz4_size(data)
    if codec != SNAPPY:
        return size
    value = 0
    for place, byte in enumerate(bytes(data[:5])):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value
    raise Damaged("a page cannot be decompressed")
