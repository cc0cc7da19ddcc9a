"""Identity values of Arrow data, brought into a form that can be looked up: along paths, out of maps, folded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lethe.domain.identity import fold
from lethe.engines.interface import TableRefused
from lethe.engines.tally import Numbers


def at_path(data: Any, path: Sequence[str]) -> Any:
    """The field of a `pyarrow.Schema`, or the column of a `pyarrow.Table`, at a path through structs.

    None where the path does not exist: no row can have a value there. A null struct makes its fields null.
    Raises TableRefused when the path leads through a list or map, or names two columns.
    """
    schema = data if isinstance(data, pa.Schema) else data.schema
    if len(schema.get_all_field_indices(path[0])) > 1:
        raise TableRefused("two columns bear the name of the identity's column")
    index = schema.get_field_index(path[0])
    if index < 0:
        return None
    kind = schema.field(index).type
    value = schema.field(index) if data is schema else data.column(index)
    for name in path[1:]:
        if not pa.types.is_struct(kind):
            raise TableRefused(f"the identity's path leads through a {kind}, not a struct")
        index = kind.get_field_index(name)
        if index < 0:
            return None
        value = kind.field(index) if data is schema else pc.struct_field(value, [index])
        kind = kind.field(index).type
    return value


def plain(values: Any) -> Any:
    """The same values in a type for which Arrow has a look-up: no dictionary, view, extension or run."""
    while True:
        kind = values.type
        if isinstance(kind, pa.BaseExtensionType):
            values = _storage(values)
        elif pa.types.is_dictionary(kind):
            values = values.cast(kind.value_type)
        elif pa.types.is_run_end_encoded(kind):
            values = pc.run_end_decode(values)
        elif pa.types.is_string_view(kind):
            values = values.cast(pa.large_string())
        elif pa.types.is_binary_view(kind):
            values = values.cast(pa.large_binary())
        else:
            return values


def _storage(values: Any) -> Any:
    if isinstance(values, pa.ChunkedArray):
        return pa.chunked_array([chunk.storage for chunk in values.chunks], type=values.type.storage_type)
    return values.storage


def is_text(kind: Any) -> bool:
    """Whether a `pyarrow.DataType` is one of text, or of bytes, which may be text: such values have letter case."""
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def folded(values: Any) -> Any:
    """Text or binary values in the form by which a case-insensitive namespace compares; others as they are.

    Python alone knows full case folding, so it is asked once for each distinct value that is not ASCII.
    """
    if not is_text(values.type):
        return values
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return _folded_by_python(values)
    ascii_only = pc.string_is_ascii(values)
    lower = pc.ascii_lower(values)
    if pc.all(ascii_only, min_count=0).as_py():
        return lower
    return pc.if_else(ascii_only, lower, _folded_by_python(values))


def _folded_by_python(values: Any) -> Any:
    distinct = values.unique()
    raw = [value.as_buffer().to_pybytes() if value.is_valid else None for value in distinct]
    binary = pa.large_binary() if values.type in {pa.large_string(), pa.large_binary()} else pa.binary()
    folds = pa.array([None if item is None else _fold_bytes(item) for item in raw], type=binary)
    return folds.view(values.type).take(pc.index_in(values, value_set=distinct))


def _fold_bytes(value: bytes) -> bytes:
    """Bytes that are no text have no case."""
    try:
        return fold(value.decode()).encode()
    except UnicodeDecodeError:
        return value


@dataclass(frozen=True, slots=True)
class MapEntries:
    """Primary entries of identity maps, flat."""

    rows: Numbers
    """The row of each entry."""
    codes: Any
    """The folded namespace code of each: an array, or one text for all."""
    ids: Any

    def of_namespace(self, folded_code: str) -> "MapEntries":
        """Only the entries of one namespace."""
        if isinstance(self.codes, str):
            return self if self.codes == folded_code else MapEntries(self.rows[:0], self.codes, self.ids.slice(0, 0))
        mine = pc.fill_null(pc.equal(self.codes, folded_code), fill_value=False)
        return MapEntries(self.rows[_numbers(mine).astype(np.bool_)], folded_code, self.ids.filter(mine))


def identity_map_entries(column: Any) -> Iterator[MapEntries]:
    """The primary entries of a column: a map or list of pairs from code to entries, or a struct with a field a code.

    Raises TableRefused for another shape.
    """
    kind = column.type
    if pa.types.is_struct(kind):
        everything = np.arange(len(column), dtype=np.int64)
        for index in range(kind.num_fields):
            code = fold(kind.field(index).name)
            yield _primary(pc.struct_field(column, [index]), everything, code)
        return
    if pa.types.is_map(kind):
        # Arrow aborts the process when asked for the parent indices of a map; as a list it answers.
        pair = pa.struct([pa.field("key", kind.key_type), pa.field("value", kind.item_type)])
        column = column.cast(pa.list_(pair))
        kind = column.type
    if not (_is_list(kind) and pa.types.is_struct(kind.value_type) and kind.value_type.num_fields == 2):  # noqa: PLR2004
        raise TableRefused(f"the identity map is a {kind}, not a map from namespace code to entries")
    parents = _numbers(pc.list_parent_indices(column)).astype(np.int64)
    pairs = pc.list_flatten(column)
    codes = folded(plain(pc.struct_field(pairs, [0])))
    yield _primary(pc.struct_field(pairs, [1]), parents, codes)


def _primary(entries: Any, rows: Numbers, codes: Any) -> MapEntries:
    """Only the entries that say so name the row's person; null says nothing."""
    kind = entries.type
    if pa.types.is_null(kind):
        return MapEntries(rows[:0], "", pa.array([], pa.string()))
    if not (_is_list(kind) and pa.types.is_struct(kind.value_type)):
        raise TableRefused(f"the identity map's entries are a {kind}, not a list of structs")
    fields = kind.value_type
    id_index, primary_index = fields.get_field_index("id"), fields.get_field_index("primary")
    if id_index < 0:
        raise TableRefused("the identity map's entries have no field named id")
    if primary_index < 0 or not pa.types.is_boolean(fields.field(primary_index).type):
        return MapEntries(rows[:0], "", pa.array([], pa.string()))
    parents = _numbers(pc.list_parent_indices(entries)).astype(np.int64)
    flat = pc.list_flatten(entries)
    primary = pc.fill_null(pc.struct_field(flat, [primary_index]), fill_value=False)
    kept = parents[_numbers(primary).astype(np.bool_)]
    return MapEntries(
        rows[kept],
        codes if isinstance(codes, str) else codes.take(pa.array(kept)),
        pc.struct_field(flat, [id_index]).filter(primary),
    )


def _is_list(kind: Any) -> bool:
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    )


def _numbers(values: Any) -> Any:
    return values.to_numpy() if isinstance(values, pa.ChunkedArray) else values.to_numpy(zero_copy_only=False)
