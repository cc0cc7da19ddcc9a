"""`lethe dataset discover`: every kind of table is found with what may name a person; its commands register them."""

import gzip
import json
import shlex
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import load_catalog

from cli.conftest import Lethe
from lethe.testing.server import LetheServer

SECRET = "zoe@example.com"
PEOPLE = pa.table({"n": [1], "contact": [{"e_mail": SECRET, "kind": "private"}], "Customer-ID": [7]})


def catalog_of(directory: Path) -> dict[str, str]:
    return {"type": "sql", "uri": f"sqlite:///{directory}/catalog.db", "warehouse": f"file://{directory}/warehouse"}


@pytest.fixture
def lake(directory: Path) -> Path:
    """A directory with a table of every kind, and what is none."""
    root = directory / "lake"
    for day in ("2024-01-01", "2024-01-02"):
        (root / f"sales/orders/day={day}").mkdir(parents=True)
        pq.write_table(PEOPLE, root / f"sales/orders/day={day}/part.parquet")
    deltalake.write_deltalake(str(root / "events"), pa.table({"ECID": ["1"], "at": [1]}), partition_by=["at"])
    (root / "logs").mkdir()
    with gzip.open(root / "logs/a.ndjson.gz", "wt") as file:
        file.write(json.dumps({"identityMap": {"Email": [{"id": SECRET}]}, "who.is": {"email": SECRET}}) + "\n")
    (root / "broken").mkdir()
    (root / "broken/part.parquet").write_bytes(SECRET.encode())
    (root / "notes").mkdir()
    (root / "notes/readme.txt").write_text(SECRET)
    (root / "_hidden").mkdir()
    pq.write_table(PEOPLE, root / "_hidden/part.parquet")
    catalog = load_catalog("lake", **catalog_of(directory))
    catalog.create_namespace("crm")
    table = catalog.create_table("crm.people", pa.schema([("Phone_Number", pa.string()), ("n", pa.int64())]))
    table.append(pa.table({"Phone_Number": ["1"], "n": [1]}))
    catalog.close()
    return root


def discovered(lethe: Lethe, *words: str, **environment: str) -> dict[str, dict[str, Any]]:
    done = lethe("dataset", "discover", *words, "-o", "json", **environment)
    assert done.exit_code == 0, done.output
    assert SECRET not in done.output
    found = json.loads(done.stdout)
    return {each["dataset"]["name"]: each for each in found}


def test_tables_under_a_location(lethe: Lethe, lake: Path) -> None:
    found = discovered(lethe, str(lake))
    assert set(found) == {"orders", "events", "logs", "broken"}
    orders = found["orders"]
    assert orders["dataset"]["table"] == {"format": "parquet", "location": str(lake / "sales/orders")}
    assert orders["dataset"]["schema"]["primaryIdentity"] == {"path": ["contact", "e_mail"], "namespace": "Email"}
    assert orders["candidates"][1] == {"path": ["Customer-ID"], "namespace": None}
    assert orders["files"] == 2
    assert found["events"]["dataset"]["table"]["format"] == "delta"
    assert found["events"]["candidates"] == [{"path": ["ECID"], "namespace": "ECID"}]
    assert found["logs"]["candidates"] == [{"path": ["who.is", "email"], "namespace": "Email"}]
    assert found["broken"]["problem"] == "not readable (ArrowInvalid)"


def test_tables_of_a_catalog(lethe: Lethe, lake: Path, directory: Path) -> None:
    catalogs = json.dumps({"lake": catalog_of(directory)})
    found = discovered(lethe, "--catalog", "lake", LETHE_CATALOGS=catalogs)["people"]
    assert found["dataset"]["table"] == {"format": "iceberg", "catalog": "lake", "identifier": "crm.people"}
    assert found["dataset"]["schema"]["primaryIdentity"] == {"path": ["Phone_Number"], "namespace": "Phone"}
    assert found["files"] == 1
    by_files = discovered(lethe, str(directory / "warehouse"))["people"]
    assert by_files["candidates"] == found["candidates"]
    told = lethe("dataset", "discover", str(directory / "warehouse"))
    assert "is registered by its catalog" in told.stdout


def test_its_commands_register_the_tables(lethe: Lethe, lake: Path, lethe_server: LetheServer) -> None:
    done = lethe("dataset", "discover", str(lake))
    assert SECRET not in done.output
    commands = [line for line in done.stdout.splitlines() if line.startswith("lethe dataset register")]
    assert len(commands) == 3
    registered = {}
    for command in commands:
        made = lethe(*shlex.split(command)[1:], "-o", "json", **lethe_server.environment)
        assert made.exit_code == 0, made.output
        registered[json.loads(made.stdout)["name"]] = json.loads(made.stdout)
    assert registered["logs"]["table"] == {"format": "ndjson", "location": str(lake / "logs")}
    assert set(registered) == {"orders", "events", "logs"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "either a location or --catalog"),
        (("/lake", "--catalog", "lake"), "either a location or --catalog"),
        (("--catalog", "lake"), "the settings have no catalog named lake"),
        (("s3://u:hunter2@bucket/lake",), "must not carry credentials"),
    ],
)
def test_where_it_cannot_look(lethe: Lethe, words: tuple[str, ...], said: str) -> None:
    done = lethe("dataset", "discover", *words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "hunter2" not in done.output


def test_an_empty_place(lethe: Lethe, directory: Path) -> None:
    done = lethe("dataset", "discover", str(directory / "nowhere"))
    assert (done.exit_code, done.stdout) == (0, "")
    assert "Nothing to show." in done.stderr
