"""Excerpts of every field: rows that are cut out for Arrow are those that Arrow reads in the whole file."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from engines.pages.arrow import column_bits
from engines.pages.claims import Mask, require
from lethe.engines.interface import TableRefused
from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.excerpt import Excerpts
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import OldFile, ending, read_footer
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.seen import NOT_SEEN
from lethe.engines.rewrite.source import leaves_by_field, open_parquet, read_leaves

Excerpt = tuple[int, list[int], Mask, Any]
"""A row group, leaves, which of its rows are shown, and these as a `pyarrow.Table`."""


def excerpts(data: bytes, shown: Mask) -> Iterator[Excerpt]:
    """Of a file that may be broken; nothing where they cannot be made."""
    source = pa.BufferReader(data)
    try:
        file, footer = open_parquet(source), read_footer(source)
        fields = leaves_by_field(file)
    except (TableRefused, pa.ArrowException, OSError):
        return
    first = 0
    for number, group in enumerate(footer.groups):
        mine = shown[first : first + group.rows]
        first += group.rows
        if len(mine) != group.rows or not mine.any():
            continue
        for leaves in fields:
            rows = Rows.of((~mine).astype(np.uint8))
            try:
                table = Excerpts(OldFile(source, footer), leaves).of(number, rows, NOT_SEEN)
            except (Damaged, Unfit, _native.Malformed, _native.Uncut):
                continue
            yield number, leaves, mine, table


def require_as_in_full(data: bytes, shown: Mask) -> int:
    """How many excerpts Arrow could read in the whole file, too. Raises AssertionError."""
    whole, compared = None, 0
    for group, leaves, mine, table in excerpts(data, shown):
        # Without the types of Arrow that the file tells of: an excerpt does not.
        whole = whole or open_parquet(pa.BufferReader(_untold(data)))
        try:
            read = read_leaves(whole, group, leaves)
        except TableRefused:
            continue
        expected = read.filter(pa.array(mine))
        require(expected.schema.equals(table.schema), f"row group {group}, leaves {leaves}: another type")
        same = column_bits(expected.column(0)).equals(column_bits(table.column(0)))
        require(same, f"row group {group}, leaves {leaves}: other rows")
        compared += 1
    return compared


def _untold(data: bytes) -> bytes:
    footer = read_footer(pa.BufferReader(data))
    return data[: footer.start] + ending(footer.raw.having({5: None}))
