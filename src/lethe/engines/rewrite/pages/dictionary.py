"""The dictionary of a chunk: which entries rows that stay use, which only rows that go used, and those blanked."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.leaves import Leaf, Shape
from lethe.engines.rewrite.pages.statistics import Bounds, bounds_of

Flags = NDArray[np.uint8]


@dataclass(slots=True)
class Dictionary:
    """Entries, and a flag for each that says who uses it."""

    leaf: Leaf
    plain: Any
    count: int
    starts: bytes = b""
    used: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    """By rows that stay."""
    lost: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    """By rows that go."""

    @classmethod
    def of(cls, plain: Any, count: int, leaf: Leaf) -> "Dictionary":
        """A dictionary as its page holds it. Raises Damaged."""
        if leaf.shape is Shape.BITS:
            raise Damaged("a dictionary of booleans")
        if leaf.shape is Shape.STRINGS:
            starts = _native.starts(plain, count)
        elif count > len(plain) // leaf.width:
            raise Damaged("a dictionary has fewer entries than it says")
        else:
            starts = b""
        return cls(leaf, plain, count, starts, np.zeros(count, np.uint8), np.zeros(count, np.uint8))

    def saw(self, used: bytearray, lost: bytearray) -> None:
        """Take in what one page uses."""
        self.used |= np.frombuffer(used, np.uint8)
        self.lost |= np.frombuffer(lost, np.uint8)

    @property
    def losses(self) -> NDArray[np.int64]:
        """The entries that rows that go used."""
        return np.flatnonzero(self.lost.view(np.bool_))

    def scrubbed(self) -> tuple[bytes, int]:
        """The entries, blank where no row that stays uses them, and how many. The others keep their numbers.

        To be asked when all pages were looked at.
        """
        if not self.used.any():
            return b"", 0
        return _native.scrub(self.plain, self.leaf.shape, self.leaf.plain_width, self.used ^ 1), self.count

    def bounds(self, flags: Any) -> Bounds | None:
        """The bounds of some entries."""
        return bounds_of(self.select(flags), int(np.count_nonzero(np.frombuffer(flags, np.uint8))), self.leaf)

    def select(self, flags: Any) -> bytes:
        """Some entries, plainly."""
        return _native.select(self.plain, self.leaf.shape, self.leaf.plain_width, flags)
