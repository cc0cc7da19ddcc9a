"""A world with workers: real Parquet tables in a directory, and services that remember in memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lethe.domain.dataset import Dataset, DatasetSchema, PrimaryIdentity, TableFormat, TableReference
from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId, SchemaId
from lethe.domain.product import SERVICES, Product
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import Engine, PurgePolicy
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.storage.opening import storage_opener
from lethe.engines.verify.verifier import ByteVerifier
from lethe.pipeline.shop import Aftercare, Shop
from lethe.pipeline.worker import Worker
from lethe.products.interface import (
    Beat,
    Done,
    ProductAnswer,
    ProductUnavailable,
    Request,
    RequestKey,
    Space,
    one_by_one,
    unheard,
)
from support.api import World
from support.values import ORG, PROD

STEPS_MAX = 500


@dataclass
class RememberingService:
    """A service that holds traces, and forgets them when asked."""

    product: Product
    traces: set[tuple[str, str, str]] = field(default_factory=set)
    """Namespace code, id, dataset."""
    failures: int = 0
    """How many more calls fail."""
    asked: list[RequestKey] = field(default_factory=list)
    can_tell: bool = True
    """Whether it can be asked what it holds."""

    def forget(self, space: Space, identities: Identities, key: RequestKey, *, beat: Beat = unheard) -> ProductAnswer:
        self._maybe_fail(key)
        wanted = {(namespace.code, value) for namespace, value in identities}
        return self._remove({trace for trace in self.traces if trace[:2] in wanted})

    def forget_each(
        self, space: Space, requests: Sequence[Request], *, beat: Beat = unheard
    ) -> Iterator[ProductAnswer]:
        return one_by_one(self, space, requests, beat)

    def found(self, space: Space, identities: Identities) -> Sequence[int] | None:
        if not self.can_tell:
            return None
        named = Counter(trace[:2] for trace in self.traces)
        return [named[namespace.code, value] for namespace, value in identities]

    def remaining(self, space: Space, identities: Identities) -> int | None:
        wanted = {(namespace.code, value) for namespace, value in identities}
        return sum(trace[:2] in wanted for trace in self.traces) if self.can_tell else None

    def forget_dataset(
        self, space: Space, dataset_id: DatasetId, key: RequestKey, *, beat: Beat = unheard
    ) -> ProductAnswer:
        self._maybe_fail(key)
        return self._remove({trace for trace in self.traces if trace[2] == dataset_id})

    def remaining_of_dataset(self, space: Space, dataset_id: DatasetId) -> int | None:
        return sum(trace[2] == dataset_id for trace in self.traces) if self.can_tell else None

    def _maybe_fail(self, key: RequestKey) -> None:
        self.asked.append(key)
        if self.failures:
            self.failures -= 1
            raise ProductUnavailable("the service is down")

    def _remove(self, gone: set[tuple[str, str, str]]) -> ProductAnswer:
        self.traces -= gone
        return Done(len(gone))


def parquet_engines() -> dict[TableFormat, Engine]:
    """The engine of Parquet directories, in this process."""
    executor = InlineExecutor()
    verifier = ByteVerifier(executor, full=True)
    return {TableFormat.PARQUET: DirectoryEngine(ParquetFormat(), storage_opener(), executor, verifier)}


@dataclass
class Workshop:
    """A world, its tables, its services and one worker."""

    world: World
    tables: Path
    purge_policy: PurgePolicy = field(default_factory=lambda: PurgePolicy(writers_grace=timedelta(0)))
    trash: timedelta = timedelta(0)
    aftercare: Aftercare = field(default_factory=Aftercare)
    services: dict[Product, RememberingService] = field(
        default_factory=lambda: {product: RememberingService(product) for product in SERVICES}
    )

    @cached_property
    def shop(self) -> Shop:
        return Shop(
            store=self.world.store,
            engines=self.world.engines,
            products=dict(self.services),
            purge_policy=self.purge_policy,
            trash=self.trash,
            aftercare=self.aftercare,
        )

    @cached_property
    def worker(self) -> Worker:
        return Worker(self.shop, "worker-1", lambda: 0.0)

    def table(self, dataset_id: str, people: Sequence[str | None], namespace_code: str = "Email") -> Dataset:
        """A registered Parquet table of two files, its rows named by `person.id`."""
        root = self.tables / dataset_id
        root.mkdir(parents=True)
        half = len(people) // 2
        for number, part in enumerate((people[:half], people[half:])):
            rows = [{"person": {"id": value}, "n": index} for index, value in enumerate(part)]
            schema = pa.schema([("person", pa.struct([("id", pa.string())])), ("n", pa.int64())])
            pq.write_table(pa.Table.from_pylist(rows, schema), root / f"part-{number}.parquet", compression="zstd")
        return self.register(dataset_id, namespace_code)

    def register(self, dataset_id: str, namespace_code: str = "Email", table: TableReference | None = None) -> Dataset:
        dataset = Dataset(
            DatasetId(dataset_id),
            ORG,
            PROD,
            f"Dataset {dataset_id}",
            DatasetSchema(
                SchemaId(f"https://ns.example.com/{dataset_id}"),
                "Schema",
                PrimaryIdentity(("person", "id"), namespace_code),
                has_identity_map=False,
            ),
            table or TableReference(TableFormat.PARQUET, str(self.tables / dataset_id)),
            self.world.clock.now,
            self.world.clock.now,
        )
        with self.world.store.write() as tx:
            tx.datasets.add(dataset)
        return dataset

    def people(self, dataset_id: str) -> list[str | None]:
        """Who is left in a table, by the order of its files and rows."""
        files = sorted((self.tables / dataset_id).rglob("*.parquet"))
        return [row["person"]["id"] for path in files for row in pq.read_table(path).to_pylist()]

    def delete(self, dataset_id: str, *people: str, code: str = "Email", **more: Any) -> str:
        """Submit a record delete; gives the work order's id."""
        body = {
            "action": "delete_identity",
            "datasetId": dataset_id,
            "namespacesIdentities": [{"namespace": {"code": code}, "IDs": list(people)}],
        } | more
        answer = self.world.call("POST", "/workorder", body)
        assert answer.status_code == 201, answer.text
        order_id: str = answer.json()["workorderId"]
        return order_id

    def order(self, order_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.world.call("GET", f"/workorder/{order_id}").json()
        return answer

    def products(self, order_id: str) -> dict[str, str]:
        return {each["productName"]: each["productStatus"] for each in self.order(order_id)["productStatusDetails"]}

    def work(self, *, until: str | None = None, order_id: str | None = None) -> None:
        """Let the worker work, and time pass when it waits, until it has nothing to do or an order is so far."""
        idle = 0
        for _ in range(STEPS_MAX):
            if until is not None and order_id is not None and self.order(order_id)["status"] == until:
                return
            if self.worker.run_once():
                idle = 0
                continue
            idle += 1
            if idle > 12:
                return
            self.world.later(minutes=10)
        raise AssertionError("the worker does not come to an end")
