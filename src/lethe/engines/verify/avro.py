"""Avro containers, block by block."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import pyarrow as pa

from lethe.engines.verify.findings import Unreadable

MAGIC: Final = b"Obj\x01"


def parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The header's metadata and every block, decompressed. Raises Unreadable."""
    try:
        yield from _parts(data)
    except (IndexError, KeyError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise Unreadable("the Avro container cannot be read") from error


def header(data: bytes) -> Mapping[bytes, bytes]:
    """The header's metadata. Raises Unreadable."""
    try:
        return _header(data)[0]
    except (IndexError, ValueError) as error:
        raise Unreadable("the Avro container cannot be read") from error


def _header(data: bytes) -> tuple[Mapping[bytes, bytes], int]:
    metadata: dict[bytes, bytes] = {}
    position = len(MAGIC)
    while True:
        count, position = _long(data, position)
        if not count:
            break
        if count < 0:
            _, position = _long(data, position)
        for _ in range(abs(count)):
            key, position = _bytes(data, position)
            metadata[key], position = _bytes(data, position)
    return metadata, position


def _parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    metadata, position = _header(data)
    yield "header", b"\n".join(part for pair in metadata.items() for part in pair)
    decompress = _CODECS[metadata.get(b"avro.codec", b"null")]
    position += 16
    while position < len(data):
        _, position = _long(data, position)
        block, position = _bytes(data, position)
        yield "block", decompress(block)
        position += 16


def _long(data: bytes, position: int) -> tuple[int, int]:
    shift = value = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return (value >> 1) ^ -(value & 1), position


def _bytes(data: bytes, position: int) -> tuple[bytes, int]:
    length, position = _long(data, position)
    if length < 0 or position + length > len(data):
        raise IndexError
    return data[position : position + length], position + length


def _snappy(block: bytes) -> bytes:
    """The last four bytes are a checksum; the size stands, as a varint, at the start."""
    size = shift = 0
    for byte in block:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004
            break
    return bytes(pa.Codec("snappy").decompress(block[:-4], decompressed_size=size).to_pybytes())


def _zstandard(block: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(block), "zstd") as stream:
        return bytes(stream.read())


_CODECS: Final[dict[bytes, Callable[[bytes], bytes]]] = {
    b"null": lambda block: block,
    b"deflate": lambda block: zlib.decompress(block, wbits=-15),
    b"snappy": _snappy,
    b"zstandard": _zstandard,
    b"bzip2": bz2.decompress,
    b"xz": lzma.decompress,
}
