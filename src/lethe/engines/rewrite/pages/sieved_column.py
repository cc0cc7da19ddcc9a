"""The column that names the person, without the values that are nobody's who is looked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lethe.engines.pruning import Sought
from lethe.engines.rewrite.pages.footer import OldFile
from lethe.engines.rewrite.pages.leaves import BYTE_ARRAY, FIXED, INT32, INT64, Leaf
from lethe.engines.rewrite.pages.page import Held
from lethe.engines.rewrite.pages.seen import OpenPages, Seen
from lethe.engines.rewrite.pages.sieve import Sieve, Sifted, sift
from lethe.engines.rewrite.pages.some_rows import SomeRows


class SievedColumn:
    """Reads one column of a file."""

    def __init__(self, old: OldFile, schema: Any, column: int, sought: Sought, seen_bytes_max: int = 0) -> None:
        """The file has this `pyarrow.Schema`, and the column `fits`; so many bytes of pages are kept `seen`."""
        self._old = old
        self._schema = pa.schema(
            [_narrowed(schema.field(sought.path[0]), sought.path[1:], sought.kind)], metadata=schema.metadata
        )
        self._column = column
        self._kind = sought.kind
        self._sieve = Sieve.of(sought, old.footer.leaves[column])
        self._open = OpenPages(column, seen_bytes_max)

    @staticmethod
    def fits(leaf: Leaf, sought: Sought) -> bool:
        """Whether pages hold the column's values as they are sought: one a row at most, in the width of their type."""
        kind = sought.kind
        if leaf.repetition_max or leaf.path != tuple(name.encode() for name in sought.path):
            return False
        if pa.types.is_integer(kind):
            return leaf.physical in {INT32, INT64} and kind.bit_width == 8 * leaf.width
        return leaf.physical == (FIXED if pa.types.is_fixed_size_binary(kind) else BYTE_ARRAY) and (
            leaf.physical == BYTE_ARRAY or leaf.width == kind.byte_width
        )

    @property
    def seen(self) -> Seen:
        """Pages of the row group that was read last. They hold until the next one is."""
        return self._open.seen

    def some(self, group: int) -> SomeRows:
        """The rows of a row group that may hold a wanted value. Raises as `sift` does."""
        sifted = self._sifted(group)
        return SomeRows(self._old.footer.groups[group].rows, sifted.places, self._shown(sifted.array(self._kind)))

    def all(self, group: int) -> Any:
        """All rows of a row group as a `pyarrow.Table`, in which other values are null. Raises as `sift` does."""
        sifted, rows = self._sifted(group), self._old.footer.groups[group].rows
        if not len(sifted.places):
            return self._shown(pa.nulls(rows, self._kind))
        index, here = np.zeros(rows, np.int64), np.zeros(rows, np.bool_)
        index[sifted.places], here[sifted.places] = np.arange(len(sifted.places)), True
        return self._shown(sifted.array(self._kind).take(pa.array(index, mask=~here)))

    def _sifted(self, group: int) -> Sifted:
        # First of all: pages of another row group must not be taken for this one's, whatever happens here.
        self._open.clear()
        whole = self._old.footer.groups[group]
        chunk = whole.chunks[self._column]
        return sift(Held(chunk, self._old.read_for_now(chunk.span)), whole.rows, self._sieve, self._open.keep)

    def _shown(self, values: Any) -> Any:
        return pa.Table.from_arrays([_inside(values, self._schema.field(0).type)], schema=self._schema)


def _narrowed(field: Any, path: Sequence[str], kind: Any) -> Any:
    """A field with nothing in it but what is at a path through its structs, which has this type."""
    if not path:
        return field.with_type(kind)
    child = field.type.field(field.type.get_field_index(path[0]))
    return field.with_type(pa.struct([_narrowed(child.with_nullable(True), path[1:], kind)]))


def _inside(values: Any, kind: Any) -> Any:
    """Values inside of as many structs as a type has around theirs."""
    if not pa.types.is_struct(kind):
        return values
    return pa.StructArray.from_arrays([_inside(values, kind.field(0).type)], fields=[kind.field(0)])
