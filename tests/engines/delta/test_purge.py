"""Purging: what goes, what stays, what is held and until when."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from engines.asking import CRM, asked, order
from engines.byte_search import residue
from engines.delta.lake import (
    AT_ONCE,
    MARKER,
    NOW,
    actions,
    adds,
    commit,
    data_files,
    engine,
    hide,
    inline_vector,
    log_files,
    metadata,
    numbers,
    people,
    protocol,
    read,
    stored_vector,
    target,
    wrapped,
    write,
)
from lethe.engines.delta.rewriting import marker_prefix
from lethe.engines.interface import Forgotten, PurgePolicy, PurgeReport, TableUnavailable, Wanted
from lethe.engines.storage.interface import StorageFailed

WANTED = asked(order(CRM, "annegret"))


def forget(root: Path, wanted: Wanted = WANTED) -> None:
    plan = engine().find(target(root), wanted).plan
    assert isinstance(engine().forget(target(root), wanted, plan, MARKER), Forgotten)


def purge(root: Path, policy: PurgePolicy = AT_ONCE, now: datetime = NOW) -> PurgeReport:
    return engine().purge(target(root), policy, now)


def gone(root: Path, wanted: Wanted = WANTED) -> bool:
    return engine().verify(target(root), wanted).gone


def sealed(version: int) -> list[str]:
    return [f"{version:020d}.checkpoint.parquet", f"{version:020d}.json", "_last_checkpoint"]


def test_nothing_is_left_and_every_reader_agrees(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob", None), people("cy", "annegret", first=10))
    DeltaTable(str(root)).create_checkpoint()
    write(root, people("annegret", first=20))
    assert residue(root, "annegret")
    forget(root)
    assert not gone(root)
    report = purge(root)
    assert report.clean
    assert report.files_removed == 3 + 4 + 1
    assert log_files(root) == sealed(4)
    assert len(data_files(root)) == 2
    assert residue(root, "annegret") == set()
    assert gone(root)
    expected = [(1, "bob"), (2, None), (10, "cy")]
    table = DeltaTable(str(root))
    assert sorted((r["n"], r["id"]) for r in read(root)) == expected
    assert sorted((r["n"], r["id"]) for r in table.to_pyarrow_table().to_pylist()) == expected
    assert sorted((r["n"], r["id"]) for r in pl.scan_delta(str(root)).collect().to_dicts()) == expected
    people_left = table.to_pyarrow_dataset()
    assert sorted((r["n"], r["id"]) for r in people_left.to_table().to_pylist()) == expected
    with duckdb.connect() as connection:
        assert (
            connection.register("left", people_left).sql('SELECT n, id FROM "left" ORDER BY n').fetchall() == expected
        )
    assert table.version() == 4
    assert len(table.history()) == 1
    write(root, people("dee", first=30))
    table = DeltaTable(str(root))
    table.optimize.compact()
    table.create_checkpoint()
    assert numbers(root) == [1, 2, 10, 30]


def test_deltalakes_own_delete_and_vacuum_leave_residue(tmp_path: Path) -> None:
    """The search is able to fail."""
    root = write(tmp_path, people("annegret", "bob"))
    table = DeltaTable(str(root))
    table.delete("id = 'annegret'")
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    table.create_checkpoint()
    table.cleanup_metadata()
    assert numbers(root) == [1]
    assert residue(root, "annegret") == {f"_delta_log/{0:020d}.json", f"_delta_log/{1:020d}.json"}
    assert not gone(root)
    forget(root)
    assert purge(root).clean
    assert residue(root, "annegret") == set()
    assert gone(root)


def test_partitions_by_the_identity_leave_no_path_and_no_directory(tmp_path: Path) -> None:
    wanted = asked(order(CRM, "ännegret/x y", "annegret"))
    root = write(tmp_path, people("ännegret/x y", "bob", None, "annegret"), partition_by=["id"])
    DeltaTable(str(root)).create_checkpoint()
    forget(root, wanted)
    assert residue(root, "annegret", "nnegret")
    report = purge(root)
    assert report.clean
    assert residue(root, "annegret", "nnegret") == set()
    assert engine().verify(target(root), wanted).gone
    assert numbers(root) == [1, 2]
    assert sorted(path.name for path in root.iterdir()) == ["_delta_log", "id=__HIVE_DEFAULT_PARTITION__", "id=bob"]


def test_a_repeat_changes_nothing_and_a_clean_log_is_left_alone(tmp_path: Path) -> None:
    root = write(tmp_path, people("bob"), people("cy"))
    DeltaTable(str(root)).create_checkpoint()
    before = log_files(root)
    assert purge(root) == PurgeReport()
    assert log_files(root) == before
    DeltaTable(str(root)).delete("id = 'bob'")
    assert purge(root).files_removed == 5
    assert log_files(root) == sealed(3)
    assert purge(root) == PurgeReport()
    write(root, people("dee"))
    assert purge(root) == PurgeReport()
    assert log_files(root) == [*sealed(3)[:2], f"{4:020d}.json", "_last_checkpoint"]


@pytest.mark.parametrize(
    "line",
    [
        {"commitInfo": {"operation": "MERGE", "operationParameters": {"predicate": "id = 'annegret'"}}},
        {"commitInfo": {"operation": "WRITE", "userMetadata": "for annegret"}},
        {"cdc": {"path": "_change_data/annegret.parquet", "partitionValues": {}, "size": 1, "dataChange": False}},
        {"domainMetadata": {"domain": "d", "configuration": "annegret", "removed": True}},
    ],
    ids=["predicate", "user metadata", "change data", "domain"],
)
def test_a_log_that_speaks_otherwise_is_ended(tmp_path: Path, line: dict[str, object]) -> None:
    root = write(tmp_path, people("bob"))
    commit(root, 1, line)
    assert purge(root).clean
    assert log_files(root) == sealed(2)
    assert residue(root, "annegret") == set()
    assert numbers(root) == [0]


def test_a_former_constraint_is_ended(tmp_path: Path) -> None:
    root = write(tmp_path, people("bob"))
    commit(root, 1, metadata(root, delta__constraints__c="id <> 'annegret'"))
    commit(root, 2, actions(root, 0)[2])
    assert purge(root).clean
    assert residue(root, "annegret") == set()


def test_vectors_in_use_stay_and_others_go(tmp_path: Path) -> None:
    root = write(tmp_path, people("bob", "cy", "annegret", "dee"), people("eve", "fay", first=10))
    first, second = adds(root)
    hide(root, 2, first, stored_vector(root, 0, number=1))
    commit(root, 3, protocol("deletionVectors"), metadata(root, delta__enableDeletionVectors="true"))
    hide(root, 4, second, stored_vector(root, 1, number=2, prefix="zz"))
    forget(root)
    assert purge(root).clean
    assert [path for path in data_files(root) if path.endswith(".bin")] == [
        "zz/deletion_vector_00000000-0000-0000-0000-000000000002.bin"
    ]
    assert numbers(root) == [1, 3, 10]
    assert sorted(pl.scan_delta(str(root)).collect()["n"].to_list()) == [1, 3, 10]
    assert gone(root)


def test_files_of_every_other_kind(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"))
    forget(root)
    live, log = adds(root)[-1]["path"], root / "_delta_log"
    for path in (
        "_change_data/cdc-1.parquet",
        "_delta_index/x.bin",
        "leftover.parquet",
        ".part.crc",
        "_tmp/a",
        "a b/c",
    ):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text("annegret")
    (root / f".{live}.crc").write_text("crc")
    for name in (
        f"{0:020d}.crc",
        f"{0:020d}.{1:020d}.compacted.json",
        f"{0:020d}.checkpoint.{1:010d}.{2:010d}.parquet",
        f".{0:020d}.json.crc",
        f"{1:020d}.json.lethe-put",
        "_commit_1.json.tmp",
        f"{9:020d}.crc",
    ):
        (log / name).write_text("annegret")
    (log / "_sidecars").mkdir()
    (log / "_sidecars" / "one.parquet").write_text("annegret")
    assert purge(root).clean
    assert data_files(root) == sorted([f".{live}.crc", live])
    assert log_files(root) == [*sealed(2)[:2], f"{9:020d}.crc", "_last_checkpoint"]
    assert not [path for path in root.iterdir() if path.is_dir() and path.name != "_delta_log"]


def test_another_table_inside_is_held_not_removed(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"))
    write(tmp_path / "inner", people("cy"))
    forget(root)
    report = purge(root)
    assert not report.clean
    assert {held.reason for held in report.held} == {"it belongs to another Delta table inside this one"}
    assert numbers(root / "inner") == [0]
    assert not [held for held in report.held if not held.path.startswith("inner/")]


def test_applications_and_domains_are_kept(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"))
    commit(
        root,
        1,
        protocol("domainMetadata"),
        {"txn": {"appId": "stream", "version": 7}},
        {"domainMetadata": {"domain": "delta.clustering", "configuration": '{"a":1}', "removed": False}},
    )
    forget(root)
    assert purge(root).clean
    assert DeltaTable(str(root)).transaction_version("stream") == 7
    state = pq.read_table(root / "_delta_log" / sealed(3)[0])
    assert [d["configuration"] for d in state["domainMetadata"].drop_null().to_pylist()] == ['{"a":1}']
    assert state["remove"].drop_null().to_pylist() == []
    assert json.loads((root / "_delta_log" / "_last_checkpoint").read_text())["version"] == 3
    again = engine().forget(target(root), WANTED, engine().find(target(root), WANTED).plan, MARKER)
    assert isinstance(again, Forgotten)
    assert again.repeated


def test_a_v2_checkpoint_gives_way_to_a_classic_one(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"))
    log, add = root / "_delta_log", adds(root)[0]
    (log / "_sidecars").mkdir()
    pq.write_table(
        pa.table({"add": pa.array([add | {"partitionValues": None, "tags": None}])}), log / "_sidecars" / "s.parquet"
    )
    lines = [metadata(root), protocol("v2Checkpoint"), {"checkpointMetadata": {"version": 1}}]
    lines.append({"sidecar": {"path": "s.parquet", "sizeInBytes": 1, "modificationTime": 1}})
    commit(root, 1, protocol("v2Checkpoint"))
    name = f"{1:020d}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json"
    (log / name).write_text("\n".join(map(json.dumps, lines)))
    forget(root)
    young = PurgePolicy()
    assert purge(root, young, datetime.now(UTC)).clean
    taken = [f"{version:020d}.json" for version in range(3)]
    assert log_files(root) == sorted([*taken, *sealed(3)]), "versions of the last hour stay taken, and say nothing"
    assert residue(root, "annegret") == set()
    assert purge(root).clean
    assert numbers(root) == [1]
    assert numbers(root) == [1]


def test_in_commit_timestamps_go_on(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"))
    late = {"commitInfo": {"inCommitTimestamp": 9_999_999_999_999, "operation": "SET TBLPROPERTIES"}}
    commit(root, 1, late, protocol("inCommitTimestamp"), metadata(root, delta__enableInCommitTimestamps="true"))
    forget(root)
    assert purge(root).clean
    assert actions(root, 3)[0]["commitInfo"]["inCommitTimestamp"] == 10_000_000_000_001


# What may not go yet


def touch(path: Path, at: datetime) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))


def test_a_young_file_of_nobody_may_belong_to_a_commit(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"))
    forget(root)
    for name, minutes in (("young.parquet", 59), ("old.parquet", 60), (f"{marker_prefix(MARKER)}00.parquet", 1)):
        (root / name).write_text("x")
        touch(root / name, NOW - timedelta(minutes=minutes))
    report = purge(root, PurgePolicy())
    assert [(held.path, held.until) for held in report.held] == [("young.parquet", NOW + timedelta(minutes=1))]
    assert len(data_files(root)) == 2
    assert log_files(root) == sealed(2)
    assert not (root / "old.parquet").exists()
    assert purge(root, PurgePolicy(), NOW + timedelta(minutes=1)).clean


def test_readers_who_began_before_keep_their_files_and_their_history(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"))
    forget(root)
    policy = PurgePolicy(readers_grace=timedelta(minutes=10))
    report = purge(root, policy, NOW + timedelta(minutes=9))
    assert {held.until for held in report.held} == {NOW + timedelta(minutes=10)}
    assert log_files(root) == [f"{0:020d}.json", f"{1:020d}.json"]
    assert DeltaTable(str(root), version=0).to_pyarrow_table().num_rows == 2
    assert purge(root, policy, NOW + timedelta(minutes=10)).clean
    assert gone(root)


def test_a_failed_removal_is_a_failure_and_a_repeat_knows_the_file(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"))
    old = adds(root)[0]["path"]
    forget(root)

    def locked(call: str, path: str) -> None:
        if call == "remove" and path == old:
            raise StorageFailed("remove: locked")

    report = engine(wrapped(before=locked)).purge(target(root), PurgePolicy(), NOW)
    assert [(f.path, f.reason) for f in report.failed] == [(old, "remove: locked")]
    assert [held.path for held in report.held] == [f"_delta_log/{0:020d}.json"]
    assert purge(root, PurgePolicy(), datetime.now(UTC)).clean
    assert gone(root)


def test_reports_do_not_name_people(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"), partition_by=["id"])
    forget(root)

    def locked(call: str, path: str) -> None:
        if call == "remove" and "annegret" in path:
            raise StorageFailed("remove: locked")

    report = engine(wrapped(before=locked)).purge(target(root), AT_ONCE, NOW)
    assert len(report.failed) == 1
    assert "annegret" not in repr(report)


# Other writers


@pytest.mark.parametrize("times", [1, 3])
def test_commits_that_come_between_are_kept_and_purged_too(tmp_path: Path, times: int) -> None:
    root = write(tmp_path, people("annegret", "bob"), people("cy", first=10))
    forget(root)
    left = [times]

    def act(call: str, path: str) -> None:
        if call == "put" and left[0]:
            left[0] -= 1
            DeltaTable(str(root)).delete("n = 10") if left[0] == 0 else write(root, people("dee", first=20 + left[0]))

    assert engine(wrapped(before=act)).purge(target(root), AT_ONCE, NOW).clean
    assert log_files(root) == sealed(3 + times)
    assert numbers(root) == [1, *range(21, 20 + times)]
    assert len(data_files(root)) == times
    assert gone(root)


def test_an_append_after_the_seal_stays_in_the_log(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"))
    forget(root)
    done = []

    def act(call: str, path: str) -> None:
        if call == "put" and path.endswith(".checkpoint.parquet") and not done:
            done.append(write(root, people("dee", first=20)))

    assert engine(wrapped(before=act)).purge(target(root), AT_ONCE, NOW).clean
    assert log_files(root) == [*sealed(2)[:2], f"{3:020d}.json", "_last_checkpoint"]
    assert numbers(root) == [1, 20]
    assert gone(root)


def test_writers_who_are_always_faster(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bob"))
    forget(root)
    version = [2]

    def act(call: str, path: str) -> None:
        if call == "put":
            commit(root, version[0], {"txn": {"appId": "other", "version": 1}})
            version[0] += 1

    with pytest.raises(TableUnavailable, match="again and again"):
        engine(wrapped(before=act)).purge(target(root), AT_ONCE, NOW)
    assert purge(root).clean
    assert numbers(root) == [1]


def test_hidden_inline_rows_survive_a_purge(tmp_path: Path) -> None:
    root = write(tmp_path, people("bob", "cy"))
    hide(root, 1, adds(root)[0], inline_vector(0))
    assert purge(root).clean
    assert log_files(root) == sealed(2)
    assert numbers(root) == [1]
