"""Column mapping: by which name, or field id, a data file knows what the table calls a column.

In mode `name` files use a column's physical name; in mode `id` they are resolved by their Parquet field ids, whatever
they call it. Nested fields are mapped like columns. Statistics and partition values use physical names in both modes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.delta.actions import Metadata
from lethe.engines.interface import IdentityMap, Selector, TableRefused

_PHYSICAL_NAME: Final = "delta.columnMapping.physicalName"
_ID: Final = "delta.columnMapping.id"
_FIELD_ID: Final = b"PARQUET:field_id"


def selector_path(selector: Selector) -> tuple[str, ...]:
    """Where in the table's schema a selector looks."""
    match selector:
        case PrimaryIdentity(path=path):
            return path
        case IdentityMap(column=column):
            return (column,)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """From the table's names to its files' names."""

    mode: str
    fields: Sequence[Mapping[str, Any]]
    """The fields of the table's schema, as the log's JSON has them."""

    @classmethod
    def of(cls, metadata: Metadata) -> "ColumnMapping":
        """Read the table's schema. Raises TableRefused."""
        mode = metadata.configuration.get("delta.columnMapping.mode", "none")
        if mode not in {"none", "name", "id"}:
            raise TableRefused(f"the column mapping mode {mode} is not known")
        try:
            return cls(mode, json.loads(metadata.schema)["fields"])
        except (ValueError, KeyError, TypeError):
            raise TableRefused("the table's schema cannot be read") from None

    def field(self, path: Sequence[str]) -> Mapping[str, Any]:
        """The schema's field at a path through structs. Raises TableRefused where there is none."""
        return self._chain(path)[-1]

    def physical_name(self, column: str) -> str:
        """The name of a column in statistics and partition values."""
        return self._physical(self.field((column,)))

    def physical_path(self, path: Sequence[str]) -> tuple[str, ...]:
        """The names in statistics along a path."""
        return tuple(self._physical(field) for field in self._chain(path))

    def path_in(self, schema: Any, path: Sequence[str]) -> tuple[str, ...] | None:
        """How one file (`pyarrow.Schema`) names what is at the table's path; None when it does not have it.

        Raises TableRefused for a file whose columns cannot be told apart.
        """
        if self.mode != "id":
            return self.physical_path(path)
        self._require_ids(schema)
        found: list[str] = []
        within: Any = schema
        for field in self._chain(path):
            child = self._child(within, field)
            if child is None:
                return None
            found.append(child.name)
            within = child.type
        return tuple(found)

    def logical_type(self, kind: Any, field: Mapping[str, Any]) -> Any:
        """A file's `pyarrow.DataType` of a field, with the table's names for everything inside it."""
        return self._named(kind, field["type"])

    def child_of(self, schema: Any, column: str) -> Any:
        """The file's `pyarrow.Field` for a column of the table, or None."""
        if self.mode == "id":
            self._require_ids(schema)
        return self._child(schema, self.field((column,)))

    def _chain(self, path: Sequence[str]) -> list[Mapping[str, Any]]:
        fields, chain = self.fields, list[Mapping[str, Any]]()
        for name in path:
            found = [field for field in fields if field["name"] == name]
            if not found:
                raise TableRefused("the table has no column at the identity's path")
            chain.append(found[0])
            kind = found[0]["type"]
            fields = kind["fields"] if isinstance(kind, Mapping) and kind.get("type") == "struct" else []
        return chain

    def _physical(self, field: Mapping[str, Any]) -> str:
        if self.mode == "none":
            return str(field["name"])
        try:
            return str(field["metadata"][_PHYSICAL_NAME])
        except KeyError:
            raise TableRefused("a column of the table has no physical name") from None

    def _require_ids(self, schema: Any) -> None:
        if len(schema) and not any(_field_id(field) is not None for field in schema):
            raise TableRefused("the table maps its columns by field id, and one of its files has no field ids")

    def _child(self, within: Any, field: Mapping[str, Any]) -> Any:
        """The child of a `pyarrow.Schema` or struct that is the table's field."""
        children = within if isinstance(within, pa.Schema) else _children(within)
        if self.mode == "id":
            wanted = str(field["metadata"].get(_ID)).encode()
            return next((child for child in children if _field_id(child) == wanted), None)
        name = self._physical(field)
        return next((child for child in children if child.name == name), None)

    def _named(self, kind: Any, declared: Any) -> Any:
        if not isinstance(declared, Mapping):
            return kind
        if pa.types.is_struct(kind) and declared.get("type") == "struct":
            known = {}
            for field in declared["fields"]:
                child = self._child(kind, field)
                if child is not None:
                    known[child.name] = (field["name"], field["type"])
            return pa.struct(
                [self._renamed(child, *known.get(child.name, (child.name, None))) for child in _children(kind)]
            )
        if pa.types.is_map(kind) and declared.get("type") == "map":
            key = self._renamed(kind.key_field, kind.key_field.name, declared["keyType"])
            item = self._renamed(kind.item_field, kind.item_field.name, declared["valueType"])
            return pa.map_(key, item, keys_sorted=kind.keys_sorted)
        if declared.get("type") == "array" and pa.types.is_list(kind):
            return pa.list_(self._renamed(kind.value_field, kind.value_field.name, declared["elementType"]))
        if declared.get("type") == "array" and pa.types.is_large_list(kind):
            return pa.large_list(self._renamed(kind.value_field, kind.value_field.name, declared["elementType"]))
        return kind

    def _renamed(self, child: Any, name: str, declared: Any) -> Any:
        return child.with_name(name).with_type(self._named(child.type, declared))


def _children(kind: Any) -> list[Any]:
    return [kind.field(index) for index in range(kind.num_fields)] if pa.types.is_struct(kind) else []


def _field_id(field: Any) -> bytes | None:
    found = (field.metadata or {}).get(_FIELD_ID)
    return None if found is None else bytes(found)


class _Relabelled:
    """An array's buffers under another description of the same shape, through Arrow's C interface."""

    def __init__(self, array: Any, kind: Any) -> None:
        self._array = array
        self._kind = kind

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:
        """The description of the new type, and the untouched data."""
        return self._kind.__arrow_c_schema__(), self._array.__arrow_c_array__()[1]


def relabelled(column: Any, kind: Any) -> Any:
    """The same `pyarrow.ChunkedArray` with other names inside its type; nothing is copied or converted."""
    return pa.chunked_array([pa.array(_Relabelled(chunk, kind)) for chunk in column.chunks], type=kind)
