"""Row groups that repeat each other: whose dictionary, or bounds, hold values that only rows of another group have.

Some writers put the whole dictionary of a column into every row group, or the bounds of the whole file. Where rows go
out of one row group, the others are therefore suspect in what they seem to share with it, as far as the footer tells;
and their dictionaries of the identity's own column are suspect in any case.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lethe.engines.rewrite.pages.footer import Chunk, Group
from lethe.engines.rewrite.pages.page import DICTIONARY_ENCODINGS
from lethe.engines.rewrite.pages.statistics import Statistics, bounds_in


@dataclass(frozen=True, slots=True)
class Repeats:
    """What the row groups say out of which rows go, column by column."""

    dictionaries: Sequence[frozenset[int]]
    """The sizes of their dictionary pages."""
    bounds: Sequence[frozenset[bytes]]
    identity: frozenset[int]
    """The columns by which rows are judged."""

    @classmethod
    def of(cls, groups: Sequence[Group], identity: Collection[int]) -> "Repeats":
        """From the row groups out of which rows go."""
        columns = list(zip(*(group.chunks for group in groups), strict=True))
        return cls(
            [frozenset(size for size in map(_dictionary_size, column) if size) for column in columns],
            [frozenset[bytes]().union(*(bounds_in(Statistics.of(chunk)) for chunk in column)) for column in columns],
            frozenset(identity),
        )

    def suspects(self, group: Group) -> frozenset[int]:
        """The columns of another row group in which a value may stand that none of its rows has."""
        return frozenset(
            number for number, chunk in enumerate(group.chunks) if chunk.values and self._is(number, chunk)
        )

    def _is(self, number: int, chunk: Chunk) -> bool:
        size = _dictionary_size(chunk)
        if size and (number in self.identity or size in self.dictionaries[number]):
            return True
        # The empty text is nobody's, and the least value of many.
        return bool(bounds_in(Statistics.of(chunk)) & self.bounds[number] - {b""})


def _dictionary_size(chunk: Chunk) -> int:
    """The bytes of a dictionary page; 0 where there is none, -1 where the footer does not tell."""
    if not DICTIONARY_ENCODINGS & set(chunk.encodings):
        return 0
    start, end = chunk.meta.integer(11, 0), chunk.meta.integer(9)
    return end - start if start else -1
