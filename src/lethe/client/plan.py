"""What a work order would do, is going to do, and has done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lethe.client.result import Result
from lethe.client.work_order import SkippedDataset


class FileCounts(Result):
    """Files of a table by what happens to them."""

    keep: int
    rewrite: int
    drop: int


class PlannedFile(Result):
    """One file that is not simply kept, and why."""

    path: str
    action: str
    rows: int
    rows_matched: int
    size_bytes: int
    reason: str


class DatasetPlan(Result):
    """What an order does to one dataset."""

    dataset_id: str
    snapshot: str
    plan_hash: str
    rows_matched: int
    files: FileCounts
    bytes_to_rewrite: int
    bytes_to_drop: int
    touched_files: tuple[PlannedFile, ...] = ()


class Preview(Result):
    """What an order would do; nothing was changed and no quota consumed."""

    operation_count: int
    identities_not_found: int
    datasets: tuple[DatasetPlan, ...]
    skipped_datasets: tuple[SkippedDataset, ...]

    @property
    def rows_matched(self) -> int:
        """Rows that would go, in all datasets together."""
        return sum(dataset.rows_matched for dataset in self.datasets)


class Plan(Result):
    """What an order is going to do, or has done, to each file that it does not keep."""

    workorder_id: str
    datasets: tuple[DatasetPlan, ...]


class DatasetResult(Result):
    """What became of one dataset."""

    dataset_id: str
    snapshot: str
    plan_hash: str
    rows_deleted: int


class IdentityResult(Result):
    """One identity under its keyed hash: what became of it, and its rows in the data lake.

    `deleted`, `notFound`, `held`, `failed`; or `absent`: nothing of it is left, and whether anything of it was deleted
    is not known, for a service counted all identities together.
    """

    namespace: str
    hash: str
    status: str
    rows: int


class LookUp(Result):
    """Whether the order asked for an identity, and what became of it."""

    requested: bool
    result: IdentityResult | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """What an order did. Iterating gives every identity's result, page by page."""

    workorder_id: str
    status: str
    datasets: tuple[DatasetResult, ...]
    total: int
    """Identities."""
    _pages: Callable[[], Iterator[IdentityResult]] = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[IdentityResult]:
        return self._pages()

    @property
    def rows_deleted(self) -> int:
        """Rows that went, in all datasets together."""
        return sum(dataset.rows_deleted for dataset in self.datasets)
