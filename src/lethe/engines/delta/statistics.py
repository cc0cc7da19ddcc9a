"""Statistics of files in the log: what they prove when a file is looked for, and what they say of a rewritten one.

A bound of text may be cut short by its writer, and not every writer rounds a cut upper bound up; a lower bound that is
cut is still a lower bound. So an id that begins with the upper bound counts as inside.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.columns import at_path
from lethe.engines.delta.actions import AddFile
from lethe.engines.delta.column_mapping import ColumnMapping
from lethe.engines.matching import Matcher
from lethe.engines.pruning import may_contain

_ABOVE_ANY_SUFFIX: Final = b"\xff"
"""No UTF-8 text holds this byte, so it sorts after whatever may follow a prefix."""

_KINDS: Final[Mapping[str, Any]] = {
    "string": pa.string(),
    "long": pa.int64(),
    "integer": pa.int32(),
    "short": pa.int16(),
    "byte": pa.int8(),
}


def row_count(add: AddFile) -> int | None:
    """Rows in the file, hidden ones included, where the log knows."""
    found = _parsed(add.stats).get("numRecords")
    return found if isinstance(found, int) and found >= 0 else None


def excludes_match(add: AddFile, mapping: ColumnMapping, matcher: Matcher) -> bool:
    """Whether the log proves that no row of the file, live or hidden, matches.

    A file with a deletion vector is always opened: its statistics need not cover the rows that are hidden.
    """
    if add.deletion_vector is not None or not isinstance(matcher.selector, PrimaryIdentity):
        return False
    stats, rows = _parsed(add.stats), row_count(add)
    if rows is None:
        return False
    path = mapping.physical_path(matcher.selector.path)
    if rows == _at(stats.get("nullCount"), path):
        return True
    kind = _KINDS.get(str(mapping.field(matcher.selector.path)["type"]))
    low, high = _at(stats.get("minValues"), path), _at(stats.get("maxValues"), path)
    expected = str if kind == pa.string() else int
    if kind is None or type(low) is not expected or type(high) is not expected:
        return False
    return not may_contain(matcher, kind, low, high.encode() + _ABOVE_ANY_SUFFIX if isinstance(high, str) else high)


def fresh(source: str | None, file: Any) -> str:
    """The statistics of a rewritten file (`pyarrow.parquet.FileMetaData`), of the columns that the source's speak of.

    They come from the new footer, so they know the surviving rows alone. Left out are bounds that the footer does not
    give as the log needs them: of floats (their footer ignores NaN), decimals and nested lists.
    """
    shape = _parsed(source)
    leaves = _leaves(file)
    found: dict[str, Any] = {"numRecords": file.num_rows}
    if file.num_rows:
        for key, of in (("minValues", _low), ("maxValues", _high), ("nullCount", _nulls)):
            if isinstance(shape.get(key), Mapping):
                found[key] = _filled(shape[key], (), leaves, of)
    if "tightBounds" in shape:
        found["tightBounds"] = True
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _parsed(stats: str | None) -> Mapping[str, Any]:
    if stats is None:
        return {}
    try:
        found = json.loads(stats)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _at(values: Any, path: Sequence[str]) -> Any:
    for name in path:
        values = values.get(name) if isinstance(values, Mapping) else None
    return values


def _leaves(file: Any) -> Mapping[tuple[str, ...], tuple[Any, Sequence[Any]]]:
    """For each leaf that is in no list or map: its Arrow type and its statistics in every row group."""
    schema = file.schema.to_arrow_schema()
    columns = [file.schema.column(index) for index in range(file.num_columns)]
    found = {}
    for index, column in enumerate(columns):
        if column.max_repetition_level or sum(other.path == column.path for other in columns) != 1:
            continue
        for path in _paths(schema, column.path):
            groups = [file.row_group(group).column(index).statistics for group in range(file.num_row_groups)]
            found[path] = (at_path(schema, path).type, groups)
    return found


def _paths(schema: Any, dotted: str) -> Sequence[tuple[str, ...]]:
    """The one path through structs that Parquet writes with these dots; names may hold dots of their own."""
    found = list[tuple[str, ...]]()

    def walk(fields: Sequence[Any], path: tuple[str, ...]) -> None:
        for field in fields:
            here = (*path, field.name)
            if pa.types.is_struct(field.type):
                walk([field.type.field(i) for i in range(field.type.num_fields)], here)
            elif ".".join(here) == dotted:
                found.append(here)

    walk(list(schema), ())
    return found if len(found) == 1 else []


def _filled(shape: Mapping[str, Any], path: tuple[str, ...], leaves: Any, of: Any) -> dict[str, Any]:
    filled = {}
    for name, old in shape.items():
        here = (*path, name)
        if isinstance(old, Mapping):
            filled[name] = _filled(old, here, leaves, of)
        elif here in leaves:
            kind, groups = leaves[here]
            value = of(kind, groups)
            if value is not None:
                filled[name] = value
    return filled


def _low(kind: Any, groups: Sequence[Any]) -> Any:
    values = _bounds(kind, groups, "min")
    return _spelled(min(values), timedelta(0)) if values else None


def _high(kind: Any, groups: Sequence[Any]) -> Any:
    values = _bounds(kind, groups, "max")
    return _spelled(max(values), timedelta(milliseconds=1)) if values else None


def _nulls(_: Any, groups: Sequence[Any]) -> int | None:
    if any(group is None or not group.has_null_count for group in groups):
        return None
    return sum(int(group.null_count) for group in groups)


def _bounds(kind: Any, groups: Sequence[Any], which: str) -> Sequence[Any]:
    """The bounds of all row groups that hold a value; none when one of them has values and no bound."""
    ordered = pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not (ordered or pa.types.is_date32(kind) or (pa.types.is_timestamp(kind) and kind.unit != "ns")):
        return ()
    values = []
    for group in groups:
        if group is None:
            return ()
        if group.has_min_max:
            try:
                values.append(getattr(group, which))
            except (ValueError, OverflowError, pa.ArrowException):
                return ()
        elif group.num_values:
            return ()
    return values


def _spelled(value: Any, round_up: timedelta) -> Any:
    """As the log writes it; instants in milliseconds, an upper bound rounded up."""
    if isinstance(value, datetime):
        whole = value.replace(microsecond=value.microsecond // 1000 * 1000)
        shown = whole if whole == value else whole + round_up
        text = shown.replace(tzinfo=None).isoformat(timespec="milliseconds")
        return text if value.tzinfo is None else f"{text}Z"
    return value.isoformat() if isinstance(value, date) else value
