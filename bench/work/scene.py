"""What the benchmarks of work share: tables, a server, and a worker beside it that can be watched."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.api.wire import Wire
from bench.process_tree import used
from support.server import PROD, Server, a_client, an_org

HYGIENE: Final = "/data/core/hygiene"
END_SECONDS_MAX: Final = 4 * 3_600
QUOTAS: Final = {"expirations": 1_000, "daily_deletes": 10**9, "monthly_deletes": 10**9}


def person(number: int) -> str:
    return f"first.last+{number}@mail.example.com"


def write_table(directory: Path, rows: int, files: int, people: int | None = None) -> None:
    """A Parquet table: an address, and values that do not compress to nothing.

    Row by row it is the next person's turn, one after another; a row is everybody's own unless there are fewer people.
    """
    directory.mkdir(parents=True)
    values = np.random.default_rng(1)
    for part in range(files):
        numbers = np.arange(part, rows, files)
        table = pa.table(
            {
                "email": pa.array([person(number) for number in numbers % (people or rows)]),
                "amount": values.random(len(numbers)),
                "visits": values.integers(0, 10_000, len(numbers)),
                "note": pa.array([f"{value:x}" for value in values.integers(0, 2**48, len(numbers))]),
            }
        )
        pq.write_table(table, directory / f"part-{part}.parquet", compression="zstd", row_group_size=200_000)


def settings(tables: Mapping[str, Mapping[str, Path]], *, workers: int = 0) -> dict[str, Any]:
    """Organizations with their tables."""
    org_ids = list(tables)
    return {
        "orgs": [an_org(org_id, quotas=QUOTAS) for org_id in org_ids],
        "clients": [a_client("administrator", "administrator", org_ids)],
        "datasets": [
            {
                "id": dataset_id,
                "org": org_id,
                "sandbox": PROD,
                "name": dataset_id,
                "format": "parquet",
                "location": str(location),
                "primary_identity_path": ["email"],
                "primary_identity_namespace": "Email",
            }
            for org_id, datasets in tables.items()
            for dataset_id, location in datasets.items()
        ],
        "limits": {"small_orders_per_second": 1_000_000, "burst": 1_000_000},
        "work": {"workers": workers, "writers_grace_seconds": 0},
    }


def order(dataset_id: str, people: Sequence[str]) -> bytes:
    namespaced = [{"namespace": {"code": "Email"}, "IDs": list(people)}]
    return json.dumps({"datasetId": dataset_id, "namespacesIdentities": namespaced}).encode()


class Caller:
    """An organization's calls, each on a connection of its own: the server closes those that idle."""

    def __init__(self, server: Server, org_id: str) -> None:
        self._url = server.url
        self._headers = server.headers(org_id=org_id)

    def get(self, path: str) -> Any:
        return self._call("GET", path, b"", 200)

    def submit(self, body: bytes) -> str:
        """Ask for a record delete; its id."""
        order_id: str = self._call("POST", "/workorder", body, 201)["workorderId"]
        return order_id

    def ended(self) -> int:
        """How many of its orders are completed."""
        assert not self.get("/workorder?status=failed&limit=1")["total"], "an order failed"
        total: int = self.get("/workorder?status=completed&limit=1")["total"]
        return total

    def _call(self, method: str, path: str, body: bytes, expected: int) -> Any:
        wire = Wire(self._url, self._headers)
        status, answer = wire.send(wire.request(method, HYGIENE + path, body))
        wire.close()
        assert status == expected, answer[:300]
        return json.loads(answer)


class WorkerProcess:
    """`lethe worker` beside a server."""

    def __init__(self, server: Server) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
        environment |= {"LETHE_CONFIG": str(server.directory / "lethe.toml")}
        environment |= {"LETHE_DATA_DIR": str(server.directory / "data")}
        if server.database_url is not None:
            environment["LETHE_DATABASE_URL"] = server.database_url
        self._log = server.directory / "worker.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([sys.executable, "-m", "lethe", "worker"], env=environment, stderr=log)
        wait_until(lambda: b'"working"' in self._log.read_bytes(), "the worker starts")
        self._begun_at = used(self.pid).cpu_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> float:
        """Stop it; the CPU seconds that it and the processes of its pools took since it started to work."""
        seconds = used(self.pid).cpu_s - self._begun_at
        self._process.terminate()
        assert self._process.wait() == 0, self._log.read_text()
        return seconds


@contextmanager
def served(
    directory: Path, tables: Mapping[str, Mapping[str, Path]], url: str | None, *, workers: int = 0
) -> Iterator[Server]:
    with Server(directory, settings(tables, workers=workers), url) as server:
        yield server


def wait_until(condition: Any, what: str, pause_seconds: float = 0.05) -> None:
    give_up_at = monotonic() + END_SECONDS_MAX
    while not condition():
        assert monotonic() < give_up_at, what
        sleep(pause_seconds)
