"""The gate: a rewritten file is committed only when it is its source, minus the rows, and nothing else."""

from typing import Any

from lethe.engines.rewrite.interface import RewriteRefused, Rewritten


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
    if not result.num_row_groups:
        return
    before, after = source.row_group(0), result.row_group(0)
    _equal("sort order", before.sorting_columns, after.sorting_columns)
    groups = [source.row_group(i) for i in range(source.num_row_groups)]
    for i in range(source.num_columns):
        of_source, of_result = [g.column(i) for g in groups], after.column(i)
        path = of_result.path_in_schema
        _equal(f"codec of {path}", of_source[0].compression, of_result.compression)
        for what in ("has_dictionary_page", "has_column_index"):
            _equal(f"{what} of {path}", any(getattr(c, what) for c in of_source), getattr(of_result, what))
        filtered = any(c.bloom_filter_offset is not None for c in of_source)
        _equal(f"bloom filter of {path}", filtered, of_result.bloom_filter_offset is not None)


def _schema(metadata: Any) -> list[str]:
    """The schema as text without the object's address and the root's name, which differs between writers."""
    return str(metadata.schema).splitlines()[2:]


def _equal(what: str, before: Any, after: Any) -> None:
    if before != after:
        raise GateClosed(f"rewriting would change the {what}")
