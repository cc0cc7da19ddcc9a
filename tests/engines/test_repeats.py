"""A worker that comes back late asks for its counts again, and gets those of its own orders."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, asked, order
from engines.faults import Faults
from engines.ordeal.subjects import ANN, COUNTS, DEE, SUBJECTS, WANTED, Subject, data, now
from engines.ordeal.work import AT_ONCE, MARKER, erase, survivors
from lethe.engines.interface import Forgotten, Marker, MayHaveHappened, Outcome, PurgePolicy


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    subject = SUBJECTS[request.param]
    subject.make(tmp_path)
    return subject


def repeat(subject: Subject, home: Path, wanted: object = WANTED, marker: Marker = MARKER) -> Outcome:
    engine, target = subject.engine(home, Faults()), subject.target(home)
    return engine.forget(target, wanted, engine.find(target, wanted).plan, marker)


def remembered(home: Path) -> list[Path]:
    return sorted(path for path in (home / "t" / "_lethe").rglob("*") if path.is_file())


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
    record, *rounds = remembered(tmp_path)
    assert record.name == "counts.json"
    assert record.stat().st_size < 400
    assert [(path.name, path.stat().st_size) for path in rounds] == [("round-0.json", 0), ("round-1.json", 0)]
    purge(subject, tmp_path, datetime.now(UTC) + timedelta(days=8))
    assert not (tmp_path / "t" / "_lethe").exists()


@pytest.mark.parametrize("call", ["put", "created"])
def test_who_comes_too_late_to_decide_decides_nothing(tmp_path: Path, call: str) -> None:
    """Held up before a change, while another worker does the work, purges, and others write what matches again."""
    subject = SUBJECTS["parquet"]
    subject.make(tmp_path)
    whole = Faults()
    assert erase(subject, tmp_path, whole) == "clean"
    for at in [number for number, name in enumerate(whole.names) if name == call]:
        shutil.rmtree(tmp_path / "t")
        subject.make(tmp_path)
        others: list[object] = []

        def overtake(others: list[object] = others) -> None:
            others.append(repeat(subject, tmp_path))
            purge(subject, tmp_path)
            subject.append(tmp_path, 99)

        engine, target = subject.engine(tmp_path, Faults(at, blow=overtake)), subject.target(tmp_path)
        late = engine.forget(target, WANTED, subject.engine(tmp_path, Faults()).find(target, WANTED).plan, MARKER)
        if not others:  # The call is one of the purge, which comes later.
            break
        [first] = others
        assert isinstance(first, Forgotten)
        assert [path.name for path in remembered(tmp_path) if path.suffix == ".new"] == []
        assert [path.stat().st_size for path in remembered(tmp_path) if path.name.startswith("round")] == [0, 0]
        assert isinstance(late, MayHaveHappened | Forgotten)
        again = repeat(subject, tmp_path)
        assert isinstance(again, Forgotten)
        assert again.tally == first.tally
        assert subject.rows(tmp_path) == [*survivors(subject), 99]


def test_a_round_that_had_nothing_to_decide_leaves_no_gap(tmp_path: Path) -> None:
    """The one file is replaced by others while it is copied; the worker ends after it has decided on the new one."""
    subject = SUBJECTS["parquet"]
    path = tmp_path / "t" / "part=1" / "a.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(data([(0, ANN), (1, "bob")]), path)
    target, engine = subject.target(tmp_path), subject.engine(tmp_path, Faults())
    plan = engine.find(target, WANTED).plan
    whole = Faults()
    shutil.copytree(tmp_path / "t", tmp_path / "other" / "t")
    subject.engine(tmp_path, whole).forget(subject.target(tmp_path / "other"), WANTED, plan, MARKER)

    def overtake() -> None:
        pq.write_table(data([(0, ANN), (1, "bob"), (2, "cy"), (3, ANN)]), path)

    late = Faults(whole.names.index("created"), blow=overtake)
    assert isinstance(subject.engine(tmp_path, late).forget(target, WANTED, plan, MARKER), Forgotten)
    assert [one.name for one in remembered(tmp_path) if one.name.startswith("round")] == [
        "round-0.json",
        "round-1.json",
    ]
    assert repeat(subject, tmp_path).tally.orders[0].rows_by_identity == (2, 0)
    assert subject.rows(tmp_path) == [1, 2]


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
