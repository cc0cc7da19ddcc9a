"""Split-block bloom filters: asked for identities, and rebuilt from the values that remain.

A filter answers "maybe" by chance. So when it does, it is rebuilt from the values of its column, and must be the same
bits: one bit more, and it still knows a value that is gone.
"""

from collections.abc import Iterable
from typing import Any, Final

from lethe.engines.verify.parquet.footer import Chunk
from lethe.engines.verify.parquet.thrift import Reader

_SALT: Final = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)
_P1, _P2, _P3, _P4, _P5 = (
    11400714785074694791,
    14029467366897019727,
    1609587929392839161,
    9650029242287828579,
    2870177450012600261,
)
_M: Final = (1 << 64) - 1


def read_filter(data: bytes, chunk: Chunk) -> tuple[bytes, int]:
    """The bits of a chunk's filter, and where they end in the file."""
    assert chunk.bloom is not None  # noqa: S101 - asked for chunks with a filter only
    reader = Reader(data, chunk.bloom)
    size = reader.struct()[1]
    return data[reader.position : reader.position + size], reader.position + size


def may_hold(bits: bytes, value: bytes) -> bool:
    """Whether the filter says maybe."""
    start, mask = _block(value, len(bits) // 32)
    return all(int.from_bytes(bits[start + 4 * i : start + 4 * i + 4], "little") & word for i, word in enumerate(mask))


def rebuilt(values: Iterable[bytes], size: int) -> bytes:
    """The filter of this size that holds these values."""
    words = [0] * (size // 4)
    for value in values:
        start, mask = _block(value, size // 32)
        for i, word in enumerate(mask):
            words[start // 4 + i] |= word
    return b"".join(word.to_bytes(4, "little") for word in words)


def stored(value: Any, width: int) -> bytes:
    """A value as filters hash it."""
    return value if isinstance(value, bytes) else int(value).to_bytes(width, "little", signed=True)


def _block(value: bytes, blocks: int) -> tuple[int, list[int]]:
    """Where the value's block starts, and its bits in each of the eight words."""
    digest = xxh64(value)
    low = digest & 0xFFFFFFFF
    return 32 * (((digest >> 32) * blocks) >> 32), [1 << (((low * salt) & 0xFFFFFFFF) >> 27) for salt in _SALT]


def xxh64(data: bytes) -> int:
    """XXH64 with seed 0."""
    length, position = len(data), 0
    if length >= 32:  # noqa: PLR2004 - a stripe
        lanes = [(_P1 + _P2) & _M, _P2, 0, -_P1 & _M]
        while position + 32 <= length:
            for i in range(4):
                lanes[i] = _round(lanes[i], int.from_bytes(data[position : position + 8], "little"))
                position += 8
        h = (_rotl(lanes[0], 1) + _rotl(lanes[1], 7) + _rotl(lanes[2], 12) + _rotl(lanes[3], 18)) & _M
        for lane in lanes:
            h = ((h ^ _round(0, lane)) * _P1 + _P4) & _M
    else:
        h = _P5
    h = (h + length) & _M
    while position + 8 <= length:
        h ^= _round(0, int.from_bytes(data[position : position + 8], "little"))
        h = (_rotl(h, 27) * _P1 + _P4) & _M
        position += 8
    if position + 4 <= length:
        h ^= (int.from_bytes(data[position : position + 4], "little") * _P1) & _M
        h = (_rotl(h, 23) * _P2 + _P3) & _M
        position += 4
    for byte in data[position:]:
        h = (_rotl(h ^ ((byte * _P5) & _M), 11) * _P1) & _M
    h = ((h ^ (h >> 33)) * _P2) & _M
    h = ((h ^ (h >> 29)) * _P3) & _M
    return h ^ (h >> 32)


def _round(accumulator: int, lane: int) -> int:
    return (_rotl((accumulator + lane * _P2) & _M, 31) * _P1) & _M


def _rotl(value: int, by: int) -> int:
    return ((value << by) | (value >> (64 - by))) & _M
