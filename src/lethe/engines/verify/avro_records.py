"""Reading records of an Avro container by its own schema: a second reader beside pyiceberg's."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lethe.engines.verify import avro
from lethe.engines.verify.findings import Unreadable


def records(data: bytes) -> Iterator[Mapping[str, Any]]:
    """Every record of a container. Raises Unreadable."""
    schema = _schema(avro.header(data))
    for kind, part in avro.parts(data):
        if kind == "header":
            continue
        cursor = _Cursor(part, schema.names)
        while cursor.position < len(part):
            try:
                yield cursor.value(schema.root)
            except (LookupError, TypeError, ValueError, RecursionError) as error:
                raise Unreadable("the records of an Avro container cannot be read") from error


def field_names(data: bytes) -> frozenset[str]:
    """The names of a record's fields. Raises Unreadable."""
    root = _schema(avro.header(data)).root
    fields = root.get("fields", ()) if isinstance(root, dict) else ()
    return frozenset(field["name"] for field in fields)


@dataclass(frozen=True, slots=True)
class _Schema:
    root: Any
    names: Mapping[str, Any]


def _schema(header: Mapping[bytes, bytes]) -> _Schema:
    names: dict[str, Any] = {}
    try:
        root = json.loads(header[b"avro.schema"])
        _collect(root, names)
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise Unreadable("the schema of an Avro container cannot be read") from error
    return _Schema(root, names)


def _collect(kind: Any, names: dict[str, Any]) -> None:
    """Types by name: a schema spells out a type once and names it afterwards."""
    if isinstance(kind, list):
        for branch in kind:
            _collect(branch, names)
    elif isinstance(kind, dict):
        if "name" in kind and kind["type"] in {"record", "fixed"}:
            names[kind["name"]] = kind
        for inner in (*(f["type"] for f in kind.get("fields", ())), kind.get("items"), kind.get("values")):
            _collect(inner, names)
        if isinstance(kind["type"], dict | list):
            _collect(kind["type"], names)


class _Cursor:
    """A position in a block."""

    def __init__(self, data: bytes, names: Mapping[str, Any]) -> None:
        self._data = data
        self._names = names
        self.position = 0

    def value(self, kind: Any) -> Any:
        """The value of a type that begins here."""
        if isinstance(kind, list):
            return self.value(kind[self.long()])
        if isinstance(kind, dict):
            return self._complex(kind)
        primitive = _PRIMITIVES.get(kind)
        return self.value(self._names[kind]) if primitive is None else primitive(self)

    def _complex(self, kind: Mapping[str, Any]) -> Any:
        match kind["type"]:
            case "record":
                return {field["name"]: self.value(field["type"]) for field in kind["fields"]}
            case "array":
                return [self.value(kind["items"]) for _ in self._items()]
            case "map":
                return {self.value("string"): self.value(kind["values"]) for _ in self._items()}
            case "fixed":
                return self.raw(kind["size"])
            case inner:
                return self.value(inner)

    def _items(self) -> Iterator[None]:
        while count := self.long():
            if count < 0:
                self.long()
            for _ in range(abs(count)):
                yield None

    def raw(self, size: int) -> bytes:
        """As many bytes."""
        if size < 0 or self.position + size > len(self._data):
            raise IndexError
        self.position += size
        return self._data[self.position - size : self.position]

    def long(self) -> int:
        """A number of variable length."""
        shift = value = 0
        while True:
            byte = self._data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:  # noqa: PLR2004 - the continuation bit
                return (value >> 1) ^ -(value & 1)


_PRIMITIVES: Final[Mapping[str, Callable[[_Cursor], Any]]] = {
    "null": lambda _: None,
    "boolean": lambda cursor: cursor.raw(1) != b"\0",
    "int": _Cursor.long,
    "long": _Cursor.long,
    "float": lambda cursor: cursor.raw(4),
    "double": lambda cursor: cursor.raw(8),
    "bytes": lambda cursor: cursor.raw(cursor.long()),
    "string": lambda cursor: cursor.raw(cursor.long()).decode(),
}
