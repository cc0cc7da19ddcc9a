"""The gate: a rewritten file is committed only when it is its source, minus the rows, and nothing else."""

import re
from typing import Any, Final

from lethe.engines.rewrite.interface import RewriteRefused, Rewritten

_NAME_OF_GROUP: Final = re.compile(r" \w+ \{$")


class GateClosed(RewriteRefused):
    """The rewritten file differs from its source in more than rows; it must not be committed."""


def require_same_form(source: Any, result: Any, rewritten: Rewritten) -> None:
    """Compare two `pyarrow.parquet.FileMetaData`, both read back from storage. Raises GateClosed.

    Compared are the physical schema (names, nesting, repetition, physical and logical types, field ids), the key-value
    metadata, rows per row group, sort order, page index, and for each column its codec, dictionary choice,
    statistics and bloom filter.
    """
    _equal("physical schema", _schema(source), _schema(result))
    _equal("key-value metadata", dict(source.metadata or {}), dict(result.metadata or {}))
    rows = [result.row_group(i).num_rows for i in range(result.num_row_groups)]
    _equal("rows per row group", list(rewritten.rows_by_group), rows)
    _equal("row count", rewritten.rows_after, result.num_rows)
    _equal("row count of the source", rewritten.rows_before, source.num_rows)
    before, after = _groups(source), _groups(result)
    indexed = any(group.column(i).has_column_index for group in before for i in range(source.num_columns))
    for group in after:
        _one_of("sort order", [g.sorting_columns for g in before], group.sorting_columns)
    for i in range(source.num_columns if after else 0):
        of_source, of_result = [g.column(i) for g in before], [g.column(i) for g in after]
        path = of_result[0].path_in_schema
        for chunk in of_result:
            _one_of(f"codec of {path}", [c.compression for c in of_source], chunk.compression)
            _one_of(f"dictionary of {path}", [c.has_dictionary_page for c in of_source], chunk.has_dictionary_page)
            # A column's index goes where a page has no bounds any more, and comes with pages that Arrow writes anew and
            # that all have some; a file without any gets none.
            _one_of(f"page index of {path}", [False, indexed], chunk.has_column_index)
            filtered = [c.bloom_filter_offset is not None for c in of_source]
            _one_of(f"bloom filter of {path}", filtered, chunk.bloom_filter_offset is not None)


def _groups(metadata: Any) -> list[Any]:
    """The row groups that have rows: of the others, writers describe nothing."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    return [group for group in groups if group.num_rows]


def _one_of(what: str, before: list[Any], after: Any) -> None:
    """Row groups of one file may differ; one of the result is like some one of the source."""
    if after not in before:
        raise GateClosed(f"rewriting would change the {what}")


def _schema(metadata: Any) -> list[str]:
    """The schema as text without the object's address and the root's name, which differs between writers.

    The repeated group inside a map has no name that counts: the format calls it `key_value`, and readers must take any.
    """
    lines = str(metadata.schema).splitlines()[2:]
    for number, line in enumerate(lines[:-1]):
        if line.endswith(" (Map) {"):
            lines[number + 1] = _NAME_OF_GROUP.sub(" key_value {", lines[number + 1])
    return lines


def _equal(what: str, before: Any, after: Any) -> None:
    if before != after:
        raise GateClosed(f"rewriting would change the {what}")
