"""What never changes while a model is walked: who asks for what, where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from lethe.domain.actor import Author
from lethe.domain.bundle import BundleLimits
from lethe.domain.dataset import Dataset, DatasetSchema, PrimaryIdentity, TableFormat, TableReference
from lethe.domain.identity import Identities
from lethe.domain.ids import BundleId, DatasetId, ExpirationId, NamespaceId, OrgId, SandboxName, SchemaId, WorkOrderId
from lethe.domain.namespace import STANDARD, Namespace
from lethe.domain.product import Product
from lethe.domain.work_order import Action

ORG, SANDBOX, AUTHOR = OrgId("org"), SandboxName("prod"), Author("somebody")
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(days=2)
EXPIRATION: Final = ExpirationId(UUID(int=300))
LIMITS: Final = BundleLimits()
EMAIL: Final[Namespace] = next(each for each in STANDARD if each.id == NamespaceId(6))


@dataclass(frozen=True, slots=True)
class Asked:
    """One work order that will be accepted at some time."""

    datasets: Sequence[DatasetId]
    action: Action = Action.DELETE_IDENTITY
    products: Sequence[Product] = (Product.DATA_LAKE,)


@dataclass(frozen=True, slots=True)
class Facts:
    """One small world."""

    orders: Sequence[Asked]
    datasets: Sequence[DatasetId]
    workers: int = 2
    expiring: DatasetId | None = None
    """The dataset that has an expiration."""
    expiries: int = 0
    """How often a new date may be set, or a cancelled one be opened again."""
    returns: int = 0
    """How often rows may come back before they are looked for."""
    refusals: int = 0
    """How often a step may turn out never to work."""
    retries: int = 0
    """How often what has failed may be retried."""
    trash: int = 0
    """For how many ticks a dataset that has expired may be restored."""


def order_id(number: int) -> WorkOrderId:
    return WorkOrderId(UUID(int=100 + number))


def bundle_id(number: int) -> BundleId:
    return BundleId(UUID(int=200 + number))


def identities_of(number: int) -> Identities:
    """One person for each order: tables then tell whose rows are there."""
    return Identities({EMAIL: (str(number),)})


def dataset(dataset_id: DatasetId) -> Dataset:
    schema = DatasetSchema(SchemaId("s"), "s", PrimaryIdentity(("id",), "Email"), has_identity_map=False)
    table = TableReference(TableFormat.PARQUET, f"/{dataset_id}")
    return Dataset(dataset_id, ORG, SANDBOX, dataset_id, schema, table, EPOCH, EPOCH)
