"""The rows of an identity map that hold a wanted id, cut out of its pages.

Its ids are asked in pages, under whatever namespace they stand and whether they are primary or not. Of the rows that
hold a wanted one, an excerpt is made, and the judge looks at namespaces and marks.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lethe.engines.pruning import Sought
from lethe.engines.rewrite.pages.excerpt import Excerpts
from lethe.engines.rewrite.pages.faults import Unfit
from lethe.engines.rewrite.pages.footer import OldFile
from lethe.engines.rewrite.pages.leaves import BYTE_ARRAY, Leaf, Order
from lethe.engines.rewrite.pages.page import Held
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.seen import SEEN_BYTES_MAX, OpenPages, Seen
from lethe.engines.rewrite.pages.sieve import NOWHERE, Sieve, Sifted, sift
from lethe.engines.rewrite.pages.some_rows import SomeRows

_ID, _PRIMARY = b"id", b"primary"
_FEW: Final = 4
"""Where more than one row in so many may match, Arrow reads all of them as quickly."""


class MapRows:
    """Reads the identity map of a file."""

    def __init__(self, old: OldFile, schema: Any, sought: Sought) -> None:
        """The file has this `pyarrow.Schema`, and the map `fits`."""
        leaves, name = old.footer.leaves, sought.path[0].encode()
        self._old = old
        self._nobody = pa.schema([schema.field(sought.path[0])]).empty_table()
        self._sought = sought
        self._ids = _ids_of(leaves, name)
        self._sieve = Sieve.of(sought, leaves[self._ids[0]])
        self._open = OpenPages(self._ids[0], SEEN_BYTES_MAX if len(self._ids) == 1 else 0)
        self._excerpts = Excerpts(old, _needed(leaves, name))

    @staticmethod
    def fits(leaves: Sequence[Leaf], sought: Sought) -> bool:
        """Whether the map has ids, and they are text, as they are sought."""
        found = [leaves[number] for number in _ids_of(leaves, sought.path[0].encode())]
        return bool(found) and all(leaf.physical == BYTE_ARRAY and leaf.order is Order.BYTEWISE for leaf in found)

    @property
    def seen(self) -> Seen:
        """Pages of the row group that was read last. They hold until the next one is."""
        return self._open.seen

    def some(self, group: int) -> SomeRows:
        """The rows of a row group that hold a wanted id.

        Raises Damaged, Unfit, and the native module's Malformed and Uncut: then somebody else must read the row group.
        """
        # First of all: pages of another row group must not be taken for this one's, whatever happens here.
        self._open.clear()
        whole = self._old.footer.groups[group]
        places = np.unique(np.concatenate([self._places(group, column) for column in self._ids]))
        if not len(places):
            return SomeRows(whole.rows, NOWHERE, self._nobody)
        if len(places) * _FEW > whole.rows:
            raise Unfit("many rows that may match")
        gone = np.ones(whole.rows, np.uint8)
        gone[places] = 0
        return SomeRows(whole.rows, places, self._excerpts.of(group, Rows.of(gone), self.seen))

    def _places(self, group: int, column: int) -> Any:
        whole = self._old.footer.groups[group]
        chunk = whole.chunks[column]
        sifted = sift(Held(chunk, self._old.read_for_now(chunk.span)), whole.rows, self._sieve, self._open.keep)
        return sifted.places[self._wanted(sifted)] if len(sifted.places) else NOWHERE

    def _wanted(self, sifted: Sifted) -> Any:
        """A flag for each value that is an id, or may be one without regard to letter case."""
        values = sifted.array(pa.binary())
        if not self._sought.folded:
            return pc.is_in(values, self._values).to_numpy(zero_copy_only=False)
        texts = values.view(pa.string())
        alike = pc.is_in(pc.ascii_lower(texts), self._values.view(pa.string()))
        return pc.or_(alike, pc.invert(pc.string_is_ascii(texts))).to_numpy(zero_copy_only=False)

    @cached_property
    def _values(self) -> Any:
        return pa.array(_texts(self._sought.plain), pa.binary())


def _texts(plain: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(plain):
        start = at + 4
        at = start + int.from_bytes(plain[at:start], "little")
        yield plain[start:at]


def _ids_of(leaves: Sequence[Leaf], name: bytes) -> Sequence[int]:
    return [number for number, leaf in enumerate(leaves) if leaf.path[0] == name and leaf.path[-1] == _ID]


def _needed(leaves: Sequence[Leaf], name: bytes) -> Sequence[int]:
    """The columns of a map without those that stand beside an id and its mark, which say nothing of who it is."""
    entries = {leaf.path[:-1] for leaf in leaves if leaf.path[-1] == _ID}
    entries &= {leaf.path[:-1] for leaf in leaves if leaf.path[-1] == _PRIMARY}
    return [
        number
        for number, leaf in enumerate(leaves)
        if leaf.path[0] == name and (leaf.path[-1] in {_ID, _PRIMARY} or leaf.path[:-1] not in entries)
    ]
