"""Reading JSON strictly: a key that stands twice is refused, for nobody can say which of the two counts."""

import json
import math
import re
from collections.abc import Sequence
from typing import Final

_SPEAKABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")


class NotJson(ValueError):
    """The body is not valid JSON."""


class DuplicateKey(ValueError):
    """An object of the body has a key twice."""

    def __init__(self, key: str) -> None:
        self.key = speakable(key)
        super().__init__("stands twice in one object")


def speakable(key: str) -> str:
    """The key, if it has the shape of a field's name; what a client sent in its place is not repeated to it."""
    return key if _SPEAKABLE.fullmatch(key) else "(a field)"


def require_unique_keys(body: bytes) -> None:
    """Walk the whole body. Raises DuplicateKey or NotJson."""
    try:
        json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise NotJson("the request body is nested too deeply") from None
    except UnicodeDecodeError:
        raise NotJson("the request body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"the request body is not valid JSON: at line {error.lineno} column {error.colno}") from None
    except DuplicateKey:
        raise
    except ValueError:
        raise NotJson("the request body holds a number that JSON does not have, or that is too large") from None


def _unique(pairs: Sequence[tuple[str, object]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise DuplicateKey(key)
        seen.add(key)


def _refuse_constant(_: str) -> None:
    raise ValueError


def _finite(text: str) -> float:
    """A number that is too large would become infinite, which cannot be stored as JSON."""
    number = float(text)
    if math.isinf(number):
        raise ValueError
    return number
