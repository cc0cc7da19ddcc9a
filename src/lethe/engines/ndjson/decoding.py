"""One line as a JSON object: fast, and where a number must be known exactly, once more and slowly."""

import json
from contextlib import suppress
from typing import Any, Final

import msgspec

from lethe.domain.identity import ID_LENGTH_MAX
from lethe.engines.interface import TableRefused

_FAST: Final = msgspec.json.Decoder(dict[str, Any])


class Numeral(str):
    """A number with a point or an exponent, as the line spells it."""

    __slots__ = ()


def decoded(line: bytes) -> dict[str, Any]:
    """The object; its numbers beyond 64 bits, and those with a point, may be floats. Raises TableRefused."""
    try:
        return _FAST.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return decoded_exactly(line)


def decoded_exactly(line: bytes) -> dict[str, Any]:
    """The object, with every number as an integer or a `Numeral`. Raises TableRefused.

    The standard library knows numbers of any size. Its errors quote the line, as do those of the other decoder, so the
    refusal is raised where none of them is at hand.
    """
    value: Any = None
    with suppress(ValueError, RecursionError):
        value = json.loads(line, parse_float=Numeral, parse_int=_integer)
    if not isinstance(value, dict):
        raise TableRefused("it is not a JSON object, or one too deep")
    return value


def _integer(numeral: str) -> int | None:
    """An integer, or None where it is longer than any id: Python does not read numerals of any length."""
    return int(numeral) if len(numeral) <= ID_LENGTH_MAX else None
