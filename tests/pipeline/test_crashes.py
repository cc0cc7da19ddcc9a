"""Worker processes killed at random while orders and expirations are under way: each still ends as it should.

The seed is printed with a failure; `LETHE_CRASH_SEED` replays one.
"""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.postgres import Postgres
from support.server import ORG, Server, a_client, an_org

TABLES, ORDERS, EXPIRING, KILLS, WORKERS = 3, 24, 2, 8, 2
PEOPLE, ROWS_EACH = 120, 3
END_SECONDS_MAX = 240
NAMES = [*(f"table-{number}" for number in range(TABLES)), *(f"expiring-{number}" for number in range(EXPIRING))]


def person(number: int) -> str:
    return f"person-{number:03}@example.com"


def write_table(directory: Path) -> None:
    directory.mkdir(parents=True)
    rows = [person(number % PEOPLE) for number in range(PEOPLE * ROWS_EACH)]
    for part in range(3):
        table = pa.table({"id": rows[part::3], "n": list(range(len(rows[part::3])))})
        pq.write_table(table, directory / f"part-{part}.parquet", row_group_size=20)


def people(directory: Path) -> Counter[str]:
    files = sorted(directory.rglob("*.parquet"))
    return Counter(value for path in files for value in pq.read_table(path)["id"].to_pylist())


def settings(directory: Path) -> dict[str, Any]:
    def dataset(dataset_id: str) -> dict[str, Any]:
        return {
            "id": dataset_id,
            "org": ORG,
            "sandbox": "prod",
            "name": dataset_id,
            "format": "parquet",
            "location": str(directory / dataset_id),
            "primary_identity_path": ["id"],
            "primary_identity_namespace": "Email",
        }

    return {
        "orgs": [an_org(min_expiry_lead_hours=0)],
        "clients": [a_client("administrator", "administrator")],
        "datasets": [dataset(name) for name in NAMES],
        "limits": {"small_orders_per_second": 1_000_000, "burst": 1_000_000},
        "work": {"workers": 0, "processes": 1, "lease_seconds": 2, "writers_grace_seconds": 0},
    }


class Workers:
    """Processes of `lethe worker`, of which any may be killed."""

    def __init__(self, server: Server) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
        self._environment = kept | {
            "LETHE_CONFIG": str(server.directory / "lethe.toml"),
            "LETHE_DATA_DIR": str(server.directory / "data"),
        }
        if server.database_url is not None:
            self._environment["LETHE_DATABASE_URL"] = server.database_url
        self._log = server.directory / "workers.log"
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for _ in range(WORKERS):
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def start(self) -> None:
        """Start one, and wait until it works."""
        with self._log.open("ab") as log:
            begin = log.tell()
            command = [sys.executable, "-m", "lethe", "worker"]
            self._running.append(subprocess.Popen(command, env=self._environment, stderr=log, stdin=subprocess.DEVNULL))
        give_up_at = monotonic() + 60
        while b'"working"' not in self._log.read_bytes()[begin:]:
            assert monotonic() < give_up_at, self._log.read_text()
            assert self._running[-1].poll() is None, self._log.read_text()

    def kill_one(self, dice: random.Random) -> None:
        victim = self._running.pop(dice.randrange(len(self._running)))
        victim.send_signal(signal.SIGKILL)
        victim.wait()

    def audit_is_whole(self) -> bool:
        command = [sys.executable, "-m", "lethe", "audit", "verify"]
        return subprocess.run(command, env=self._environment, capture_output=True, check=False).returncode == 0

    def stop(self) -> None:
        for process in self._running:
            process.terminate()
        while self._running:
            assert self._running.pop().wait(60) == 0, self._log.read_text()


def statuses(api: Any, path: str) -> list[str]:
    return [each["status"] for each in api.get(f"/data/core/hygiene/{path}?limit=100").json()["results"]]


def submit(api: Any, dice: random.Random, gone: dict[int, set[str]]) -> int:
    """Ask for two people's deletion from one table or from all; how many identities that is."""
    wanted = [person(each) for each in dice.sample(range(PEOPLE), 2)]
    tables = dice.choice([[each] for each in range(TABLES)] + [list(range(TABLES))])
    body = {
        "datasetId": f"table-{tables[0]}" if len(tables) == 1 else "ALL",
        "namespacesIdentities": [{"namespace": {"code": "Email"}, "IDs": wanted}],
    }
    answer = api.post("/data/core/hygiene/workorder", json=body)
    assert answer.status_code == 201, answer.text
    for each in tables:
        gone[each] |= set(wanted)
    return len(wanted)


def let_expire(api: Any, number: int) -> None:
    expiry = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    answer = api.post("/data/core/hygiene/ttl", json={"datasetId": f"expiring-{number}", "expiry": expiry})
    assert answer.status_code == 201, answer.text


def drive(api: Any, workers: Workers, dice: random.Random, gone: dict[int, set[str]]) -> int:
    """Submit everything while workers die, and wait for the end; how many identities were asked for."""
    identities = 0
    for number in range(ORDERS):
        identities += submit(api, dice, gone)
        if number < EXPIRING:
            let_expire(api, number)
        if number % (ORDERS // KILLS) == 0:
            workers.kill_one(dice)
            workers.start()
    give_up_at = monotonic() + END_SECONDS_MAX
    while {*statuses(api, "workorder"), *statuses(api, "ttl")} - {"completed", "failed"}:
        assert monotonic() < give_up_at, (Counter(statuses(api, "workorder")), statuses(api, "ttl"))
    assert statuses(api, "workorder") == ["completed"] * ORDERS
    assert statuses(api, "ttl") == ["completed"] * EXPIRING
    return identities


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_orders_and_expirations_survive_killed_workers(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    seed = int(os.environ.get("LETHE_CRASH_SEED", random.randrange(10**6)))
    print("seed", seed)  # shown when the test fails
    lake, url = tmp_path / "lake", None
    if database == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.url(request.getfixturevalue("postgres_database"))
    for name in NAMES:
        write_table(lake / name)
    before = {number: people(lake / f"table-{number}") for number in range(TABLES)}
    gone: dict[int, set[str]] = {number: set() for number in range(TABLES)}

    with Server(tmp_path / "lethe", settings(lake), url) as lethe, lethe.client() as api, Workers(lethe) as workers:
        identities = drive(api, workers, random.Random(seed), gone)
        workers.stop()
        quotas = {each["name"]: each["consumed"] for each in api.get("/data/core/hygiene/quota").json()["quotas"]}

    assert quotas["dailyConsumerDeleteIdentitiesQuota"] == identities
    assert quotas["datasetExpirationQuota"] == 0
    for number in range(TABLES):
        left = {each: count for each, count in before[number].items() if each not in gone[number]}
        assert people(lake / f"table-{number}") == left
    for number in range(EXPIRING):
        assert [each for each in (lake / f"expiring-{number}").rglob("*") if each.is_file()] == []
    gone_everywhere = [each.encode() for each in set.intersection(*gone.values())]
    for path in (each for each in lake.rglob("*") if each.is_file()):
        assert not any(each in path.read_bytes() for each in gone_everywhere), path
    assert workers.audit_is_whole()
