"""Run the benchmark; see the package."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from bench.api.process import Watched  # noqa: E402
from bench.api.wire import Wire  # noqa: E402
from lethe.api.workorder import read_draft  # noqa: E402
from lethe.domain.identity import RequestedIds, distinct  # noqa: E402
from lethe.domain.namespace import STANDARD  # noqa: E402
from lethe.operations.namespaces import NamespaceBook  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.server import EMAILS, Server, settings  # noqa: E402

HYGIENE = "/data/core/hygiene"
IDENTITIES = 100_000
CONNECTIONS = 8
PARSE_AIM_MS = 150


def bodies() -> Mapping[str, bytes]:
    """One order of 100,000 e-mail addresses in both forms."""
    ids = [f"first.last+{number}@mail.example.com" for number in range(IDENTITIES)]
    objects = [{"namespace": {"code": "Email"}, "id": each} for each in ids]
    lists = [{"namespace": {"code": "Email"}, "IDs": ids}]
    order = {"action": "delete_identity", "datasetId": EMAILS}
    return {
        "identities": json.dumps(order | {"identities": objects}).encode(),
        "namespacesIdentities": json.dumps(order | {"namespacesIdentities": lists}).encode(),
    }


def parse_and_validate(body: bytes) -> int:
    """All that is done to a body before anything is stored or sealed."""
    draft = read_draft(body)
    book = NamespaceBook(STANDARD)
    runs = [RequestedIds(book.resolve(run.namespace), run.ids, run.field, run.indexes) for run in draft.runs]
    return distinct(runs).count


def parsing(runs: int) -> Iterator[dict[str, Any]]:
    for form, body in bodies().items():
        times = []
        for _ in range(runs):
            begun_at = process_time()
            assert parse_and_validate(body) == IDENTITIES
            times.append((process_time() - begun_at) * 1_000)
        yield {"form": form, "body_mb": len(body) / 1e6, "cpu_ms": median(times)}


def accepting(server: Server, watched: Watched, runs: int) -> Iterator[dict[str, Any]]:
    wire = Wire(server.url, server.headers())
    for form, body in bodies().items():
        request = wire.request("POST", f"{HYGIENE}/workorder", body)
        before_mb = watched.resident_mb
        watched.forget_peak()
        cpu, wall = [], []
        for _ in range(runs):
            cpu_ms, begun_at = watched.cpu_ms, perf_counter()
            status, answer = wire.send(request)
            wall.append((perf_counter() - begun_at) * 1_000)
            cpu.append(watched.cpu_ms - cpu_ms)
            assert status == 201, answer[:300]
        yield {
            "form": form,
            "cpu_ms": median(cpu),
            "wall_ms": median(wall),
            "resident_before_mb": before_mb,
            "peak_mb": watched.peak_mb,
        }
    wire.close()


def small_gets(server: Server, watched: Watched, runs: int, requests: int) -> Iterator[dict[str, Any]]:
    headers = server.headers()

    def connect() -> Wire:
        return Wire(server.url, headers)

    wire = connect()
    for name, path in stored_paths(wire).items():
        wire = connect()
        request = wire.request("GET", path)
        results = [one_by_one(wire, watched, request, requests) for _ in range(runs)]
        rates = [at_once([connect() for _ in range(CONNECTIONS)], request, requests) for _ in range(runs)]
        yield {"call": name, **{key: median(result[key] for result in results) for key in results[0]}} | {
            "requests_per_second": median(rates)
        }
        wire.close()


def stored_paths(wire: Wire) -> Mapping[str, str]:
    """Something of each kind to look up."""
    expiration = {"datasetId": EMAILS, "expiry": "2099-01-01", "displayName": "Drop it"}
    order = {"datasetId": EMAILS, "identities": [{"namespace": {"code": "Email"}, "id": "ann@example.com"}]}
    ids = {}
    for path, body, key in (("ttl", expiration, "ttlId"), ("workorder", order, "workorderId")):
        status, answer = wire.send(wire.request("POST", f"{HYGIENE}/{path}", json.dumps(body).encode()))
        assert status == 201, answer
        ids[path] = json.loads(answer)[key]
    return {"GET /quota": f"{HYGIENE}/quota"} | {f"GET /{path}/{{id}}": f"{HYGIENE}/{path}/{ids[path]}" for path in ids}


def one_by_one(wire: Wire, watched: Watched, request: bytes, requests: int) -> dict[str, float]:
    latencies, cpu_ms = [], watched.cpu_ms
    for _ in range(requests):
        begun_at = perf_counter()
        status, answer = wire.send(request)
        latencies.append((perf_counter() - begun_at) * 1_000)
        assert status == 200, answer
    steps = quantiles(latencies, n=20)
    return {"cpu_ms": (watched.cpu_ms - cpu_ms) / requests, "p50_ms": steps[9], "p95_ms": steps[18]}


def at_once(wires: list[Wire], request: bytes, requests: int) -> float:
    """Requests a second over all connections together."""
    each = requests // len(wires)

    def repeat(wire: Wire) -> None:
        for _ in range(each):
            wire.send(request)
        wire.close()

    begun_at = perf_counter()
    with ThreadPoolExecutor(len(wires)) as pool:
        list(pool.map(repeat, wires))
    return each * len(wires) / (perf_counter() - begun_at)


Database = Callable[[], str | None]
"""Makes an empty database; answers its URL, or None for SQLite in the server's own directory."""


@contextmanager
def databases() -> Iterator[Mapping[str, Database]]:
    """The two kinds of database, a new one of them whenever it is asked for."""
    postgres = Postgres()
    numbers = count()

    def url() -> str:
        number = next(numbers)
        if not number:
            postgres.start()
        postgres.execute(f"CREATE DATABASE bench_{number}")
        return postgres.url(f"bench_{number}")

    try:
        yield {"SQLite": lambda: None, "PostgreSQL": url}
    finally:
        postgres.remove()


def table(title: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{title}")
    names = list(rows[0])
    cells = [
        names,
        *([f"{row[name]:,.2f}" if isinstance(row[name], float) else row[name] for name in names] for row in rows),
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    for line in cells:
        print(
            "  "
            + "  ".join(
                f"{cell:<{width}}" if at < 2 else f"{cell:>{width}}"
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.api", description="What the API costs.")
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median counts")
    parser.add_argument("--requests", type=int, default=400, help="GETs in one run")
    parser.add_argument("--json", type=Path, default=ROOT / "bench" / "out" / "api.json", help="where to write")
    asked = parser.parse_args()

    report: dict[str, list[dict[str, Any]]] = {"parse_and_validate": list(parsing(asked.runs)), "accept": [], "get": []}
    with databases() as kinds, tempfile.TemporaryDirectory() as directory:
        for name, url in kinds.items():
            with Server(Path(directory) / name, settings(), url()) as server:
                assert server._process is not None
                watched = Watched(server._process.pid)
                report["get"] += [
                    {"database": name, **row} for row in small_gets(server, watched, asked.runs, asked.requests)
                ]
                report["accept"] += [{"database": name, **row} for row in accepting(server, watched, asked.runs)]
    table(f"Parse and validate {IDENTITIES:,} identities (aim: under {PARSE_AIM_MS} ms)", report["parse_and_validate"])
    table(f"Accept {IDENTITIES:,} identities, in the server process", report["accept"])
    table(f"Small GETs: one connection; requests a second over {CONNECTIONS}", report["get"])
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
