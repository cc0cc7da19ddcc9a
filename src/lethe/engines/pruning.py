"""What bounds of a column prove without reading it: that none of the wanted ids can be inside."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.columns import at_path
from lethe.engines.matching import HashGroup, Matcher


def no_row_can_match(matcher: Matcher, group: Any, schema: Any) -> bool:
    """Whether a `pyarrow.parquet.RowGroupMetaData` proves that no row of it matches.

    Only flat and nested single columns have bounds. Bounds of text are compared as UTF-8 bytes; truncated bounds are
    still bounds. A bound that cannot be read proves nothing.
    """
    if not isinstance(matcher.selector, PrimaryIdentity):
        return False
    field = at_path(schema, matcher.selector.path)
    if field is None:
        return True
    statistics = _statistics(group, ".".join(matcher.selector.path))
    if statistics is None:
        return False
    if statistics.has_null_count and statistics.null_count == group.num_rows:
        return True
    try:
        return bool(statistics.has_min_max) and not may_contain(matcher, field.type, statistics.min, statistics.max)
    except (UnicodeDecodeError, ValueError, pa.ArrowException):
        return False


def _statistics(group: Any, path: str) -> Any:
    """The statistics of the one column at a path, or None."""
    chunks = [c for c in (group.column(i) for i in range(group.num_columns)) if c.path_in_schema == path]
    return chunks[0].statistics if len(chunks) == 1 and chunks[0].is_stats_set else None


def may_contain(matcher: Matcher, kind: Any, low: Any, high: Any) -> bool:
    """Whether a column of this `pyarrow.DataType` with these bounds (both inclusive) may hold a wanted id."""
    if not _bounds_are_ordered(kind):
        return True
    low, high = _comparable(low), _comparable(high)
    for position, group in enumerate(matcher.groups):
        if isinstance(group, HashGroup) or (group.case_insensitive and not pa.types.is_integer(kind)):
            return True
        if _any_between(matcher.sorted_keys(position, kind), low, high):
            return True
    return False


def _bounds_are_ordered(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_integer(kind)
    )


def _comparable(bound: Any) -> Any:
    return bound.encode() if isinstance(bound, str) else bound


def _any_between(ordered: Sequence[Any], low: Any, high: Any) -> bool:
    position = bisect_left(ordered, low)
    return position < len(ordered) and bool(ordered[position] <= high)
