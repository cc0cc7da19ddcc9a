"""Which identity a decoded value of a column is."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import numpy as np

from lethe.engines.verify.needles import Needles
from lethe.engines.verify.parquet.footer import INT32, INT64, Leaf

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_UUID_BYTES: Final = 16
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
    if leaf.length == _UUID_BYTES:
        uuids = {UUID(t).bytes: n for t, n in _texts(needles, code) if _UUID.match(t)}
        return lambda value: uuids[value] if value in uuids else needles.named_by_bytes(value, code)
    return lambda value: needles.named_by_bytes(value, code)


def wanted_integers(needles: Needles, leaf: Leaf) -> Any:
    """Every stored integer (of a decimal: unscaled) that could be an identity, to rule out a whole page at once.

    For decimals in bytes only whether there is any counts.
    """
    kind = (leaf.physical, leaf.scale if leaf.decimal else 0)
    known = needles.integers.get(kind)
    if known is None:
        known = needles.integers[kind] = np.array(_stored(needles, leaf), dtype=np.int64)
    return known


def _stored(needles: Needles, leaf: Leaf) -> list[int]:
    if leaf.physical not in {INT32, INT64}:
        return [number for _, number in _numerals(needles, None)]
    bits = 32 if leaf.physical == INT32 else 64
    stored = set()
    for text, _ in _numerals(needles, None):
        value = int(Decimal(text).scaleb(leaf.scale)) if leaf.decimal else int(Decimal(text))
        if abs(value) < 1 << bits:
            value %= 1 << bits
            stored.add(value - (1 << bits) if value >> (bits - 1) else value)
    return sorted(stored)


def _numerals(needles: Needles, code: str | None) -> list[tuple[str, int]]:
    return [(text, number) for namespace, text, number in needles.numerals if code is None or namespace == code]


def _texts(needles: Needles, code: str | None) -> list[tuple[str, int]]:
    return [
        pair
        for kind in (needles.exact, needles.folded)
        for namespace, texts in kind.items()
        if code is None or namespace == code
        for pair in texts.items()
    ]


def _decimal(value: Any, scale: int) -> Decimal:
    unscaled = int.from_bytes(value, "big", signed=True) if isinstance(value, bytes) else int(value)
    return Decimal(unscaled).scaleb(-scale)
