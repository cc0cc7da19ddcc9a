"""A long queue: ten thousand small orders, nine tenths of them of one organization."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from bench.api.__main__ import Database
from bench.api.process import Watched
from bench.api.wire import Wire
from bench.work.scene import HYGIENE, Caller, WorkerProcess, order, person, served, wait_until, write_table
from support.server import Server

SMALL_ORGS: Final = 10
ROWS: Final = 10_000
CONNECTIONS: Final = 8
LARGE: Final = "0LARGE@LetheOrg"


def queue(orders: int, database: Database) -> Iterator[dict[str, Any]]:
    """Accept all, then work: throughput, memory, and who waited how long."""
    small = {f"{number}SMALL@LetheOrg": orders // 10 // SMALL_ORGS for number in range(1, SMALL_ORGS + 1)}
    counts = {LARGE: orders - sum(small.values())} | small
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        tables = {org_id: {"table": directory / org_id} for org_id in counts}
        for datasets in tables.values():
            write_table(datasets["table"], ROWS, files=2)
        with served(directory / "lethe", tables, database()) as server:
            assert server._process is not None
            memory = Watched(server._process.pid)
            begun_at = perf_counter()
            for org_id, count in counts.items():
                _accept(server, org_id, count)
            accept_seconds = perf_counter() - begun_at
            callers = {org_id: Caller(server, org_id) for org_id in counts}
            with WorkerProcess(server) as worker:
                begun_at = perf_counter()
                wait_until(
                    lambda: all(callers[org_id].ended() == count for org_id, count in counts.items()),
                    "the orders are completed",
                    1,
                )
                seconds = perf_counter() - begun_at
                worker_peak_mb = Watched(worker.pid).peak_mb
                cpu_seconds = worker.stop()
            waits = {org_id: _seconds_to_end(caller) for org_id, caller in callers.items()}
            yield {
                "orders": orders,
                "accepted_per_s": orders / accept_seconds,
                "completed_per_s": orders / seconds,
                "worker_cpu_ms_per_order": cpu_seconds * 1_000 / orders,
                "server_peak_mb": memory.peak_mb,
                "worker_peak_mb": worker_peak_mb,
                "large_org_s": waits[LARGE],
                "small_orgs_s": median(wait for org_id, wait in waits.items() if org_id != LARGE),
            }


def _accept(server: Server, org_id: str, count: int) -> None:
    headers = server.headers(org_id=org_id)

    def some(first: int) -> None:
        wire = Wire(server.url, headers)
        for number in range(first, count, CONNECTIONS):
            request = wire.request("POST", f"{HYGIENE}/workorder", order("table", [person(number % ROWS)]))
            status, answer = wire.send(request)
            assert status == 201, answer[:300]
        wire.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(some, range(min(CONNECTIONS, count))))


def _seconds_to_end(caller: Caller) -> float:
    """From the last acceptance to the last completion of an org."""
    created = caller.get("/workorder?orderBy=-createdAt&limit=1")["results"][0]["createdAt"]
    updated = caller.get("/workorder?orderBy=-updatedAt&limit=1")["results"][0]["updatedAt"]
    return (datetime.fromisoformat(updated) - datetime.fromisoformat(created)).total_seconds()
