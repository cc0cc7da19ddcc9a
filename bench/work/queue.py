"""A long queue: ten thousand small orders, nine tenths of them of one organization."""

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from bench.api.process import Watched
from bench.api.wire import Wire
from bench.work.scene import HYGIENE, WorkerProcess, order, person, served, submit, wait_until, write_table
from support.server import Server

SMALL_ORGS: Final = 10
ROWS: Final = 10_000
CONNECTIONS: Final = 8
LARGE: Final = "0LARGE@LetheOrg"


def queue(orders: int, url: str | None) -> Iterator[dict[str, Any]]:
    """Accept all, then work: throughput, memory, and who waited how long."""
    small = {f"{number}SMALL@LetheOrg": orders // 10 // SMALL_ORGS for number in range(1, SMALL_ORGS + 1)}
    counts = {LARGE: orders - sum(small.values())} | small
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        tables = {org_id: {"table": directory / org_id} for org_id in counts}
        for datasets in tables.values():
            write_table(datasets["table"], ROWS, files=2)
        with served(directory / "lethe", tables, url) as server:
            assert server._process is not None
            memory = Watched(server._process.pid)
            begun_at = perf_counter()
            for org_id, count in counts.items():
                _accept(server, org_id, count)
            accept_seconds = perf_counter() - begun_at
            worker = WorkerProcess(server)
            worker_memory = Watched(worker.pid)
            begun_at = perf_counter()
            wires = {org_id: Wire(server.url, server.headers(org_id=org_id)) for org_id in counts}
            wait_until(
                lambda: all(_completed(wires[org_id]) == count for org_id, count in counts.items()),
                "the orders are completed",
                1,
            )
            seconds = perf_counter() - begun_at
            peak_mb = worker_memory.peak_mb
            cpu_seconds = worker.stop()
            waits = {org_id: _seconds_to_end(wire) for org_id, wire in wires.items()}
            yield {
                "orders": orders,
                "accepted_per_s": orders / accept_seconds,
                "completed_per_s": orders / seconds,
                "worker_cpu_ms_per_order": cpu_seconds * 1_000 / orders,
                "server_peak_mb": memory.peak_mb,
                "worker_peak_mb": peak_mb,
                "large_org_s": waits[LARGE],
                "small_orgs_s": median(wait for org_id, wait in waits.items() if org_id != LARGE),
            }


def _accept(server: Server, org_id: str, count: int) -> None:
    headers = server.headers(org_id=org_id)

    def some(first: int) -> None:
        wire = Wire(server.url, headers)
        for number in range(first, count, CONNECTIONS):
            submit(wire, order("table", [person(number % ROWS)]))
        wire.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(some, range(min(CONNECTIONS, count))))


def _completed(wire: Wire) -> int:
    _, answer = wire.send(wire.request("GET", f"{HYGIENE}/workorder?status=completed,failed&limit=1"))
    total: int = json.loads(answer)["total"]
    return total


def _seconds_to_end(wire: Wire) -> float:
    """From the last acceptance to the last completion of an org."""
    instants = []
    for key, field in (("createdAt", "createdAt"), ("updatedAt", "updatedAt")):
        path = f"{HYGIENE}/workorder?orderBy=-{key}&limit=1"
        _, answer = wire.send(wire.request("GET", path))
        instants.append(datetime.fromisoformat(json.loads(answer)["results"][0][field]))
    return (instants[1] - instants[0]).total_seconds()
