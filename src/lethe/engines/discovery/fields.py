"""Which fields a table has, as paths from the root, whatever its format."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.types as kinds

IDENTITY_MAP: Final = "identityMap"


@dataclass(frozen=True, slots=True)
class Field:
    """One field that holds a value; its path has every name from the root."""

    path: tuple[str, ...]
    is_text: bool
    """Whether its values are texts; identities may also be numbers."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a table that can name a person."""

    fields: tuple[Field, ...]
    has_identity_map: bool


def of_arrow(schema: Any) -> Fields:
    """Those of an Arrow schema."""
    has_map = IDENTITY_MAP in schema.names and kinds.is_map(schema.field(IDENTITY_MAP).type)
    return Fields(tuple(_arrow(schema, ())), has_map)


def of_delta(schema: str) -> Fields:
    """Those of a Delta table's schema, which is JSON."""
    fields = json.loads(schema)["fields"]
    has_map = any(each["name"] == IDENTITY_MAP and _delta_kind(each) == "map" for each in fields)
    return Fields(tuple(_delta(fields, ())), has_map)


def of_iceberg(metadata: Mapping[str, Any]) -> Fields:
    """Those of an Iceberg table's metadata file."""
    schemas = metadata.get("schemas") or [metadata["schema"]]
    current = metadata.get("current-schema-id", schemas[0].get("schema-id"))
    fields = next(each for each in schemas if each.get("schema-id") == current)["fields"]
    has_map = any(each["name"] == IDENTITY_MAP and _delta_kind(each) == "map" for each in fields)
    return Fields(tuple(_delta(fields, ())), has_map)


def of_rows(rows: Iterable[Mapping[str, Any]]) -> Fields:
    """Those of some rows of newline-delimited JSON; which values they hold is not kept."""
    found: dict[tuple[str, ...], bool] = {}
    has_map = False
    for row in rows:
        has_map = has_map or isinstance(row.get(IDENTITY_MAP), dict)
        for path, value in _leaves({name: value for name, value in row.items() if name != IDENTITY_MAP}, ()):
            found[path] = found.get(path, False) or isinstance(value, str)
    return Fields(tuple(Field(path, is_text) for path, is_text in found.items()), has_map)


def _arrow(schema: Any, above: tuple[str, ...]) -> Iterator[Field]:
    for field in schema:
        path, kind = (*above, field.name), field.type
        if kinds.is_struct(kind):
            yield from _arrow([kind.field(index) for index in range(kind.num_fields)], path)
        elif kinds.is_integer(kind) or _is_text(kind):
            yield Field(path, _is_text(kind))


def _is_text(kind: Any) -> bool:
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kind == pa.string_view())


def _delta(fields: Iterable[Mapping[str, Any]], above: tuple[str, ...]) -> Iterator[Field]:
    """Delta and Iceberg write schemas alike."""
    for field in fields:
        path, kind = (*above, str(field["name"])), field["type"]
        if isinstance(kind, dict):
            if kind.get("type") == "struct":
                yield from _delta(kind["fields"], path)
        elif kind in {"string", "integer", "int", "long", "short", "byte"}:
            yield Field(path, kind == "string")


def _delta_kind(field: Mapping[str, Any]) -> object:
    kind = field["type"]
    return kind.get("type") if isinstance(kind, dict) else kind


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, (*path, str(name)))
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield path, value
