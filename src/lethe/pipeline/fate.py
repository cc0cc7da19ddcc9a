"""What becomes of a dataset that an order could not search."""

from enum import Enum, auto
from typing import Final

from lethe.domain.dataset import DatasetState
from lethe.domain.ids import DatasetId
from lethe.domain.work_order import WorkOrder
from lethe.pipeline.shop import Shop

LEFT_BEHIND_REASON: Final = "it is to be deleted as a whole, of which something was given up; retry that deletion"


class Fate(Enum):
    """How a dataset stands that is in an order's scope."""

    STAYS = auto()
    GOING = auto()
    """It is being destroyed, or has left the catalog: whoever waits has nothing to search."""
    LEFT_BEHIND = auto()
    """It was being destroyed until something of that was given up: whoever waited would wait for an operator."""


def fate_of(shop: Shop, order: WorkOrder, dataset_id: DatasetId) -> Fate:
    """Say how the dataset stands now."""
    with shop.store.read() as tx:
        dataset = tx.datasets.find(order.org_id, order.sandbox_name, dataset_id)
        if dataset is None:
            return Fate.GOING
        if dataset.state is not DatasetState.DELETING:
            return Fate.STAYS
        is_live = tx.tasks.is_dropping(order.org_id, order.sandbox_name, dataset_id)
    return Fate.GOING if is_live else Fate.LEFT_BEHIND
