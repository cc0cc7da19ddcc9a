"""JSON text as clients write it: with whitespace, escapes and repeated keys that no serializer would make."""

import json
from random import Random
from typing import Any

_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Pairs(list[tuple[str, Any]]):
    """An object as its text has it: keys may stand twice."""


def pairs_of(value: Any) -> Any:
    """The value with its objects as pairs."""
    if isinstance(value, dict):
        return Pairs((key, pairs_of(each)) for key, each in value.items())
    return [pairs_of(each) for each in value] if isinstance(value, list) else value


def objects_in(value: Any) -> list[Pairs]:
    """Every object of the text, outermost first."""
    if isinstance(value, Pairs):
        return [value, *(found for _, each in value for found in objects_in(each))]
    return [found for each in value for found in objects_in(each)] if isinstance(value, list) else []


def has_twins(value: Any) -> bool:
    """Whether an object has a key twice."""
    return any(len({key for key, _ in one}) < len(one) for one in objects_in(value))


def write(value: Any, random: Random, *, escapes: bool = True) -> str:
    """The text, with whitespace by chance, and escapes too unless they are needed."""

    def gap() -> str:
        return random.choice(["", "", "", " ", "\n\t", "\r"])

    def character(one: str) -> str:
        if escapes and random.random() < 0.1:
            return json.dumps(one)[1:-1] if one > "\uffff" else f"\\u{ord(one):04{random.choice('xX')}}"
        return _SHORT.get(one) or (json.dumps(one)[1:-1] if one < " " or "\ud800" <= one <= "\udfff" else one)

    def text(node: Any) -> str:
        match node:
            case Pairs():
                return "{" + ",".join(f"{gap()}{text(key)}{gap()}:{text(one)}" for key, one in node) + gap() + "}"
            case list():
                return "[" + ",".join(map(text, node)) + gap() + "]"
            case str():
                return gap() + '"' + "".join(map(character, node)) + '"' + gap()
            case _:
                return gap() + json.dumps(node) + gap()

    return text(value)
