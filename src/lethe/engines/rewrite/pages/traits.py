"""What can be cut: declared, so that a choice can be made before anything is written, and explained."""

from typing import Final

from lethe.engines.rewrite.pages import codecs
from lethe.engines.rewrite.pages.faults import Unfit
from lethe.engines.rewrite.pages.footer import Chunk, Group
from lethe.engines.rewrite.pages.leaves import BOOLEAN, BYTE_ARRAY, DOUBLE, FIXED, FLOAT, INT32, INT64, Leaf

PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, DELTA_BINARY_PACKED, DELTA_LENGTH, DELTA_BYTE_ARRAY, RLE_DICTIONARY, SPLIT = (
    0, 2, 3, 4, 5, 6, 7, 8, 9,
)  # fmt: skip
_TYPES: Final = {
    PLAIN: frozenset(range(8)),
    PLAIN_DICTIONARY: frozenset(range(1, 8)),
    RLE_DICTIONARY: frozenset(range(1, 8)),
    RLE: frozenset({BOOLEAN}),
    DELTA_BINARY_PACKED: frozenset({INT32, INT64}),
    DELTA_LENGTH: frozenset({BYTE_ARRAY}),
    DELTA_BYTE_ARRAY: frozenset({BYTE_ARRAY, FIXED}),
    SPLIT: frozenset({INT32, INT64, FLOAT, DOUBLE, FIXED}),
}
"""For each encoding, the physical types whose values are cut in it."""


def require_encoding(encoding: int, leaf: Leaf) -> None:
    """Raises Unfit for values that are not cut."""
    if leaf.physical not in _TYPES.get(encoding, frozenset()):
        raise Unfit(f"column {leaf.name} has values in an encoding that is not cut")


def why_not(group: Group) -> str | None:
    """Why a row group is not cut, as far as the footer tells."""
    for chunk in group.chunks:
        reason = codecs.why_not(chunk.codec) or _strange_encoding(chunk)
        if reason is not None:
            return f"column {chunk.leaf.name} has {reason}"
    return None


def _strange_encoding(chunk: Chunk) -> str | None:
    """Levels are RLE in every file of today; what else is listed belongs to values, or to levels that are not there."""
    known = {RLE, BIT_PACKED, *(encoding for encoding, types in _TYPES.items() if chunk.leaf.physical in types)}
    return None if known.issuperset(chunk.encodings) else "an encoding that is not cut"
