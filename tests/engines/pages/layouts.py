"""Random ways of writing: encodings, pages, groups, codecs, indexes, filters, checksums; by Arrow, DuckDB, Polars."""

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from engines.pages.tables import Random

_CODECS: Final = ("NONE", "SNAPPY", "ZSTD", "GZIP", "LZ4", "BROTLI")
_NOT_IN_DUCKDB: Final = ("decimal256", "halffloat", "time32", "time64[ns]", "map<string, ", "map<int32, ")
_NOT_IN_POLARS: Final = ("decimal256", "map", "time32", "halffloat", "fixed_size_binary")
_FEW: Final = 60
_SMALL: Final = (1, 40, 300, 2000, 1 << 20)


def written(random: Random, table: pa.Table) -> tuple[bytes, str]:
    """The table as a file, and in words how it was written."""
    who = random.random()
    if who < 0.08:
        return _by_duckdb(random, known_to(table, _NOT_IN_DUCKDB))
    if who < 0.16:
        return _by_polars(random, known_to(table, _NOT_IN_POLARS))
    return by_arrow(table, options(random, table), _cuts(random, table.num_rows), empty=bool(random.random() < 0.1))


def options(random: Random, table: pa.Table) -> dict[str, Any]:
    """Options of Arrow's writer."""

    def one_of(*choices: Any) -> Any:
        return choices[int(random.integers(0, len(choices)))]

    leaves = leaf_paths(table.schema)
    dictionary = one_of(True, True, False, [path for path in leaves if random.random() < 0.5])
    without = (
        leaves if dictionary is False else [] if dictionary is True else [p for p in leaves if p not in dictionary]
    )
    encodings = {p: e for p in without if (e := one_of(*_encodings_of(leaves[p]))) is not None}
    codec: Any = one_of(*_CODECS) if random.random() < 0.7 else {path: one_of(*_CODECS) for path in leaves}
    stamps = any(pa.types.is_timestamp(kind) for kind in leaves.values())
    chosen: dict[str, Any] = {
        "use_dictionary": dictionary,
        "column_encoding": encodings or None,
        "compression": codec,
        "data_page_version": one_of("1.0", "2.0"),
        "data_page_size": one_of(*_SMALL),
        # Thousands of pages would show nothing that dozens do not.
        "write_batch_size": one_of(1, 7, 64, 1024) if table.num_rows <= _FEW else one_of(32, 100, 1024),
        "max_rows_per_page": one_of(None, None, 3 if table.num_rows <= _FEW else 40, 50),
        "dictionary_pagesize_limit": one_of(None, None, 64, 1000),
        "write_statistics": one_of(True, True, False, [path for path in leaves if random.random() < 0.5]),
        "write_page_index": one_of(True, False),
        "write_page_checksum": one_of(True, False),
        "store_schema": one_of(True, True, False),
        "use_compliant_nested_type": one_of(True, True, False),
        "store_decimal_as_integer": one_of(True, False),
        "write_time_adjusted_to_utc": one_of(True, False),
        "use_deprecated_int96_timestamps": stamps and random.random() < 0.3,
        "sorting_columns": one_of(None, None, None, [pq.SortingColumn(0, descending=bool(random.random() < 0.5))]),
        "bloom_filter_options": _filters(random, leaves) if random.random() < 0.25 else None,
    }
    return chosen


def known_to(table: pa.Table, unknown: Sequence[str]) -> pa.Table:
    """Without the columns of types that a writer does not know."""
    names = [field.name for field in table.schema if not any(kind in str(field.type) for kind in unknown)]
    return table.select(names)


def _filters(random: Random, leaves: dict[str, pa.DataType]) -> dict[str, Any] | None:
    chosen = [path for path, kind in leaves.items() if not pa.types.is_boolean(kind) and random.random() < 0.5]
    return {path: {"ndv": int(random.choice([1, 50, 2000])), "fpp": 0.05} for path in chosen} or None


def by_arrow(table: pa.Table, how: dict[str, Any], cuts: Sequence[int], *, empty: bool) -> tuple[bytes, str]:
    """Row groups of these lengths, one of them without rows if so wished."""
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, table.schema, **how) as writer:
        at = 0
        for number, rows in enumerate(cuts):
            if empty and number == 1:
                writer.write_table(table.slice(0, 0))
            if rows:
                writer.write_table(table.slice(at, rows), row_group_size=rows)
            at += rows
    said = {name: value for name, value in how.items() if value is not None}
    return sink.getvalue(), f"pyarrow {said} row groups {list(cuts)}{' and an empty one' if empty else ''}"


def _cuts(random: Random, rows: int) -> list[int]:
    cuts, left = [], rows
    size = max(1, int(rows / random.choice([1, 1, 2, 5])))
    while left:
        cuts.append(min(left, size))
        left -= cuts[-1]
    return cuts


def _encodings_of(kind: pa.DataType) -> Sequence[str | None]:
    """A timestamp may become INT96, a decimal any width: they are written plainly."""
    if pa.types.is_decimal(kind) or pa.types.is_timestamp(kind):
        return (None,)
    if pa.types.is_boolean(kind):
        return (None, "RLE")
    if pa.types.is_floating(kind):
        return (None, "BYTE_STREAM_SPLIT")
    if pa.types.is_fixed_size_binary(kind):
        return (None, "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY")
    if any(is_(kind) for is_ in _TEXTS):
        return (None, "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY")
    return (None, "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT")


_TEXTS = (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string, pa.types.is_large_binary)


def leaf_paths(schema: pa.Schema) -> dict[str, pa.DataType]:
    """Arrow's types of the leaf columns, by path with names of the compliant form and of the other."""
    found: dict[str, pa.DataType] = {}

    def walk(path: str, kind: pa.DataType) -> None:
        if pa.types.is_struct(kind):
            for field in kind:
                walk(f"{path}.{field.name}", field.type)
        elif pa.types.is_map(kind):
            walk(f"{path}.key_value.key", kind.key_type)
            walk(f"{path}.key_value.value", kind.item_type)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            walk(f"{path}.list.element", kind.value_type)
        else:
            found[path] = kind

    for field in schema:
        walk(field.name, field.type)
    return found


def _by_duckdb(random: Random, table: pa.Table) -> tuple[bytes, str]:
    import duckdb  # a worker that breaks files starts sooner without

    codec = random.choice(["uncompressed", "snappy", "gzip", "zstd", "lz4_raw", "brotli"])
    version = random.choice(["V1", "V2"])
    size = int(random.choice([1000, 100_000]))
    with tempfile.TemporaryDirectory() as directory, duckdb.connect() as connection:
        connection.execute("SET threads=1")
        connection.register("t", table)
        path = Path(directory, "file.parquet")
        how = f"FORMAT parquet, COMPRESSION {codec}, PARQUET_VERSION {version}, ROW_GROUP_SIZE {size}"
        connection.execute(f"COPY t TO '{path}' ({how})")
        return path.read_bytes(), f"duckdb {how}"


def _by_polars(random: Random, table: pa.Table) -> tuple[bytes, str]:
    import polars

    how: dict[str, Any] = {
        "compression": str(random.choice(["uncompressed", "snappy", "gzip", "zstd", "lz4", "brotli"])),
        "data_page_size": int(random.choice([100, 1000, 1 << 20])),
        "row_group_size": int(random.choice([50, 10_000])),
        "statistics": bool(random.random() < 0.7),
    }
    sink = io.BytesIO()
    frame = polars.from_arrow(table)
    assert isinstance(frame, polars.DataFrame)
    frame.write_parquet(sink, **how)
    return sink.getvalue(), f"polars {how}"
