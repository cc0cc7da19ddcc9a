"""How a Parquet file was written, as the options by which Arrow writes another one alike.

The compression level, the size of pages and the writer's name are not recorded in a file; everything else is read from
the footer and, for each column, from the first bytes of a page. A feature that Arrow would write differently is refused
here, before anything is written; what slips through is caught by the gate.
"""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from lethe.engines.rewrite.interface import RewriteRefused

_DATA_PAGE_V2: Final = b"\x15\x06"
"""Thrift compact: field 1, i32, zigzag(3): a page header's type DATA_PAGE_V2."""

_NEXT_FIELD_I32: Final = b"\x15"

_HEAD_BYTES: Final = 24
"""More than the first three fields of a page header take."""

_ENCODINGS: Final = {
    "DELTA_BINARY_PACKED": frozenset({"INT32", "INT64"}),
    "DELTA_LENGTH_BYTE_ARRAY": frozenset({"BYTE_ARRAY"}),
    "DELTA_BYTE_ARRAY": frozenset({"BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}),
    "BYTE_STREAM_SPLIT": frozenset({"INT32", "INT64", "FLOAT", "DOUBLE", "FIXED_LEN_BYTE_ARRAY"}),
}
"""For each, the physical types whose values it encodes."""

_SMALL_DECIMAL_PRECISION: Final = 18

_BLOOM_FALSE_POSITIVES: Final = 0.05


@dataclass(frozen=True, slots=True)
class Layout:
    """The options of a writer."""

    options: Mapping[str, Any]
    """Keyword arguments of `pyarrow.parquet.ParquetWriter`."""
    metadata: Mapping[bytes, bytes] = field(default_factory=dict)
    """Key-value metadata of the footer, in its order."""


def layout_of(metadata: Any, source: Any, levels: Mapping[str, int]) -> Layout:
    """Read the layout from a `pyarrow.parquet.FileMetaData` and its file (`pyarrow.NativeFile`).

    `levels` gives the compression level per codec. Raises RewriteRefused.
    """
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    paths = _written_paths(metadata)
    options: dict[str, Any] = {
        "version": "2.6",
        "store_schema": False,
        "use_compliant_nested_type": False,
        **_representation(metadata),
    }
    if not groups:
        return Layout(options, dict(metadata.metadata or {}))
    chunks = {path: [group.column(i) for group in groups] for i, path in enumerate(paths)}
    codecs = {path: _same(path, "codec", [c.compression for c in of]) for path, of in chunks.items()}
    dictionaries = [path for path, of in chunks.items() if any(c.has_dictionary_page for c in of)]
    heads = _first_pages(source, [c for of in chunks.values() for c in of])
    options |= {
        "compression": {p: "NONE" if codec == "UNCOMPRESSED" else codec for p, codec in codecs.items()},
        "compression_level": {p: levels[codec] for p, codec in codecs.items() if codec in levels} or None,
        "use_dictionary": dictionaries,
        "column_encoding": _encodings({p: of for p, of in chunks.items() if p not in dictionaries}) or None,
        "write_statistics": [p for p, of in chunks.items() if any(c.is_stats_set for c in of)],
        "write_page_index": any(c.has_column_index for of in chunks.values() for c in of),
        "bloom_filter_options": _bloom_filters(chunks) or None,
        "sorting_columns": _same("the file", "sort order", [tuple(g.sorting_columns) for g in groups]) or None,
        "data_page_version": _data_page_version(heads),
        "write_page_checksum": any(map(_has_checksum, heads)),
    }
    return Layout(options, dict(metadata.metadata or {}))


def _written_paths(metadata: Any) -> list[str]:
    """The paths of the columns as Arrow will write them: the repeated group of a map may have had another name."""
    sink = io.BytesIO()
    # A file without row groups asks for no empty arrays, which Arrow does not make of an extension within a struct.
    schema = plain_schema(metadata.schema.to_arrow_schema())
    with pq.ParquetWriter(sink, schema, store_schema=False, use_compliant_nested_type=False):
        pass
    written = pq.read_metadata(sink).schema
    return [written.column(i).path for i in range(metadata.num_columns)]


def _same(where: str, what: str, values: list[Any]) -> Any:
    if any(value != values[0] for value in values):
        raise RewriteRefused(f"the {what} of {where} differs between row groups")
    return values[0]


def _representation(metadata: Any) -> dict[str, Any]:
    """The options that hold for all columns of a kind."""
    columns = [metadata.schema.column(i) for i in range(metadata.num_columns)]
    int96 = [c.physical_type == "INT96" for c in columns if _is_timestamp(c) or c.physical_type == "INT96"]
    times = ["isadjustedtoutc=true" in str(c.logical_type).lower() for c in columns if c.logical_type.type == "TIME"]
    decimals = [
        c.physical_type in {"INT32", "INT64"}
        for c in columns
        if c.logical_type.type == "DECIMAL" and c.precision <= _SMALL_DECIMAL_PRECISION
    ]
    return {
        "use_deprecated_int96_timestamps": _all_or_none("INT96 beside other timestamps", int96),
        "write_time_adjusted_to_utc": _all_or_none("times with and without adjustment to UTC", times),
        "store_decimal_as_integer": _all_or_none("small decimals as integers and as bytes", decimals),
    }


def _is_timestamp(column: Any) -> bool:
    return bool(column.logical_type.type == "TIMESTAMP")


def _all_or_none(feature: str, values: list[bool]) -> bool:
    if any(values) and not all(values):
        raise RewriteRefused(f"{feature} cannot be written back into one file")
    return any(values)


def _encodings(chunks: Mapping[str, list[Any]]) -> dict[str, str]:
    """The encoding of columns without a dictionary, where it is not the plain one."""
    found = {}
    for path, of in chunks.items():
        for encoding, types in _ENCODINGS.items():
            if encoding not in of[0].encodings:
                continue
            if of[0].physical_type not in types:
                raise RewriteRefused(f"column {path} is said to be in an encoding that its type does not have")
            found[path] = encoding
    return found


def _bloom_filters(chunks: Mapping[str, list[Any]]) -> dict[str, dict[str, Any]]:
    """Filters of the length that the old ones have, where the footer tells it."""
    found: dict[str, dict[str, Any]] = {}
    for path, of in chunks.items():
        if all(c.bloom_filter_offset is None for c in of):
            continue
        length = max(c.bloom_filter_length or 0 for c in of)
        values = _distinct_for(length) if length else max(c.num_values for c in of)
        found[path] = {"ndv": max(values, 1), "fpp": _BLOOM_FALSE_POSITIVES}
    return found


def _distinct_for(length_bytes: int) -> int:
    """How many distinct values make Arrow choose a filter of this length, which is a power of two.

    The inverse of the split-block filter's formula `bits = -8 n / ln(1 - fpp^(1/8))`, a little below the boundary.
    """
    bits = length_bytes * 8
    return int(-bits * math.log(1 - _BLOOM_FALSE_POSITIVES ** (1 / 8)) / 8 * 0.99)


def _first_pages(source: Any, chunks: list[Any]) -> list[bytes]:
    """The first bytes of the first data page of each chunk that has one."""
    found = []
    for chunk in chunks:
        if not 0 <= chunk.data_page_offset < source.size():
            raise RewriteRefused("the pages of a column lie outside of the file")
        if chunk.num_values:
            source.seek(chunk.data_page_offset)
            found.append(source.read(_HEAD_BYTES))
    return found


def _data_page_version(heads: list[bytes]) -> str:
    """The version of the first data page of each chunk."""
    versions = {"2.0" if head[:2] == _DATA_PAGE_V2 else "1.0" for head in heads}
    return str(_same("the file", "data page version", sorted(versions or {"1.0"})))


def _has_checksum(head: bytes) -> bool:
    """Whether the fourth field of a page header is there, behind its kind and its two sizes."""
    position = 0
    for _ in range(3):
        position += 1
        while position < len(head) and head[position] & 0x80:
            position += 1
        position += 1
    return head[position : position + 1] == _NEXT_FIELD_I32


def plain_type(kind: Any) -> Any:  # noqa: PLR0911 - one return a shape reads best
    """The type in which values are carried from the old file to the new one, with the same form in Parquet.

    No dictionary, which would carry deleted values along, and no view or run, which filters do not know.
    """
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(kind.field(i)) for i in range(kind.num_fields)])
    if pa.types.is_map(kind):
        return pa.map_(_plain_field(kind.key_field), _plain_field(kind.item_field), keys_sorted=kind.keys_sorted)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain_field(kind.value_field), kind.list_size)
    shape: Callable[..., Any] | None = None
    if pa.types.is_list(kind) or pa.types.is_list_view(kind):
        shape = pa.list_
    elif pa.types.is_large_list(kind) or pa.types.is_large_list_view(kind):
        shape = pa.large_list
    return kind if shape is None else shape(_plain_field(kind.value_field))


def _plain_field(field: Any) -> Any:
    return field.with_type(plain_type(field.type))


def plain_schema(schema: Any) -> Any:
    """The schema in plain types, with names, nullability and field ids as they are."""
    return pa.schema([_plain_field(field) for field in schema], metadata=schema.metadata)
