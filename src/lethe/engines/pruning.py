"""What bounds of a column prove without reading it: that none of the wanted ids can be inside."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.columns import at_path, is_text
from lethe.engines.interface import IdentityMap
from lethe.engines.matching import HashGroup, KeyGroup, Matcher


def no_row_can_match(matcher: Matcher, group: Any, schema: Any) -> bool:
    """Whether a `pyarrow.parquet.RowGroupMetaData` proves that no row of it matches.

    Of an identity map, the columns of its ids have bounds, under whatever namespace they stand; counts of nulls below
    lists are not believed, for several writers miscount them. Bounds of text are compared as UTF-8 bytes; truncated
    bounds are still bounds. A bound that cannot be read proves nothing.
    """
    match matcher.selector:
        case IdentityMap(column=column):
            inside = [chunk for chunk in _chunks(group) if chunk.path_in_schema.startswith(f"{column}.")]
            ids = [chunk for chunk in inside if chunk.path_in_schema.endswith(".id")]
            return bool(ids) and all(_holds_text(chunk) and _exclude(matcher, pa.string(), chunk) for chunk in ids)
        case PrimaryIdentity(path=path):
            field = at_path(schema, path)
            if field is None:
                return True
            chunks = [chunk for chunk in _chunks(group) if chunk.path_in_schema == ".".join(path)]
            return len(chunks) == 1 and (
                _is_null(chunks[0], group.num_rows) or _exclude(matcher, field.type, chunks[0])
            )


CANDIDATES_MAX: Final = 100
"""Of so many ids a bloom filter of the usual kind takes one for present by chance, more often than not."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The few values of one column without which no row of a row group matches."""

    column: int
    """Its number among the leaves of the file."""
    values: Sequence[int | bytes]
    """Text as UTF-8 bytes."""

    def __repr__(self) -> str:
        """Counts only: an object in a log or a traceback must not speak."""
        return f"Candidates({self.column}, {len(self.values)})"


def candidates(matcher: Matcher, group: Any, schema: Any) -> Candidates | None:
    """The ids that may be in a `pyarrow.parquet.RowGroupMetaData` by its bounds.

    None where they are too many, or cannot be listed as the column stores them: where a letter's case does not count,
    where they are known by hashes, and in decimals.
    """
    if not isinstance(matcher.selector, PrimaryIdentity):
        return None
    field = at_path(schema, matcher.selector.path)
    path = ".".join(matcher.selector.path)
    columns = [i for i in range(group.num_columns) if group.column(i).path_in_schema == path]
    kind = None if field is None else _stored(field.type)
    if len(columns) != 1 or kind is None:
        return None
    chunk = group.column(columns[0])
    statistics = chunk.statistics if chunk.is_stats_set else None
    values = set[int | bytes]()
    for position, wanted in enumerate(matcher.groups):
        if _unlisted(wanted, kind):
            return None
        inside = _inside(matcher.sorted_keys(position, kind), statistics, kind)
        if len(inside) > CANDIDATES_MAX:
            return None
        values.update(inside)
    return Candidates(columns[0], sorted(values)) if len(values) <= CANDIDATES_MAX else None


@dataclass(frozen=True, slots=True)
class Sought:
    """All wanted values of one column, in the form in which a page of a Parquet file holds them."""

    path: Sequence[str]
    """Through structs, from the root."""
    kind: Any
    """The `pyarrow.DataType` in which values that are found are shown."""
    count: int
    plain: bytes
    """In the encoding PLAIN."""
    folded: bool = False
    """Whether a value that is ASCII may have capitals where these have small letters, and another be any of them."""
    others_stay: bool = False
    """Whether a row that holds none of them stays whatever else is true of it, so that it need not even be shown."""
    in_map: bool = False
    """Whether they are ids of an identity map, which is the column at the path; of which namespace, is not said."""

    def __repr__(self) -> str:
        """Counts only: an object in a log or a traceback must not speak."""
        return f"Sought({self.kind}, {self.count})"


