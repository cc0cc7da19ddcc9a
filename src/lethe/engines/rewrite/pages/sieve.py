"""The column that names the person, without the values that are nobody's who is looked for.

All wanted values are put into a sieve, and each value of a page must pass it; of those that do, the judge decides. So
few values become Arrow's, and none that is wanted is missed: whatever was put in passes. Where letter case does not
count, values are asked with small letters, and those that are not ASCII pass: what folds to what, the judge knows.
No bound of a page is believed on the way. Where values are indices, the entries of the dictionary are asked instead.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lethe.engines.pruning import Sought
from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.dictionary import Dictionary
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import Footer, OldFile
from lethe.engines.rewrite.pages.leaves import BYTE_ARRAY, FIXED, INT32, INT64, Leaf
from lethe.engines.rewrite.pages.page import (
    DICTIONARY,
    DICTIONARY_ENCODINGS,
    Held,
    Opened,
    Page,
    Seen,
    dictionary_of,
    opened,
    pages,
)
from lethe.engines.rewrite.pages.traits import require_encoding

_SIZE_MIN, _BYTES_PER_VALUE = 1 << 12, 4
"""So many bytes for each value let about one in two hundred of the others through."""
_OFFSET_MAX: Final = (1 << 31) - 1
_NOWHERE: Final = np.zeros(0, np.int64)


class Sieve:
    """Reads one column of a file."""

    def __init__(self, source: Any, footer: Footer, column: int, sought: Sought, seen_bytes_max: int = 0) -> None:
        """`source` is a `pyarrow.NativeFile`; the column is one that `fits`; so many bytes of pages are kept `seen`."""
        self._old = OldFile(source, footer)
        self._column = column
        self._pages = dict[int, Opened]()
        self._seen_bytes_max = self._left = seen_bytes_max
        self._kind = sought.kind
        self._folded = sought.folded
        self._sieve = sieve_of(sought, footer.leaves[column])

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
        return Seen(self._column, self._pages)

    def column(self, group: int) -> Any:
        """The column of a row group as a `pyarrow.Array`, in which others are null. Raises as `some` does."""
        some = self.some(group)
        if not len(some.places):
            return pa.nulls(some.rows, self._kind)
        index, here = np.zeros(some.rows, np.int64), np.zeros(some.rows, np.bool_)
        index[some.places], here[some.places] = np.arange(len(some.places)), True
        return some.values.take(pa.array(index, mask=~here))

    def some(self, group: int) -> "Some":
        """What a row group holds that may be wanted.

        Raises Damaged, Unfit, and the native module's Malformed and Uncut: then somebody else must read it.
        """
        # First of all: pages of another row group must not be taken for this one's, whatever happens here.
        self._pages, self._left = {}, self._seen_bytes_max
        chunk = self._old.footer.groups[group].chunks[self._column]
        rows = self._old.footer.groups[group].rows
        held = Held(chunk, self._old.read_for_now(chunk.span))
        dictionary = _Entries(held, self._sieve, folded=self._folded)
        first, found = 0, list[tuple[int, bytes, bytes, bytes]]()
        for page in pages(chunk, held.data):
            if page.kind == DICTIONARY:
                dictionary.open(page)
                continue
            places, sizes, values = self._sifted(page, held, dictionary)
            if places:
                found.append((first, places, sizes, values))
            first += page.values
        if first != rows:
            raise Damaged("a column has another number of rows than its row group")
        numbers = [np.frombuffer(some, np.uint32).astype(np.int64) + first for first, some, _, _ in found]
        return Some(rows, np.concatenate([_NOWHERE, *numbers]), self._array(found))

    def _sifted(self, page: Page, held: Held, dictionary: "_Entries") -> tuple[bytes, bytes, bytes]:
        leaf = held.chunk.leaf
        require_encoding(page.encoding, leaf)
        indexed = page.encoding in DICTIONARY_ENCODINGS
        if not page.values or (indexed and not dictionary.any_wanted):
            return b"", b"", b""
        content = opened(held.headed(page))
        self._left -= page.unpacked_size
        if self._left >= 0:
            self._pages[page.start] = content
        return _native.sift(
            content.body,
            content.repetition_size,
            content.definition_size,
            content.values,
            page.values,
            leaf.definition_max,
            page.encoding,
            leaf.shape,
            leaf.width,
            self._sieve,
            self._folded,
            dictionary.plain if indexed else b"",
            dictionary.starts if indexed else b"",
            dictionary.wanted if indexed else b"",
        )

    def _array(self, found: list[tuple[int, bytes, bytes, bytes]]) -> Any:
        values = b"".join(some for _, _, _, some in found)
        if pa.types.is_integer(self._kind) or pa.types.is_fixed_size_binary(self._kind):
            count = len(values) // self._kind.byte_width
            return pa.Array.from_buffers(self._kind, count, [None, pa.py_buffer(values)])
        wide = pa.types.is_large_string(self._kind) or pa.types.is_large_binary(self._kind)
        if len(values) > _OFFSET_MAX and not wide:
            raise Unfit("too many values")
        sizes = np.frombuffer(b"".join(some for _, _, some, _ in found), np.uint32)
        offsets = np.zeros(len(sizes) + 1, np.int64 if wide else np.int32)
        np.cumsum(sizes, out=offsets[1:])
        return pa.Array.from_buffers(self._kind, len(sizes), [None, pa.py_buffer(offsets), pa.py_buffer(values)])


def sieve_of(sought: Sought, leaf: Leaf) -> bytearray:
    """A sieve with all of the wanted values in it."""
    sieve = bytearray(_SIZE_MIN + sought.count * _BYTES_PER_VALUE // 8 * 8)
    _native.sieve_add(sieve, sought.plain, sought.count, leaf.shape, leaf.plain_width)
    return sieve


@dataclass(frozen=True, slots=True)
class Some:
    """Some rows of a row group, and what they hold."""

    rows: int
    """Of the row group."""
    places: NDArray[np.int64]
    """Of those that are shown, ascending."""
    values: Any
    """Theirs, as a `pyarrow.Array`."""

    def spread(self, flags: Any) -> Any:
        """Flags for all rows, from those of the rows that are shown (`pyarrow.BooleanArray`)."""
        spread = np.zeros(self.rows, np.bool_)
        spread[self.places[flags.to_numpy(zero_copy_only=False)]] = True
        bits = pa.py_buffer(np.packbits(spread, bitorder="little"))
        return pa.Array.from_buffers(pa.bool_(), self.rows, [None, bits])


class _Entries:
    """The dictionary of one chunk, and which entries of it may be wanted."""

    def __init__(self, held: Held, sieve: bytearray, *, folded: bool) -> None:
        self._held = held
        self._sieve = sieve
        self._folded = folded
        self._known = False
        self.plain: Any = b""
        self.starts = b""
        self.wanted = b""
        self._any = False

    def open(self, page: Page) -> None:
        """Take in the dictionary's page."""
        if self._known:
            raise Damaged("a second dictionary")
        leaf = self._held.chunk.leaf
        dictionary = Dictionary.of(dictionary_of(self._held.headed(page)), page.values, leaf)
        self._known = True
        self.plain, self.starts = dictionary.plain, dictionary.starts
        shape, width = leaf.shape, leaf.plain_width
        self.wanted = _native.sieve_marks(self._sieve, self._folded, self.plain, page.values, shape, width)
        self._any = 1 in self.wanted

    @property
    def any_wanted(self) -> bool:
        """Whether an entry may be wanted. Raises Damaged where there is no dictionary."""
        if not self._known:
            raise Damaged("indices into a dictionary that is not there")
        return self._any
