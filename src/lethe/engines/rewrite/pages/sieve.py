"""Values that may be wanted, among those of a chunk.

All wanted values are put into a sieve, and each value of a page must pass it; of those that do, the judge decides. So
few values become Arrow's, and none that is wanted is missed: whatever was put in passes. Where letter case does not
count, values are asked with small letters, and those that are not ASCII pass: what folds to what, the judge knows.
No bound of a page is believed on the way. Where values are indices, the entries of the dictionary are asked instead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lethe.engines.pruning import Sought
from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.dictionary import Dictionary
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.leaves import Leaf
from lethe.engines.rewrite.pages.page import (
    DICTIONARY,
    DICTIONARY_ENCODINGS,
    Held,
    Opened,
    Page,
    dictionary_of,
    opened,
    pages,
)
from lethe.engines.rewrite.pages.traits import require_encoding

_SIZE_MIN, _BYTES_PER_VALUE = 1 << 12, 4
"""So many bytes for each value let about one in two hundred of the others through."""
_OFFSET_MAX: Final = (1 << 31) - 1

NOWHERE: Final = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Sieve:
    """A few bits for each wanted value of one column."""

    bits: bytearray
    folded: bool
    """As of `Sought`."""

    @classmethod
    def of(cls, sought: Sought, leaf: Leaf) -> "Sieve":
        """With all of the wanted values in it."""
        bits = bytearray(_SIZE_MIN + sought.count * _BYTES_PER_VALUE // 8 * 8)
        _native.sieve_add(bits, sought.plain, sought.count, leaf.shape, leaf.plain_width)
        return cls(bits, sought.folded)

    def marks(self, plain: Any, count: int, leaf: Leaf) -> bytes:
        """A flag for each of some plain values: 0 where it is not wanted."""
        return _native.sieve_marks(self.bits, self.folded, plain, count, leaf.shape, leaf.plain_width)


@dataclass(frozen=True, slots=True)
class Sifted:
    """Values of a chunk that passed."""

    places: NDArray[np.int64]
    """The row of each, in the row group; ascending."""
    sizes: NDArray[np.uint32]
    """Bytes of each."""
    values: bytes
    """One behind the other."""

    def array(self, kind: Any) -> Any:
        """The values as a `pyarrow.Array` of a type. Raises Unfit."""
        values = pa.py_buffer(self.values)
        if pa.types.is_integer(kind) or pa.types.is_fixed_size_binary(kind):
            return pa.Array.from_buffers(kind, len(self.values) // kind.byte_width, [None, values])
        wide = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
        if len(self.values) > _OFFSET_MAX and not wide:
            raise Unfit("too many values")
        offsets = np.zeros(len(self.sizes) + 1, np.int64 if wide else np.int32)
        np.cumsum(self.sizes, out=offsets[1:])
        return pa.Array.from_buffers(kind, len(self.sizes), [None, pa.py_buffer(offsets), values])


def sift(held: Held, rows: int, sieve: Sieve, look: Callable[[Page, Opened], None]) -> Sifted:
    """What passes of the values of a chunk, which has so many rows; `look` is shown the pages that are opened for it.

    Raises Damaged, Unfit, and the native module's Malformed and Uncut: then somebody else must read the chunk.
    """
    sifting = _Sifting(held, sieve, look)
    for page in pages(held.chunk, held.data):
        sifting.take(page)
    return sifting.ended(rows)


class _Sifting:
    """The pages of one chunk, on their way through a sieve."""

    def __init__(self, held: Held, sieve: Sieve, look: Callable[[Page, Opened], None]) -> None:
        self._held = held
        self._leaf = held.chunk.leaf
        self._sieve = sieve
        self._look = look
        self._dictionary = _Entries(held, sieve)
        self._rows = self._values = 0
        self._found: list[tuple[int, bytes, bytes, bytes]] = []
        self._uncounted: list[Page] = []
        """Pages that were passed by: how many rows begin in one of a column that repeats, only its levels tell."""

    def take(self, page: Page) -> None:
        if page.kind == DICTIONARY:
            self._dictionary.open(page)
            return
        require_encoding(page.encoding, self._leaf)
        self._values += page.values
        if not page.values:
            return
        if page.encoding in DICTIONARY_ENCODINGS and not self._dictionary.any_wanted:
            if self._leaf.repetition_max:
                self._uncounted.append(page)
            else:
                self._rows += page.values
            return
        begun, places, sizes, values = self._sift(page)
        if places:
            while self._uncounted:
                self._rows += self._sift(self._uncounted.pop())[0]
            self._found.append((self._rows, places, sizes, values))
        self._rows += begun

    def ended(self, rows: int) -> Sifted:
        rows_are_known = not self._uncounted
        if self._values != self._held.chunk.values or self._rows > rows or (rows_are_known and self._rows != rows):
            raise Damaged("a column has another number of rows or values than its row group")
        numbers = [np.frombuffer(places, np.int32).astype(np.int64) + first for first, places, _, _ in self._found]
        places = np.concatenate([NOWHERE, *numbers])
        if len(places) and places[0] < 0:
            raise Damaged("a column begins in the middle of a row")
        sizes = np.frombuffer(b"".join(sizes for _, _, sizes, _ in self._found), np.uint32)
        return Sifted(places, sizes, b"".join(values for _, _, _, values in self._found))

    def _sift(self, page: Page) -> tuple[int, bytes, bytes, bytes]:
        content = opened(self._held.headed(page))
        self._look(page, content)
        indexed = page.encoding in DICTIONARY_ENCODINGS
        leaf, dictionary = self._leaf, self._dictionary
        return _native.sift(
            content.body,
            content.repetition_size,
            content.definition_size,
            content.values,
            page.values,
            leaf.repetition_max,
            leaf.definition_max,
            page.encoding,
            leaf.shape,
            leaf.width,
            self._sieve.bits,
            self._sieve.folded,
            dictionary.plain if indexed else b"",
            dictionary.starts if indexed else b"",
            dictionary.wanted if indexed else b"",
        )


class _Entries:
    """The dictionary of one chunk, and which entries of it may be wanted."""

    def __init__(self, held: Held, sieve: Sieve) -> None:
        self._held = held
        self._sieve = sieve
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
        self.wanted = self._sieve.marks(self.plain, page.values, leaf)
        self._any = 1 in self.wanted

    @property
    def any_wanted(self) -> bool:
        """Whether an entry may be wanted. Raises Damaged where there is no dictionary."""
        if not self._known:
            raise Damaged("indices into a dictionary that is not there")
        return self._any
