"""A row group that is not cut: Arrow writes it alone into a file, whose only row group is then moved into ours."""

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO

import numpy as np
import pyarrow as pa

from lethe.engines.rewrite.interface import RewriteRefused
from lethe.engines.rewrite.pages.footer import Chunk, Group, OldFile, read_footer
from lethe.engines.rewrite.pages.group import NewGroup, move
from lethe.engines.rewrite.pages.leaves import Leaf
from lethe.engines.rewrite.pages.output import Output
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.thrift import STRUCT, Field
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter

_PATH, _METADATA = 3, 8


def through_arrow(out: Output, old: OldFile, number: int, rows: Rows, compression: Mapping[str, int]) -> NewGroup:
    """Write a row group of the old file without some rows, by Arrow. Raises RewriteRefused."""
    sink = BytesIO()
    PyarrowRewriter(compression).rewrite_group(old.source, sink, number, np.frombuffer(rows.gone, np.uint8))
    written = pa.BufferReader(sink.getbuffer())
    theirs = read_footer(written)
    if [_levels(leaf) for leaf in theirs.leaves] != [_levels(leaf) for leaf in old.footer.leaves]:
        raise RewriteRefused("Arrow would nest the columns of the file in another way")
    ours = old.footer.groups[number]
    chunks = tuple(map(_named_alike, theirs.groups[0].chunks, ours.chunks))
    moved = move(out, OldFile(written, theirs), Group(ours.raw, rows.kept, chunks))
    return replace(moved, raw=ours.raw)


def _levels(leaf: Leaf) -> tuple[int, int, int, int]:
    return leaf.physical, leaf.width, leaf.definition_max, leaf.repetition_max


def _named_alike(theirs: Chunk, ours: Chunk) -> Chunk:
    """Arrow's chunk under our path, whose repeated groups may have other names, and with what we say of it."""
    changes = {number: ours.meta.fields.get(number) for number in (_PATH, _METADATA)}
    return Chunk(theirs.leaf, theirs.raw.having({3: Field(STRUCT, theirs.meta.having(changes))}), theirs.span)
