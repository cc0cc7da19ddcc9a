"""Dropping a table: everything goes, and nothing that is not its own."""

from pathlib import Path

import pytest

from engines.asking import CRM, asked, order
from engines.delta.lake import NOW, data_files, engine, log_files, numbers, people, target, wrapped, write
from lethe.engines.interface import PurgeReport, TableMissing, TableUnavailable
from lethe.engines.storage.interface import StorageFailed


def test_everything_goes_and_a_repeat_is_harmless(tmp_path: Path) -> None:
    root = write(tmp_path / "t", people("annegret", "bob"), partition_by=["id"])
    (root / "_change_data").mkdir()
    (root / "_change_data" / "x").write_text("annegret")
    assert engine().drop(target(root), NOW).clean
    assert list(root.iterdir()) == []
    assert engine().drop(target(root), NOW) == PurgeReport()
    assert engine().verify(target(root), asked(order(CRM, "annegret"))).gone
    with pytest.raises(TableMissing):
        engine().find(target(root), asked(order(CRM, "annegret")))
    assert engine().drop(target(tmp_path / "nothing"), NOW) == PurgeReport()


def test_the_log_goes_last(tmp_path: Path) -> None:
    root, order_of = write(tmp_path, people("a"), people("b")), list[str]()
    engine(wrapped(before=lambda call, path: order_of.append(path) if call == "remove" else None)).drop(
        target(root), NOW
    )
    assert [path.startswith("_delta_log/") for path in order_of] == [False, False, True, True]


def test_a_file_that_cannot_be_removed_keeps_the_log_for_the_repeat(tmp_path: Path) -> None:
    root = write(tmp_path, people("a"), people("b"))
    locked = data_files(root)[0]

    def lock(call: str, path: str) -> None:
        if call == "remove" and path == locked:
            raise StorageFailed("remove: locked")

    report = engine(wrapped(before=lock)).drop(target(root), NOW)
    assert [failed.path for failed in report.failed] == [locked]
    assert len(log_files(root)) == 2
    assert engine().drop(target(root), NOW).clean
    assert not data_files(root)


def test_a_place_without_a_log_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious.parquet").write_text("x")
    write(tmp_path / "inner", people("a"))
    report = engine().drop(target(tmp_path), NOW)
    assert not report.clean
    assert report.files_removed == 0
    assert (tmp_path / "precious.parquet").exists()
    assert numbers(tmp_path / "inner") == [0]


def test_another_table_inside_stays(tmp_path: Path) -> None:
    root = write(tmp_path, people("a"))
    write(tmp_path / "inner", people("b"))
    report = engine().drop(target(root), NOW)
    assert {held.reason for held in report.held} == {"it belongs to another Delta table inside this one"}
    assert numbers(tmp_path / "inner") == [0]
    assert log_files(root) == []


def test_files_that_a_writer_adds_meanwhile_go_too(tmp_path: Path) -> None:
    root, done = write(tmp_path, people("a")), list[str]()

    def add(call: str, path: str) -> None:
        if call == "remove" and not done:
            done.append(path)
            write(root, people("b"))

    assert engine(wrapped(before=add)).drop(target(root), NOW).clean
    assert not data_files(root)
    assert not log_files(root)


def test_a_location_that_does_not_answer(tmp_path: Path) -> None:
    def fail(call: str, path: str) -> None:
        raise StorageFailed("list: no answer")

    with pytest.raises(TableUnavailable):
        engine(wrapped(before=fail)).drop(target(tmp_path), NOW)
