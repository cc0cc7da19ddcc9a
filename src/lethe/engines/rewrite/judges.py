"""Judges: rows that match, and rows that were deleted before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lethe.engines.matching import Matcher
from lethe.engines.pruning import Candidates, Sought, candidates, no_row_can_match, sought
from lethe.engines.rewrite.interface import Judgement
from lethe.engines.tally import Numbers


@dataclass(frozen=True, slots=True)
class MatchJudge:
    """Leaves out the rows that match."""

    matcher: Matcher

    def columns(self, schema: Any) -> Sequence[str]:
        """The column that names the person."""
        return self.matcher.columns(schema)

    def judge(self, batch: Any, first_row: int) -> Judgement:  # noqa: ARG002
        """Match the rows."""
        matches = self.matcher.match(batch)
        return Judgement(matches.mask, matches.counts)

    def can_skip(self, group: Any, schema: Any) -> bool:
        """By the bounds of the identity's column."""
        return no_row_can_match(self.matcher, group, schema)

    def candidates(self, group: Any, schema: Any) -> Candidates | None:
        """The ids that may be in the row group."""
        return candidates(self.matcher, group, schema)

    def sought(self, schema: Any) -> Sought | None:
        """The ids, and no row goes for another reason."""
        return sought(self.matcher, schema, others_stay=True)


@dataclass(frozen=True, slots=True)
class HiddenRowsJudge:
    """Leaves out the rows that match, and those that a deletion vector or position delete already hides.

    A hidden row counts for nobody: it was deleted before. Written back it would be alive again.
    """

    matcher: Matcher
    hidden: Numbers
    """Positions in the file, ascending."""

    def columns(self, schema: Any) -> Sequence[str]:
        """The column that names the person."""
        return self.matcher.columns(schema)

    def judge(self, batch: Any, first_row: int) -> Judgement:
        """Match the visible rows only."""
        low, high = np.searchsorted(self.hidden, [first_row, first_row + batch.num_rows])
        if low == high:
            matches = self.matcher.match(batch)
            return Judgement(matches.mask, matches.counts)
        leave_out = np.zeros(batch.num_rows, dtype=np.bool_)
        leave_out[self.hidden[low:high] - first_row] = True
        visible = np.flatnonzero(~leave_out)
        matches = self.matcher.match(batch.take(pa.array(visible)))
        leave_out[visible[matches.mask.to_numpy(zero_copy_only=False)]] = True
        return Judgement(pa.array(leave_out), matches.counts)

    def can_skip(self, group: Any, schema: Any) -> bool:
        """Never: a row group with hidden rows must be opened, and statistics do not say where it begins."""
        return not len(self.hidden) and no_row_can_match(self.matcher, group, schema)

    def candidates(self, group: Any, schema: Any) -> Candidates | None:
        """None where a row is hidden: it stays out whatever it holds."""
        return None if len(self.hidden) else candidates(self.matcher, group, schema)

    def sought(self, schema: Any) -> Sought | None:
        """The ids: a hidden row stays out by its position."""
        return sought(self.matcher, schema, others_stay=not len(self.hidden))
