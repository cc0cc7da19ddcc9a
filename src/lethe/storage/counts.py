"""Counts by identity, packed beside the keyed hashes, in their order."""

from array import array
from collections.abc import Sequence


def packed(counts: Sequence[int]) -> bytes:
    """Counts as little-endian 32-bit numbers, capped: beyond four thousand million rows nobody counts."""
    numbers = array("I", [min(count, 2**32 - 1) for count in counts])
    return numbers.tobytes()


def unpacked(text: bytes) -> Sequence[int]:
    """The counts again."""
    counts = array("I")
    counts.frombytes(text)
    return tuple(counts)
