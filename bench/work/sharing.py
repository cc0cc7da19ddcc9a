"""Orders that share a pass: thirty over one table, beside one."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from bench.api.__main__ import Database
from bench.work.scene import Caller, WorkerProcess, order, person, served, wait_until, write_table
from support.server import ORG

ORDERS: Final = 30
IDENTITIES: Final = 100
ROWS_EACH: Final = 20
AIM: Final = 1.5


def sharing(rows: int, database: Database, runs: int) -> Iterator[dict[str, Any]]:
    """CPU seconds of one order, of thirty, and of one that names all whom the thirty name.

    The ratios are those of the thirty to either. The last deletes the same rows as the thirty, so that the second ratio
    says what it costs that they are thirty.
    """
    for _ in range(runs):
        one = _cost(rows, [_asked(0, rows, 1)], database())
        many = _cost(rows, [_asked(number, rows, 1) for number in range(ORDERS)], database())
        same = _cost(rows, [_asked(0, rows, ORDERS)], database())
        seconds = {"one_cpu_s": one, f"{ORDERS}_cpu_s": many, "one_for_all_cpu_s": same}
        yield {"rows": rows, **seconds, "ratio": many / one, "ratio_for_all": many / same}


def _cost(rows: int, orders: Sequence[Sequence[int]], url: str | None) -> float:
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        write_table(directory / "table", rows, files=10, people=_people(rows))
        with served(directory / "lethe", {ORG: {"table": directory / "table"}}, url) as server:
            caller = Caller(server, ORG)
            submitted = [caller.submit(order("table", [person(n) for n in people])) for people in orders]
            with WorkerProcess(server) as worker:
                wait_until(lambda: caller.ended() == len(orders), "the orders are completed", 0.2)
                seconds = worker.stop()
            for order_id, people in zip(submitted, orders, strict=True):
                figures = caller.get(f"/workorder/{order_id}/certificate")["certificate"]["datasets"]
                held = sum(len(range(each, rows, _people(rows))) for each in people)
                assert [each["rowsDeleted"] for each in figures] == [held], figures
    return seconds


def _people(rows: int) -> int:
    """How many people a table has. One more than its rows would give, so that a person is in every file."""
    return rows // ROWS_EACH + 1


def _asked(first: int, rows: int, neighbours: int) -> Sequence[int]:
    """A hundred people, from the first on, and so many neighbours of each."""
    step = _people(rows) // IDENTITIES
    return [at + next_to for at in range(first, step * IDENTITIES, step) for next_to in range(neighbours)]
