"""Whom a JSON value names: a text itself, an integer its numeral, any other number whoever names its value.

A number with a point or an exponent is compared as in a column of decimals: `7.50` is named by `7.5` and by `7.50`.
"""

from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import pyarrow as pa

from lethe.engines.interface import TableRefused
from lethe.engines.ndjson.decoding import Numeral

_PLACES: Final = 38
"""Digits on either side of the point that Arrow's widest decimal has."""

NUMBER: Final = pa.decimal256(2 * _PLACES, _PLACES)
"""The Arrow type in which numbers that are no integers are compared."""


def name_of(value: Any) -> str | Decimal | None:
    """The identity that a value of `decoding.decoded_exactly` is; None where it is none. Raises TableRefused."""
    if isinstance(value, Numeral):
        return _number(value)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _number(numeral: Numeral) -> Decimal:
    number: Decimal | None = None
    with suppress(InvalidOperation):
        number = Decimal(numeral)
    if number is not None and not number:
        return Decimal(0)
    if number is None or number.adjusted() >= _PLACES or _last_place(number) > _PLACES:
        raise TableRefused(f"its identity is a number of more than {_PLACES} digits before or behind the point")
    return number


def _last_place(number: Decimal) -> int:
    """How far behind the point the last digit stands that is not zero."""
    _, digits, exponent = number.as_tuple()
    zeros = next(count for count, digit in enumerate(reversed(digits)) if digit)
    return -(int(exponent) + zeros)
