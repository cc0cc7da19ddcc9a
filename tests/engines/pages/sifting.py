"""A sieve that lets every value through, over every column that it fits: what it reads is what Arrow reads."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from engines.pages.claims import require
from lethe.engines.columns import at_path
from lethe.engines.interface import TableRefused
from lethe.engines.pruning import Sought
from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import OldFile, read_footer
from lethe.engines.rewrite.pages.leaves import Leaf
from lethe.engines.rewrite.pages.sieved_column import SievedColumn
from lethe.engines.rewrite.source import open_parquet

_TEXTS = (pa.string(), pa.binary(), pa.large_string(), pa.large_binary())
Sifted = tuple[int, int, Any]
"""A row group, a leaf, and its `pyarrow.ChunkedArray`."""


def sifted(data: bytes) -> list[Sifted]:
    """What the sieve reads in a file that may be broken; nothing where it declines."""
    source = pa.BufferReader(data)
    try:
        file, footer = open_parquet(source), read_footer(source)
    except TableRefused:
        return []
    found = []
    for leaf, kind in _fitting(file, footer):
        sought = Sought(_path(footer.leaves[leaf]), kind, 0, b"")
        column = SievedColumn(OldFile(source, footer), file.schema_arrow, leaf, sought)
        column._sieve.bits[:] = b"\xff" * len(column._sieve.bits)
        for group in range(len(footer.groups)):
            try:
                found.append((group, leaf, _innermost(column.all(group))))
            except (Damaged, Unfit, _native.Malformed, _native.Uncut):
                continue
    return found


def _fitting(file: Any, footer: Any) -> Iterator[tuple[int, Any]]:
    for leaf, column in enumerate(footer.leaves):
        try:
            there = at_path(file.schema_arrow, _path(column))
        except TableRefused:
            continue
        kind = pa.null() if there is None else there.type
        known = pa.types.is_integer(kind) or pa.types.is_fixed_size_binary(kind) or kind in _TEXTS
        if known and SievedColumn.fits(column, Sought(_path(column), kind, 0, b"")):
            yield leaf, kind


def _innermost(table: Any) -> Any:
    """The one column of a `pyarrow.Table`, out of its structs."""
    while pa.types.is_struct(table.schema.types[0]):
        table = table.flatten()
    return table.column(0)


def _path(leaf: Leaf) -> tuple[str, ...]:
    return tuple(part.decode("utf-8", "replace") for part in leaf.path)


def require_as_arrow_reads(what: list[Sifted], source: Any) -> int:
    """How many columns of row groups Arrow could read as well. `source` is a `pyarrow.parquet.ParquetFile`."""
    compared = 0
    for group, leaf, column in what:
        try:
            read = source.reader.read_row_group(group, column_indices=[leaf], use_threads=False)
            read.validate(full=True)
            read = _innermost(read)
        except (pa.ArrowException, OSError, MemoryError):
            continue
        if len(read) == len(column):
            require(read.equals(column), f"row group {group}, leaf {leaf}: sifted wrong values")
            compared += 1
    return compared
