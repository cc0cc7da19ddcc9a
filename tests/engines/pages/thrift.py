"""Thrift's compact protocol with its types kept, so that a structure can be changed and written back."""

from dataclasses import dataclass, field
from typing import Any

STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(13)


@dataclass
class Typed:
    """One value: `kind` is its type on the wire; a struct's value is a dictionary from field number to Typed."""

    kind: int
    value: Any
    of: tuple[int, ...] = field(default=())
    """Types of elements, or of keys and values."""

    def __getitem__(self, key: int) -> "Typed":
        found: Typed = self.value[key]
        return found

    def get(self, key: int) -> Any:
        """The plain value of a struct's field, or nothing."""
        return self.value[key].value if key in self.value else None


def read(data: bytes, position: int = 0) -> tuple[Typed, int]:
    """A struct, and where it ends."""
    return _struct(data, position)


def write(value: Typed) -> bytes:
    """The bytes of a struct."""
    out = bytearray()
    _write(out, value)
    return bytes(out)


def plain(value: Typed) -> Any:
    """Without types: for comparing."""
    if value.kind == STRUCT:
        return {number: plain(part) for number, part in value.value.items()}
    if value.kind in {LIST, SET}:
        return [plain(part) for part in value.value]
    return value.value


def varint(number: int) -> bytes:
    """An unsigned number on the wire."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _struct(data: bytes, at: int) -> tuple[Typed, int]:
    fields: dict[int, Typed] = {}
    number = 0
    while True:
        head = data[at]
        at += 1
        kind = head & 15
        if kind == STOP:
            return Typed(STRUCT, fields), at
        if head >> 4:
            number += head >> 4
        else:
            zigzag, at = _varint(data, at)
            number = (zigzag >> 1) ^ -(zigzag & 1)
        if kind in {TRUE, FALSE}:
            fields[number] = Typed(TRUE, kind == TRUE)
        else:
            fields[number], at = _value(data, at, kind)


def _value(data: bytes, at: int, kind: int) -> tuple[Typed, int]:
    if kind in {I16, I32, I64}:
        zigzag, at = _varint(data, at)
        return Typed(kind, (zigzag >> 1) ^ -(zigzag & 1)), at
    if kind == BINARY:
        length, at = _varint(data, at)
        return Typed(kind, data[at : at + length]), at + length
    if kind == STRUCT:
        return _struct(data, at)
    if kind in {LIST, SET}:
        head = data[at]
        at += 1
        length, of = head >> 4, head & 15
        if length == 15:
            length, at = _varint(data, at)
        items = []
        for _ in range(length):
            item, at = _value(data, at, of)
            items.append(item)
        return Typed(kind, items, (of,)), at
    if kind in {TRUE, FALSE}:
        return Typed(TRUE, data[at] == TRUE), at + 1
    if kind in {BYTE, DOUBLE}:
        width = 1 if kind == BYTE else 8
        return Typed(kind, data[at : at + width]), at + width
    raise ValueError(f"a thrift type that Parquet does not use: {kind}")


def _write(out: bytearray, value: Typed) -> None:
    if value.kind == STRUCT:
        last = 0
        for number, part in sorted(value.value.items()):
            kind = part.kind if part.kind != TRUE else (TRUE if part.value else FALSE)
            if 0 < number - last <= 15:
                out.append(number - last << 4 | kind)
            else:
                out.append(kind)
                out += varint(number << 1 if number >= 0 else (-number << 1) - 1)
            last = number
            if part.kind != TRUE:
                _write(out, part)
        out.append(STOP)
    elif value.kind in {I16, I32, I64}:
        out += varint(value.value << 1 if value.value >= 0 else (-value.value << 1) - 1)
    elif value.kind == BINARY:
        out += varint(len(value.value)) + value.value
    elif value.kind in {LIST, SET}:
        length, of = len(value.value), value.of[0]
        out += bytes([length << 4 | of]) if length < 15 else bytes([0xF0 | of]) + varint(length)
        for item in value.value:
            _write(out, item)
    elif value.kind == TRUE:
        out.append(TRUE if value.value else FALSE)
    else:
        out += value.value
