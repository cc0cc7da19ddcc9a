"""Every example runs, as its first lines say, against a real server; so does the program of the client's page."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lethe.auth.documents import check_document
from lethe.client import Lethe
from lethe.testing.server import LetheServer
from support.people import MakeTable, people_of, table_maker

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ANN, BEN, CAL = "ann@example.com", "ben@example.com", "cal@example.com"
ELSEWHERE = {"webhook_receiver.py"}
"""Run by tests of their own."""


@pytest.fixture
def client(lethe_server: LetheServer) -> Iterator[Lethe]:
    with lethe_server.client() as opened:
        yield opened


@pytest.fixture
def make_table(client: Lethe, tmp_path: Path) -> MakeTable:
    return table_maker(client, tmp_path)


def run(server: LetheServer, directory: Path, *words: str) -> str:
    """Run a program where nothing but the environment tells it where Lethe is; its output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LETHE_", "PYTEST"))}
    environment |= {**server.environment, "NO_PROXY": "127.0.0.1", "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def csv_batch(server: LetheServer, make_table: MakeTable, directory: Path) -> None:
    dataset = make_table([ANN, BEN, None, CAL, ANN])
    (directory / "gone.csv").write_text(f"namespace,id\nEmail,{ANN}\nEmail,{CAL}\n")
    said = run(server, directory, str(EXAMPLES / "csv_batch.py"), "gone.csv", dataset.dataset_id, "proofs")
    assert people_of(dataset) == [BEN, None]
    assert "completed, 3 rows" in said
    [proof] = (directory / "proofs").iterdir()
    with server.client() as lethe:
        assert check_document(lethe.work_orders.certificate(proof.stem).jws).content
    again = run(server, directory, str(EXAMPLES / "csv_batch.py"), "gone.csv", dataset.dataset_id, "proofs")
    assert [path.name for path in (directory / "proofs").iterdir()] == [proof.name]
    assert ANN not in said + again


def notebook(server: LetheServer, make_table: MakeTable, directory: Path) -> None:
    dataset = make_table([ANN, BEN, ANN])
    said = run(server, directory, str(EXAMPLES / "notebook.py"), dataset.dataset_id, ANN, CAL)
    assert people_of(dataset) == [BEN]
    assert str(Counter({"deleted": 1, "notFound": 1})) in said or str(Counter({"notFound": 1, "deleted": 1})) in said
    assert "2 rows deleted" in said
    assert said.rstrip().endswith("cancelled")


def point_aepp_at_lethe(server: LetheServer, make_table: MakeTable, directory: Path) -> None:
    dataset = make_table([ANN])
    said = run(server, directory, str(EXAMPLES / "point_aepp_at_lethe.py"), dataset.dataset_id)
    assert "datasetExpirationQuota: " in said
    assert said.rstrip().endswith("cancelled")
    with server.client() as lethe:
        [expiration] = lethe.expirations.list(dataset_id=dataset.dataset_id)
    assert (expiration.status, expiration.display_name) == ("cancelled", "By aepp")


def own_tests(server: LetheServer, make_table: MakeTable, directory: Path) -> None:
    """As another project has them: in a directory of its own, with nothing of this one's configuration."""
    (directory / "test_forgetting.py").write_text((EXAMPLES / "own_tests/test_forgetting.py").read_text())
    (directory / "pytest.ini").write_text("[pytest]\n")
    assert "2 passed" in run(server, directory, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(directory))


Example = Callable[[LetheServer, MakeTable, Path], None]
EXAMPLE_OF: dict[str, Example] = {
    "csv_batch.py": csv_batch,
    "notebook.py": notebook,
    "point_aepp_at_lethe.py": point_aepp_at_lethe,
    "own_tests": own_tests,
}


@pytest.mark.parametrize("name", EXAMPLE_OF)
def test_an_example_runs(name: str, lethe_server: LetheServer, make_table: MakeTable, tmp_path: Path) -> None:
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    EXAMPLE_OF[name](lethe_server, make_table, directory)


def test_every_example_is_run() -> None:
    there = {path.name for path in EXAMPLES.iterdir() if path.name != "__pycache__"}
    assert there - ELSEWHERE == {*EXAMPLE_OF}


def test_the_program_of_the_client_s_page_runs(lethe_server: LetheServer, tmp_path: Path) -> None:
    lake, directory = tmp_path / "lake", tmp_path / "elsewhere"
    (directory / "data").mkdir(parents=True)
    (directory / "data/lethe.env").write_text("".join(f"{k}={v}\n" for k, v in lethe_server.environment.items()))
    lake.mkdir()
    people = pa.array([{"email": who} for who in (ANN, CAL, BEN, None, ANN)])
    pq.write_table(pa.table({"customer": people}), lake / "orders.parquet")
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/client.md").read_text(), re.DOTALL)
    (directory / "program.py").write_text(program.replace("/lake/orders", str(lake)))
    matched, *statuses, proof = run(lethe_server, directory, "program.py").splitlines()
    assert matched == "3"
    assert statuses[-1] == "completed"
    assert check_document(proof).content
    left = pq.read_table(lake / "orders.parquet")["customer"].to_pylist()
    assert [each["email"] for each in left] == [CAL, None]
