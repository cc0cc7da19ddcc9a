"""One chunk without some rows: its pages, and what speaks of all of them.

The dictionary, the bounds and the bloom filter are revised when all pages were cut. Pages that were not opened for the
cut, or all, are opened for that only where what was seen before does not decide.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.bloom import Filter
from lethe.engines.rewrite.pages.cutting import Cutting, Kept, values_of
from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.footer import Chunk
from lethe.engines.rewrite.pages.page import (
    DICTIONARY,
    DICTIONARY_ENCODINGS,
    Held,
    Page,
    dictionary_page,
    pages,
    reheaded,
)
from lethe.engines.rewrite.pages.room import Room
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.statistics import Bounds, Marks, Statistics, bounds_in, bounds_of, revised, wider
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
    statistics: Statistics | None
    vanished: frozenset[bytes]
    """Bounds of the old chunk that no value of the new one is."""
    bloom: bytes | None
    """A new bloom filter; None where there is none, or the old one holds."""

    @property
    def pages(self) -> Sequence[Page]:
        """All pages in their order."""
        return [*([] if self.dictionary is None else [self.dictionary]), *(kept.page for kept in self.kept)]

    @property
    def changed(self) -> bool:
        """Whether any of its pages, or what speaks of them, is another than before."""
        return any(page.is_new for page in self.pages) or bool(self.vanished)

    @property
    def page_kinds(self) -> Mapping[tuple[int, int], int]:
        """How many pages there are of each kind and encoding."""
        return Counter((page.kind, page.encoding) for page in self.pages)


def cut_chunk(
    held: Held,
    rows: Rows,
    *,
    edges: Sequence[Marks] | None,
    bloom: Filter | None,
    compression: Mapping[str, int],
    room: Room,
    suspect: bool = False,
) -> CutChunk:
    """Cut rows out of a chunk that is in memory.

    `edges` are the bounds of its data pages in its column index; `bloom` is an empty filter of the size of its own;
    `compression` gives levels by codec; pages are cut in the room. A chunk is `suspect` when its dictionary or bounds
    may repeat values that none of its rows has. Raises Damaged, Unfit, and the native module's Malformed.
    """
    chunk = held.chunk
    cutting = Cutting(held, rows, edges, compression, room)
    so_far = cutting.progress
    for page in pages(chunk, held.data):
        if page.kind != DICTIONARY:
            cutting.cut(page)
        elif so_far.pages or cutting.dictionary_page is not None:
            raise Damaged("a dictionary does not stand before the pages of its chunk")
        else:
            cutting.dictionary_page = page
    if so_far.rows != rows.count or so_far.values != chunk.values:
        raise Damaged("a column has another number of rows or values than its row group")
    if edges is not None and len(edges) != so_far.pages:
        raise Damaged("a column index has another number of pages than its chunk")
    ending = _Ending(cutting, held)
    if suspect:
        ending.suspect()
    dictionary, statistics = ending.dictionary(compression), ending.statistics()
    new_bloom = ending.bloom(bloom)
    vanished = bounds_in(cutting.statistics) - bounds_in(statistics)
    kept_pages = [ending.without(vanished, kept, edges) for kept in so_far.kept] if vanished else so_far.kept
    return CutChunk(
        chunk=chunk,
        dictionary=dictionary,
        kept=kept_pages,
        source_pages=so_far.pages,
        values=so_far.values_kept,
        statistics=statistics,
        vanished=vanished,
        bloom=new_bloom,
    )


class _Ending:
    """What is left to do for a chunk when its pages are cut."""

    def __init__(self, cutting: Cutting, held: Held) -> None:
        self._cutting = cutting
        self._held = held
        self._chunk = held.chunk
        self._so_far = cutting.progress
        unread = self._so_far.unread[::-1]
        self._indexed = [page for page in unread if page.encoding in DICTIONARY_ENCODINGS]
        self._plain = [page for page in unread if page.encoding not in DICTIONARY_ENCODINGS]

    def suspect(self) -> None:
        """Believe neither an entry of the dictionary nor a bound before a row was seen that has it."""
        self._so_far.touched = True
        if self._indexed or self._cutting.uses_dictionary:
            self._cutting.dictionary.lost[:] = 1

    def _look_at_indices(self) -> bool:
        """Look at one more page that uses the dictionary, if there is one."""
        if not self._indexed:
            return False
        dictionary = self._cutting.dictionary
        indices, count = self._values(self._indexed.pop())
        _native.mark(indices, count, dictionary.count, dictionary.used)
        return True

    def _look_further(self) -> bool:
        """Look at one more page, if there is one."""
        if self._look_at_indices():
            return True
        if not self._plain:
            return False
        leaf, so_far = self._chunk.leaf, self._so_far
        so_far.bounds = wider(so_far.bounds, bounds_of(*self._values(self._plain.pop()), leaf), leaf)
        return True

    def dictionary(self, compression: Mapping[str, int]) -> Page | None:
        """The dictionary's page, without what only rows that go used."""
        page = self._cutting.dictionary_page
        if page is None or not self._cutting.uses_dictionary:
            return page
        dictionary = self._cutting.dictionary
        losses = dictionary.losses
        while not dictionary.used[losses].all():
            if not self._look_at_indices():
                entries, count = dictionary.scrubbed()
                return dictionary_page(self._held.headed(page), entries, count, compression)
        return page

    def statistics(self) -> Statistics | None:
        """The chunk's statistics."""
        so_far, old = self._so_far, self._cutting.statistics
        if old is None:
            return None
        leaf = self._chunk.leaf
        nulls = old.nulls
        if nulls is not None:
            if not leaf.repetition_max:
                nulls -= so_far.nulls_gone
            else:
                # Writers do not agree on what a null is inside of a list; who counts as here is believed.
                nulls = nulls - so_far.nulls_gone if nulls == so_far.nulls else None
        if nulls is not None and nulls < 0:
            nulls = None
        touched = so_far.touched and not self._still_bounds(old)
        return revised(old, nulls, self._bounds() if touched else None, leaf, touched=touched)

    def _still_bounds(self, old: Statistics) -> bool:
        """Whether values that stay are the bounds still; looks at pages until it is sure."""
        leaf = self._chunk.leaf
        while True:
            seen = self._so_far.bounds
            if self._cutting.uses_dictionary:
                dictionary = self._cutting.dictionary
                seen = wider(seen, dictionary.bounds(dictionary.used), leaf)
            if seen is not None:
                low, high = seen
                if {old.old_max, old.max} <= {None, high} and {old.old_min, old.min} <= {None, low}:
                    return True
            if leaf.order is None or not self._look_further():
                return False

    def _bounds(self) -> Bounds | None:
        """The bounds of all values that stay."""
        leaf, found = self._chunk.leaf, None
        if leaf.order is None:
            return None
        for kept in self._so_far.kept:
            if kept.page.encoding not in DICTIONARY_ENCODINGS:
                found = wider(found, self._bounds_of(kept), leaf)
        while self._look_at_indices():
            pass
        if not self._cutting.uses_dictionary:
            return found
        dictionary = self._cutting.dictionary
        return wider(found, dictionary.bounds(dictionary.used), leaf)

    def without(self, vanished: frozenset[bytes], kept: Kept, edges: Sequence[Marks] | None) -> Kept:
        """A page of which nothing repeats a bound that has gone: some writers say of each what holds of the chunk."""
        page, leaf = kept.page, self._chunk.leaf
        headed = self._held.headed(page)
        told = headed.said.statistics
        in_header = bool(bounds_in(told) & vanished)
        in_index = edges is not None and bool(vanished.intersection(edges[kept.number].values))
        if not (in_header or in_index):
            return kept
        bounds = self._bounds_of(kept)
        if in_header:
            nulls = None if told is None else told.nulls
            page = reheaded(headed, revised(told, nulls, bounds, leaf, touched=True))
        return kept._replace(page=page, bounds=bounds, edge_touched=kept.edge_touched or in_index)

    def _bounds_of(self, kept: Kept) -> Bounds | None:
        if kept.bounded:
            return kept.bounds
        page = kept.page
        values, count = self._values(page)
        if page.encoding not in DICTIONARY_ENCODINGS:
            return bounds_of(values, count, self._chunk.leaf)
        dictionary = self._cutting.dictionary
        used = bytearray(dictionary.count)
        _native.mark(values, count, dictionary.count, used)
        return dictionary.bounds(used)

    def bloom(self, empty: Filter | None) -> bytes | None:
        """A bloom filter of the values that stay, where one went."""
        if empty is None or not (self._so_far.present_gone or self._so_far.surplus):
            return None
        leaf = self._chunk.leaf
        for page in (kept.page for kept in self._so_far.kept):
            if page.encoding not in DICTIONARY_ENCODINGS:
                empty.add(*self._values(page), leaf)
        while self._look_at_indices():
            pass
        if self._cutting.uses_dictionary:
            dictionary = self._cutting.dictionary
            empty.add(dictionary.select(dictionary.used), int(dictionary.used.sum()), leaf)
        return empty.written

    def _values(self, page: Page) -> tuple[bytes, int]:
        require_encoding(page.encoding, self._chunk.leaf)
        return values_of(self._held.opened(self._held.headed(page)), page.values, page.encoding, self._chunk.leaf)
