"""What a work order would do, planned and did (Lethe's own; the published API has no such calls)."""

from typing import Annotated

from pydantic import Field

from lethe.contract.paging import PageQuery
from lethe.contract.shape import Answer, Body, InstantText, Text
from lethe.contract.workorder import SkippedDatasetOut


class FileCounts(Answer):
    """Files of a table by what happens to them."""

    keep: int
    rewrite: int
    drop: int


class PlannedFileOut(Answer):
    """One file that is not simply kept."""

    path: str
    action: str
    rows: int
    rows_matched: int
    size_bytes: int
    reason: str


class DatasetPlanOut(Answer):
    """What the order does to one dataset."""

    dataset_id: str
    snapshot: str
    plan_hash: str
    rows_matched: int
    files: FileCounts
    bytes_to_rewrite: int
    bytes_to_drop: int
    touched_files: list[PlannedFileOut] | None = None


class PreviewOut(Answer):
    """What a work order would do."""

    operation_count: int
    identities_not_found: int
    datasets: list[DatasetPlanOut]
    skipped_datasets: list[SkippedDatasetOut]


class PlanOut(Answer):
    """What a work order is going to do, or has done."""

    workorder_id: str
    datasets: list[DatasetPlanOut]


class DatasetResultOut(Answer):
    """What became of one dataset."""

    dataset_id: str
    snapshot: str
    plan_hash: str
    rows_deleted: int


class IdentityResultOut(Answer):
    """One identity under its keyed hash: what became of it, and its rows in the data lake.

    `deleted`, `notFound`, `held`, `failed`; or `absent`: nothing of it is left, and whether anything of it was deleted
    is not known, for a service counted all identities together.
    """

    namespace: str
    hash: str
    status: str
    rows: int


class ReverificationOut(Answer):
    """What a later look saw of one dataset: how many of the order's identities were back, in how many rows."""

    dataset_id: str
    at: InstantText
    snapshot: str
    rows_examined: int
    rows_back: int
    identities_back: int
    problem: str | None = None


class ResultsOut(Answer):
    """What a work order did; `count` of `total` identities, by `page` and `limit`."""

    workorder_id: str
    status: str
    datasets: list[DatasetResultOut]
    results: list[IdentityResultOut]
    count: int
    total: int
    reverifications: list[ReverificationOut] | None = None


class ResultsQuery(PageQuery):
    """Which identities to show."""


class NamespaceOfIdentity(Body):
    """A namespace by its code."""

    code: Annotated[Text, Field(min_length=1, max_length=100)]


class ResultLookUp(Body):
    """The one identity whose result is asked for."""

    namespace: NamespaceOfIdentity
    id: Annotated[Text, Field(min_length=1, max_length=1_024)]


class ResultLookUpOut(Answer):
    """Whether the order asked for this identity, and what became of it."""

    requested: bool
    result: IdentityResultOut | None = None
