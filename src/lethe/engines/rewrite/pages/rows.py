"""Which rows of a row group go."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lethe.engines.rewrite.pages.faults import Damaged


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a row group, each with a flag."""

    gone: bytes
    """1 where the row goes."""
    kept: int
    """How many stay."""

    @classmethod
    def of(cls, gone: NDArray[np.uint8]) -> "Rows":
        """From the flags."""
        return cls(gone.tobytes(), len(gone) - int(np.count_nonzero(gone)))

    @classmethod
    def all_stay(cls, count: int) -> "Rows":
        """Of a row group that keeps its rows."""
        return cls(bytes(count), count)

    @property
    def count(self) -> int:
        """Rows of the row group."""
        return len(self.gone)

    def any_in(self, start: int, end: int) -> bool:
        """Whether any of these rows goes. Raises Damaged where there are no such rows."""
        if end > len(self.gone):
            raise Damaged("a column has more rows than its row group")
        return self.gone.find(1, start, end) >= 0
