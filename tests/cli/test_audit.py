"""`lethe audit verify`: a whole trail, a tampered one, and none."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.conftest import Lethe
from lethe.settings import load
from lethe.wiring import open_store
from support.values import an_event

SECRET = "a secret of the tests, long enough for settings"


@pytest.fixture
def database(directory: Path, migrated_sqlite: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory whose trail has five records."""
    monkeypatch.setenv("LETHE_SECRET_KEY", SECRET)
    path = directory / "data" / "lethe.db"
    path.parent.mkdir()
    path.write_bytes(migrated_sqlite)
    store = open_store(load())
    with store.write() as tx:
        for number in range(5):
            tx.audit.append(an_event(f"DI-{number}", identities=number))
    store.close()
    return path


def tamper(path: Path, statement: str) -> None:
    """As somebody would who can write the file: the guards go first."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)


def test_a_whole_trail(lethe: Lethe, database: Path) -> None:
    done = lethe("audit", "verify")
    assert done.exit_code == 0
    assert done.output.startswith("The audit trail is whole: 5 records, the last with hash ")
    told = json.loads(lethe("audit", "verify", "-o", "json").stdout)
    assert (told["whole"], told["records"]) == (True, 5)
    assert told["lastHash"] in done.output


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit_records SET actor = 'Nobody' WHERE sequence = 2", "broken at record 2: the record was changed"),
        ("UPDATE audit_records SET details = '{}' WHERE sequence = 4", "broken at record 4: the record was changed"),
        ("DELETE FROM audit_records WHERE sequence = 3", "broken at record 3: a record is missing"),
        ("DELETE FROM audit_records WHERE sequence > 3", "broken at record 4: records at the end are missing"),
        ("DELETE FROM audit_records", "broken at record 1: records at the end are missing"),
        ("UPDATE audit_head SET sequence = 4", "broken at record 5: the record stands behind the trail's end"),
    ],
)
def test_a_tampered_trail(lethe: Lethe, database: Path, statement: str, said: str) -> None:
    tamper(database, statement)
    done = lethe("audit", "verify")
    assert done.exit_code == 1
    assert done.output == f"The audit trail is {said}.\n"
    as_json = lethe("audit", "verify", "-o", "json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["reason"] in said


def test_no_trail_at_all(lethe: Lethe) -> None:
    done = lethe("audit", "verify", LETHE_SECRET_KEY=SECRET)
    assert done.exit_code == 2
    assert "The audit trail cannot be read: the database's schema is not the newest" in done.output


def test_a_database_that_does_not_answer(lethe: Lethe) -> None:
    done = lethe("audit", "verify", LETHE_DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/d", LETHE_SECRET_KEY=SECRET)
    assert done.exit_code == 2
    assert "The audit trail cannot be read: the database did not answer" in done.output
    assert "hunter2" not in done.output
