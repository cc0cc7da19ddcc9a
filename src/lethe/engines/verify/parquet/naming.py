"""Which identity a decoded value of a column is."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import numpy as np

from lethe.engines.verify.needles import EXACT, Needles
from lethe.engines.verify.parquet.footer import FIXED, INT32, INT64, Leaf

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_UUID_BYTES: Final = 16
_BITS: Final = {INT32: 32, INT64: 64}
Namer = Callable[[Any], int | None]


def namer(needles: Needles, leaf: Leaf, code: str | None) -> Namer:
    """For the values of one column, in one namespace or in any: the number of the identity, or None."""
    if leaf.decimal:
        numbers = {Decimal(t): n for t, n in _numerals(needles, code) if t != "-0"}
        return lambda value: numbers.get(_decimal(value, leaf.scale))
    if leaf.physical in {INT32, INT64}:
        bits = 32 if leaf.physical == INT32 else 64
        numerals = dict(_numerals(needles, code))
        # An unsigned column stores large numbers as negative ones.
        return lambda value: numerals.get(str(value), numerals.get(str(int(value) % (1 << bits))))
    if leaf.physical == FIXED and leaf.length == _UUID_BYTES:
        uuids = (
            needles.uuids if code is None else {UUID(t).bytes: n for t, n in _texts(needles, code) if _UUID.match(t)}
        )
        return lambda value: uuids[value] if value in uuids else needles.named_by_bytes(value, code)
    return lambda value: needles.named_by_bytes(value, code)


def wanted_values(needles: Needles, leaf: Leaf) -> Mapping[Any, int]:
    """Every stored value that is an identity, where case counts: integers, of decimals the unscaled ones, or bytes."""
    key = (leaf.physical, leaf.length, leaf.scale if leaf.decimal else None)
    known = needles.stored.get(key)
    if known is None:
        if leaf.decimal:
            known = dict(_decimals(needles, leaf))
        elif leaf.physical in _BITS:
            known = dict(_integers(needles, _BITS[leaf.physical]))
        else:
            known = {text.encode(): number for text, number in _texts(needles, None)}
            if leaf.physical == FIXED:
                known = {value: number for value, number in known.items() if len(value) == leaf.length}
            if leaf.physical == FIXED and leaf.length == _UUID_BYTES:
                known |= needles.uuids
        needles.stored[key] = known
    return known


def wanted_integers(needles: Needles, leaf: Leaf) -> Any:
    """The same for a column of integers, as an array, to rule out a whole page at once."""
    key = ("integers", leaf.physical, leaf.scale if leaf.decimal else None)
    known = needles.stored.get(key)
    if known is None:
        known = needles.stored[key] = np.array(sorted(wanted_values(needles, leaf)), dtype=np.int64)
    return known


def _integers(needles: Needles, bits: int) -> Iterator[tuple[int, int]]:
    for text, number in _numerals(needles, None):
        if "." not in text and text != "-0":
            yield from ((stored, number) for stored in _wrapped(int(text), bits))


def _wrapped(value: int, bits: int) -> Iterator[int]:
    """As a column stores it: an unsigned one stores large numbers as negative ones."""
    if -(1 << (bits - 1)) <= value < 1 << bits:
        yield value - (1 << bits) if value >> (bits - 1) > 0 else value


def _decimals(needles: Needles, leaf: Leaf) -> Iterator[tuple[Any, int]]:
    for value, number in needles.decimals.items():
        unscaled = value.scaleb(leaf.scale, context=EXACT)
        if unscaled != unscaled.to_integral_value(context=EXACT):
            continue
        whole = int(unscaled)
        bits = _BITS.get(
            leaf.physical, 8 * leaf.length or 8 * ((whole if whole >= 0 else ~whole).bit_length() // 8 + 1)
        )
        if not -(1 << (bits - 1)) <= whole < 1 << (bits - 1):
            continue
        yield (whole if leaf.physical in _BITS else whole.to_bytes(bits // 8, "big", signed=True)), number


def numerals_of(value: Any, leaf: Leaf) -> Iterator[str]:
    """How a number may be written: of a decimal with all its places, and without the zeros behind the last."""
    if not leaf.decimal:
        yield str(value)
        return
    exact = f"{_decimal(value, leaf.scale):f}"
    yield exact
    if exact.endswith("0") and "." in exact:
        yield exact.rstrip("0").removesuffix(".")


def _numerals(needles: Needles, code: str | None) -> list[tuple[str, int]]:
    return [(text, number) for namespace, text, number in needles.numerals if code is None or namespace == code]


def texts_of(kind: Mapping[str, Mapping[str, int]], code: str | None) -> list[tuple[str, int]]:
    """Texts and numbers of one kind of identities, in one namespace or in any."""
    return [pair for namespace, texts in kind.items() if code is None or namespace == code for pair in texts.items()]


def _texts(needles: Needles, code: str | None) -> list[tuple[str, int]]:
    return texts_of(needles.exact, code) + texts_of(needles.folded, code)


def _decimal(value: Any, scale: int) -> Decimal:
    unscaled = int.from_bytes(value, "big", signed=True) if isinstance(value, bytes) else int(value)
    return Decimal(unscaled).scaleb(-scale, context=EXACT)
