"""Run the benchmarks of work; see the package."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from bench.api.__main__ import Database, databases, table  # noqa: E402
from bench.work.latency import AIM_MS, latency  # noqa: E402
from bench.work.queue import queue  # noqa: E402
from bench.work.sharing import AIM, ORDERS, sharing  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.work", description="What work costs.")
    parser.add_argument("what", nargs="*", help="sharing, queue or latency; all when absent")
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the table that orders share")
    parser.add_argument("--orders", type=int, default=10_000, help="orders in the queue")
    parser.add_argument("--latency-rows", type=int, default=10_000_000, help="rows to rewrite while the API is asked")
    parser.add_argument("--runs", type=int, default=1, help="runs of sharing")
    parser.add_argument("--database", choices=["SQLite", "PostgreSQL"], help="only on this one")
    parser.add_argument("--json", type=Path, default=ROOT / "bench" / "out" / "work.json", help="where to write")
    asked = parser.parse_args()

    benches: Mapping[str, tuple[str, Callable[[Database], Iterator[dict[str, Any]]]]] = {
        "sharing": (
            f"{ORDERS} orders over one table, beside one, and one for all of their people (aim: a ratio of {AIM})",
            lambda database: sharing(asked.rows, database, asked.runs),
        ),
        "queue": (
            f"A queue of {asked.orders:,} orders of 11 organizations",
            lambda database: queue(asked.orders, database),
        ),
        "latency": (
            f"Small requests while a table is rewritten (aim: p95 under {AIM_MS} ms)",
            lambda database: latency(asked.latency_rows, database),
        ),
    }
    unknown = set(asked.what) - set(benches)
    if unknown:
        parser.error(f"there is no {min(unknown)}: choose from {', '.join(benches)}")
    report: dict[str, Any] = {"load_average": os.getloadavg()[0]}
    for name in asked.what or benches:
        title, bench = benches[name]
        rows = []
        with databases() as kinds:
            for kind, database in kinds.items():
                if asked.database in {None, kind}:
                    rows += [{"database": kind, **row} for row in bench(database)]
        report[name] = rows
        table(title, [{key: _shown(value) for key, value in row.items()} for row in rows])
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(report, indent=2) + "\n")


def _shown(value: object) -> object:
    return f"{value:,}" if isinstance(value, int) else value


if __name__ == "__main__":
    main()
