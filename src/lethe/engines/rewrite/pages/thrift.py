"""Thrift's compact protocol as values that are written back as they were read, understood or not.

A struct is a mapping from field number to a typed field. What this reader does not know by name it still carries along,
byte for byte: integers keep their width, doubles their bits, booleans in lists their spelling.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from lethe.engines.rewrite.pages.faults import Damaged

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = range(1, 14)
_BOOLEANS: Final = (TRUE, FALSE)
_LONG_LIST: Final = 15
_DEPTH_MAX: Final = 32
_FIXED_SIZES: Final = {DOUBLE: 8, UUID: 16, TRUE: 1, FALSE: 1, BYTE: 1}


class Field(NamedTuple):
    """A value and its type. Booleans are of type TRUE, whatever they say."""

    kind: int
    value: Any


class Items(NamedTuple):
    """A list or set."""

    kind: int
    values: tuple[Any, ...]


class Pairs(NamedTuple):
    """A map."""

    key_kind: int
    value_kind: int
    values: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Struct:
    """Fields by number, in ascending order when written."""

    fields: Mapping[int, Field]

    def get(self, number: int, default: Any = None) -> Any:
        """A field's value, or the default."""
        field = self.fields.get(number)
        return default if field is None else field.value

    def integer(self, number: int, default: int | None = None) -> int:
        """A field that must be an integer. Raises Damaged."""
        field = self.fields.get(number)
        if field is None and default is not None:
            return default
        if field is None or field.kind not in {BYTE, I16, I32, I64}:
            raise Damaged("a number is missing where the format wants one")
        return int(field.value)

    def struct(self, number: int) -> "Struct":
        """A field that must be a struct. Raises Damaged."""
        value = self.get(number)
        if not isinstance(value, Struct):
            raise Damaged("a structure is missing where the format wants one")
        return value

    def items(self, number: int, kind: int) -> tuple[Any, ...]:
        """The items of a list that must be there, all of a kind. Raises Damaged."""
        value = self.get(number)
        if not isinstance(value, Items) or (value.values and value.kind != kind):
            raise Damaged("a list is missing where the format wants one")
        return value.values

    def binary(self, number: int) -> bytes | None:
        """A field that is bytes, if it is there. Raises Damaged."""
        value = self.get(number)
        if value is not None and not isinstance(value, bytes):
            raise Damaged("bytes are missing where the format wants some")
        return value

    def having(self, changes: Mapping[int, Field | None]) -> "Struct":
        """With some fields replaced, added, or, where None, left out."""
        fields = dict(self.fields)
        for number, field in changes.items():
            if field is None:
                fields.pop(number, None)
            else:
                fields[number] = field
        return Struct(fields)


def read_struct(data: Any, position: int = 0) -> tuple[Struct, int]:
    """A struct in a buffer of bytes, and where it ends. Raises Damaged."""
    reader = _Reader(data, position)
    try:
        return reader.struct(0), reader.position
    except IndexError:
        raise Damaged("a structure leads out of its place") from None


def write_struct(struct: Struct) -> bytes:
    """The bytes of a struct."""
    out = bytearray()
    _write_struct(out, struct)
    return bytes(out)


