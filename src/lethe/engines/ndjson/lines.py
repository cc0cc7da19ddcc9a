"""Which lines match: their identities are taken out into an Arrow table, and the matcher decides as for any other."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import IdentityMap, TableRefused
from lethe.engines.matching import Matcher
from lethe.engines.tally import Counts

_ENTRY = pa.struct([("id", pa.string()), ("primary", pa.bool_())])
_MAP = pa.map_(pa.string(), pa.list_(_ENTRY))


@dataclass(frozen=True, slots=True)
class JudgedLines:
    """Which lines of a batch go."""

    rows: int
    """Lines that are not blank."""
    leave_out: Sequence[bool]
    counts: Counts


def judged(lines: Sequence[bytes], matcher: Matcher) -> JudgedLines:
    """Judge a batch. Raises TableRefused for a line that is not a JSON object."""
    rows = [None if not line.strip() else _decoded(line) for line in lines]
    match matcher.selector:
        case PrimaryIdentity(path=path):
            values = pa.array([_identity(row, line, path) for row, line in zip(rows, lines, strict=True)], pa.string())
            nested: Any = values
            for name in reversed(path[1:]):
                nested = pa.StructArray.from_arrays([nested], [name])
            table = pa.table({path[0]: nested})
        case IdentityMap(column=column):
            table = pa.table({column: pa.array([_pairs(row, column) for row in rows], _MAP)})
    matches = matcher.match(table)
    return JudgedLines(sum(row is not None for row in rows), matches.mask.to_pylist(), matches.counts)


_DECODER = msgspec.json.Decoder(dict[str, Any])


def _decoded(line: bytes) -> dict[str, Any]:
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decoded_slowly(line)


def _decoded_slowly(line: bytes) -> dict[str, Any]:
    """By the standard library, which takes numbers of any size. The error of either would quote the line."""
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise TableRefused("a line is not a JSON object")
    return value


def _identity(row: Any, line: bytes, path: Sequence[str]) -> str | None:
    """The identity at a path; an integer beyond 64 bits was read as a float, and is read again."""
    value = _at(row, path)
    return _text(_at(_decoded_slowly(line), path) if isinstance(value, float) else value)


def _at(row: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(row, dict):
            return None
        row = row.get(name)
    return row


def _text(value: Any) -> str | None:
    """An identity as text: integers by their numeral; anything else names nobody."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _pairs(row: Any, column: str) -> list[tuple[str, list[dict[str, Any]]]] | None:
    """An identity map in the shape that the matcher knows."""
    entries = _at(row, (column,))
    if not isinstance(entries, dict):
        return None
    return [
        (
            code,
            [
                {"id": _text(entry.get("id")), "primary": entry.get("primary") is True}
                for entry in listed
                if isinstance(entry, dict)
            ],
        )
        for code, listed in entries.items()
        if isinstance(listed, list)
    ]
