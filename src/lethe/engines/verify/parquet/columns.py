"""One chunk: which identities its pages hold, which dictionary entries no row uses, what its bounds repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from lethe.engines.verify.cut import CUT_USUALLY, before_raising
from lethe.engines.verify.needles import Needles
from lethe.engines.verify.parquet import bloom
from lethe.engines.verify.parquet.footer import BYTE_ARRAY, FIXED, INT32, INT64, Chunk
from lethe.engines.verify.parquet.naming import namer, numerals_of, wanted_integers, wanted_values
from lethe.engines.verify.parquet.pages import DELTA_BYTE_ARRAY, PLAIN, Page, pages
from lethe.engines.verify.parquet.thrift import struct_at
from lethe.engines.verify.parquet.values import DICTIONARY_ENCODINGS, decode, indices
from lethe.engines.verify.parquet.whole import WholeValues
from lethe.engines.verify.parts import Sliced

_SEARCHABLE: Final = frozenset({BYTE_ARRAY, FIXED, INT32, INT64})

_TINY_BYTES_MAX: Final = 12
"""No spelling of an id that is too short to be searched is longer, whatever its case."""


@dataclass
class ChunkReader:
    """The pages of one chunk, walked once and looked at as needed."""

    data: Sliced = field(repr=False)
    chunk: Chunk
    needles: Needles

    @cached_property
    def pages(self) -> Sequence[Page]:
        """All pages, decompressed."""
        return list(pages(self.data, self.chunk))

    @property
    def holds_text(self) -> bool:
        """Whether an identity could stand in the column as bytes."""
        return self.chunk.leaf.physical in {BYTE_ARRAY, FIXED}

    @property
    def searchable(self) -> bool:
        """Whether an identity could stand in the column at all."""
        return self.chunk.leaf.physical in _SEARCHABLE

    def rows_named(self, code: str | None) -> int:
        """How many values of the column are identities (of a namespace)."""
        name = namer(self.needles, self.chunk.leaf, code)
        dictionary = next((page for page in self.pages if page.dictionary), None)
        wanted: list[int] = []
        if dictionary is not None and self._may_name(dictionary, code):
            entries = decode(dictionary, self.chunk.leaf)
            wanted = [number for number, value in enumerate(entries) if name(value) is not None]
        rows = 0
        for page in self.pages:
            if _is_indexed(page):
                rows += int(np.isin(indices(page, self.chunk.leaf), wanted).sum()) if wanted else 0
            elif not page.dictionary and self._may_name(page, code):
                rows += sum(name(value) is not None for value in decode(page, self.chunk.leaf))
        return rows

    def may_name_any(self) -> bool:
        """Whether some value of the column may be an identity; the answer may be a false yes."""
        return any(self._may_name(page, None) for page in self.pages if not _is_indexed(page))

    def _may_name(self, page: Page, code: str | None) -> bool:
        """Whether a value that the page itself holds may be, as a whole, an identity (of a namespace)."""
        leaf = self.chunk.leaf
        if leaf.physical == BYTE_ARRAY and not leaf.decimal and (page.dictionary or page.encoding == PLAIN):
            return WholeValues.of(self.needles, code).may_be_in(page.body)
        return self._may_hold(page)

    def _may_hold(self, page: Page) -> bool:
        """Whether the page's bytes betray any identity. Short ones and shared prefixes betray nothing: decode."""
        if self.chunk.leaf.physical in {INT32, INT64}:
            return bool(len(self._integers)) and bool(np.isin(decode(page, self.chunk.leaf), self._integers).any())
        if self.chunk.leaf.decimal:
            return bool(self._wanted)
        if self.needles.has_short or self._forms_are_split(page):
            return True
        return self.needles.any_in_bytes(page.body)

    @staticmethod
    def _forms_are_split(page: Page) -> bool:
        return not page.dictionary and page.encoding >= DELTA_BYTE_ARRAY

    @cached_property
    def _wanted(self) -> Mapping[Any, int]:
        return wanted_values(self.needles, self.chunk.leaf)

    @cached_property
    def _integers(self) -> Any:
        return wanted_integers(self.needles, self.chunk.leaf)

    def identities_in_pages(self) -> set[int]:
        """Identities that occur anywhere in the values of the column, as parts too."""
        found: set[int] = set()
        for page in self.pages:
            if _is_indexed(page):
                continue
            if self.holds_text and not self._forms_are_split(page):
                # The page's lengths stand between its values: words can be told apart only after decoding.
                if self.needles.in_bytes(page.body) - found:
                    found |= self.needles.in_words(b"\n".join(decode(page, self.chunk.leaf)))
            elif self.holds_text:
                found |= self.needles.in_words(b"\n".join(decode(page, self.chunk.leaf)))
        return found

    def identities_as_values(self, integers_from: int) -> set[int]:
        """Identities that a value of some row is, where it is not written as text, or too short to be searched in it.

        Of integers only those that are as wide as said.
        """
        leaf = self.chunk.leaf
        if leaf.temporal or not self.searchable:
            return set()
        if leaf.physical in {INT32, INT64}:
            return {self._wanted[value] for value in self._wanted_integers_used() if abs(value) >= integers_from}
        if leaf.decimal or leaf.physical == FIXED:
            return {self._wanted[value] for value in self._wanted.keys() & self.used_values} if self._wanted else set()
        if not self.needles.tiny:
            return set()
        named = {self.needles.named_by_bytes(value) for value in self.used_values if len(value) <= _TINY_BYTES_MAX}
        return {number for number in named if number in self.needles.tiny}

    def _wanted_integers_used(self) -> set[int]:
        """Of the integers that are identities those that some row has."""
        found: set[int] = set()
        for page in self.pages if len(self._integers) else ():
            if page.dictionary:
                entries = decode(page, self.chunk.leaf)
                held = np.flatnonzero(np.isin(entries, self._integers)).tolist()
                found.update(int(entries[number]) for number in held if number in self._used_entries)
            elif page.encoding not in DICTIONARY_ENCODINGS:
                values = decode(page, self.chunk.leaf)
                found.update(values[np.isin(values, self._integers)].tolist())
        return found

    def begun(self, beginnings: frozenset[bytes]) -> set[bytes]:
        """Of some beginnings those with which a value of some row begins."""
        if not beginnings or not self.holds_text:
            return set()
        values = self.used_values
        together = b"\n".join(values)
        likely = {beginning for beginning in beginnings if beginning in together}
        for length in {len(beginning) for beginning in likely}:
            likely -= {b for b in likely if len(b) == length} - {value[:length] for value in values}
        return likely

    def identities_in_numerals(self) -> set[int]:
        """Identities whose digits occur in a number of the column, written as text: a log writes bounds so."""
        is_number = self.chunk.leaf.decimal or not self.holds_text
        if not is_number or not self.searchable or not self.needles.may_stand_in_numerals:
            return set()
        texts = (text.encode() for value in self.used_values for text in numerals_of(value, self.chunk.leaf))
        return self.needles.in_words(b"\n".join(texts))

    def unused_identities(self) -> set[Any]:
        """Dictionary entries that hold an identity and that no row of the chunk uses."""
        dictionary = next((page for page in self.pages if page.dictionary), None)
        if dictionary is None or not self._may_hold(dictionary):
            return set()
        entries = decode(dictionary, self.chunk.leaf)
        name = namer(self.needles, self.chunk.leaf, None)
        suspects = [
            number
            for number, value in enumerate(entries)
            if name(value) is not None or (isinstance(value, bytes) and self.needles.in_bytes(value))
        ]
        return {entries[number] for number in suspects if number not in self._used_entries} if suspects else set()

    @cached_property
    def _used_entries(self) -> set[int]:
        used: set[int] = set()
        for page in self.pages:
            if _is_indexed(page):
                used.update(np.unique(indices(page, self.chunk.leaf)).tolist())
        return used

    @cached_property
    def used_values(self) -> set[Any]:
        """Every value that some row has."""
        values: set[Any] = set()
        for page in self.pages:
            if page.dictionary:
                entries = decode(page, self.chunk.leaf)
                values.update(entries[number] for number in self._used_entries)
            elif page.encoding not in DICTIONARY_ENCODINGS:
                values.update(decode(page, self.chunk.leaf))
        return values

    def unexplained_bounds(self) -> set[Any]:
        """Bounds, of the chunk and of its pages, that name an identity which no value of the chunk holds."""
        bounds = {bound for bound in self._bounds() if self._unexplained(bound)}
        return bounds if self.holds_text else {int.from_bytes(bound, "little", signed=True) for bound in bounds}

    def _bounds(self) -> set[bytes]:
        statistics = [self.chunk.statistics, *(page.statistics for page in self.pages)]
        bounds = {bound for of in statistics for bound in of.bounds}
        if self.chunk.column_index is not None:
            index, _ = struct_at(self.data, self.chunk.column_index[0])
            bounds |= {*index.get(2, []), *index.get(3, [])}
        return bounds - {b""}

    def _unexplained(self, bound: bytes) -> bool:
        if not self.holds_text:
            value = int.from_bytes(bound, "little", signed=True)
            return value in self._wanted and value not in self.used_values
        name = namer(self.needles, self.chunk.leaf, None)
        named = name(bound)
        if self.chunk.leaf.decimal:
            return named is not None and all(name(value) != named for value in self.used_values)
        numbers = self.needles.in_bytes(bound) | ({named} if named is not None else set())
        cut = frozenset(form for form in _forms(bound) if len(bound) >= CUT_USUALLY and self.needles.begins(form))
        if not (numbers or cut) or bound in self.used_values or self.begun(frozenset(_forms(bound)) if cut else cut):
            return False
        return not numbers or not numbers <= self.needles.subset(numbers).in_bytes(b"\n".join(self.used_values))

    def filter_is_stale(self) -> bool:
        """Whether the bloom filter says maybe to an identity, and is not the filter of the column's values."""
        if self.chunk.bloom is None or not self.searchable:
            return False
        bits, _ = bloom.read_filter(self.data, self.chunk)
        width = 4 if self.chunk.leaf.physical == INT32 else 8
        # No filter can be asked for a value in whatever case; there it must be that of the column's values anyway.
        in_any_case = bool(self.needles.folded) and self.holds_text and not self.chunk.leaf.decimal
        if not in_any_case and not bloom.may_hold(bits, self._hashes(width)):
            return False
        return bits != bloom.rebuilt((bloom.stored(value, width) for value in self.used_values), len(bits))

    def _hashes(self, width: int) -> bloom.Words:
        """Of the identities, for filters of columns of this kind."""
        leaf = self.chunk.leaf
        key = ("hashes", leaf.physical, leaf.length, leaf.scale if leaf.decimal else None)
        if key not in self.needles.stored:
            self.needles.stored[key] = bloom.hashed(bloom.stored(value, width) for value in self._wanted)
        hashes: bloom.Words = self.needles.stored[key]
        return hashes


def _is_indexed(page: Page) -> bool:
    """Whether its values are numbers of dictionary entries."""
    return not page.dictionary and page.encoding in DICTIONARY_ENCODINGS


def _forms(bound: bytes) -> set[bytes]:
    """A bound, and what it was before it was raised, if it was."""
    return {bound, *before_raising(bound, as_text=True), *before_raising(bound, as_text=False)}
