"""Some rows of some columns of one row group, as Arrow reads them.

They are cut out of their pages into a small file in memory, so that Arrow decodes no other row.
"""

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, count
from typing import Any

import pyarrow as pa

from lethe.engines.rewrite.interface import RewriteRefused
from lethe.engines.rewrite.pages.chunk import CutChunk, cut_chunk
from lethe.engines.rewrite.pages.faults import Unfit
from lethe.engines.rewrite.pages.footer import MAGIC, Chunk, Group, OldFile
from lethe.engines.rewrite.pages.group import CutGroup, write_cut, write_indexes
from lethe.engines.rewrite.pages.output import Output
from lethe.engines.rewrite.pages.page import Held, Opened, Seen
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.thrift import I64, LIST, STRUCT, Field, Items, Struct, write_struct
from lethe.engines.rewrite.source import open_parquet, read_leaves

_SCHEMA, _ROWS, _GROUPS, _METADATA, _ORDERS = 2, 3, 4, 5, 7
_SORTED_BY = 4
_CHILDREN = 5
_META = 3
_STATISTICS, _BLOOM_AT, _BLOOM_SIZE = 12, 14, 15
_INDEXES = 4, 5, 6, 7


class Excerpts:
    """Excerpts of one file, all of the same columns."""

    def __init__(self, old: OldFile, columns: Sequence[int]) -> None:
        """The columns are numbers of leaves, ascending."""
        raw = old.footer.raw
        kept = set(columns)
        schema = _with_leaves(iter(raw.items(_SCHEMA, STRUCT)), count(), kept)
        told = raw.items(_ORDERS, STRUCT) if _ORDERS in raw.fields else ()
        orders = tuple(order for number, order in enumerate(told) if number in kept)
        # With room of its own: pages that are open may stand in that of whoever opened them.
        self._old = OldFile(old.source, old.footer)
        self._columns = columns
        # Without what the file says of its types in Arrow: that is of all columns.
        self._raw = raw.having(
            {
                _SCHEMA: Field(LIST, Items(STRUCT, tuple(schema))),
                _METADATA: None,
                _ORDERS: Field(LIST, Items(STRUCT, orders)) if orders else None,
            }
        )

    def of(self, group: int, rows: Rows, seen: Seen) -> Any:
        """A `pyarrow.Table` of the rows of a row group that stay. Pages that were `seen` are open.

        Raises Damaged, Unfit, and the native module's Malformed and Uncut.
        """
        whole = self._old.footer.groups[group]
        chunks = [_bare(whole.chunks[column]) for column in self._columns]
        part = Group(whole.raw.having({_SORTED_BY: None}), whole.rows, tuple(chunks))
        opened = [seen.pages if column == seen.column else {} for column in self._columns]
        cut = CutGroup(part, rows.kept, tuple(map(partial(self._cut, rows), chunks, opened)))
        sink = io.BytesIO()
        out = Output(sink)
        out.write(MAGIC)
        groups = write_indexes(out, [write_cut(out, self._old, cut)])
        footer = self._raw.having({_ROWS: Field(I64, rows.kept), _GROUPS: Field(LIST, Items(STRUCT, tuple(groups)))})
        tail = write_struct(footer)
        out.write(tail)
        out.write(len(tail).to_bytes(4, "little"))
        out.write(MAGIC)
        try:
            file = open_parquet(pa.BufferReader(sink.getbuffer()))
            return read_leaves(file, 0, range(len(self._columns)))
        except RewriteRefused as error:
            raise Unfit(str(error)) from None

    def _cut(self, rows: Rows, chunk: Chunk, opened: Mapping[int, Opened]) -> CutChunk:
        held = Held(chunk, self._old.read_for_now(chunk.span), opened)
        return cut_chunk(held, rows, edges=None, bloom=None, compression={}, room=self._old.page_room)


def _bare(chunk: Chunk) -> Chunk:
    """A chunk of which nothing is said that its pages do not say."""
    meta = chunk.meta.having({_STATISTICS: None, _BLOOM_AT: None, _BLOOM_SIZE: None})
    raw = chunk.raw.having({_META: Field(STRUCT, meta), **dict.fromkeys(_INDEXES)})
    return Chunk(chunk.leaf, raw, chunk.span)


def _with_leaves(rest: Iterator[Struct], numbers: Iterator[int], kept: Collection[int]) -> list[Struct]:
    """The next element of a schema and those below, without the leaves that are not kept, and what is empty then."""
    element = next(rest)
    children = element.integer(_CHILDREN, 0)
    if not children and 1 in element.fields:
        return [element] if next(numbers) in kept else []
    parts = [part for _ in range(children) if (part := _with_leaves(rest, numbers, kept))]
    if not parts:
        return []
    counted = Field(element.fields[_CHILDREN].kind, len(parts))
    return [element.having({_CHILDREN: counted}), *chain.from_iterable(parts)]
