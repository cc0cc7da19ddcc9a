"""Columns by field id: names change, and a file keeps those under which it was written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from pyiceberg.schema import Schema
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.name_mapping import MappedField, NameMapping
from pyiceberg.types import IcebergType, ListType, MapType, NestedField, StructType

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import IdentityMap, Selector, TableRefused
from lethe.engines.rewrite.interface import RewriteRefused

Path = tuple[str, ...]

_ID_KEY: Final = b"PARQUET:field_id"


@dataclass(frozen=True, slots=True)
class FieldPaths:
    """Where a file has the columns of the table: by the ids that it bears, or by the table's name mapping."""

    mapped: Mapping[Path, int] | None
    """Field ids of names, for files without ids; None when the table has no mapping."""

    def of(self, schema: Any) -> Mapping[int, Path]:
        """The path of every field of a `pyarrow.Schema` that is reached through structs alone, by field id.

        Raises RewriteRefused for a file without ids when there is no mapping.
        """
        found = list(_walk(schema, ()))
        if any(number is not None for number, _ in found):
            return {number: path for number, path in found if number is not None}
        if self.mapped is None:
            raise RewriteRefused("a file has no field ids, and the table no name mapping")
        return {self.mapped[path]: path for _, path in found if path in self.mapped}


def _walk(fields: Any, parent: Path) -> Iterator[tuple[int | None, Path]]:
    for field in fields:
        path = (*parent, field.name)
        raw = (field.metadata or {}).get(_ID_KEY)
        yield (None if raw is None else int(raw)), path
        if pa.types.is_struct(field.type):
            yield from _walk(field.type, path)


def field_paths(mapping: NameMapping | None) -> FieldPaths:
    """The rule for the files of a table with this name mapping."""
    return FieldPaths(None if mapping is None else dict(_mapped(mapping.root, ())))


def _mapped(fields: Sequence[MappedField], parent: Path) -> Iterator[tuple[Path, int]]:
    for field in fields:
        for name in field.names:
            if field.field_id is not None:
                yield (*parent, name), field.field_id
            yield from _mapped(field.fields, (*parent, name))


def identity_field(schema: Schema, selector: Selector) -> NestedField:
    """The field of the table that names the person. Raises TableRefused when the table has none such."""
    path = selector.path if isinstance(selector, PrimaryIdentity) else (selector.column,)
    field: NestedField | None = None
    kind: IcebergType = schema.as_struct()
    for name in path:
        if not isinstance(kind, StructType):
            raise TableRefused("the identity's path leads through a field that is no struct")
        field = next((f for f in kind.fields if f.name == name), None)
        if field is None:
            raise TableRefused("the table has no column at the identity's path")
        kind = field.field_type
    if field is None:
        raise TableRefused("the identity's path is empty")
    if field.initial_default is not None:
        raise TableRefused("the identity's column has a default for rows that were written before it")
    return field


def selector_at(selector: Selector, path: Path) -> Selector:
    """The same question for a file that knows the column by this path."""
    match selector:
        case PrimaryIdentity(namespace_code=code):
            return PrimaryIdentity(path, code)
        case IdentityMap():
            return IdentityMap(path[0])


def field_type(metadata: TableMetadata, field_id: int) -> IcebergType:
    """A field's type now, or when it was last part of the schema. Raises TableRefused."""
    for schema in (metadata.schema(), *reversed(metadata.schemas)):
        if any(field_id == known for known in schema.field_ids):
            return schema.find_type(field_id)
    raise TableRefused("a delete file speaks of a field that no schema of the table has")


def require_same_entry_names(schema: Schema, other: Schema, field_id: int) -> None:
    """Refuse a table whose identity map's inner fields were renamed: they are read by name."""
    if field_id in other.field_ids and _names(schema.find_type(field_id)) != _names(other.find_type(field_id)):
        raise TableRefused("inner fields of the identity map were renamed or changed")


def _names(kind: IcebergType) -> object:
    match kind:
        case StructType(fields=fields):
            return {f.field_id: (f.name, _names(f.field_type)) for f in fields}
        case ListType():
            return _names(kind.element_type)
        case MapType():
            return _names(kind.value_type)
        case _:
            return None
