"""Which rows of an Iceberg data file stay out of its copy: those that match, and those that were deleted before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.columns import at_path, plain
from lethe.engines.iceberg.fields import FieldPaths, Path, selector_at
from lethe.engines.matching import Matcher, Matches
from lethe.engines.pruning import Candidates, Sought, candidates, no_row_can_match, sought
from lethe.engines.rewrite.interface import Judgement
from lethe.engines.tally import Counts, Numbers


@dataclass(frozen=True, slots=True)
class EqualityDelete:
    """Rows that equal one of these in all of these columns are deleted; null equals null."""

    rows: Any
    """`pyarrow.Table` whose columns are named by field id and have the table's types."""

    @property
    def field_ids(self) -> Sequence[int]:
        """The columns that are compared."""
        return [int(name) for name in self.rows.column_names]


@dataclass(frozen=True, slots=True)
class Hidden:
    """The rows of a file that were deleted before."""

    positions: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Ascending."""
    equalities: tuple[EqualityDelete, ...] = ()

    def __bool__(self) -> bool:
        return bool(len(self.positions) or self.equalities)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a judge must know of one file. It holds no identity that is asked for, and travels with the file."""

    constants: Mapping[int, Any] = field(default_factory=dict)
    """Values (`pyarrow.Scalar`) of columns that the file lacks because its partition says them, by field id."""
    hidden: Hidden = field(default_factory=Hidden)


@dataclass(frozen=True, slots=True)
class IcebergJudge:
    """Leaves out the rows of one file that match or are hidden. Hidden rows count for nobody."""

    matcher: Matcher
    field_id: int
    """Of the identity's column."""
    paths: FieldPaths
    facts: FileFacts = field(default_factory=FileFacts)
    _matchers: dict[Path, Matcher] = field(default_factory=dict, repr=False, compare=False)

    def of(self, facts: FileFacts) -> "IcebergJudge":
        """The same judge for one file; what it compiled for other files it keeps."""
        return replace(self, facts=facts)

    def columns(self, schema: Any) -> Sequence[str]:
        """The identity's column, and those by which rows were deleted, where the file has them."""
        paths = self.paths.of(schema)
        wanted = {i for delete in self.facts.hidden.equalities for i in delete.field_ids}
        columns = [".".join(paths[i]) for i in sorted(wanted) if i in paths]
        if self.field_id in paths:
            columns.extend(self._matcher(paths[self.field_id]).columns(schema))
        return columns

    def judge(self, batch: Any, first_row: int) -> Judgement:
        """Match the rows that are not hidden."""
        leave_out = self._hidden(batch, first_row)
        if not leave_out.any():
            matches = self._match(batch)
            return Judgement(matches.mask, matches.counts)
        visible = np.flatnonzero(~leave_out)
        matches = self._match(batch.take(pa.array(visible)))
        leave_out[visible[matches.mask.to_numpy(zero_copy_only=False)]] = True
        return Judgement(pa.array(leave_out), matches.counts)

    def can_skip(self, group: Any, schema: Any) -> bool:
        """By the bounds of the identity's column, when no row is hidden."""
        path = self.paths.of(schema).get(self.field_id)
        if self.facts.hidden or path is None:
            return False
        return no_row_can_match(self._matcher(path), group, schema)

    def candidates(self, group: Any, schema: Any) -> Candidates | None:
        """The ids that may be in a row group, when no row is hidden."""
        path = self.paths.of(schema).get(self.field_id)
        if self.facts.hidden or path is None:
            return None
        return candidates(self._matcher(path), group, schema)

    def sought(self, schema: Any) -> Sought | None:
        """The ids, when no row was deleted by its values: to those null is not like another value."""
        path = self.paths.of(schema).get(self.field_id)
        if self.facts.hidden.equalities or path is None:
            return None
        return sought(self._matcher(path), schema, others_stay=not self.facts.hidden)

    def _match(self, batch: Any) -> Matches:
        path = self.paths.of(batch.schema).get(self.field_id) if batch.schema.names != [""] else None
        if path is not None:
            return self._matcher(path).match(batch)
        value = self.facts.constants.get(self.field_id)
        if value is None or not value.is_valid:
            return Matches(pa.array(np.zeros(batch.num_rows, dtype=np.bool_)), Counts())
        return self._matcher(("",)).match(pa.table({"": pa.repeat(value, batch.num_rows)}))

    def _matcher(self, path: Path) -> Matcher:
        if path not in self._matchers:
            selector = selector_at(self.matcher.selector, path)
            self._matchers[path] = self.matcher if selector == self.matcher.selector else self.matcher.at(selector)
        return self._matchers[path]

    def _hidden(self, batch: Any, first_row: int) -> Any:
        """A numpy mask."""
        mask = np.zeros(batch.num_rows, dtype=np.bool_)
        low, high = np.searchsorted(self.facts.hidden.positions, [first_row, first_row + batch.num_rows])
        mask[self.facts.hidden.positions[low:high] - first_row] = True
        for delete in self.facts.hidden.equalities:
            mask |= self._equal(batch, delete.rows)
        return mask

    def _equal(self, batch: Any, rows: Any) -> Any:
        """Which rows of a batch equal one of the rows: column by column, each pair of columns numbered alike."""
        paths = self.paths.of(batch.schema) if batch.schema.names != [""] else {}
        found = np.ones(batch.num_rows, dtype=np.bool_)
        ours, theirs = np.zeros(batch.num_rows, dtype=np.int64), np.zeros(rows.num_rows, dtype=np.int64)
        for name in rows.column_names:
            wanted = rows.column(name)
            distinct = pc.unique(wanted)
            index = pc.index_in(self._values(batch, paths, int(name), wanted.type), value_set=distinct)
            found &= _numpy(pc.is_valid(index))
            ours = ours * len(distinct) + _numpy(pc.fill_null(index, 0))
            theirs = theirs * len(distinct) + _numpy(pc.index_in(wanted, value_set=distinct))
            numbers, theirs = np.unique(theirs, return_inverse=True)
            if not len(numbers):
                return np.zeros(batch.num_rows, dtype=np.bool_)
            position = np.minimum(np.searchsorted(numbers, ours), len(numbers) - 1)
            found &= numbers[position] == ours
            ours = position
        return found

    def _values(self, batch: Any, paths: Mapping[int, Path], field_id: int, kind: Any) -> Any:
        """A column of a batch in the type of the table; what the file lacks is its partition's value, or null."""
        path = paths.get(field_id)
        if path is None:
            value = self.facts.constants.get(field_id)
            return pa.nulls(batch.num_rows, kind) if value is None else pa.repeat(value, batch.num_rows).cast(kind)
        return plain(at_path(batch, path)).cast(kind)


def _numpy(values: Any) -> Any:
    return values.to_numpy() if isinstance(values, pa.ChunkedArray) else values.to_numpy(zero_copy_only=False)


def is_primary(judge: IcebergJudge) -> bool:
    """Whether one field names the person, so that a partition or a bound can speak of it."""
    return isinstance(judge.matcher.selector, PrimaryIdentity)
