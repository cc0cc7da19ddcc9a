"""Real processes on real databases: after completion no file of theirs holds an identity, in whatever spelling.

Searched are the database's files (SQLite with its log, PostgreSQL's whole data directory), the data directory, the
table, the temporary directory and the logs. What the search would find is shown by what it does find.
"""

import base64
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lethe.domain.ids import DatasetId, NamespaceId, OrgId, SandboxName
from lethe.products.embedded import EmbeddedStores, JourneyRow, ProfileFragment
from lethe.products.interface import GraphNode, Space
from lethe.products.memory import Trace
from products.http_service import SECRET, ErasureService
from support.postgres import Postgres
from support.server import ORG, Server, a_client, an_org
from support.worker import lethe_worker

EMAIL = NamespaceId(6)
GONE = [f"needle-{number}-qzxvkw@haystack.example" for number in range(1, 6)]
HELD = "needle-6-qzxvkw@haystack.example"
STAYS = "somebody-else-jfpwmz@haystack.example"
MARK = "display name by which the search is proven"
END_SECONDS_MAX = 150


def spellings(person: str) -> set[bytes]:
    """How a value may stand in a file: as text, in UTF-16, in hexadecimal, in base 64 at each of three places."""
    raw = person.encode()
    inner = {base64.b64encode(b"\0" * pad + raw + b"\0\0")[4:-4] for pad in range(3)}
    return {raw, person.encode("utf-16-le"), raw.hex().encode(), person.replace("@", "\\u0040").encode(), *inner}


def found(people: list[str], *roots: Path) -> list[tuple[str, str]]:
    """The files that hold one of these people, with who it is."""
    files = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*")) if path.is_file()]
    assert files, roots
    contents = ((path, content_of(path)) for path in files)
    return [
        (path.name, person)
        for path, content in contents
        for person in people
        if any(spelling in content for spelling in spellings(person))
    ]


def content_of(path: Path) -> bytes:
    """The bytes of a file; none of one that its database has removed since it was listed."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def settings(lake: Path, journeys: str) -> dict[str, Any]:
    people = {
        "id": "people",
        "org": ORG,
        "sandbox": "prod",
        "name": "People",
        "format": "parquet",
        "location": str(lake / "people"),
        "primary_identity_path": ["id"],
        "primary_identity_namespace": "Email",
    }
    http = {"base_url": journeys, "secret": SECRET, "can_verify": True, "poll_seconds": 1.0}
    return {
        "orgs": [an_org()],
        "clients": [a_client("administrator", "administrator")],
        "datasets": [people, people | {"id": "missing", "name": "Missing", "location": str(lake / "missing")}],
        "work": {"workers": 0, "processes": 2, "writers_grace_seconds": 0},
        "products": {"ajo": {"kind": "http", "http": http}},
        "log": {"level": "debug"},
    }


def fill(data: Path) -> None:
    """Put everybody into the embedded stores."""
    data.mkdir(parents=True)
    stores = EmbeddedStores(data / "products.db")
    space = Space(OrgId(ORG), SandboxName("prod"))
    nodes = [GraphNode((EMAIL, person)) for person in [*GONE, STAYS]]
    for node in nodes[:-1]:
        stores.graph.link(space.org_id, space.sandbox_name, node, nodes[-1])
    stores.put_profile_fragments(space, [ProfileFragment(DatasetId("people"), node) for node in nodes])
    stores.put_journey_rows(space, [JourneyRow("welcome", GraphNode((EMAIL, STAYS)))])
    stores.close()


def ask(api: Any, dataset_id: str, *people: str) -> str:
    body = {
        "datasetId": dataset_id,
        "displayName": MARK,
        "namespacesIdentities": [{"namespace": {"code": "Email"}, "IDs": list(people)}],
    }
    answer = api.post("/data/core/hygiene/workorder", json=body, headers={"Idempotency-Key": f"of-{dataset_id}"})
    assert answer.status_code == 201, answer.text
    order_id: str = answer.json()["workorderId"]
    return order_id


def wait_for(api: Any, order_id: str, status: str) -> dict[str, Any]:
    give_up_at, between = monotonic() + END_SECONDS_MAX, Event()
    while not between.wait(0.2):  # the worker needs the processor more than this question
        order: dict[str, Any] = api.get(f"/data/core/hygiene/workorder/{order_id}").json()
        if order["status"] == status:
            return order
        assert order["status"] not in {"completed", "failed"}, order
        assert monotonic() < give_up_at, (order["status"], order.get("heldBy"))
    raise AssertionError


def wait_until_held(api: Any, order_id: str) -> None:
    """Wait until a step of the order has failed and is to be tried again: its identities are kept for that."""
    give_up_at, between = monotonic() + END_SECONDS_MAX, Event()
    while not between.wait(0.2):
        order: dict[str, Any] = api.get(f"/data/core/hygiene/workorder/{order_id}").json()
        if any(each.get("attempts") for each in order.get("heldBy", [])):
            return
        assert monotonic() < give_up_at, order["status"]


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_no_byte_of_an_identity_is_left_anywhere(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    lake, temporary, home = tmp_path / "lake", tmp_path / "temporary", tmp_path / "lethe"
    (lake / "people").mkdir(parents=True)
    temporary.mkdir()
    rows = [STAYS, *GONE] * 20
    for number, people in enumerate((rows, [STAYS] * 3)):
        table = pa.table({"id": people, "n": list(range(len(people)))})
        pq.write_table(table, lake / "people" / f"part-{number}.parquet", compression="none", use_dictionary=False)
    fill(home / "data")
    journeys = ErasureService()
    space = Space(OrgId(ORG), SandboxName("prod"))
    journeys.memory.put(Trace(person, space, (GraphNode((EMAIL, person)),)) for person in GONE)
    url, files = None, [home]
    if database == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        url, files = postgres.url(request.getfixturevalue("postgres_database")), [home, postgres._data]

    assert {person for _, person in found(GONE, lake)} == set(GONE), "the search finds people in the table"
    assert {person for _, person in found(GONE, home)} == set(GONE), "and in the embedded stores"

    with Server(home, settings(lake, journeys.url), url) as lethe, lethe.client() as api:
        done, held = ask(api, "people", *GONE), ask(api, "missing", HELD)
        with lethe_worker(lethe, {"TMPDIR": str(temporary)}) as worker:
            wait_for(api, done, "completed")
            wait_until_held(api, held)
        if url is not None:
            postgres.execute("CHECKPOINT")
        assert found([*GONE, HELD], *files, lake, temporary if any(temporary.iterdir()) else worker.log) == []
        database_files = [home / "data"] if url is None else [postgres._data]
        assert found([MARK], *database_files), "the search reads the files in which the orders stand"
        assert {each["namespace"] for each in results(api, done)} == {"Email"}
    assert found([*GONE, HELD], *files, lake, worker.log, home / "lethe.log") == []
    assert {person for name, person in found([STAYS], lake, home / "data")} == {STAYS}, "whoever stays is still found"
    assert pq.read_table(lake / "people")["id"].to_pylist() == [STAYS] * 23
    assert journeys.memory.traces == []
    journeys.close()


def results(api: Any, order_id: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = api.get(f"/data/core/hygiene/workorder/{order_id}/results").json()["results"]
    assert [each["status"] for each in shown] == ["deleted"] * len(GONE)
    return shown
