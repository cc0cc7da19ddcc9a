"""Split-block bloom filters: asked for identities, and rebuilt from the values that remain.

A filter answers "maybe" by chance. So when it does, it is rebuilt from the values of its column, and must be the same
bits: one bit more, and it still knows a value that is gone. Values of equal length are hashed together, in vectors.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lethe.engines.verify.parquet.footer import Chunk
from lethe.engines.verify.parquet.thrift import struct_at
from lethe.engines.verify.parts import Sliced

Words = NDArray[np.uint64]

_SALT: Final = np.array(
    [0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31], dtype=np.uint64
)
_P1, _P2, _P3, _P4, _P5 = (
    np.array([prime], dtype=np.uint64)
    for prime in (
        11400714785074694791,
        14029467366897019727,
        1609587929392839161,
        9650029242287828579,
        2870177450012600261,
    )
)
_LOW: Final = np.uint64(0xFFFFFFFF)
_STRIPE: Final = 32


def read_filter(data: Sliced, chunk: Chunk) -> tuple[bytes, int]:
    """The bits of a chunk's filter, and where they end in the file."""
    assert chunk.bloom is not None  # noqa: S101 - asked for chunks with a filter only
    header, start = struct_at(data, chunk.bloom)
    return data[start : start + header[1]], start + header[1]


def may_hold(bits: bytes, hashes: Words) -> bool:
    """Whether the filter says maybe to any of some hashes."""
    words, masks = _places(hashes, len(bits) // 32)
    held = np.frombuffer(bits, dtype="<u4").astype(np.uint64)[words]
    return bool(((held & masks) == masks).all(axis=1).any())


def rebuilt(values: Iterable[bytes], size: int) -> bytes:
    """The filter of this size that holds these values."""
    bits = np.zeros(size // 4, dtype=np.uint64)
    words, masks = _places(hashed(values), size // 32)
    np.bitwise_or.at(bits, words.ravel(), masks.ravel())
    return bits.astype("<u4").tobytes()


def stored(value: Any, width: int) -> bytes:
    """A value as filters hash it."""
    return value if isinstance(value, bytes) else int(value).to_bytes(width, "little", signed=True)


def _places(hashes: Words, blocks: int) -> tuple[Any, Words]:
    """For each hash the numbers of its block's eight words, and its bit in each."""
    block = ((hashes >> np.uint64(32)) * np.uint64(blocks)) >> np.uint64(32)
    words = block.astype(np.int64)[:, None] * 8 + np.arange(8)
    shifts = (((hashes & _LOW)[:, None] * _SALT) & _LOW) >> np.uint64(27)
    return words, np.uint64(1) << shifts


def hashed(values: Iterable[bytes]) -> Words:
    """XXH64 with seed 0 of every value, in no order."""
    by_length: dict[int, list[bytes]] = defaultdict(list)
    for value in values:
        by_length[len(value)].append(value)
    found = [_xxh64(b"".join(alike), length, len(alike)) for length, alike in by_length.items()]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.uint64)


def _xxh64(data: bytes, length: int, count: int) -> Words:
    """Of so many values of one length, which stand one after another."""
    table = np.frombuffer(data, dtype=np.uint8).reshape(count, length)
    position = 0
    if length >= _STRIPE:
        lanes: list[Words] = [np.repeat(start, count) for start in (_P1 + _P2, _P2, _P1 - _P1, np.uint64(0) - _P1)]
        while position + _STRIPE <= length:
            lanes = [_round(lane, _read(table, position + 8 * number, 8)) for number, lane in enumerate(lanes)]
            position += _STRIPE
        h = _rotated(lanes[0], 1) + _rotated(lanes[1], 7) + _rotated(lanes[2], 12) + _rotated(lanes[3], 18)
        for lane in lanes:
            h = (h ^ _round(np.zeros(count, dtype=np.uint64), lane)) * _P1 + _P4
    else:
        h = np.repeat(_P5, count)
    h = h + np.uint64(length)
    while position + 8 <= length:
        h = h ^ _round(np.zeros(count, dtype=np.uint64), _read(table, position, 8))
        h = _rotated(h, 27) * _P1 + _P4
        position += 8
    if position + 4 <= length:
        h = _rotated(h ^ (_read(table, position, 4) * _P1), 23) * _P2 + _P3
        position += 4
    for byte in range(position, length):
        h = _rotated(h ^ (_read(table, byte, 1) * _P5), 11) * _P1
    h = (h ^ (h >> np.uint64(33))) * _P2
    h = (h ^ (h >> np.uint64(29))) * _P3
    return h ^ (h >> np.uint64(32))


def _read(table: NDArray[np.uint8], position: int, width: int) -> Words:
    """The number at one place of every value."""
    part = np.ascontiguousarray(table[:, position : position + width])
    return part.view(f"<u{width}")[:, 0].astype(np.uint64)


def _round(accumulator: Words, lane: Words) -> Words:
    return _rotated(accumulator + lane * _P2, 31) * _P1


def _rotated(value: Words, by: int) -> Words:
    return (value << np.uint64(by)) | (value >> np.uint64(64 - by))
