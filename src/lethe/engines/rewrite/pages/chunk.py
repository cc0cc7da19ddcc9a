"""One chunk without some rows: its pages, and what speaks of all of them.

The dictionary, the bounds and the bloom filter are revised when all pages were cut. Pages that were not opened for the
cut, or all, are opened for that only where what was seen before does not decide.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.bloom import Filter
from lethe.engines.rewrite.pages.cutting import Cutting, Kept, values_of
from lethe.engines.rewrite.pages.dictionary import Dictionary
from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.footer import Chunk
from lethe.engines.rewrite.pages.page import (
    DICTIONARY,
    DICTIONARY_ENCODINGS,
    Page,
    dictionary_page,
    opened,
    pages,
)
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.statistics import Bounds, Marks, bounds_of, revised, wider
from lethe.engines.rewrite.pages.thrift import Struct
from lethe.engines.rewrite.pages.traits import require_encoding


@dataclass(frozen=True, slots=True)
class CutChunk:
    """A chunk without some rows."""

    chunk: Chunk
    dictionary: Page | None
    kept: Sequence[Kept]
    source_pages: int
    """Data pages of the old chunk."""
    values: int
    statistics: Struct | None
    bloom: bytes | None
    """A new bloom filter; None where there is none, or the old one holds."""

    @property
    def pages(self) -> Sequence[Page]:
        """All pages in their order."""
        return [*([] if self.dictionary is None else [self.dictionary]), *(kept.page for kept in self.kept)]

    @property
    def page_kinds(self) -> Mapping[tuple[int, int], int]:
        """How many pages there are of each kind and encoding."""
        return Counter((page.kind, page.encoding) for page in self.pages)


def cut_chunk(
    chunk: Chunk,
    data: memoryview,
    rows: Rows,
    *,
    edges: Sequence[Marks] | None,
    bloom: Filter | None,
    compression: Mapping[str, int],
) -> CutChunk:
    """Cut rows out of a chunk, whose bytes these are.

    `edges` are the bounds of its data pages in its column index; `bloom` is an empty filter of the size of its own;
    `compression` gives levels by codec. Raises Damaged, Unfit, and the native module's Malformed.
    """
    cutting = Cutting(chunk, rows, edges, compression)
    so_far = cutting.progress
    for page in pages(chunk, data):
        if page.kind != DICTIONARY:
            cutting.cut(page)
        elif so_far.pages or cutting.dictionary_page is not None:
            raise Damaged("a dictionary does not stand before the pages of its chunk")
        else:
            cutting.dictionary_page = page
    if so_far.rows != rows.count or so_far.values != chunk.values:
        raise Damaged("a column has another number of rows or values than its row group")
    ending = _Ending(cutting, chunk)
    return CutChunk(
        chunk=chunk,
        dictionary=ending.dictionary(compression),
        kept=so_far.kept,
        source_pages=so_far.pages,
        values=so_far.values_kept,
        statistics=ending.statistics(),
        bloom=ending.bloom(bloom),
    )


class _Ending:
    """What is left to do for a chunk when its pages are cut."""

    def __init__(self, cutting: Cutting, chunk: Chunk) -> None:
        self._cutting = cutting
        self._chunk = chunk
        self._so_far = cutting.progress

    def dictionary(self, compression: Mapping[str, int]) -> Page | None:
        """The dictionary's page, without what only rows that go used."""
        page = self._cutting.dictionary_page
        if page is None or not self._cutting.uses_dictionary:
            return page
        dictionary = self._cutting.dictionary
        unread = iter([each for each in self._so_far.unread if each.encoding in DICTIONARY_ENCODINGS])
        while dictionary.orphans.any():
            other = next(unread, None)
            if other is None:
                entries, count = dictionary.scrubbed()
                return dictionary_page(page, entries, count, self._chunk.codec, compression)
            self._mark(other, dictionary, dictionary.used)
        return page

    def statistics(self) -> Struct | None:
        """The chunk's statistics."""
        so_far, old = self._so_far, self._chunk.statistics
        if old is None:
            return None
        leaf = self._chunk.leaf
        nulls = old.get(3)
        if isinstance(nulls, int):
            if not leaf.repetition_max:
                nulls -= so_far.nulls_gone
            else:
                # Writers do not agree on what a null is inside of a list; who counts as here is believed.
                nulls = nulls - so_far.nulls_gone if nulls == so_far.nulls else None
        if not isinstance(nulls, int) or nulls < 0:
            nulls = None
        touched = so_far.touched and not self._still_bounds(old)
        return revised(old, nulls, self._bounds() if touched else None, leaf, touched=touched)

    def _still_bounds(self, old: Struct) -> bool:
        """Whether values that stay were seen to be the bounds still."""
        seen = self._so_far.bounds
        if self._cutting.uses_dictionary:
            dictionary = self._cutting.dictionary
            seen = wider(seen, dictionary.bounds(dictionary.used), self._chunk.leaf)
        if seen is None:
            return False
        low, high = seen
        bounds = {1: high, 2: low, 5: high, 6: low}
        return all(old.binary(number) in {None, value} for number, value in bounds.items())

    def _bounds(self) -> Bounds | None:
        """The bounds of all values that stay."""
        leaf, found, dictionary = self._chunk.leaf, None, None
        if leaf.order is None:
            return None
        if self._cutting.uses_dictionary:
            dictionary = self._cutting.dictionary
            if not self._so_far.unread and self._all_indexed():
                return dictionary.bounds(dictionary.used)
        used = np.zeros(0 if dictionary is None else dictionary.count, np.uint8)
        for page in (kept.page for kept in self._so_far.kept):
            if page.encoding in DICTIONARY_ENCODINGS:
                dictionary = self._cutting.dictionary
                used = used if len(used) else np.zeros(dictionary.count, np.uint8)
                self._mark(page, dictionary, used)
            else:
                found = wider(found, bounds_of(*self._values(page), leaf), leaf)
        return found if dictionary is None else wider(found, dictionary.bounds(used), leaf)

    def bloom(self, empty: Filter | None) -> bytes | None:
        """A bloom filter of the values that stay, where one went."""
        if empty is None or not self._so_far.present_gone:
            return None
        leaf, used = self._chunk.leaf, None
        for page in (kept.page for kept in self._so_far.kept):
            if page.encoding in DICTIONARY_ENCODINGS:
                dictionary = self._cutting.dictionary
                used = np.zeros(dictionary.count, np.uint8) if used is None else used
                self._mark(page, dictionary, used)
            else:
                empty.add(*self._values(page), leaf)
        if used is not None:
            empty.add(self._cutting.dictionary.select(used), int(used.sum()), leaf)
        return empty.written

    def _all_indexed(self) -> bool:
        return all(kept.page.encoding in DICTIONARY_ENCODINGS for kept in self._so_far.kept)

    def _values(self, page: Page) -> tuple[bytes, int]:
        require_encoding(page.encoding, self._chunk.leaf)
        return values_of(opened(page, self._chunk), page.values, page.encoding, self._chunk.leaf)

    def _mark(self, page: Page, dictionary: Dictionary, flags: Any) -> None:
        indices, count = self._values(page)
        _native.mark(indices, count, dictionary.count, flags)
