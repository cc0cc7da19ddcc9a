"""What steps work with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from lethe.domain.dataset import Dataset, TableFormat
from lethe.domain.identity import Identities
from lethe.domain.ids import WorkOrderId
from lethe.domain.product import Product
from lethe.engines.interface import Engine, IdentityMap, Order, Progress, PurgePolicy, Target, Wanted
from lethe.products.interface import ForgettingProduct
from lethe.storage.work_interface import WorkStore, WorkTransaction


@dataclass(frozen=True, slots=True)
class Aftercare:
    """What follows the end of work."""

    reverify_after: Sequence[timedelta] = ()
    """How long after completion to look whether an erased identity is back; never when empty."""
    failed_identities: timedelta = timedelta(days=30)
    """How long the raw identities of a failed order stay, to be retried with."""
    history: timedelta | None = None
    """How long plans, results, hashes and tasks of ended work stay; for ever when None."""


@dataclass(frozen=True, slots=True)
class Shop:
    """Memory, engines and products, chosen by the wiring."""

    store: WorkStore
    engines: Mapping[TableFormat, Engine]
    products: Mapping[Product, ForgettingProduct]
    """The services; the data lake is the engines."""
    purge_policy: PurgePolicy = field(default_factory=PurgePolicy)
    trash: timedelta = timedelta(0)
    """How long an expired dataset stays flagged, to be restored, before it is destroyed."""
    aftercare: Aftercare = field(default_factory=Aftercare)
    patience: timedelta = timedelta(seconds=1)
    """How long a step waits before it looks again for what another step or worker is about to do."""


class Hold(Protocol):
    """A worker's hold on the task that a step carries out."""

    def __call__(self) -> None:
        """Beat: say that the work goes on. Raises StaleClaim when the hold is lost, which ends the work."""
        ...

    def require(self, tx: WorkTransaction) -> None:
        """Lock the task for a transaction that the step makes midway. Raises StaleClaim."""
        ...


def target_of(dataset: Dataset) -> Target:
    """The dataset's table, and what of its rows names the person."""
    selector = dataset.schema.primary_identity or IdentityMap()
    return Target(dataset.dataset_id, dataset.table, selector)


def wanted_of(orders: Mapping[WorkOrderId, Identities]) -> Wanted:
    """The orders of one pass, by id."""
    return Wanted(tuple(Order(order_id, orders[order_id]) for order_id in sorted(orders)))


def watcher_of(beat: Callable[[], None]) -> Callable[[Progress], None]:
    """Let an engine's progress be a beat."""

    def watch(_: Progress) -> None:
        beat()

    return watch
