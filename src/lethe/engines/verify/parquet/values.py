"""Values and levels out of pages, by encoding."""

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lethe.engines.verify.findings import Unreadable
from lethe.engines.verify.parquet.footer import BYTE_ARRAY, FIXED, INT32, INT64, Leaf
from lethe.engines.verify.parquet.pages import (
    BYTE_STREAM_SPLIT,
    DELTA_BINARY_PACKED,
    DELTA_BYTE_ARRAY,
    DELTA_LENGTH_BYTE_ARRAY,
    PLAIN,
    PLAIN_DICTIONARY,
    RLE_DICTIONARY,
    Page,
)
from lethe.engines.verify.parquet.thrift import Reader

Integers = NDArray[np.int64]
DICTIONARY_ENCODINGS: Final = frozenset({PLAIN_DICTIONARY, RLE_DICTIONARY})


def levels(encoded: bytes, maximum: int, count: int) -> Integers:
    """Repetition or definition levels."""
    if not maximum:
        return np.zeros(count, dtype=np.int64)
    return hybrid(encoded, maximum.bit_length(), count)


def hybrid(data: bytes, width: int, count: int) -> Integers:
    """Runs and bit-packed groups."""
    out = np.zeros(count, dtype=np.int64)
    if not width:
        return out
    filled = 0
    reader = Reader(data)
    size = (width + 7) // 8
    while filled < count:
        header = reader.varint()
        if header & 1:
            packed = (header >> 1) * width
            bits = np.frombuffer(data[reader.position : reader.position + packed], dtype=np.uint8)
            values = _unpacked(bits, width)[: count - filled]
            reader.position += packed
            out[filled : filled + len(values)] = values
            filled += len(values)
            if not len(values):
                raise Unreadable("a run of no values")
        else:
            run = min(header >> 1, count - filled)
            out[filled : filled + run] = int.from_bytes(data[reader.position : reader.position + size], "little")
            reader.position += size
            filled += run
    return out


def _unpacked(packed: NDArray[np.uint8], width: int) -> Integers:
    """Little-endian bit-packed numbers."""
    if not width:
        return np.zeros(0, dtype=np.int64)
    bits = np.unpackbits(packed, bitorder="little")
    table: Integers = bits[: len(bits) // width * width].reshape(-1, width).astype(np.int64)
    numbers: Integers = table @ (np.int64(1) << np.arange(width, dtype=np.int64))
    return numbers


def present(page: Page, leaf: Leaf) -> int:
    """How many values of a page are not null."""
    if not leaf.definition_max:
        return page.values
    return int((levels(page.definition, leaf.definition_max, page.values) == leaf.definition_max).sum())


def indices(page: Page, leaf: Leaf) -> Integers:
    """Of a page whose values are numbers of dictionary entries."""
    count = present(page, leaf)
    return hybrid(page.body[1:], page.body[0], count) if count else np.zeros(0, dtype=np.int64)


def decode(page: Page, leaf: Leaf) -> Any:
    """The values of a dictionary page, or those of a data page that are not null and no dictionary indices.

    A list of bytes for byte arrays and fixed ones, an array for integers, nothing for the rest. Raises Unreadable.
    """
    count = page.values if page.dictionary else present(page, leaf)
    encoding = PLAIN if page.dictionary else page.encoding
    try:
        if leaf.physical == BYTE_ARRAY:
            return _byte_arrays(page.body, encoding, count)
        if leaf.physical in {INT32, INT64}:
            return _integers(page.body, encoding, count, 4 if leaf.physical == INT32 else 8)
        if leaf.physical == FIXED:
            return _fixed(page.body, encoding, count, leaf.length)
    except (IndexError, struct.error) as error:
        raise Unreadable("the values of a page cannot be decoded") from error
    return []


def _byte_arrays(body: bytes, encoding: int, count: int) -> list[bytes]:
    if encoding == PLAIN:
        out, position = [], 0
        unpack = struct.Struct("<I").unpack_from
        for _ in range(count):
            end = position + 4 + unpack(body, position)[0]
            out.append(body[position + 4 : end])
            position = end
        return out
    if encoding == DELTA_LENGTH_BYTE_ARRAY:
        lengths, position = delta(body, count)
        return _cut(body, position, lengths)
    if encoding == DELTA_BYTE_ARRAY:
        prefixes, position = delta(body, count)
        lengths, after = delta(body[position:], count)
        suffixes = _cut(body, position + after, lengths)
        values: list[bytes] = []
        last = b""
        for prefix, suffix in zip(prefixes.tolist(), suffixes, strict=True):
            last = last[:prefix] + suffix
            values.append(last)
        return values
    raise Unreadable("byte arrays in an unknown encoding")


def _cut(body: bytes, position: int, lengths: Integers) -> list[bytes]:
    ends = (position + np.cumsum(lengths)).tolist()
    return [body[start:end] for start, end in zip([position, *ends[:-1]], ends, strict=True)] if ends else []


def _integers(body: bytes, encoding: int, count: int, width: int) -> Any:
    kind = f"<i{width}"
    if encoding == PLAIN:
        return np.frombuffer(body, dtype=kind, count=count)
    if encoding == DELTA_BINARY_PACKED:
        return delta(body, count)[0].astype(kind)
    if encoding == BYTE_STREAM_SPLIT:
        return np.frombuffer(_joined(body, count, width), dtype=kind)
    raise Unreadable("integers in an unknown encoding")


def _fixed(body: bytes, encoding: int, count: int, length: int) -> list[bytes]:
    if encoding == DELTA_BYTE_ARRAY:
        return _byte_arrays(body, encoding, count)
    if encoding == BYTE_STREAM_SPLIT:
        body = _joined(body, count, length)
    elif encoding != PLAIN:
        raise Unreadable("fixed bytes in an unknown encoding")
    return [body[i * length : (i + 1) * length] for i in range(count)]


def _joined(body: bytes, count: int, width: int) -> bytes:
    return np.frombuffer(body, dtype=np.uint8, count=count * width).reshape(width, count).T.tobytes()


def delta(data: bytes, count: int) -> tuple[Integers, int]:
    """DELTA_BINARY_PACKED: the first so many numbers, and where all of them end.

    DuckDB also writes values that lie below a null struct; readers take only the first ones.
    """
    reader = Reader(data)
    block, minis, total = reader.varint(), reader.varint(), reader.varint()
    first = reader.zigzag()
    if total < count:
        raise Unreadable("a page holds fewer values than it says")
    if not total:
        return np.zeros(0, dtype=np.int64), reader.position
    per_mini = block // minis
    parts: list[Integers] = [np.array([first], dtype=np.int64)]
    got = 1
    while got < total:
        least = np.int64(reader.zigzag())
        widths = data[reader.position : reader.position + minis]
        reader.position += minis
        for width in widths:
            if got >= total:
                break
            size = width * per_mini // 8
            raw = np.frombuffer(data[reader.position : reader.position + size], dtype=np.uint8)
            reader.position += size
            deltas = _unpacked(raw, width) if width else np.zeros(per_mini, dtype=np.int64)
            parts.append((deltas + least)[: total - got])
            got += len(parts[-1])
    with np.errstate(over="ignore"):
        return np.cumsum(np.concatenate(parts))[:count], reader.position
