"""Some rows of a row group, and what they hold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SomeRows:
    """Those that may match."""

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
