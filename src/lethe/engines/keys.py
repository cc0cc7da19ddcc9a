"""Identities as values of a column's type: what text names which integer, decimal, uuid or run of bytes.

An id is text; a column may not be. The rules, chosen so that no id ever matches a value that its text does not name:
- text and binary: the id's UTF-8 bytes, exactly;
- integer: the canonical numeral alone (`7`, not `007` or `+7`), for in text namespaces these are other people;
- decimal: the canonical numeral, where trailing zeros after the point do not count;
- uuid, and sixteen fixed bytes: also the hyphenated form, in either letter case, for the stored value has none.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa

from lethe.engines.interface import TableRefused
from lethe.engines.tally import Numbers

_INTEGER: Final = re.compile(r"(?:0|-?[1-9][0-9]*)\Z")
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_UUID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class TypedKeys:
    """The distinct values of a column that some wanted id names; several ids may name one, such as `7` and `7.00`."""

    values: Any
    """`pyarrow.Array` of the column's type, without nulls or repetitions."""
    keys: Numbers
    """The positions of the ids that name the first value, then of those that name the second, and so on."""
    times: Numbers | None
    """How many ids name each value; None when one names each."""

    @classmethod
    def of(cls, values: Any, places: Numbers, keys: Numbers) -> "TypedKeys":
        """From pairs: the place of a value, and an id that names it. Every value has one, and none comes twice."""
        order = np.argsort(places, kind="stable")
        times = np.bincount(places, minlength=len(values)) if len(places) > len(values) else None
        return cls(values, keys[order], times)

    def named(self, rows: Numbers, which: Numbers) -> tuple[Numbers, Numbers]:
        """Rows, and beside each a key: for every row one for each id that names the value at its place in `which`."""
        if self.times is None:
            return rows, self.keys[which]
        return spread(rows, which, self.times, self.keys)


def spread(rows: Numbers, which: Numbers, times: Numbers, of: Numbers) -> tuple[Numbers, Numbers]:
    """Each row as often as `times` says at its place in `which`, beside the run of `of` that belongs to that place."""
    width = times[which]
    steps = np.arange(width.sum()) - np.repeat(np.cumsum(width) - width, width)
    first = np.cumsum(times) - times
    return np.repeat(rows, width), of[np.repeat(first[which], width) + steps]


def typed(texts: Sequence[str], column: Any) -> TypedKeys:
    """The ids, no two alike, that name a value of this `pyarrow.DataType`; ids that name none are left out.

    Raises TableRefused for a type that cannot hold identities.
    """
    if pa.types.is_string(column) or pa.types.is_large_string(column):
        return TypedKeys(pa.array(texts, type=column), np.arange(len(texts)), None)
    convert = _converter(column)
    values: dict[Any, int] = {}
    pairs = [(values.setdefault(value, len(values)), key) for key, text in enumerate(texts) for value in convert(text)]
    places, keys = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return TypedKeys.of(pa.array(list(values), type=column), places, keys)


def _converter(column: Any) -> Callable[[str], tuple[Any, ...]]:
    """From an id to the values that it names."""
    if pa.types.is_binary(column) or pa.types.is_large_binary(column):
        return lambda text: (text.encode(),)
    if pa.types.is_fixed_size_binary(column):
        return _fixed(column.byte_width)
    if pa.types.is_integer(column):
        return _integer(column.bit_width, signed=pa.types.is_signed_integer(column))
    if pa.types.is_decimal(column):
        return _decimal(column.precision, column.scale)
    raise TableRefused(f"an identity cannot be matched in a column of type {column}")


def _fixed(width: int) -> Callable[[str], tuple[Any, ...]]:
    def convert(text: str) -> tuple[Any, ...]:
        if width == _UUID_BYTES and _UUID.match(text):
            return (UUID(text).bytes,)
        raw = text.encode()
        return (raw,) if len(raw) == width else ()

    return convert


def _integer(bits: int, *, signed: bool) -> Callable[[str], tuple[Any, ...]]:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    digits_max = len(str(high)) + 1

    def convert(text: str) -> tuple[Any, ...]:
        if len(text) > digits_max or not _INTEGER.match(text):
            return ()
        value = int(text)
        return (value,) if low <= value <= high else ()

    return convert


def _decimal(precision: int, scale: int) -> Callable[[str], tuple[Any, ...]]:
    def convert(text: str) -> tuple[Any, ...]:
        if not _DECIMAL.match(text):
            return ()
        sign, digits, exponent = Decimal(text).as_tuple()
        number = int("".join(map(str, digits)))
        if not number:
            return () if sign else (Decimal(0).scaleb(-scale),)
        shift = scale + int(exponent)
        if shift >= 0:
            unscaled = number * 10**shift
        else:
            unscaled, rest = divmod(number, 10**-shift)
            if rest:
                return ()
        if len(str(unscaled)) > precision:
            return ()
        return (Decimal((sign, tuple(map(int, str(unscaled))), -scale)),)

    return convert


def spoken(values: Any) -> tuple[list[int], list[str]]:
    """The texts by which an id may have named each of these values: positions, and beside each a text.

    The inverse of `typed`, as far as it has one: of a decimal the numerals with at most as many places as its column
    has, of a uuid the two plain letter cases. Raises TableRefused for a type that cannot hold identities.
    """
    kind = values.type
    items = values.to_pylist()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return list(range(len(items))), items
    if pa.types.is_integer(kind):
        return list(range(len(items))), list(map(str, items))
    if pa.types.is_decimal(kind):
        named = [(place, text) for place, item in enumerate(items) for text in _numerals(item, kind.scale)]
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        is_uuid = pa.types.is_fixed_size_binary(kind) and kind.byte_width == _UUID_BYTES
        named = [(place, text) for place, item in enumerate(items) for text in _readings(item, is_uuid=is_uuid)]
    else:
        raise TableRefused(f"an identity cannot be recognised in a column of type {kind}")
    return [place for place, _ in named], [text for _, text in named]


def _numerals(value: Decimal, scale: int) -> Sequence[str]:
    """Such as `7`, `7.0` and `7.00`."""
    exact = f"{value:.{max(scale, 0)}f}"
    texts = [exact]
    while "." in exact and exact[-1] in "0.":
        exact = exact[:-1]
        if exact[-1] != ".":
            texts.append(exact)
    return texts


def _readings(value: bytes, *, is_uuid: bool) -> Sequence[str]:
    hyphened = [str(UUID(bytes=value)), str(UUID(bytes=value)).upper()] if is_uuid else []
    try:
        return [*hyphened, value.decode()]
    except UnicodeDecodeError:
        return hyphened
