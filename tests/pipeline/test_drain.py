"""A worker that is told to stop finishes what it has begun, records it, and begins nothing else."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lethe.domain.ids import NamespaceId, OrgId, SandboxName
from lethe.products.interface import GraphNode, Space
from lethe.products.memory import Trace
from products.http_service import SECRET, ErasureService
from support.server import ORG, Server, a_client, an_org
from support.worker import lethe_worker

SECONDS_MAX = 60
ANN, BOB = "ann@example.com", "bob@example.com"


class SlowService(ErasureService):
    """Answers its first erasure when it is let."""

    def __init__(self) -> None:
        self.asked, self.may_answer = Event(), Event()
        super().__init__()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        if method == "POST" and not path.endswith("/verify"):
            self.asked.set()
            assert self.may_answer.wait(SECONDS_MAX)
        return super().answer(method, path, headers, body)


def test_the_task_under_way_is_finished_and_recorded_and_nothing_else_begins(tmp_path: Path) -> None:
    lake, service = tmp_path / "people", SlowService()
    lake.mkdir()
    pq.write_table(pa.table({"id": [ANN, BOB]}), lake / "part-0.parquet")
    space = Space(OrgId(ORG), SandboxName("prod"))
    service.memory.put(Trace(each, space, (GraphNode((NamespaceId(6), each)),)) for each in (ANN, BOB))
    dataset = {
        "id": "people", "org": ORG, "sandbox": "prod", "name": "People", "format": "parquet", "location": str(lake),
        "primary_identity_path": ["id"], "primary_identity_namespace": "Email",
    }  # fmt: skip
    settings = {
        "orgs": [an_org()],
        "clients": [a_client("administrator", "administrator")],
        "datasets": [dataset],
        "work": {"workers": 0, "processes": 1, "writers_grace_seconds": 0},
        "products": {"ajo": {"kind": "http", "http": {"base_url": service.url, "secret": SECRET, "can_verify": True}}},
    }
    with Server(tmp_path / "lethe", settings) as server, server.client() as api:
        body = {"datasetId": "ALL", "namespacesIdentities": [{"namespace": {"code": "Email"}, "IDs": [ANN]}]}
        order_id = api.post("/data/core/hygiene/workorder", json=body).json()["workorderId"]
        with lethe_worker(server) as worker:
            assert service.asked.wait(SECONDS_MAX)
            worker.process.terminate()
            before = tasks(server)
            service.may_answer.set()
            assert worker.process.wait(SECONDS_MAX) == 0, worker.log.read_text()
        changed = {task: state for task, state in tasks(server).items() if before.get(task) != state}
        assert changed == {("forget", "ajo"): "done", ("verify", "ajo"): "ready"}
        assert {trace.name for trace in service.memory.traces} == {BOB}
        assert api.get(f"/data/core/hygiene/workorder/{order_id}").json()["status"] != "completed"
        with lethe_worker(server):  # the next one goes on from there
            waited = Event()
            while api.get(f"/data/core/hygiene/workorder/{order_id}").json()["status"] != "completed":
                assert not waited.wait(0.2)
        assert len([seen for seen in service.seen if seen[0] == "POST" and not seen[1].endswith("/verify")]) == 1
    assert pq.read_table(lake)["id"].to_pylist() == [BOB]
    service.close()


def tasks(server: Server) -> dict[tuple[str, str | None], str]:
    with closing(sqlite3.connect(server.directory / "data/lethe.db")) as database:
        rows = database.execute("SELECT step, product, state FROM tasks").fetchall()
    return {(step, product): state for step, product, state in rows}
