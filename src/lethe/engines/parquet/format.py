"""How one Parquet file of a directory is searched and copied."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity, TableFormat
from lethe.engines.columns import at_path
from lethe.engines.directory.formats import Searched
from lethe.engines.directory.listing import partition_values
from lethe.engines.matching import Matcher
from lethe.engines.pruning import Candidates, Sought
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.rewrite.gate import require_same_form
from lethe.engines.rewrite.interface import Judge, Judgement, Rewriter
from lethe.engines.rewrite.judges import MatchJudge
from lethe.engines.rewrite.scan import scan
from lethe.engines.rewrite.source import open_parquet


@dataclass(frozen=True, slots=True)
class ParquetFormat:
    """Parquet, through a rewriter."""

    rewriter: Rewriter = field(default_factory=best_rewriter)

    @property
    def format(self) -> TableFormat:
        """Parquet."""
        return TableFormat.PARQUET

    def search(self, source: Any, path: str, matcher: Matcher) -> Searched:
        """Read the identity's column, and no more."""
        judge = judge_of(path, matcher)
        found = scan(source, judge)
        return Searched(found.rows, found.counts, found.identified or isinstance(judge, _PartitionJudge), found.method)

    def copy(self, source: Any, path: str, sink: IO[bytes], matcher: Matcher, *, anew: bool) -> Any:
        """Rewrite."""
        return self.rewriter.rewrite(source, sink, judge_of(path, matcher), anew=anew)

    def require_same_form(self, source: Any, result: Any, copied: Any) -> Searched:
        """The gate."""
        require_same_form(open_parquet(source).metadata, open_parquet(result).metadata, copied)
        return Searched(copied.rows_before, copied.counts, fell_back=copied.fell_back)


def judge_of(path: str, matcher: Matcher) -> Judge:
    """The judge of one file: its column decides, or, where the identity is a partition column, its directory."""
    selector = matcher.selector
    if isinstance(selector, PrimaryIdentity) and len(selector.path) == 1:
        values = partition_values(path)
        if selector.path[0] in values:
            return _PartitionJudge(MatchJudge(matcher), selector.path[0], values[selector.path[0]])
    return MatchJudge(matcher)


@dataclass(frozen=True, slots=True)
class _PartitionJudge:
    """Judges by a directory's name, unless the file has the column itself."""

    inner: MatchJudge
    column: str
    value: str | None = field(repr=False)

    def columns(self, schema: Any) -> Sequence[str]:
        return self.inner.columns(schema)

    def judge(self, batch: Any, first_row: int) -> Judgement:
        if at_path(batch, [self.column]) is None:
            batch = pa.table({self.column: pa.repeat(pa.scalar(self.value, pa.string()), batch.num_rows)})
        return self.inner.judge(batch, first_row)

    def can_skip(self, group: Any, schema: Any) -> bool:
        return at_path(schema, [self.column]) is not None and self.inner.can_skip(group, schema)

    def candidates(self, group: Any, schema: Any) -> Candidates | None:
        return None if at_path(schema, [self.column]) is None else self.inner.candidates(group, schema)

    def sought(self, schema: Any) -> Sought | None:
        return self.inner.sought(schema)
