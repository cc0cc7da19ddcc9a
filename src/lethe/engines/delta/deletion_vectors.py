"""Deletion vectors: which rows of a file were deleted before, without the file being rewritten.

The protocol's layout: on disk, at an offset, the size (4 bytes, big endian), the bitmap, its CRC-32 (big endian);
inline, the bitmap in Z85. A bitmap begins with a magic number, then follows CRoaring's portable 64-bit form
(or the older array of 32-bit bitmaps, of which the specification's own example is one, in big endian). Everything
that can be checked is checked: a wrong row that stays hidden is lost, and a wrong row that comes back was deleted.
"""

import base64
import zlib
from typing import Final, Literal
from uuid import UUID

import numpy as np
from pyroaring import BitMap, BitMap64

from lethe.engines.delta.actions import DeletionVector, decoded
from lethe.engines.interface import TableRefused
from lethe.engines.storage.interface import Storage
from lethe.engines.tally import Numbers

_PORTABLE: Final = 1681511377
_NATIVE: Final = 1681511376
_ORDERS: Final[tuple[Literal["little", "big"], ...]] = ("little", "big")
_UUID_LENGTH: Final = 20
_Z85: Final = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_B85: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_TO_B85: Final = bytes.maketrans(_Z85, _B85)


def vector_path(vector: DeletionVector) -> str | None:
    """The file in which a vector stands, below the table's root; None when it stands in the log.

    Raises TableRefused for a file outside of the location.
    """
    match vector.storage_type:
        case "i":
            return None
        case "u":
            prefix = vector.path_or_inline[:-_UUID_LENGTH]
            uuid = UUID(bytes=_z85(vector.path_or_inline[-_UUID_LENGTH:]))
            name = f"deletion_vector_{uuid}.bin"
            return f"{prefix}/{name}" if prefix else name
        case "p":
            return decoded(vector.path_or_inline)
        case other:
            raise TableRefused(f"a deletion vector is stored in an unknown way ({other})")


def hidden_rows(storage: Storage, vector: DeletionVector | None) -> Numbers:
    """The positions of hidden rows in their file, ascending. Raises TableRefused, StorageFailed."""
    if vector is None:
        return np.zeros(0, dtype=np.int64)
    data = _data(storage, vector)
    try:
        rows = _rows(data)
    except (ValueError, MemoryError, OverflowError) as error:
        raise TableRefused("a deletion vector cannot be decoded") from error
    if len(rows) != vector.cardinality:
        raise TableRefused("a deletion vector hides another number of rows than the log says")
    return rows


def _rows(data: bytes) -> Numbers:
    """The bitmap's numbers. Raises ValueError."""
    if int.from_bytes(data[:4], "little") == _PORTABLE:
        return np.array(BitMap64.deserialize(data[4:]).to_array(), dtype=np.int64)
    for order in _ORDERS:
        if int.from_bytes(data[:4], order) == _NATIVE:
            return _native_rows(data, order)
    raise TableRefused("a deletion vector is in an unknown form")


def _native_rows(data: bytes, order: Literal["little", "big"]) -> Numbers:
    """The older form: after the magic number the count of 32-bit bitmaps, and each with its size before it."""
    count, position = int.from_bytes(data[4:8], order), 8
    parts = [np.zeros(0, dtype=np.int64)]
    for high in range(count):
        size = int.from_bytes(data[position : position + 4], order)
        position += 4
        if not 0 < size <= len(data) - position:
            raise TableRefused("a deletion vector cannot be decoded")
        low = np.array(BitMap.deserialize(data[position : position + size]).to_array(), dtype=np.int64)
        parts.append(low + (high << 32))
        position += size
    return np.concatenate(parts)


def _data(storage: Storage, vector: DeletionVector) -> bytes:
    path = vector_path(vector)
    if path is None:
        data = _z85(vector.path_or_inline)
        if not vector.size_bytes <= len(data) < vector.size_bytes + 4:
            raise TableRefused("a deletion vector in the log is cut")
        return data[: vector.size_bytes]
    with storage.open(path) as source:
        source.seek(vector.offset or 0)
        stored = bytes(source.read(8 + vector.size_bytes))
    if len(stored) != 8 + vector.size_bytes or int.from_bytes(stored[:4], "big") != vector.size_bytes:
        raise TableRefused("a deletion vector's file is cut")
    data = stored[4:-4]
    if zlib.crc32(data) != int.from_bytes(stored[-4:], "big"):
        raise TableRefused("a deletion vector's checksum is wrong")
    return data


def _z85(text: str) -> bytes:
    """Decode Z85, which is base 85 with another alphabet. Raises TableRefused."""
    raw = text.encode()
    if len(raw) % 5 or raw.translate(None, _Z85):
        raise TableRefused("a deletion vector is not written in Z85")
    try:
        return base64.b85decode(raw.translate(_TO_B85))
    except ValueError as error:
        raise TableRefused("a deletion vector is not written in Z85") from error
