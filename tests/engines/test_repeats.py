"""A worker that comes back late asks for its counts again, and gets those of its own orders."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engines.asking import CRM, asked, order
from engines.faults import Faults
from engines.ordeal.subjects import ANN, COUNTS, DEE, SUBJECTS, WANTED, Subject, now
from engines.ordeal.work import AT_ONCE, MARKER, erase
from lethe.engines.interface import Forgotten, Marker, Outcome, PurgePolicy


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    subject = SUBJECTS[request.param]
    subject.make(tmp_path)
    return subject


def repeat(subject: Subject, home: Path, wanted: object = WANTED, marker: Marker = MARKER) -> Outcome:
    engine, target = subject.engine(home, Faults()), subject.target(home)
    return engine.forget(target, wanted, engine.find(target, wanted).plan, marker)


def purge(subject: Subject, home: Path, at: datetime | None = None) -> None:
    assert subject.engine(home, Faults()).purge(subject.target(home), AT_ONCE, at or now()).clean


def test_counts_outlive_purges_and_other_orders(subject: Subject, tmp_path: Path) -> None:
    assert erase(subject, tmp_path, Faults()) == "clean"
    subject.append(tmp_path, 98)
    other = asked(order(CRM, "eve"))
    second = repeat(subject, tmp_path, other, Marker("bundle-2/forget"))
    assert isinstance(second, Forgotten)
    purge(subject, tmp_path)
    subject.append(tmp_path, 99)
    purge(subject, tmp_path)
    first = repeat(subject, tmp_path)
    assert isinstance(first, Forgotten)
    assert first.repeated
    assert first.tally is not None
    assert [one.rows_by_identity for one in first.tally.orders] == COUNTS
    assert repeat(subject, tmp_path, other, Marker("bundle-2/forget")).tally == second.tally
    evidence = subject.engine(tmp_path, Faults()).verify(subject.target(tmp_path), WANTED)
    assert evidence.gone, evidence.residues


def test_counts_of_other_orders_are_not_mistaken_for_these(subject: Subject, tmp_path: Path) -> None:
    """An order of the bundle was withdrawn since: whose count is whose cannot be told any more."""
    assert erase(subject, tmp_path, Faults()) == "clean"
    outcome = repeat(subject, tmp_path, asked(order(CRM, ANN, DEE)))
    assert isinstance(outcome, Forgotten)
    assert outcome.repeated
    assert outcome.tally is None


def test_what_a_directory_remembers_is_small_and_goes_in_the_end(tmp_path: Path) -> None:
    subject = SUBJECTS["parquet"]
    subject.make(tmp_path)
    assert erase(subject, tmp_path, Faults()) == "clean"
    [record] = [path for path in (tmp_path / "t" / "_lethe").rglob("*") if path.is_file()]
    assert record.name == "counts.json"
    assert record.stat().st_size < 400
    purge(subject, tmp_path, datetime.now(UTC) + timedelta(days=8))
    assert not (tmp_path / "t" / "_lethe").exists()


def test_a_forget_that_another_writers_purge_forgot_counts_nothing_it_cannot_know(tmp_path: Path) -> None:
    """The log's history was cleaned by others; the marker is in their checkpoint, and the counts are nowhere."""
    from deltalake import DeltaTable

    subject = SUBJECTS["delta"]
    subject.make(tmp_path)
    assert isinstance(repeat(subject, tmp_path), Forgotten)
    table = DeltaTable(str(tmp_path / "t"))
    table.create_checkpoint()
    for path in (tmp_path / "t" / "_delta_log").glob("*.json"):
        path.unlink()
    outcome = repeat(subject, tmp_path)
    assert isinstance(outcome, Forgotten)
    assert outcome.repeated
    assert outcome.tally is None


def test_a_default_purge_keeps_the_versions_taken(tmp_path: Path) -> None:
    """A writer that read the table before the purge must meet a conflict, not a free place below the checkpoint."""
    from deltalake import DeltaTable, write_deltalake
    from deltalake.exceptions import DeltaError

    from engines.ordeal.subjects import data

    subject = SUBJECTS["delta"]
    subject.make(tmp_path)
    slow = DeltaTable(str(tmp_path / "t"))
    engine, target = subject.engine(tmp_path, Faults()), subject.target(tmp_path)
    assert isinstance(repeat(subject, tmp_path), Forgotten)
    engine.purge(target, PurgePolicy(), now())
    left = subject.rows(tmp_path)
    assert engine.verify(target, WANTED).gone
    with pytest.raises(DeltaError):
        write_deltalake(slow, data([(98, "zeno")]), mode="append")
    assert subject.rows(tmp_path) == left
    write_deltalake(str(tmp_path / "t"), data([(99, "zeno")]), mode="append")
    assert subject.rows(tmp_path) == [*left, 99]
    assert [p.name for p in (tmp_path / "t" / "_delta_log").glob("*.json") if ANN in p.read_text()] == []
