"""Orders that share a pass: thirty over one table, beside one."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.api.__main__ import Database
from bench.work.scene import Caller, WorkerProcess, order, person, served, wait_until, write_table
from support.server import ORG

ORDERS: Final = 30
IDENTITIES: Final = 100
AIM: Final = 1.5


def sharing(rows: int, database: Database, runs: int) -> Iterator[dict[str, Any]]:
    """CPU seconds of one order and of thirty, and how many times as much it is."""
    for _ in range(runs):
        one, many = (_cost(rows, count, database()) for count in (1, ORDERS))
        yield {"rows": rows, "one_cpu_s": one, f"{ORDERS}_cpu_s": many, "ratio": many / one}


def _cost(rows: int, orders: int, url: str | None) -> float:
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        write_table(directory / "table", rows, files=10)
        with served(directory / "lethe", {ORG: {"table": directory / "table"}}, url) as server:
            caller = Caller(server, ORG)
            submitted = [
                caller.submit(order("table", [person(n) for n in _people(number, rows)])) for number in range(orders)
            ]
            with WorkerProcess(server) as worker:
                wait_until(lambda: caller.ended() == orders, "the orders are completed", 0.2)
                seconds = worker.stop()
            for order_id in submitted:
                figures = caller.get(f"/workorder/{order_id}/certificate")["certificate"]["datasets"]
                assert [each["rowsDeleted"] for each in figures] == [IDENTITIES], figures
    return seconds


def _people(number: int, rows: int) -> range:
    """A hundred people of this order's own, spread over all files and row groups."""
    return range(number, rows, rows // IDENTITIES)[:IDENTITIES]
