"""Rows of a row group: which go, and some of them with what they hold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
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


@dataclass(frozen=True, slots=True)
class SomeRows:
    """Some rows of a row group, and what they hold."""

    rows: int
    """Of the row group."""
    places: NDArray[np.int64]
    """Of those that are shown, ascending."""
    table: Any
    """These, as a `pyarrow.Table`."""

    def spread(self, flags: Any) -> Any:
        """Flags for all rows, from those of the rows that are shown (`pyarrow.BooleanArray`)."""
        spread = np.zeros(self.rows, np.bool_)
        spread[self.places[flags.to_numpy(zero_copy_only=False)]] = True
        bits = pa.py_buffer(np.packbits(spread, bitorder="little"))
        return pa.Array.from_buffers(pa.bool_(), self.rows, [None, bits])
