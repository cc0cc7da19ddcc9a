"""Thrift's compact protocol, read into plain values: a struct is a mapping from field number to value."""

import struct
from collections.abc import Callable
from typing import Any, Final

from lethe.engines.verify.parts import Sliced

_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(13)
_UUID: Final = 13
_LONG_LIST: Final = 15
_WINDOW: Final = 1 << 10
"""Bytes in which the header of a page usually ends; some carry long bounds."""
_WIDER: Final = 16


class Reader:
    """Reads one value after another from some bytes."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def varint(self) -> int:
        """An unsigned number."""
        shift = value = 0
        while True:
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the continuation bit
                return value
            shift += 7

    def zigzag(self) -> int:
        """A signed number."""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def binary(self) -> bytes:
        """Bytes with their length before them."""
        return self._take(self.varint())

    def struct(self) -> dict[int, Any]:
        """Fields up to the stop. Numbers are read here: most of a footer and of page headers is numbers."""
        data, position = self.data, self.position
        fields: dict[int, Any] = {}
        number = 0
        while True:
            header = data[position]
            position += 1
            kind, delta = header & 0x0F, header >> 4
            if kind == _STOP:
                self.position = position
                return fields
            if delta:
                number += delta
            else:
                self.position = position
                number = self.zigzag()
                position = self.position
            if kind <= _FALSE:
                fields[number] = kind == _TRUE
            elif _I16 <= kind <= _I64:
                byte = data[position]
                position += 1
                value, shift = byte & 0x7F, 7
                while byte >= 0x80:  # noqa: PLR2004 - the continuation bit
                    byte = data[position]
                    position += 1
                    value |= (byte & 0x7F) << shift
                    shift += 7
                fields[number] = (value >> 1) ^ -(value & 1)
            else:
                self.position = position
                fields[number] = _READERS[kind](self)
                position = self.position

    def _list(self) -> list[Any]:
        header = self.data[self.position]
        self.position += 1
        length, kind = header >> 4, header & 0x0F
        if length == _LONG_LIST:
            length = self.varint()
        if kind in {_TRUE, _FALSE}:
            return [byte == _TRUE for byte in self._take(length)]
        return [self._value(kind) for _ in range(length)]

    def _map(self) -> dict[Any, Any]:
        length = self.varint()
        if not length:
            return {}
        kinds = self.data[self.position]
        self.position += 1
        return {self._value(kinds >> 4): self._value(kinds & 0x0F) for _ in range(length)}

    def _take(self, count: int) -> bytes:
        start, self.position = self.position, self.position + count
        if self.position > len(self.data):
            raise IndexError
        return self.data[start : self.position]

    def _value(self, kind: int) -> Any:
        return _READERS[kind](self)


def struct_at(data: Sliced, position: int) -> tuple[dict[int, Any], int]:
    """The struct that begins there, and where it ends. Raises IndexError, KeyError."""
    window = _WINDOW
    while True:
        reader = Reader(data[position : position + window])
        try:
            return reader.struct(), position + reader.position
        except IndexError:
            if position + window >= len(data):
                raise
        window *= _WIDER


_READERS: Final[dict[int, Callable[[Reader], Any]]] = {
    _TRUE: lambda r: r._take(1) == b"\x01",  # noqa: SLF001 - the table belongs to the class
    _FALSE: lambda r: r._take(1) == b"\x01",  # noqa: SLF001
    _BYTE: lambda r: r._take(1)[0],  # noqa: SLF001
    _I16: Reader.zigzag,
    _I32: Reader.zigzag,
    _I64: Reader.zigzag,
    _DOUBLE: lambda r: struct.unpack("<d", r._take(8))[0],  # noqa: SLF001
    _BINARY: Reader.binary,
    _LIST: lambda r: r._list(),  # noqa: SLF001
    _SET: lambda r: r._list(),  # noqa: SLF001
    _MAP: lambda r: r._map(),  # noqa: SLF001
    _STRUCT: Reader.struct,
    _UUID: lambda r: r._take(16),  # noqa: SLF001
}