def sought(matcher: Matcher, schema: Any, *, others_stay: bool) -> Sought | None:
    """The ids as the values by which a file's rows are recognised; `others_stay` is as of `Sought`.

    None where they cannot be listed as the column stores them: decimals, and where they are known by hashes.
    """
    match matcher.selector:
        case PrimaryIdentity(path=path):
            field = at_path(schema, path)
            kind = None if field is None else _stored(field.type)
        case IdentityMap(column=column):
            path, kind = (column,), pa.string()
    if kind is None or any(isinstance(group, HashGroup) for group in matcher.groups):
        return None
    keys = matcher.plain_keys(kind)
    in_map = isinstance(matcher.selector, IdentityMap)
    return Sought(path, kind, keys.count, keys.plain, keys.folded, others_stay, in_map)


def _unlisted(group: KeyGroup | HashGroup, kind: Any) -> bool:
    """Whether the ids of a group are not all of the values of a type that they name."""
    return isinstance(group, HashGroup) or (group.case_insensitive and is_text(kind))


def _stored(kind: Any) -> Any:
    """The type in which a file holds a column of this one, where its values are what an id names; else None."""
    if isinstance(kind, pa.BaseExtensionType):
        return _stored(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _stored(kind.value_type)
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    return kind if _bounds_are_ordered(kind) or pa.types.is_fixed_size_binary(kind) else None


def _inside(ordered: Sequence[Any], statistics: Any, kind: Any) -> Sequence[Any]:
    """Those within the bounds, where there are bounds that can be read."""
    try:
        if statistics is None or not statistics.has_min_max or not _bounds_are_ordered(kind):
            return ordered
        low, high = _comparable(statistics.min), _comparable(statistics.max)
    except (UnicodeDecodeError, ValueError, pa.ArrowException):
        return ordered
    return ordered[bisect_left(ordered, low) : bisect_right(ordered, high)]


def _chunks(group: Any) -> list[Any]:
    return [group.column(number) for number in range(group.num_columns)]


def _holds_text(chunk: Any) -> bool:
    """Whether values are text or bytes, and no decimals in bytes."""
    is_known = chunk.is_stats_set and chunk.physical_type == "BYTE_ARRAY"
    return is_known and chunk.statistics.logical_type.type in {"STRING", "NONE"}


def _is_null(chunk: Any, rows: int) -> bool:
    """Whether all rows of a column that does not repeat are null."""
    statistics = chunk.statistics if chunk.is_stats_set else None
    return statistics is not None and bool(statistics.has_null_count) and statistics.null_count == rows


def _exclude(matcher: Matcher, kind: Any, chunk: Any) -> bool:
    """Whether the bounds of a column of this `pyarrow.DataType` leave no room for a wanted id."""
    statistics = chunk.statistics if chunk.is_stats_set else None
    try:
        if statistics is None or not statistics.has_min_max:
            return False
        return not may_contain(matcher, kind, statistics.min, statistics.max)
    except (UnicodeDecodeError, ValueError, pa.ArrowException):
        return False


def may_contain(matcher: Matcher, kind: Any, low: Any, high: Any) -> bool:
    """Whether a column of this `pyarrow.DataType` with these bounds (both inclusive) may hold a wanted id."""
    if not _bounds_are_ordered(kind):
        return True
    low, high = _comparable(low), _comparable(high)
    for position, group in enumerate(matcher.groups):
        if _unlisted(group, kind):
            return True
        if _any_between(matcher.sorted_keys(position, kind), low, high):
            return True
    return False


def _bounds_are_ordered(kind: Any) -> bool:
    return is_text(kind) or bool(pa.types.is_integer(kind))


def _comparable(bound: Any) -> Any:
    return bound.encode() if isinstance(bound, str) else bound


def _any_between(ordered: Sequence[Any], low: Any, high: Any) -> bool:
    position = bisect_left(ordered, low)
    return position < len(ordered) and bool(ordered[position] <= high)
