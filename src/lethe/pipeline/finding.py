"""The find in a dataset: for the preview, which stops there, and for the first step of the work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from lethe.domain.dataset import Dataset, TableFormat
from lethe.domain.errors import TableNotDeletable, TableNotReadable
from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.engines.interface import Engine, TableRefused, TableUnavailable
from lethe.pipeline.shop import target_of, wanted_of, watcher_of
from lethe.storage.result_interface import DatasetPlan

_NOBODY = WorkOrderId(UUID(int=0))
"""Stands for the order in a find that counts for nobody else."""


class FindRefused(Exception):
    """A table cannot be deleted from with certainty; names the dataset and the reason."""

    def __init__(self, dataset_id: DatasetId, reason: str) -> None:
        self.dataset_id = dataset_id
        super().__init__(f"dataset {dataset_id}: {reason}")


def find_in(
    engines: Mapping[TableFormat, Engine],
    dataset: Dataset,
    orders: Mapping[WorkOrderId, Identities],
    beat: Callable[[], None],
) -> Mapping[WorkOrderId, DatasetPlan]:
    """Plan one dataset for each of the orders, in one pass. Raises FindRefused, TableUnavailable."""
    beat()
    engine = engines.get(dataset.table.format)
    if engine is None:
        raise FindRefused(dataset.dataset_id, f"no engine for {dataset.table.format.value} is configured")
    asked = wanted_of(orders).orders
    try:
        findings = engine.find_each(target_of(dataset), asked, watch=watcher_of(beat))
    except TableRefused as error:
        raise FindRefused(dataset.dataset_id, str(error)) from error
    except TableUnavailable as error:
        raise TableUnavailable(f"dataset {dataset.dataset_id}: {error}") from error
    return {
        order.work_order_id: DatasetPlan(finding.plan, finding.tally.orders[0].rows_by_identity)
        for order, finding in zip(asked, findings, strict=True)
    }


@dataclass(frozen=True, slots=True)
class LakeFinder:
    """The find, for whoever previews; implements `operations.previews.Finder`."""

    engines: Mapping[TableFormat, Engine]

    def find(self, datasets: Sequence[Dataset], identities: Identities) -> Sequence[DatasetPlan]:
        """Plan every dataset, changing nothing. Raises TableNotDeletable, TableNotReadable."""
        asked = {_NOBODY: identities}
        try:
            return [find_in(self.engines, dataset, asked, lambda: None)[_NOBODY] for dataset in datasets]
        except FindRefused as error:
            raise TableNotDeletable(str(error)) from error
        except TableUnavailable as error:
            raise TableNotReadable(str(error)) from error
