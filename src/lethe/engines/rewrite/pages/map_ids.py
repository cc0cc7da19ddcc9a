"""The ids of an identity map, read in pages to rule out row groups in which nobody is who is looked for."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from lethe.engines.pruning import Sought
from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.cutting import values_of
from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.footer import Chunk, Footer, OldFile
from lethe.engines.rewrite.pages.leaves import BYTE_ARRAY, Leaf, Order
from lethe.engines.rewrite.pages.page import (
    DICTIONARY,
    DICTIONARY_ENCODINGS,
    Held,
    dictionary_of,
    opened,
    pages,
)
from lethe.engines.rewrite.pages.sieve import sieve_of
from lethe.engines.rewrite.pages.traits import require_encoding

_ID: Final = b"id"


class MapIds:
    """The columns of a file that hold the ids of its identity map.

    An id that is found may stand under any namespace, and need not be primary: the judge reads the row group then.
    """

    def __init__(self, source: Any, footer: Footer, columns: Sequence[int], sought: Sought) -> None:
        """`source` is a `pyarrow.NativeFile`; the columns are those that `of_map` finds."""
        self._old = OldFile(source, footer)
        self._columns = columns
        self._sieve = sieve_of(sought, footer.leaves[columns[0]])
        self._sought = sought

    @staticmethod
    def of_map(footer: Footer, name: str) -> Sequence[int]:
        """The columns of a map's ids; none where they are no text, as it is sought, or there are none."""
        found = [
            number
            for number, leaf in enumerate(footer.leaves)
            if leaf.path[0] == name.encode() and leaf.path[-1] == _ID
        ]
        texts = all(footer.leaves[n].physical == BYTE_ARRAY and footer.leaves[n].order is Order.BYTEWISE for n in found)
        return found if texts else []

    def may_be_in(self, group: int) -> bool:
        """Whether a row group may hold one of the ids.

        Raises Damaged, Unfit, and the native module's Malformed and Uncut: then somebody else must read it.
        """
        return any(self._is_in(self._old.footer.groups[group].chunks[column]) for column in self._columns)

    def _is_in(self, chunk: Chunk) -> bool:
        held, leaf = Held(chunk, self._old.read_for_now(chunk.span)), chunk.leaf
        values, has_dictionary = 0, False
        for page in pages(chunk, held.data):
            if page.kind == DICTIONARY:
                has_dictionary = True
                if self._holds(dictionary_of(held.headed(page)), page.values, leaf):
                    return True
                continue
            values += page.values
            require_encoding(page.encoding, leaf)
            if page.encoding in DICTIONARY_ENCODINGS:
                if not has_dictionary:
                    raise Damaged("indices into a dictionary that is not there")
            elif self._holds(*values_of(opened(held.headed(page)), page.values, page.encoding, leaf), leaf):
                return True
        if values != chunk.values:
            raise Damaged("a column has another number of values than its row group says")
        return False

    def _holds(self, plain: Any, count: int, leaf: Leaf) -> bool:
        """Whether plain values are ids, some of them."""
        passed = _native.sieve_marks(self._sieve, self._sought.folded, plain, count, leaf.shape, leaf.plain_width)
        if 1 not in passed:
            return False
        texts = _texts(_native.select(plain, leaf.shape, leaf.plain_width, passed))
        if self._sought.folded:
            return any(not text.isascii() or text.lower() in self._wanted for text in texts)
        return not self._wanted.isdisjoint(texts)

    @cached_property
    def _wanted(self) -> frozenset[bytes]:
        return frozenset(_texts(self._sought.plain))


def _texts(plain: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(plain):
        start = at + 4
        at = start + int.from_bytes(plain[at:start], "little")
        yield plain[start:at]
