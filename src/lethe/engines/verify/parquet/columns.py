"""One chunk: which identities its pages hold, which dictionary entries no row uses, what its bounds repeat."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from lethe.engines.verify.needles import Needles
from lethe.engines.verify.parquet import bloom
from lethe.engines.verify.parquet.footer import BYTE_ARRAY, FIXED, INT32, INT64, Chunk
from lethe.engines.verify.parquet.naming import Namer, namer, wanted_integers
from lethe.engines.verify.parquet.pages import DELTA_BYTE_ARRAY, Page, pages
from lethe.engines.verify.parquet.thrift import Reader
from lethe.engines.verify.parquet.values import DICTIONARY_ENCODINGS, decode, indices

_SEARCHABLE: Final = frozenset({BYTE_ARRAY, FIXED, INT32, INT64})


@dataclass
class ChunkReader:
    """The pages of one chunk, walked once and looked at as needed."""

    data: bytes = field(repr=False)
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
        if dictionary is not None and self._may_hold(dictionary):
            entries = decode(dictionary, self.chunk.leaf)
            wanted = [number for number, value in enumerate(entries) if name(value) is not None]
        return sum(self._named_in(page, name, wanted) for page in self.pages if not page.dictionary)

    def _named_in(self, page: Page, name: Namer, wanted: Sequence[int]) -> int:
        if page.encoding in DICTIONARY_ENCODINGS:
            return int(np.isin(indices(page, self.chunk.leaf), wanted).sum()) if wanted else 0
        if not self._may_hold(page):
            return 0
        return sum(name(value) is not None for value in decode(page, self.chunk.leaf))

    def _may_hold(self, page: Page) -> bool:
        """Whether the page's bytes betray any identity. Short ones and shared prefixes betray nothing: decode."""
        if self.chunk.leaf.physical in {INT32, INT64}:
            return bool(len(self._integers)) and bool(np.isin(decode(page, self.chunk.leaf), self._integers).any())
        if self.chunk.leaf.decimal:
            return bool(len(self._integers))
        if self.needles.has_short or self._forms_are_split(page):
            return True
        return self.needles.any_in_bytes(page.body)

    @staticmethod
    def _forms_are_split(page: Page) -> bool:
        return not page.dictionary and page.encoding >= DELTA_BYTE_ARRAY

    @cached_property
    def _integers(self) -> Any:
        return wanted_integers(self.needles, self.chunk.leaf)

    def identities_in_pages(self) -> set[int]:
        """Identities that occur anywhere in the values of the column, as parts too."""
        found: set[int] = set()
        for page in self.pages:
            if page.encoding in DICTIONARY_ENCODINGS and not page.dictionary:
                continue
            if self.holds_text and not self._forms_are_split(page):
                # The page's lengths stand between its values: words can be told apart only after decoding.
                if self.needles.in_bytes(page.body) - found:
                    found |= self.needles.in_words(b"\n".join(decode(page, self.chunk.leaf)))
            elif self.holds_text:
                found |= self.needles.in_words(b"\n".join(decode(page, self.chunk.leaf)))
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
        """Identities whose digits occur in an integer of the column, written as text: a log writes bounds so."""
        if self.holds_text or not self.searchable or not self.needles.may_stand_in_numerals:
            return set()
        return self.needles.in_words(b"\n".join(str(value).encode() for value in self.used_values))

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
            if not page.dictionary and page.encoding in DICTIONARY_ENCODINGS:
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
        bounds = {bound for bound in self._bounds() if bound and self._unexplained(bound)}
        return bounds if self.holds_text else {int.from_bytes(bound, "little", signed=True) for bound in bounds}

    def _bounds(self) -> set[bytes | None]:
        statistics = [self.chunk.statistics, *(page.statistics for page in self.pages)]
        bounds = {bound for of in statistics for bound in (of.low, of.high)}
        if self.chunk.column_index is not None:
            index = Reader(self.data, self.chunk.column_index[0]).struct()
            bounds |= {*index.get(2, []), *index.get(3, [])}
        return bounds

    def _unexplained(self, bound: bytes) -> bool:
        if not self.holds_text:
            value = int.from_bytes(bound, "little", signed=True)
            return value in self._integers and value not in self.used_values
        named = self.needles.named_by_bytes(bound)
        numbers = self.needles.in_bytes(bound) | ({named} if named is not None else set())
        if not numbers or bound in self.used_values:
            return False
        return not numbers <= self.needles.subset(numbers).in_bytes(b"\n".join(self.used_values))

    def filter_is_stale(self) -> bool:
        """Whether the bloom filter says maybe to an identity, and is not the filter of the column's values."""
        if self.chunk.bloom is None or not self.searchable:
            return False
        bits, _ = bloom.read_filter(self.data, self.chunk)
        width = 4 if self.chunk.leaf.physical == INT32 else 8
        asked = [text.encode() for text, _ in self.needles.texts]
        if not self.holds_text:
            asked = [bloom.stored(value, width) for value in self._integers.tolist()]
        if not any(bloom.may_hold(bits, value) for value in asked):
            return False
        return bits != bloom.rebuilt((bloom.stored(value, width) for value in self.used_values), len(bits))
