"""The find of one order over its datasets: for the preview, which stops there, and for the first step of the work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from lethe.domain.dataset import Dataset, TableFormat
from lethe.domain.errors import TableNotDeletable, TableNotReadable
from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.engines.interface import Engine, TableRefused, TableUnavailable
from lethe.pipeline.shop import target_of, wanted_of, watcher_of
from lethe.storage.interface import DatasetPlan

_NOBODY = WorkOrderId(UUID(int=0))
"""Stands for the order in a find that counts for nobody else."""


class FindRefused(Exception):
    """A table cannot be deleted from with certainty; names the dataset and the reason."""

    def __init__(self, dataset_id: DatasetId, reason: str) -> None:
        self.dataset_id = dataset_id
        super().__init__(f"dataset {dataset_id}: {reason}")


def find_all(
    engines: Mapping[TableFormat, Engine], datasets: Sequence[Dataset], identities: Identities, beat: Callable[[], None]
) -> Sequence[DatasetPlan]:
    """Plan every dataset. Raises FindRefused, TableUnavailable."""
    wanted = wanted_of({_NOBODY: identities})
    plans = []
    for dataset in datasets:
        beat()
        engine = engines.get(dataset.table.format)
        if engine is None:
            raise FindRefused(dataset.dataset_id, f"no engine for {dataset.table.format.value} is configured")
        try:
            finding = engine.find(target_of(dataset), wanted, watch=watcher_of(beat))
        except TableRefused as error:
            raise FindRefused(dataset.dataset_id, str(error)) from error
        except TableUnavailable as error:
            raise TableUnavailable(f"dataset {dataset.dataset_id}: {error}") from error
        plans.append(DatasetPlan(finding.plan, finding.tally.orders[0].rows_by_identity))
    return plans


@dataclass(frozen=True, slots=True)
class LakeFinder:
    """The find, for whoever previews; implements `operations.previews.Finder`."""

    engines: Mapping[TableFormat, Engine]

    def find(self, datasets: Sequence[Dataset], identities: Identities) -> Sequence[DatasetPlan]:
        """Plan every dataset, changing nothing. Raises TableNotDeletable, TableNotReadable."""
        try:
            return find_all(self.engines, datasets, identities, lambda: None)
        except FindRefused as error:
            raise TableNotDeletable(str(error)) from error
        except TableUnavailable as error:
            raise TableNotReadable(str(error)) from error
