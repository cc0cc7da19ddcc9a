"""The API while a large table is rewritten: by a worker inside the server, and by one beside it."""

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from statistics import quantiles
from time import perf_counter, sleep
from typing import Any, Final

from bench.api.__main__ import Database
from bench.api.wire import Wire
from bench.work.scene import HYGIENE, Caller, WorkerProcess, order, person, served, write_table
from support.server import ORG, Server

AIM_MS: Final = 100
IDENTITIES: Final = 1_000
PAUSE_SECONDS: Final = 0.02


def latency(rows: int, database: Database) -> Iterator[dict[str, Any]]:
    """Small GETs and POSTs, one after another with a pause: idle, and while rows are deleted and that is proved."""
    for where in ("inside serve", "beside it"):
        with tempfile.TemporaryDirectory() as place:
            directory = Path(place)
            for name in ("table", "other"):
                write_table(directory / name, rows if name == "table" else 1_000, files=8 if name == "table" else 1)
            tables = {ORG: {name: directory / name for name in ("table", "other")}}
            inside = where == "inside serve"
            with (
                served(directory / "lethe", tables, database(), workers=int(inside)) as server,
                nullcontext() if inside else WorkerProcess(server),
            ):
                yield {"worker": where, "during": "nothing", **_measured(server, lambda: False, 100)}
                caller = Caller(server, ORG)
                large = caller.submit(order("table", [person(n) for n in range(0, rows, rows // IDENTITIES)]))
                during = _measured(server, lambda caller=caller, large=large: _is_under_way(caller, large), 50)
                yield {"worker": where, "during": f"{rows:,} rows", **during}


def _is_under_way(caller: Caller, order_id: str) -> bool:
    """Whether the order is on its way, to the end of its proof."""
    status = caller.get(f"/workorder/{order_id}")["status"]
    assert status != "failed"
    return bool(status != "completed")


def _measured(server: Server, goes_on: Any, least: int) -> dict[str, float]:
    wire = Wire(server.url, server.headers())
    get = wire.request("GET", f"{HYGIENE}/quota")
    post = wire.request("POST", f"{HYGIENE}/workorder", order("other", [person(0)]))
    times: dict[str, list[float]] = {"get": [], "post": []}
    while len(times["get"]) < least or goes_on():
        for name, request, expected in (("get", get, 200), ("post", post, 201)):
            begun_at = perf_counter()
            status, answer = wire.send(request)
            times[name].append((perf_counter() - begun_at) * 1_000)
            assert status == expected, answer[:300]
        sleep(PAUSE_SECONDS)
    wire.close()
    found: dict[str, float] = {}
    for name, each in times.items():
        steps = quantiles(each, n=20)
        found |= {f"{name}_p50_ms": steps[9], f"{name}_p95_ms": steps[18]}
    return found | {"requests": len(times["get"]) * 2}
