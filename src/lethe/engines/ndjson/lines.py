"""Which lines match: their identities are taken out into Arrow tables, and the matcher decides as for any other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import IdentityMap, Selector, TableRefused
from lethe.engines.matching import Matcher
from lethe.engines.ndjson.decoding import decoded, decoded_exactly
from lethe.engines.ndjson.naming import NUMBER, name_of
from lethe.engines.tally import Counts

_Name = str | Decimal | None
_Entries = list[tuple[str, list[_Name]]]
"""The names of an identity map's primary entries, by namespace code."""


@dataclass(frozen=True, slots=True)
class JudgedLines:
    """Which lines of a batch go."""

    rows: int
    """Lines that are not blank."""
    leave_out: Sequence[bool]
    counts: Counts


def judged(
    lines: Sequence[bytes], matcher: Matcher, first_line: int = 1, named_around: str | None = None
) -> JudgedLines:
    """Judge a batch. Raises TableRefused, with its number, for a line that cannot be judged.

    A row that lacks the identity's column altogether is of whom its file's directory names, if it names somebody.
    """
    names_in = _reader(matcher.selector, named_around)
    rows, names = 0, list[Any]()
    for number, line in enumerate(lines, first_line):
        if not line.strip():
            names.append(None)
            continue
        rows += 1
        try:
            names.append(names_in(decoded(line), line))
        except TableRefused as error:
            raise TableRefused(f"line {number}: {error}") from None
    matches = matcher.match(*_tables(matcher.selector, names, first_line))
    return JudgedLines(rows, matches.mask.to_pylist(), matches.counts)


def _reader(selector: Selector, named_around: str | None) -> Callable[[dict[str, Any], bytes], Any]:
    """From a row and its line to whom the row names."""
    match selector:
        case PrimaryIdentity(path=path) if named_around is not None:
            return lambda row, line: _name(row, line, path) if path[0] in row else named_around
        case PrimaryIdentity(path=path):
            return lambda row, line: _name(row, line, path)
        case IdentityMap(column=column):
            return lambda row, line: _entries(row, line, column)


def _name(row: dict[str, Any], line: bytes, path: Sequence[str]) -> _Name:
    """The identity at a path. A float may have been an integer or a decimal, and is read again."""
    value = _at(row, path)
    return name_of(_at(decoded_exactly(line), path) if isinstance(value, float) else value)


def _at(row: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(row, dict):
            return None
        row = row.get(name)
    return row


def _entries(row: dict[str, Any], line: bytes, column: str) -> _Entries:
    """The primary entries of an identity map."""
    found = _primary(row.get(column))
    if any(isinstance(value, float) for _, values in found for value in values):
        found = _primary(decoded_exactly(line).get(column))
    return [(code, [name_of(value) for value in values]) for code, values in found]


def _primary(entries: Any) -> list[tuple[str, list[Any]]]:
    if not isinstance(entries, dict):
        return []
    return [
        (code, [entry.get("id") for entry in listed if isinstance(entry, dict) and entry.get("primary") is True])
        for code, listed in entries.items()
        if isinstance(listed, list)
    ]


# Tables for the matcher


def _tables(selector: Selector, names: Sequence[Any], first_line: int) -> Sequence[Any]:
    """A `pyarrow.Table` of the names that are text, and where there are numbers, one of them: the same rows."""
    tables = []
    for type_, kind in ((str, pa.string()), (Decimal, NUMBER)):
        if type_ is Decimal and not any(map(_has_number, names)):
            break
        match selector:
            case PrimaryIdentity(path=path):
                column = _array([name if isinstance(name, type_) else None for name in names], kind, first_line)
                for name in reversed(path[1:]):
                    column = pa.StructArray.from_arrays([column], [name])
                tables.append(pa.table({path[0]: column}))
            case IdentityMap(column=name):
                maps = [[(code, _only(values, type_)) for code, values in entries or ()] for entries in names]
                tables.append(pa.table({name: _array(maps, _map_of(kind), first_line)}))
    return tables


def _has_number(names: Any) -> bool:
    if isinstance(names, list):
        return any(isinstance(name, Decimal) for _, values in names for name in values)
    return isinstance(names, Decimal)


def _only(values: Sequence[_Name], type_: type) -> list[dict[str, Any]]:
    return [{"id": value, "primary": True} for value in values if isinstance(value, type_)]


def _map_of(kind: Any) -> Any:
    return pa.map_(pa.string(), pa.list_(pa.struct([("id", kind), ("primary", pa.bool_())])))


_LONE_SURROGATE: Final = "a text by which it could name somebody holds half of a surrogate pair"


def _array(values: Sequence[Any], kind: Any, first_line: int) -> Any:
    """A `pyarrow.Array`. Raises TableRefused, where the error that quotes the text is not at hand."""
    array = _built(values, kind)
    if array is None:
        number = next(n for n, value in enumerate(values, first_line) if _built([value], kind) is None)
        raise TableRefused(f"line {number}: {_LONE_SURROGATE}")
    return array


def _built(values: Sequence[Any], kind: Any) -> Any:
    """None where a text has no UTF-8 form: JSON may escape half of a pair."""
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        return None
