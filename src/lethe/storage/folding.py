"""Texts as they are searched and sorted, derived when a row is written.

A database folds case in its own way, or only for ASCII; so the folding is done here, once, into columns of its own.
"""

from typing import Final

SORT_LENGTH_MAX: Final = 500
"""Characters by which a list orders long texts: an index entry of PostgreSQL holds no more than these."""

_JOINT: Final = "\x1f"
_NOT_A_CHARACTER: Final = "\uffff"


def folded(text: str) -> str:
    """The text under full Unicode case folding, without the joint of `joined`."""
    return text.casefold().replace(_JOINT, _NOT_A_CHARACTER)


def joined(*texts: str) -> str:
    """Several texts as one, folded; a needle that was folded too never matches across two of them."""
    return _JOINT.join(map(folded, texts))


def sort_key(text: str) -> str:
    """The part of a long text by which it is ordered."""
    return text[:SORT_LENGTH_MAX]


def storable(text: str) -> bool:
    """Whether both databases can keep this text: no NUL character and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
