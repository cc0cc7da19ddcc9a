"""INT96 instants: Arrow holds them in nanoseconds, whose years end at 2262; beyond, it wraps around without a word."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lethe.engines.rewrite.interface import RewriteRefused
from lethe.engines.rewrite.source import open_parquet, read_leaves

_NANOSECONDS_PER_MICROSECOND = 1_000


def require_exact_instants(source: Any, file: Any) -> None:
    """Read every INT96 column a second time in microseconds; where both readings differ, one has wrapped.

    Raises RewriteRefused: such a file is for a rewriter that copies pages.
    """
    metadata = file.metadata
    leaves = [i for i in range(metadata.num_columns) if metadata.schema.column(i).physical_type == "INT96"]
    coarse = open_parquet(source, int96_unit="us")
    for group in range(metadata.num_row_groups):
        for leaf in leaves:
            exact = read_leaves(file, group, [leaf])
            rough = read_leaves(coarse, group, [leaf])
            for nanoseconds, microseconds in zip(_values(exact.column(0)), _values(rough.column(0)), strict=True):
                apart = pc.subtract(pc.divide(nanoseconds, _NANOSECONDS_PER_MICROSECOND), microseconds)
                if not pc.all(pc.less_equal(pc.abs(apart), 1), min_count=0).as_py():
                    raise RewriteRefused("the file holds INT96 instants outside the years 1677 to 2262")


def _values(column: Any) -> Iterator[Any]:
    """The instants below a column of one leaf, as integers."""
    kind = column.type
    if pa.types.is_struct(kind):
        yield from _values(pc.struct_field(column, [0]))
    elif pa.types.is_map(kind):
        yield from _values(column.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)]))))
    elif pa.types.is_nested(kind):
        yield from _values(pc.list_flatten(column))
    else:
        yield column.cast(pa.int64())
