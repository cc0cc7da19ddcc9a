"""Whether a plain page of byte arrays holds an identity as a whole value, told without taking the page apart.

Such a page has before each value its length, in four bytes. So wherever the length of an identity stands, the bytes
behind it are compared with the identities: first all at once by a hash, then what is left one by one. Bytes inside of a
value may look like a length too, and a find there is a false one; but no value is missed.
"""

from collections.abc import Collection
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lethe.engines.verify.needles import Needles
from lethe.engines.verify.parquet.naming import texts_of

Numbers = NDArray[np.int64]
Hashes = NDArray[np.uint64]

_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_HALF: Final = np.uint64(32)
_WORD: Final = 8
_BYTE, _SHORT = 1 << 8, 1 << 16
_PLACES_MIN, _PLACES_PER_VALUE, _PLACES_MAX = 1 << 16, 128, 1 << 23
"""Of a table of hashes: few others share one with a wanted value, and the table stays near the processor."""


class WholeValues:
    """Some values, sought in pages."""

    def __init__(self, values: Collection[bytes], *, folded: bool) -> None:
        """`folded` says that letter case does not count; the values are then given in lower case."""
        self._values = frozenset(values)
        self._folded = folded
        self._longest = max(map(len, values), default=0)
        self._is_length = np.zeros(_SHORT, dtype=np.bool_)
        self._is_length[[len(value) for value in values if len(value) < _SHORT]] = True

    @classmethod
    def of(cls, needles: Needles, code: str | None) -> "WholeValues":
        """The identities of a namespace, or all."""
        key = ("whole values", code)
        if key not in needles.stored:
            folded = {text.encode() for text, _ in texts_of(needles.folded, code)}
            exact = {text.encode() for text, _ in texts_of(needles.exact, code)}
            needles.stored[key] = cls(folded | {v.lower() if folded else v for v in exact}, folded=bool(folded))
        known: WholeValues = needles.stored[key]
        return known

    def may_be_in(self, body: bytes) -> bool:
        """Whether a value of the page may be one of them; the answer may be a false yes."""
        if not self._values:
            return False
        if self._longest >= _SHORT or (self._folded and not body.isascii()):
            return True
        text = body.lower() if self._folded else body
        starts, lengths = self._behind_lengths(body)
        return any(
            text[start : start + length] in self._values
            for length in np.flatnonzero(np.bincount(lengths)).tolist()
            for start in self._passing(text, starts[lengths == length], length).tolist()
        )

    def _behind_lengths(self, body: bytes) -> tuple[Numbers, Numbers]:
        """Where the length of some value stands: where it ends, and what it is."""
        raw = np.frombuffer(body, dtype=np.uint8)
        is_zero = raw == 0
        begins = is_zero[2:-1] & is_zero[3:]
        at = np.flatnonzero(begins & is_zero[1:-2] if self._longest < _BYTE else begins)
        lengths = raw[at] + raw[at + 1].astype(np.int64) * _BYTE
        fits = self._is_length[lengths] & (at + 4 + lengths <= len(raw))
        return at[fits] + 4, lengths[fits]

    def _passing(self, text: bytes, starts: Numbers, length: int) -> Numbers:
        """Of some places of a text those with the hash of a value."""
        return starts[self._is_taken[self._hashes(text, starts, length)]]

    @cached_property
    def _is_taken(self) -> NDArray[np.bool_]:
        """Whether a hash is that of a value."""
        taken = np.zeros(1 << self._bits, dtype=np.bool_)
        ascending = sorted(self._values, key=len)
        lengths = np.array([len(value) for value in ascending], dtype=np.int64)
        starts, text = np.cumsum(lengths) - lengths, b"".join(ascending)
        for length in np.unique(lengths).tolist():
            taken[self._hashes(text, starts[lengths == length], length)] = True
        return taken

    @property
    def _bits(self) -> int:
        places = min(max(_PLACES_MIN, _PLACES_PER_VALUE * len(self._values)), _PLACES_MAX)
        return places.bit_length() - 1

    def _hashes(self, text: bytes, starts: Numbers, length: int) -> Hashes:
        """Of so many bytes at some places of a text."""
        words = -(-length // _WORD)
        hashes = np.full(len(starts), length, dtype=np.uint64)
        if words:
            padded = text + bytes(_WORD)
            runs = np.ndarray(len(text) - length + 1, dtype=f"V{words * _WORD}", buffer=padded, strides=(1,))
            columns = runs[starts].view("<u8").reshape(-1, words)
            columns[:, -1] <<= np.uint64(8 * (words * _WORD - length))
            for column in columns.T:
                hashes = (hashes ^ column) * _FACTOR
                hashes ^= hashes >> _HALF
        return (hashes * _FACTOR) >> np.uint64(64 - self._bits)