class _Reader:
    """Reads one value after another. An IndexError says that the bytes have ended."""

    __slots__ = ("data", "position")

    def __init__(self, data: Any, position: int) -> None:
        self.data = data
        self.position = position

    def varint(self) -> int:
        byte = self.data[self.position]
        self.position += 1
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return int(byte)
        value = byte & 0x7F
        for shift in range(7, 70, 7):
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004
                return int(value)
        raise Damaged("a number is too long")

    def take(self, count: int) -> bytes:
        start, self.position = self.position, self.position + count
        if self.position > len(self.data):
            raise IndexError
        return bytes(self.data[start : self.position])

    def struct(self, depth: int) -> Struct:
        if depth > _DEPTH_MAX:
            raise Damaged("structures are nested too deeply")
        fields: dict[int, Field] = {}
        number = 0
        while True:
            header = self.data[self.position]
            self.position += 1
            if not header:
                return Struct(fields)
            kind, delta = header & 0x0F, header >> 4
            if delta:
                number += delta
            else:
                raw = self.varint()
                number = (raw >> 1) ^ -(raw & 1)
            if kind in {I32, I64, I16}:
                raw = self.varint()
                fields[number] = Field(kind, (raw >> 1) ^ -(raw & 1))
            elif kind in _BOOLEANS:
                fields[number] = Field(TRUE, kind == TRUE)
            else:
                fields[number] = Field(kind, self.value(kind, depth))

    def value(self, kind: int, depth: int) -> Any:  # noqa: PLR0911 - one return a type reads best
        if kind in {I16, I32, I64}:
            raw = self.varint()
            return (raw >> 1) ^ -(raw & 1)
        if kind == BINARY:
            return self.take(self.varint())
        if kind == STRUCT:
            return self.struct(depth + 1)
        if kind in {LIST, SET}:
            return self._items(depth)
        if kind == MAP:
            return self._pairs(depth)
        if kind == BYTE:
            return self.take(1)[0]
        if kind in _FIXED_SIZES:
            return self.take(_FIXED_SIZES[kind])
        raise Damaged("a structure holds a value of an unknown type")

    def _items(self, depth: int) -> Items:
        header = self.data[self.position]
        self.position += 1
        length, kind = header >> 4, header & 0x0F
        if length == _LONG_LIST:
            length = self.varint()
        self._require_room(length, depth)
        return Items(kind, tuple([self.value(kind, depth + 1) for _ in range(length)]))

    def _pairs(self, depth: int) -> Pairs:
        length = self.varint()
        if not length:
            return Pairs(0, 0, ())
        kinds = self.take(1)[0]
        self._require_room(length, depth)
        pairs = [(self.value(kinds >> 4, depth + 1), self.value(kinds & 0x0F, depth + 1)) for _ in range(length)]
        return Pairs(kinds >> 4, kinds & 0x0F, tuple(pairs))

    def _require_room(self, length: int, depth: int) -> None:
        """Every item takes a byte at least."""
        if length > len(self.data) - self.position or depth > _DEPTH_MAX:
            raise Damaged("a list is longer than its place")


def _write_varint(out: bytearray, value: int) -> None:
    while value >= 0x80:  # noqa: PLR2004
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _write_zigzag(out: bytearray, value: int) -> None:
    _write_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)


def _write_struct(out: bytearray, struct: Struct) -> None:
    last = 0
    for number in sorted(struct.fields):
        kind, value = struct.fields[number]
        written = (TRUE if value else FALSE) if kind == TRUE else kind
        delta = number - last
        if 0 < delta < 16:  # noqa: PLR2004 - four bits
            out.append(delta << 4 | written)
        else:
            out.append(written)
            _write_zigzag(out, number)
        last = number
        if kind != TRUE:
            _write_value(out, kind, value)
    out.append(0)


def _write_value(out: bytearray, kind: int, value: Any) -> None:
    if kind in {I16, I32, I64}:
        _write_zigzag(out, value)
    elif kind == BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind == STRUCT:
        _write_struct(out, value)
    elif kind in {LIST, SET}:
        _write_items(out, value)
    elif kind == MAP:
        _write_varint(out, len(value.values))
        if value.values:
            out.append(value.key_kind << 4 | value.value_kind)
        for one, other in value.values:
            _write_value(out, value.key_kind, one)
            _write_value(out, value.value_kind, other)
    elif kind == BYTE:
        out.append(value)
    else:
        out += value


def _write_items(out: bytearray, items: Items) -> None:
    length = len(items.values)
    if length < _LONG_LIST:
        out.append(length << 4 | items.kind)
    else:
        out.append(_LONG_LIST << 4 | items.kind)
        _write_varint(out, length)
    for value in items.values:
        _write_value(out, items.kind, value)
