"""Some rows of some columns of one row group, as Arrow reads them.

They are cut out of their pages into a small file in memory, so that Arrow decodes no other row.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from lethe.engines.rewrite.interface import RewriteRefused
from lethe.engines.rewrite.pages import described
from lethe.engines.rewrite.pages.chunk import CutChunk, cut_chunk
from lethe.engines.rewrite.pages.faults import Unfit
from lethe.engines.rewrite.pages.footer import MAGIC, Chunk, Group, OldFile, ending, with_groups
from lethe.engines.rewrite.pages.group import CutGroup, write_cut, write_indexes
from lethe.engines.rewrite.pages.leaves import elements_of
from lethe.engines.rewrite.pages.output import Output
from lethe.engines.rewrite.pages.page import Held, Opened
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.seen import Seen
from lethe.engines.rewrite.pages.thrift import LIST, STRUCT, Field, Items
from lethe.engines.rewrite.source import open_parquet, read_leaves

_SCHEMA, _METADATA, _ORDERS = 2, 5, 7
_SORTED_BY = 4


class Excerpts:
    """Excerpts of one file, all of the same columns."""

    def __init__(self, old: OldFile, columns: Sequence[int]) -> None:
        """The columns are numbers of leaves, ascending."""
        raw = old.footer.raw
        changes: dict[int, Field | None] = {
            _SCHEMA: Field(LIST, Items(STRUCT, elements_of(raw.items(_SCHEMA, STRUCT), columns))),
            # What the file says of its types in Arrow is of all columns.
            _METADATA: None,
        }
        if _ORDERS in raw.fields:
            orders = raw.items(_ORDERS, STRUCT)
            changes[_ORDERS] = Field(LIST, Items(STRUCT, tuple(orders[column] for column in columns)))
        self._raw = raw.having(changes)
        # With room of its own: pages that are open may stand in that of whoever opened them.
        self._old = OldFile(old.source, old.footer)
        self._columns = columns

    def of(self, group: int, rows: Rows, seen: Seen) -> Any:
        """A `pyarrow.Table` of the rows of a row group that stay. Pages that were `seen` are open.

        Raises Damaged, Unfit, and the native module's Malformed and Uncut.
        """
        whole = self._old.footer.groups[group]
        cut = tuple(
            self._cut(whole.chunks[column], rows, seen.pages if column == seen.column else {})
            for column in self._columns
        )
        part = Group(whole.raw.having({_SORTED_BY: None}), whole.rows, tuple(each.chunk for each in cut))
        sink = io.BytesIO()
        out = Output(sink)
        out.write(MAGIC)
        groups = write_indexes(out, [write_cut(out, self._old, CutGroup(part, rows.kept, cut))])
        out.write(ending(with_groups(self._raw, tuple(groups), rows.kept)))
        try:
            file = open_parquet(pa.BufferReader(sink.getbuffer()))
            return read_leaves(file, 0, range(len(self._columns)))
        except RewriteRefused as error:
            raise Unfit(str(error)) from None

    def _cut(self, chunk: Chunk, rows: Rows, opened: Mapping[int, Opened]) -> CutChunk:
        held = Held(Chunk(chunk.leaf, described.bare(chunk), chunk.span), self._old.read_for_now(chunk.span), opened)
        return cut_chunk(held, rows, edges=None, bloom=None, compression={}, room=self._old.page_room)
