"""What a judge is shown: the columns by which it decides, row group by row group."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pyarrow as pa

from lethe.engines.rewrite.interface import Judge, Judgement
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import Footer, OldFile
from lethe.engines.rewrite.source import explained, leaves_of, read_leaves

try:
    from lethe.engines.rewrite.pages import _native
    from lethe.engines.rewrite.pages.map_rows import MapRows
    from lethe.engines.rewrite.pages.seen import NOT_SEEN, Seen
    from lethe.engines.rewrite.pages.sieved_column import SievedColumn
except ImportError:
    # Without the native module Arrow reads every value.
    _sifts = False
else:
    _sifts = True


class JudgedColumns:
    """The columns of one file that its judge must see."""

    def __init__(self, source: Any, file: Any, footer: Footer, judge: Judge, seen_bytes_max: int = 0) -> None:
        """Of a `pyarrow.NativeFile`, opened as a `pyarrow.parquet.ParquetFile` too. Raises TableRefused.

        So many bytes of pages stay open for who comes after the judge.
        """
        self._file = file
        self._judge = judge
        schema = file.schema_arrow
        self.leaves = leaves_of(file, judge.columns(schema))
        self._column: SievedColumn | None = None
        self._few: SievedColumn | MapRows | None = None
        """Shows those rows alone that may match."""
        sought = judge.sought(schema) if self.leaves else None
        if sought is None:
            return
        if sought.in_map:
            # A row of nobody: a map of a shape that is refused is refused, whoever is in it.
            field = schema.field(sought.path[0])
            judge.judge(pa.Table.from_arrays([pa.nulls(1, field.type)], schema=pa.schema([field])), 0)
        if not _sifts:
            return
        old = OldFile(source, footer)
        if sought.in_map:
            if sought.others_stay and MapRows.fits(footer.leaves, sought):
                self._few = MapRows(old, schema, sought)
        elif len(self.leaves) == 1 and SievedColumn.fits(footer.leaves[self.leaves[0]], sought):
            self._column = SievedColumn(old, schema, self.leaves[0], sought, seen_bytes_max)
            self._few = self._column if sought.others_stay else None

    @property
    def seen(self) -> "Seen":
        """The pages that were opened for the row group that was judged last; they hold until the next one is."""
        sieved = self._few or self._column
        return NOT_SEEN if sieved is None else sieved.seen

    def judge(self, group: int, first_row: int) -> Judgement:
        """What the judge says of a row group, whose first row has this position in the file. Raises TableRefused."""
        some = None
        if self._few is not None:
            with suppress(Damaged, Unfit, _native.Malformed, _native.Uncut), explained():
                some = self._few.some(group)
        if some is None:
            return self._judge.judge(self.table(group), first_row)
        judgement = self._judge.judge(some.table, first_row)
        return replace(judgement, leave_out=some.spread(judgement.leave_out))

    def table(self, group: int) -> Any:
        """A `pyarrow.Table` of a row group's rows. Raises RewriteRefused.

        Where values are sought, others may be null. Whatever is strange about a column is left to Arrow.
        """
        if not self.leaves:
            return pa.table({"": pa.nulls(self._file.metadata.row_group(group).num_rows)})
        if self._column is not None:
            with suppress(Damaged, Unfit, _native.Malformed, _native.Uncut), explained():
                return self._column.all(group)
        return read_leaves(self._file, group, self.leaves)
