"""Rewriting with Arrow, row group by row group, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lethe.engines.rewrite.int96 import require_exact_instants
from lethe.engines.rewrite.interface import Judge, RewriteRefused, Rewritten
from lethe.engines.rewrite.layout import Layout, layout_of, plain_schema
from lethe.engines.rewrite.source import leaves_by_field, leaves_of, open_parquet, read_leaves
from lethe.engines.tally import Counts


@dataclass(frozen=True, slots=True)
class PyarrowRewriter:
    """Copies a file through Arrow.

    Per row group the judge's columns are read first; then every column is read, filtered and let go before the next,
    so that no more than one filtered row group and one unfiltered column are in memory. Row groups that become
    empty are left away; the others stay apart. Dictionaries are decoded and built anew.
    """

    levels: Mapping[str, int] = field(default_factory=dict)
    """Compression level per codec (`ZSTD`, `GZIP`, `BROTLI`); a file does not record with which it was written."""

    def rewrite_group(self, source: Any, sink: IO[bytes], group: int, gone: Any) -> None:
        """Write one row group alone into a file, without the rows that an array of flags marks. Raises RewriteRefused.

        There is no key-value metadata.
        """
        file = open_parquet(source)
        layout = layout_of(file.metadata, source, self.levels)
        schema = plain_schema(file.schema_arrow)
        if layout.options["use_deprecated_int96_timestamps"]:
            require_exact_instants(source, file)
        table = _Filtering(file, schema).rows(group, pa.array(gone == 0))
        with _writer(sink, schema, layout) as writer:
            writer.write_table(table, row_group_size=table.num_rows)

    def rewrite(self, source: Any, sink: IO[bytes], judge: Judge, *, anew: bool = False) -> Rewritten:  # noqa: ARG002
        """Copy what the judge leaves in; everything is encoded anew always. Raises RewriteRefused."""
        file = open_parquet(source)
        metadata = file.metadata
        layout = layout_of(metadata, source, self.levels)
        schema = plain_schema(file.schema_arrow)
        copy = _Copy(file, schema, judge)
        if layout.options["use_deprecated_int96_timestamps"]:
            require_exact_instants(source, file)
        counts, rows_by_group = Counts(), []
        with _writer(sink, schema, layout) as writer:
            first_row = 0
            for group in range(metadata.num_row_groups):
                table, group_counts = copy.row_group(group, first_row)
                counts += group_counts
                first_row += metadata.row_group(group).num_rows
                if table.num_rows:
                    writer.write_table(table, row_group_size=table.num_rows)
                    rows_by_group.append(table.num_rows)
            if layout.metadata:
                writer.add_key_value_metadata(layout.metadata)
        return Rewritten(metadata.num_rows, tuple(rows_by_group), counts)


def _writer(sink: IO[bytes], schema: Any, layout: Layout) -> Any:
    try:
        return pq.ParquetWriter(sink, schema, **layout.options)
    except (pa.ArrowException, ValueError) as error:
        raise RewriteRefused("Arrow does not write a file of this layout") from error


class _Copy:
    """The surviving rows of one row group at a time."""

    def __init__(self, file: Any, schema: Any, judge: Judge) -> None:
        self._file = file
        self._schema = schema
        self._judge = judge
        self._judged = leaves_of(file, judge.columns(file.schema_arrow))
        self._filtering = _Filtering(file, schema)

    def row_group(self, group: int, first_row: int) -> tuple[Any, Counts]:
        """A `pyarrow.Table` of what stays, and what the orders count."""
        rows = self._file.metadata.row_group(group).num_rows
        judged = read_leaves(self._file, group, self._judged) if self._judged else _rows_alone(rows)
        judgement = self._judge.judge(judged, first_row)
        return self._filtering.rows(group, pc.invert(judgement.leave_out), judged, self._judged), judgement.counts


class _Filtering:
    """Some rows of a row group, read column by column."""

    def __init__(self, file: Any, schema: Any) -> None:
        self._file = file
        self._schema = schema
        self._fields = leaves_by_field(file)

    def rows(self, group: int, keep: Any, known: Any = None, known_leaves: Sequence[int] = ()) -> Any:
        """A `pyarrow.Table` of the rows that a `pyarrow.BooleanArray` keeps.

        `known` is a table of the columns of `known_leaves`, which is not read again where it is what a field holds.
        """
        kept = pc.sum(keep).as_py() or 0
        if not kept:
            # Arrow makes no empty array of an extension within a struct.
            return pa.Table.from_batches([], schema=self._schema)
        columns = []
        for leaves, field_ in zip(self._fields, self._schema, strict=True):
            column = (known if leaves == known_leaves else read_leaves(self._file, group, leaves)).column(0)
            if column.type != field_.type:
                # First: Arrow filters no views.
                column = column.cast(field_.type)
            if kept < len(keep):
                column = column.filter(keep)
            columns.append(column)
        return pa.Table.from_arrays(columns, schema=self._schema)


def _rows_alone(rows: int) -> Any:
    """A table with rows and no column that a judge could want."""
    return pa.table({"": pa.nulls(rows)})
