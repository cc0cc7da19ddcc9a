"""`lethe doctor`: what keeps an installation from its work is found, with what to do, and nothing is left behind."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import load_catalog

from cli.conftest import Lethe
from lethe.engines.storage.interface import Keeping
from lethe.engines.storage.local import LocalStorage
from lethe.settings import load
from lethe.wiring import running
from support.server import a_client, a_dataset, an_org

SECRET = "hunter2-and-something-long-enough-to-be-taken"
PEOPLE = pa.table({"email": ["zoe@example.com"]})


def catalog_of(directory: Path) -> dict[str, str]:
    return {"type": "sql", "uri": f"sqlite:///{directory}/catalog.db", "warehouse": f"file://{directory}/warehouse"}


def configured(directory: Path, **more: Any) -> dict[str, str]:
    """The environment of an installation with a Parquet and an Iceberg table."""
    (directory / "lake").mkdir(exist_ok=True)
    pq.write_table(PEOPLE, directory / "lake/people.parquet")
    if not (directory / "catalog.db").exists():
        catalog = load_catalog("lake", **catalog_of(directory))
        catalog.create_namespace("crm")
        catalog.create_table("crm.people", PEOPLE.schema).append(PEOPLE)
        catalog.close()
    identity = {"primary_identity_path": ["email"], "primary_identity_namespace": "Email"}
    iceberg = {"format": "iceberg", "location": None, "catalog": "lake", "identifier": "crm.people", **identity}
    values = {
        "orgs": [an_org()],
        "clients": [a_client("administrator", "administrator")],
        "datasets": [
            a_dataset("files", location=str(directory / "lake"), **identity),
            {name: value for name, value in a_dataset("iceberg", **iceberg).items() if value is not None},
        ],
        "catalogs": {"lake": catalog_of(directory)},
        **more,
    }
    return {f"LETHE_{name.upper()}": json.dumps(value) for name, value in values.items()}


@pytest.fixture
def started(directory: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An installation that has been started once."""
    environment = configured(directory)
    with monkeypatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        with running(load()):
            pass
    return environment


def examined(lethe: Lethe, status: int, *words: str, **environment: str) -> dict[tuple[str, str], dict[str, str]]:
    done = lethe("doctor", *words, "-o", "json", **environment)
    assert done.exit_code == status, done.output
    assert SECRET not in done.output
    assert "zoe" not in done.output
    return {(each["area"], each["subject"]): each for each in json.loads(done.stdout)}


FILES, ICEBERG = ("table", "0123ABCD@LetheOrg/prod/files"), ("table", "0123ABCD@LetheOrg/prod/iceberg")


def test_all_is_well(lethe: Lethe, directory: Path, started: dict[str, str]) -> None:
    before = sorted(path for path in directory.rglob("*") if "data/" not in str(path))
    found = examined(lethe, 0, **started)
    assert {each["verdict"] for each in found.values()} == {"ok"}
    assert found[FILES]["detail"] == found[ICEBERG]["detail"] == "can be read, written and removed from"
    assert found["catalog", "lake"]["detail"] == "lists 1 tables"
    assert found["database", "sqlite"]["verdict"] == "ok"
    assert {"identity", "profile", "ajo"} == {subject for area, subject in found if area == "product"}
    assert sorted(path for path in directory.rglob("*") if "data/" not in str(path)) == before
    assert examined(lethe, 0, "--read-only", **started)[FILES]["detail"] == "can be read"
    told = lethe("doctor", **started)
    assert "All 9 checks hold." in told.stderr
    assert "can be read, written and removed from" in told.stdout


def test_before_the_first_start_nothing_is_made(lethe: Lethe, directory: Path) -> None:
    found = examined(lethe, 0, **configured(directory))
    assert found["database", "sqlite"]["verdict"] == "warning"
    assert "`lethe serve` makes it" in found["data directory", "data"]["remedy"]
    assert not (directory / "data").exists()


def test_what_is_wrong_is_found_with_what_to_do(lethe: Lethe, directory: Path, started: dict[str, str]) -> None:
    (directory / "lake/people.parquet").unlink()
    (directory / "data").chmod(0o755)
    load_catalog("lake", **catalog_of(directory)).drop_table("crm.people")
    products = {
        "identity": {
            "kind": "http",
            "http": {"base_url": "http://127.0.0.1:1", "secret": "whsec_" + "QUJD" * 8, "can_verify": True},
        },
        "profile": {
            "kind": "sql",
            "sql": {
                "url": f"sqlite:///{directory}/profiles.db",
                "tables": [
                    {"name": "people", "key": ["id"], "identities": [{"id_column": "id", "namespace": "Email"}]}
                ],
            },
        },
    }
    broken = {
        "LETHE_PRODUCTS": json.dumps(products),
        "LETHE_CATALOGS": json.dumps(
            {"lake": catalog_of(directory), "gone": {"type": "rest", "uri": "http://127.0.0.1:1", "token": SECRET}}
        ),
        "LETHE_SECRETKEY": "x",
    }
    found = examined(lethe, 1, **{**started, **broken})
    failed = {name for name, each in found.items() if each["verdict"] == "failed"}
    assert failed == {
        FILES,
        ICEBERG,
        ("data directory", "data"),
        ("catalog", "gone"),
        ("product", "identity"),
        ("product", "profile"),
    }
    assert all(found[name]["remedy"] for name in failed)
    assert found[FILES]["detail"] == "there are no files at its location"
    assert found[ICEBERG]["detail"] == "the catalog has no such table"
    assert found["settings", "LETHE_SECRETKEY"]["verdict"] == "warning"
    assert found["catalog", "lake"]["verdict"] == "ok"


def test_a_database_that_does_not_answer(lethe: Lethe, directory: Path, started: dict[str, str]) -> None:
    url = f"postgresql://u:{SECRET}@127.0.0.1:1/d"
    found = examined(lethe, 1, **{**started, "LETHE_DATABASE_URL": url, "LETHE_SECRET_KEY": SECRET})
    assert found["database", "postgresql"]["verdict"] == "failed"
    assert FILES not in found


def test_settings_that_cannot_be_used(lethe: Lethe) -> None:
    found = examined(lethe, 1, LETHE_PORT="http", LETHE_SECRET_KEY=SECRET)
    [wrong] = found.values()
    assert wrong["detail"].startswith("port: ")


def test_an_installation_of_nobody(lethe: Lethe) -> None:
    found = examined(lethe, 1)
    assert {name for name, each in found.items() if each["verdict"] == "failed"} == {
        ("settings", "orgs"),
        ("settings", "clients"),
    }


@pytest.mark.parametrize(
    ("keeping", "verdict", "said"),
    [
        (Keeping.VERSIONS, "warning", "keeps old versions"),
        (Keeping.UNSEEN, "failed", "cannot be seen"),
        (Keeping.UNKNOWN, "warning", "cannot be asked"),
    ],
)
def test_a_store_that_keeps_what_is_deleted_is_told(  # noqa: PLR0917
    lethe: Lethe, started: dict[str, str], monkeypatch: pytest.MonkeyPatch, keeping: Keeping, verdict: str, said: str
) -> None:
    monkeypatch.setattr(LocalStorage, "keeping", lambda _: keeping)
    found = examined(lethe, int(verdict == "failed"), **started)
    assert found[FILES]["verdict"] == found[ICEBERG]["verdict"] == verdict
    assert said in found[FILES]["detail"]
    assert found[FILES]["remedy"]
