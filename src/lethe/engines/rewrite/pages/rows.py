"""Which rows of a row group go."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lethe.engines.rewrite.pages.faults import Damaged


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a row group, each with a flag."""

    gone: NDArray[np.uint8]
    """1 where the row goes."""
    positions: NDArray[np.int64]
    """Of the rows that go, ascending."""

    @classmethod
    def of(cls, gone: NDArray[np.uint8]) -> "Rows":
        """From the flags."""
        return cls(gone, np.flatnonzero(gone))

    @classmethod
    def all_stay(cls, count: int) -> "Rows":
        """Of a row group that keeps its rows."""
        return cls.of(np.zeros(count, np.uint8))

    @property
    def count(self) -> int:
        """Rows of the row group."""
        return len(self.gone)

    @property
    def kept(self) -> int:
        """Rows that stay."""
        return self.count - len(self.positions)

    def any_in(self, start: int, end: int) -> bool:
        """Whether any of these rows goes. Raises Damaged where there are no such rows."""
        if end > self.count:
            raise Damaged("a column has more rows than its row group")
        first = int(np.searchsorted(self.positions, start))
        return first < len(self.positions) and bool(self.positions[first] < end)
