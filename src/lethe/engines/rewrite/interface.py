"""The seam behind which files are rewritten: by cutting pages, or by Arrow, row group by row group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from lethe.engines.interface import TableRefused
from lethe.engines.pruning import Candidates, Sought
from lethe.engines.tally import Counts


class RewriteRefused(TableRefused):
    """The file cannot be written back exactly as it was; the reason names the feature."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which rows of a batch stay out of the copy, and what the orders count."""

    leave_out: Any
    """`pyarrow.BooleanArray`, one entry a row, never null."""
    counts: Counts


class Judge(Protocol):
    """Decides over rows. Pickles, so that it travels to workers."""

    def columns(self, schema: Any) -> Sequence[str]:
        """The columns that must be read to decide, each named by its parts joined with dots.

        `schema` is the file's `pyarrow.Schema`. Empty when no column is needed.
        Raises TableRefused when the schema does not admit a decision.
        """
        ...

    def judge(self, batch: Any, first_row: int) -> Judgement:
        """Judge the rows of a `pyarrow.Table`; `first_row` is the position of its first row in the file.

        Where others stay than those that hold what is `sought`, these may be shown without the rows between them.
        """
        ...

    def can_skip(self, group: Any, schema: Any) -> bool:
        """Whether a row group's statistics prove that no row of it is left out.

        `group` is a `pyarrow.parquet.RowGroupMetaData`, `schema` the file's `pyarrow.Schema`.
        """
        ...

    def candidates(self, group: Any, schema: Any) -> Candidates | None:
        """The values of one column without which no row of a row group is left out; None where nobody can say them."""
        ...

    def sought(self, schema: Any) -> Sought | None:
        """The values of one column that alone make a difference: null in place of any other is judged alike.

        None where nobody can list them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What one rewriting did."""

    rows_before: int
    rows_by_group: tuple[int, ...]
    """Rows of every row group of the copy: the source's groups, without those that became empty."""
    counts: Counts
    """Rows that matched; rows left out for another reason (deleted before) are not counted."""
    fell_back: Mapping[int, str] = field(default_factory=dict)
    """Row groups of the source that did not go the way for which the rewriter is made, each with the reason."""

    @property
    def rows_after(self) -> int:
        """Rows of the copy."""
        return sum(self.rows_by_group)


class Rewriter(Protocol):
    """Copies one Parquet file without the rows that the judge leaves out. Pickles."""

    def rewrite(self, source: Any, sink: IO[bytes], judge: Judge, *, anew: bool = False) -> Rewritten:
        """`source` is a `pyarrow.NativeFile` for random access. Memory is bounded by one row group.

        With `anew` no page, dictionary or statistic of the source may be copied as it is, also where no row of it goes:
        every value is decoded and encoded, because something in the file is in none of its rows.
        Order, values and physical form of the other rows stay. Raises RewriteRefused when the file has a feature that
        the copy would lose: before anything is written where the footer tells it; where only a page does, the sink
        holds a beginning that is worth nothing, as after any other exception.
        """
        ...
