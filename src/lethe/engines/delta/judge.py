"""Judging the rows of one data file: by the file's own names, and with the rows that a deletion vector hides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.delta.column_mapping import ColumnMapping, relabelled
from lethe.engines.interface import IdentityMap, Selector
from lethe.engines.matching import Matcher
from lethe.engines.pruning import Candidates, Sought
from lethe.engines.rewrite.interface import Judgement
from lethe.engines.rewrite.judges import HiddenRowsJudge
from lethe.engines.tally import Numbers

_ROWS_ALONE: Final = [""]
"""The columns of a batch of which no column was asked for."""


@dataclass(frozen=True, slots=True)
class DeltaJudge:
    """Leaves out what matches and what is hidden; the selector speaks the table's names, the file its own."""

    matcher: Matcher
    mapping: ColumnMapping
    hidden: Numbers

    def columns(self, schema: Any) -> Sequence[str]:
        """The file's column that names the person."""
        match self.matcher.selector:
            case PrimaryIdentity():
                judge = self._of(schema)
                return [] if judge is None else judge.columns(schema)
            case IdentityMap(column=column):
                child = self.mapping.child_of(schema, column)
                return [] if child is None else [child.name]

    def judge(self, batch: Any, first_row: int) -> Judgement:
        """Translate, then match the visible rows."""
        if batch.column_names == _ROWS_ALONE:
            return HiddenRowsJudge(self.matcher, self.hidden).judge(batch, first_row)
        match self.matcher.selector:
            case PrimaryIdentity():
                judge = self._of(batch.schema) or HiddenRowsJudge(self.matcher, self.hidden)
                return judge.judge(batch, first_row)
            case IdentityMap(column=column):
                return HiddenRowsJudge(self.matcher, self.hidden).judge(self._logical(batch, column), first_row)

    def can_skip(self, group: Any, schema: Any) -> bool:
        """By the bounds of the identity's column."""
        judge = self._of(schema)
        if judge is None:
            return isinstance(self.matcher.selector, PrimaryIdentity) and not len(self.hidden)
        return judge.can_skip(group, schema)

    def candidates(self, group: Any, schema: Any) -> Candidates | None:
        """The ids that may be in a row group, where the file has the column."""
        judge = self._of(schema)
        return None if judge is None else judge.candidates(group, schema)

    def sought(self, schema: Any) -> Sought | None:
        """The ids, where the file has the column; of a map, where its parts bear the table's own names."""
        judge = self._of(schema)
        return None if judge is None else judge.sought(schema)

    def _of(self, schema: Any) -> HiddenRowsJudge | None:
        """The judge that speaks the file's names.

        None where the file lacks the column, or has other names than the table for the parts of an identity map.
        """
        selector = self._selector_of(schema)
        return None if selector is None else HiddenRowsJudge(self.matcher.at(selector), self.hidden)

    def _selector_of(self, schema: Any) -> Selector | None:
        match self.matcher.selector:
            case PrimaryIdentity(path=path, namespace_code=code):
                named = self.mapping.path_in(schema, path)
                return None if named is None else PrimaryIdentity(named, code)
            case IdentityMap(column=column):
                child = self.mapping.child_of(schema, column)
                if child is None or child.type != self.mapping.logical_type(child.type, self.mapping.field((column,))):
                    return None
                return IdentityMap(child.name)

    def _logical(self, batch: Any, column: str) -> Any:
        """The identity map's column under the table's names."""
        values = batch.column(self.mapping.child_of(batch.schema, column).name)
        kind = self.mapping.logical_type(values.type, self.mapping.field((column,)))
        return pa.table({column: values if kind == values.type else relabelled(values, kind)})
