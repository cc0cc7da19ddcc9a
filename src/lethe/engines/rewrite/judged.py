"""What a judge is shown: the columns by which it decides, row group by row group."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pyarrow as pa

from lethe.engines.rewrite.interface import Judge, Judgement
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import Footer
from lethe.engines.rewrite.source import explained, leaves_of, read_leaves
from lethe.engines.tally import Counts

try:
    from lethe.engines.rewrite.pages import _native
    from lethe.engines.rewrite.pages.map_ids import MapIds
    from lethe.engines.rewrite.pages.page import NOT_SEEN, Seen
    from lethe.engines.rewrite.pages.sieve import Sieve
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
        self._sieve: Sieve | None = None
        self._map_ids: MapIds | None = None
        sought = judge.sought(schema) if _sifts and self.leaves else None
        if sought is not None and sought.in_map:
            ids = MapIds.of_map(footer, sought.path[0]) if sought.others_stay else []
            if ids:
                # A row of nobody: a map of a shape that is refused is refused, whoever is in it.
                field = schema.field(sought.path[0])
                judge.judge(pa.Table.from_arrays([pa.nulls(1, field.type)], schema=pa.schema([field])), 0)
                self._map_ids = MapIds(source, footer, ids, sought)
        elif sought is not None and len(self.leaves) == 1 and Sieve.fits(footer.leaves[self.leaves[0]], sought):
            top = _narrowed(schema.field(sought.path[0]), sought.path[1:], sought.kind)
            self._schema = pa.schema([top], metadata=schema.metadata)
            self._others_stay = sought.others_stay
            self._sieve = Sieve(source, footer, self.leaves[0], sought, seen_bytes_max)

    @property
    def seen(self) -> "Seen":
        """The pages that were opened for the row group that was judged last; they hold until the next one is."""
        return NOT_SEEN if self._sieve is None else self._sieve.seen

    def judge(self, group: int, first_row: int) -> Judgement:
        """What the judge says of a row group, whose first row has this position in the file. Raises TableRefused."""
        if self._map_ids is not None:
            with suppress(Damaged, Unfit, _native.Malformed, _native.Uncut), explained():
                if not self._map_ids.may_be_in(group):
                    return Judgement(pa.repeat(False, self._file.metadata.row_group(group).num_rows), Counts())
        some = None
        if self._sieve is not None and self._others_stay:
            with suppress(Damaged, Unfit, _native.Malformed, _native.Uncut), explained():
                some = self._sieve.some(group)
        if some is None:
            return self._judge.judge(self.table(group), first_row)
        judgement = self._judge.judge(self._shown(some.values), first_row)
        return replace(judgement, leave_out=some.spread(judgement.leave_out))

    def table(self, group: int) -> Any:
        """A `pyarrow.Table` of a row group's rows. Raises RewriteRefused.

        Where values are sought, others may be null. Whatever is strange about a column is left to Arrow.
        """
        if not self.leaves:
            return pa.table({"": pa.nulls(self._file.metadata.row_group(group).num_rows)})
        if self._sieve is not None:
            with suppress(Damaged, Unfit, _native.Malformed, _native.Uncut), explained():
                return self._shown(self._sieve.column(group))
        return read_leaves(self._file, group, self.leaves)

    def _shown(self, values: Any) -> Any:
        return pa.Table.from_arrays([_inside(values, self._schema.field(0).type)], schema=self._schema)


def _narrowed(field: Any, path: Sequence[str], kind: Any) -> Any:
    """A field with nothing in it but what is at a path through its structs, which has this type."""
    if not path:
        return field.with_type(kind)
    child = field.type.field(field.type.get_field_index(path[0]))
    return field.with_type(pa.struct([_narrowed(child.with_nullable(True), path[1:], kind)]))


def _inside(values: Any, kind: Any) -> Any:
    """Values inside of as many structs as a type has around theirs."""
    if not pa.types.is_struct(kind):
        return values
    return pa.StructArray.from_arrays([_inside(values, kind.field(0).type)], fields=[kind.field(0)])
