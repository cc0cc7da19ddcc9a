"""The order of values, by the column's type, from the bytes of their plain encoding: what bounds are bounds of."""

import struct
from collections.abc import Callable
from typing import Any, Final

from engines.pages.thrift import Typed
from lethe.engines.verify.parquet.footer import BOOLEAN, BYTE_ARRAY, DOUBLE, FIXED, FLOAT, INT32, INT64, Leaf

_UNSIGNED: Final = {11, 12, 13, 14}
_DECIMAL, _INTEGER, _FLOAT16 = 5, 10, 15

Key = Callable[[bytes], Any]


def key_of(leaf: Leaf, element: Typed) -> Key | None:
    """What to sort by; nothing where the format defines no order. A key is nothing for NaN."""
    logical = element[10].value if 10 in element.value else {}
    if leaf.physical in {INT32, INT64}:
        unsigned = element.get(6) in _UNSIGNED
        if _INTEGER in logical:
            unsigned = not logical[_INTEGER].get(2)
        return lambda value: int.from_bytes(value, "little", signed=not unsigned)
    if leaf.physical in {FLOAT, DOUBLE}:
        return _floating("<f" if leaf.physical == FLOAT else "<d")
    if leaf.physical == BOOLEAN:
        return lambda value: value[0]
    if leaf.physical in {BYTE_ARRAY, FIXED}:
        if leaf.decimal:
            return lambda value: int.from_bytes(value, "big", signed=True)
        return _floating("<e") if _FLOAT16 in logical else bytes
    return None


def _floating(form: str) -> Key:
    def key(value: bytes) -> float | None:
        number: float = struct.unpack(form, value)[0]
        return None if number != number else number  # noqa: PLR0124 - NaN

    return key
