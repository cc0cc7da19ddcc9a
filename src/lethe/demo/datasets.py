"""The demo's six datasets: what each is called, how it is stored, and how its rows name people."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lethe.demo.people import CUSTOMER, ECID, EMAIL


class Stored(StrEnum):
    """How a dataset is stored."""

    ICEBERG = "iceberg"
    DELTA = "delta"
    PARQUET = "parquet"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class DemoDataset:
    """One dataset of the world. Its rows are numbered by a column `row`, by which they are known again."""

    dataset_id: str
    name: str
    stored: Stored
    rows: int
    identity: tuple[str, ...] = ()
    """The path of the primary identity; without one, rows have an identity map, or nobody is named."""
    namespace: str | None = None
    identity_map: bool = False

    @property
    def slug(self) -> str:
        """Its folder, and the end of its variable `LETHE_DATASET_<NAME>`."""
        return self.name.lower().replace(" ", "_")

    @property
    def names_people(self) -> bool:
        """Whether a record delete can match its rows."""
        return self.namespace is not None or self.identity_map


NEWSLETTER: Final = DemoDataset("65a000000000000000000001", "Newsletter", Stored.PARQUET, 40_000, ("email",), EMAIL)
WEB_EVENTS: Final = DemoDataset(
    "65a000000000000000000002", "Web events", Stored.ICEBERG, 70_000, ("person", "email"), EMAIL
)
ORDERS: Final = DemoDataset("65a000000000000000000003", "Orders", Stored.DELTA, 40_000, ("customer_id",), CUSTOMER)
APP_ACTIVITY: Final = DemoDataset(
    "65a000000000000000000004", "App activity", Stored.NDJSON, 20_000, ("device", "ecid"), ECID
)
SUPPORT_TICKETS: Final = DemoDataset(
    "65a000000000000000000005", "Support tickets", Stored.PARQUET, 20_000, identity_map=True
)
STORE_VISITS: Final = DemoDataset("65a000000000000000000006", "Store visits", Stored.PARQUET, 10_000)
"""It names nobody: it is the one that expires."""

DATASETS: Final = (NEWSLETTER, WEB_EVENTS, ORDERS, APP_ACTIVITY, SUPPORT_TICKETS, STORE_VISITS)
