"""What a table's own properties keep is held with the property's name and a date; then a repeat removes it."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engines.asking import CRM, asked, order
from engines.byte_search import residue
from engines.delta.lake import (
    AT_ONCE,
    MARKER,
    NOW,
    data_files,
    engine,
    exists,
    log_files,
    numbers,
    people,
    target,
    write,
)
from lethe.engines.delta.retention import FILES, VERSIONS, Floors, floors
from lethe.engines.interface import Forgotten, PurgePolicy, PurgeReport, TableRefused

WANTED = asked(order(CRM, "annegret"))
WEEK = timedelta(days=7)
WRITTEN = NOW - timedelta(days=1)
"""When the table's versions were written, by the clock of its storage; the forget commits now."""


def forgotten(root: Path, **properties: str) -> Path:
    """A table with one version that names the person, and one that forgets."""
    configuration = {f"delta.{name}": value for name, value in properties.items()}
    write(root, people("annegret", "bob"), people("cy", first=10), configuration=configuration)
    plan = engine().find(target(root), WANTED).plan
    assert isinstance(engine().forget(target(root), WANTED, plan, MARKER), Forgotten)
    for path in root.rglob("*.*"):
        os.utime(path, (WRITTEN.timestamp(), WRITTEN.timestamp()))
    return root


def purge(root: Path, now: datetime = NOW, policy: PurgePolicy = AT_ONCE) -> PurgeReport:
    return engine().purge(target(root), policy, now)


def require_purged(root: Path, now: datetime) -> None:
    assert purge(root, now).clean
    assert residue(root, "annegret") == set()
    assert engine().verify(target(root), WANTED).gone
    assert numbers(root) == [1, 10]
    assert len(log_files(root)) == 3


def test_removed_files_stay_as_long_as_the_table_says(tmp_path: Path) -> None:
    root = forgotten(tmp_path, deletedFileRetentionDuration="interval 1 week")
    before = data_files(root)
    report = purge(root, NOW + WEEK - timedelta(seconds=1))
    assert not report.clean
    assert not report.failed
    [file] = [held for held in report.held if not held.path.startswith("_delta_log/")]
    assert (file.reason, file.until) == (f"the table's property {FILES} keeps it", NOW + WEEK)
    assert {held.until for held in report.held} == {NOW + WEEK}, "what names the file stays as long"
    assert (data_files(root), exists(root, 0), exists(root, 1)) == (before, True, True)
    assert not engine().verify(target(root), WANTED).gone
    require_purged(root, NOW + WEEK)


def test_versions_stay_as_long_as_the_table_says(tmp_path: Path) -> None:
    root = forgotten(tmp_path, logRetentionDuration="interval 30 days")
    until = WRITTEN + timedelta(days=30)
    report = purge(root, until - timedelta(seconds=1))
    assert not report.failed
    assert [(held.path, held.until) for held in report.held] == [
        (f"_delta_log/{version:020d}.json", until) for version in (0, 1)
    ]
    assert {held.reason for held in report.held} == {f"the table's property {VERSIONS} keeps its versions"}
    assert len(data_files(root)) == 2, "files go when their own time has come"
    assert not engine().verify(target(root), WANTED).gone
    require_purged(root, until)


def test_the_longer_grace_counts(tmp_path: Path) -> None:
    root = forgotten(tmp_path, deletedFileRetentionDuration="interval 2 hours")
    longer = PurgePolicy(readers_grace=timedelta(hours=3), writers_grace=timedelta(0))
    report = purge(root, NOW + timedelta(hours=2), longer)
    assert {held.until for held in report.held} == {NOW + timedelta(hours=3)}
    assert "may still read it" in report.held[0].reason
    shorter = PurgePolicy(readers_grace=timedelta(hours=1), writers_grace=timedelta(0))
    report = purge(root, NOW + timedelta(hours=1), shorter)
    assert {held.until for held in report.held} == {NOW + timedelta(hours=2)}
    require_purged(root, NOW + timedelta(hours=2))


def test_a_zero_and_the_format_s_defaults_hold_nothing(tmp_path: Path) -> None:
    zero = "interval 0 hours"
    require_purged(forgotten(tmp_path / "zero", logRetentionDuration=zero, deletedFileRetentionDuration=zero), NOW)
    require_purged(forgotten(tmp_path / "default"), NOW)


def test_a_log_that_tells_of_nothing_but_the_live_table_is_held_by_nobody(tmp_path: Path) -> None:
    root = write(tmp_path, people("bob"), people("cy"), configuration={VERSIONS: "interval 30 days"})
    assert purge(root) == PurgeReport()
    assert len(log_files(root)) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("interval 1 week", WEEK),
        ("INTERVAL 30 DAYS", timedelta(days=30)),
        ("interval 1 day 12 hours 30 minutes 5 seconds", timedelta(days=1, hours=12, minutes=30, seconds=5)),
        ("7 days", WEEK),
        ("interval 1500 milliseconds 2000 nanoseconds", timedelta(seconds=1.5, microseconds=2)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert floors({FILES: text}) == Floors(expected, timedelta(0))
    assert floors({VERSIONS: text}) == Floors(timedelta(0), expected)


@pytest.mark.parametrize("text", ["", "interval", "interval 1 month", "a week", "interval -1 days", "interval 1 dayz"])
def test_what_is_no_duration_is_refused_by_the_property_s_name(text: str) -> None:
    with pytest.raises(TableRefused, match=FILES):
        floors({FILES: text})
