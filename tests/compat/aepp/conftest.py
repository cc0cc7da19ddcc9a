"""Both versions of aepp, in both of their ways to authenticate."""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from compat.aepp.client import Aepp
from support.server import ORG, PROD, SECRET, Server, settings

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "requirements-aepp-0.4.lock"
OLD = ROOT / "build/aepp-0.4.0"
MODES = ("static", "oauth")
VERSIONS = ("0.6.0", "0.4.0")
EXPIRATIONS_IN = {"none": 0, "single": 1, "many": 120}
SESSIONS = tuple(f"{version}-{mode}" for version in VERSIONS for mode in MODES)


@pytest.fixture(scope="session")
def old_aepp() -> Path:
    """Where 0.4.0 is, apart from this environment; installed from its lock if it is not there yet.

    Two test processes may come here at once, so one installs and the other waits; it appears whole or not at all.
    """
    OLD.parent.mkdir(exist_ok=True)
    with OLD.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not OLD.exists():
            draft = OLD.with_name("aepp-draft")
            shutil.rmtree(draft, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            only = ["--no-deps", "--require-hashes", "--target", str(draft), "--requirement", str(LOCK)]
            subprocess.run([*pip, *only], check=True)
            draft.rename(OLD)
    return OLD


@pytest.fixture(scope="session")
def aepp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with sandboxes that hold no, one and 120 dataset expirations, besides that of the calls."""
    chosen = settings()
    chosen["orgs"][0]["sandboxes"] += [{"name": name} for name in EXPIRATIONS_IN]
    with Server(tmp_path_factory.mktemp("aepp"), chosen) as running:
        with running.client() as client:
            for name, count in EXPIRATIONS_IN.items():
                for number in range(count):
                    schedule(client, f"{name}-{number}", name)
        yield running


def register(client: httpx2.Client, dataset_id: str, sandbox_name: str = PROD) -> str:
    """Put a dataset into the catalog."""
    body = {
        "id": dataset_id,
        "name": f"Acme {dataset_id}",
        "schema": {"primaryIdentity": {"path": ["email"], "namespace": "Email"}},
        "table": {"format": "parquet", "location": f"/lake/{dataset_id}"},
    }
    path = "/data/foundation/catalog/dataSets"
    created = client.post(path, json=body, headers={"x-sandbox-name": sandbox_name})
    assert created.status_code == 201, created.text
    return dataset_id


def schedule(client: httpx2.Client, dataset_id: str, sandbox_name: str = PROD) -> None:
    """Put a dataset into the catalog, with an expiration."""
    body = {"datasetId": register(client, dataset_id, sandbox_name), "expiry": "2090-01-01"}
    created = client.post("/data/core/hygiene/ttl", json=body, headers={"x-sandbox-name": sandbox_name})
    assert created.status_code == 201, created.text


@pytest.fixture
def dataset(aepp_server: Server) -> str:
    """A new dataset."""
    with aepp_server.client() as client:
        return register(client, uuid4().hex[:24])


@pytest.fixture(scope="session", params=SESSIONS)
def session(request: pytest.FixtureRequest) -> str:
    """A version and a way to authenticate."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def aepp(session: str, aepp_server: Server, old_aepp: Path) -> Iterator[Aepp]:
    """The library, pointed at the server by configuration alone."""
    version, mode = session.split("-")
    library = Aepp(
        old_aepp if version == "0.4.0" else None,
        url=aepp_server.url,
        mode=mode,
        org_id=ORG,
        client_id="administrator",
        secret=SECRET,
        token=aepp_server.token() if mode == "static" else "",
        sandbox=PROD,
    )
    yield library
    library.close()
