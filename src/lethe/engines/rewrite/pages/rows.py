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
    before: NDArray[np.int64]
    """How many rows go before each row, and before the end."""

    @classmethod
    def of(cls, gone: NDArray[np.uint8]) -> "Rows":
        """From the flags."""
        return cls(gone, np.concatenate([np.zeros(1, np.int64), np.cumsum(gone, dtype=np.int64)]))

    @property
    def count(self) -> int:
        """Rows of the row group."""
        return len(self.gone)

    @property
    def kept(self) -> int:
        """Rows that stay."""
        return self.count - int(self.before[-1])

    def any_in(self, start: int, end: int) -> bool:
        """Whether any of these rows goes. Raises Damaged where there are no such rows."""
        if end >= len(self.before):
            raise Damaged("a column has more rows than its row group")
        return bool(self.before[end] > self.before[start])
