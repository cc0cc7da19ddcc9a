"""Which identity a decoded value of a column is."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import numpy as np

from lethe.engines.verify.needles import Needles
from lethe.engines.verify.parquet.footer import INT32, INT64, Leaf

_NUMERAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_UUID_BYTES: Final = 16
Namer = Callable[[Any], int | None]


def namer(needles: Needles, leaf: Leaf, code: str | None) -> Namer:
    """For the values of one column, in one namespace or in any: the number of the identity, or None."""
    if leaf.decimal:
        numbers = {Decimal(t): n for t, n in _texts(needles, code) if _NUMERAL.match(t) and t != "-0"}
        return lambda value: numbers.get(_decimal(value, leaf.scale))
    if leaf.physical in {INT32, INT64}:
        bits = 32 if leaf.physical == INT32 else 64
        numerals = {t: n for t, n in _texts(needles, code) if _NUMERAL.match(t)}
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
    if leaf.physical not in {INT32, INT64}:
        return np.array([n for t, n in _texts(needles, None) if _NUMERAL.match(t)], dtype=np.int64)
    bits = 32 if leaf.physical == INT32 else 64
    stored = set()
    for text, _ in _texts(needles, None):
        if _NUMERAL.match(text):
            value = int(Decimal(text).scaleb(leaf.scale)) if leaf.decimal else int(Decimal(text))
            if abs(value) < 1 << bits:
                value %= 1 << bits
                stored.add(value - (1 << bits) if value >> (bits - 1) else value)
    return np.array(sorted(stored), dtype=np.int64)


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
