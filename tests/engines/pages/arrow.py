"""The claim that Arrow, another reader, sees in the result what it sees in the source, bit for bit."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engines.pages.claims import Mask, require


def arrow_reads_the_same(source: bytes, result: bytes, deleted: Mask) -> bool:
    """Through Arrow, which is another reader: values bit for bit, INT96 in two units, checksums verified.

    Answers no where Arrow cannot read the source: it stumbles over pages without values in nested columns, and over
    DELTA_BINARY_PACKED without values.
    """
    for unit in ("ns", "us"):
        try:
            before = _read(source, unit)
        except (pa.ArrowException, OSError):
            return False
        after = _read(result, unit)
        require(before.schema.equals(after.schema, check_metadata=True), "Arrow's schema")
        expected = before.filter(pa.array(~deleted)) if before.num_columns else before
        for name, old, new in zip(before.column_names, expected.columns, after.columns, strict=True):
            require(column_bits(old).equals(column_bits(new)), f"column {name} as Arrow reads it")
    return True


def _read(data: bytes, unit: str) -> Any:
    return pq.read_table(pa.BufferReader(data), page_checksum_verification=True, coerce_int96_timestamp_unit=unit)


def column_bits(column: Any) -> Any:
    return pa.chunked_array([bits(chunk) for chunk in column.chunks], type=bits_type(column.type))


def bits_type(kind: Any) -> Any:
    """The type with integers for floats, so that equality is that of bits."""
    if pa.types.is_floating(kind):
        return {16: pa.uint16(), 32: pa.uint32(), 64: pa.uint64()}[kind.bit_width]
    if pa.types.is_struct(kind):
        return pa.struct([kind.field(i).with_type(bits_type(kind.field(i).type)) for i in range(kind.num_fields)])
    if pa.types.is_map(kind):
        return pa.list_(pa.struct([("key", bits_type(kind.key_type)), ("value", bits_type(kind.item_type))]))
    shape = next((make for is_, make in _LISTS if is_(kind)), None)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(bits_type(kind.value_type), kind.list_size)
    return kind if shape is None else shape(bits_type(kind.value_type))


_LISTS = ((pa.types.is_list, pa.list_), (pa.types.is_large_list, pa.large_list))


def bits(array: Any) -> Any:
    """The same buffers under `bits_type`."""
    kind, wanted = array.type, bits_type(array.type)
    if isinstance(kind, pa.DictionaryType) or (kind == wanted and not pa.types.is_nested(kind)):
        return array
    if pa.types.is_struct(kind):
        children = [bits(_child(array, i)) for i in range(kind.num_fields)]
    elif pa.types.is_map(kind):
        entries = pa.StructArray.from_arrays([array.keys, array.items], names=["key", "value"])
        children = [bits(entries)]
    elif pa.types.is_nested(kind):
        children = [bits(array.values)]
    else:
        children = None
    own = array.buffers()[: wanted.num_buffers]
    return pa.Array.from_buffers(wanted, len(array), own, array.null_count, array.offset, children)


def _child(array: Any, index: int) -> Any:
    """A struct's child as it stands in memory, not cut to the struct's offset."""
    child = array.field(index)
    return pa.concat_arrays([pa.nulls(array.offset, child.type), child]) if array.offset else child
