"""Reading the log in every form, compared with deltalake where it reads the form too."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from engines.delta.lake import actions, commit, log_files, people, protocol, write
from lethe.engines.delta.checkpoint import checkpoint_bytes
from lethe.engines.delta.log import read_snapshot
from lethe.engines.delta.snapshot import Snapshot
from lethe.engines.delta.surroundings import read_surroundings
from lethe.engines.interface import IdentityMap, TableMissing, TableRefused
from lethe.engines.storage.local import LocalStorage


def snapshot(root: Path) -> Snapshot:
    return read_snapshot(LocalStorage(str(root)))


def same_as_deltalake(root: Path) -> None:
    """The version and the live files, by the engine, by the verification's own walk and by deltalake."""
    table, mine = DeltaTable(str(root)), snapshot(root)
    theirs = {uri.rpartition(root.name + "/")[2] for uri in table.file_uris()}
    assert (mine.version, {add.file_path for add in mine.files.values()}) == (table.version(), theirs)
    around = read_surroundings(LocalStorage(str(root)), IdentityMap())
    assert (around.snapshot, around.live) == (str(mine.version), {add.file_path for add in mine.files.values()})


PATHOLOGICAL = ["a b", "ü/ñ", "100%", "x=y", "#?&+", "日本", "a%20b", None, "'\"\\", "__HIVE_DEFAULT"]


def test_commits_and_pathological_paths(tmp_path: Path) -> None:
    table = pa.table({"id": PATHOLOGICAL, "n": list(range(len(PATHOLOGICAL)))})
    root = write(tmp_path / "t", table, table, partition_by=["id"])
    DeltaTable(str(root)).delete("n < 4")
    same_as_deltalake(root)
    assert all((root / add.file_path).is_file() for add in snapshot(root).files.values())


def test_checkpoints_and_commits_after_them(tmp_path: Path) -> None:
    root = write(tmp_path / "t", people("a"), people("b"))
    DeltaTable(str(root)).delete("id = 'a'")
    DeltaTable(str(root)).create_checkpoint()
    same_as_deltalake(root)
    write(root, people("c"))
    same_as_deltalake(root)
    (root / "_delta_log" / "_last_checkpoint").write_text('{"version": 99, "size": 1}')
    assert snapshot(root).version == 3
    for version in range(3):
        (root / "_delta_log" / f"{version:020d}.json").unlink()
    assert len(snapshot(root).files) == 2


def test_our_checkpoint_reads_back_equal_and_deltalake_reads_it(tmp_path: Path) -> None:
    root = write(tmp_path / "t", people("a", None), people("b"), partition_by=["id"])
    commit(root, 2, {"txn": {"appId": "x", "version": 7}}, {"domainMetadata": {"domain": "d", "configuration": "{}"}})
    before = snapshot(root)
    (root / "_delta_log" / f"{2:020d}.checkpoint.parquet").write_bytes(checkpoint_bytes(before)[0])
    for version in range(3):
        (root / "_delta_log" / f"{version:020d}.json").unlink()
    assert snapshot(root) == before
    same_as_deltalake(root)
    assert DeltaTable(str(root)).transaction_version("x") == 7


def checkpoint_actions(root: Path) -> list[dict[str, Any]]:
    """The state as the lines of a JSON checkpoint."""
    table = pq.read_table(pa.BufferReader(checkpoint_bytes(snapshot(root))[0]))
    found = table.to_pylist(maps_as_pydicts="strict")
    return [{kind: fields for kind, fields in row.items() if fields is not None} for row in found]


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_v2_checkpoints_with_sidecars(tmp_path: Path, form: str) -> None:
    root = write(tmp_path / "t", people("a"), people("b"))
    log, state = root / "_delta_log", checkpoint_actions(root)
    expected = set(snapshot(root).files)
    (log / "_sidecars").mkdir()
    adds = [action["add"] for action in state if "add" in action]
    pq.write_table(
        pa.table({"add": pa.array([adds[0] | {"partitionValues": None}])}), log / "_sidecars" / "one.parquet"
    )
    pq.write_table(
        pa.table({"add": pa.array([adds[1] | {"partitionValues": None}])}), log / "_sidecars" / "two.parquet"
    )
    top = [action for action in state if "add" not in action and "protocol" not in action]
    top += [protocol("v2Checkpoint"), {"checkpointMetadata": {"version": 1}}]
    top += [
        {"sidecar": {"path": f"{name}.parquet", "sizeInBytes": 1, "modificationTime": 1}} for name in ("one", "two")
    ]
    name = f"{1:020d}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.{form}"
    if form == "json":
        (log / name).write_text("\n".join(map(json.dumps, top)))
    else:
        kinds = {kind for action in top for kind in action}
        columns = {kind: [action.get(kind) for action in top] for kind in kinds}
        for fields in columns["metaData"]:
            if fields is not None:
                fields["configuration"], fields["format"]["options"] = None, None
        pq.write_table(pa.table(columns), log / name)
    for version in range(2):
        (log / f"{version:020d}.json").unlink()
    assert set(snapshot(root).files) == expected
    assert snapshot(root).protocol.features == {"v2Checkpoint"}
    assert read_surroundings(LocalStorage(str(root)), IdentityMap()).live == {path for path, _ in expected}


def test_a_checkpoint_in_parts_counts_only_when_it_is_whole(tmp_path: Path) -> None:
    root = write(tmp_path / "t", people("a"), people("b"))
    log, state = root / "_delta_log", pq.read_table(pa.BufferReader(checkpoint_bytes(snapshot(root))[0]))
    parts = [log / f"{1:020d}.checkpoint.{part:010d}.{2:010d}.parquet" for part in (1, 2)]
    pq.write_table(state.slice(0, 2), parts[0])
    same_as_deltalake(root)
    pq.write_table(state.slice(2), parts[1])
    for version in range(2):
        (log / f"{version:020d}.json").unlink()
    same_as_deltalake(root)


def test_statistics_that_are_only_parsed_keep_the_row_count(tmp_path: Path) -> None:
    root = write(tmp_path / "t", people("a", "b"))
    log, state = root / "_delta_log", checkpoint_actions(root)
    for action in state:
        if "add" in action:
            action["add"] |= {
                "stats": None,
                "partitionValues": None,
                "stats_parsed": {"numRecords": 2, "minValues": {"n": 0}},
            }
        action.pop("metaData", {}).get("")
    rows = [action["add"] for action in state if "add" in action]
    whole = pq.read_table(pa.BufferReader(checkpoint_bytes(snapshot(root))[0])).slice(0, 2).drop_columns(["add"])
    adds = pa.table({"add": pa.array(rows)})
    table = pa.concat_tables([whole, adds], promote_options="default")
    pq.write_table(table, log / f"{0:020d}.checkpoint.parquet")
    (log / f"{0:020d}.json").unlink()
    assert [json.loads(add.stats or "") for add in snapshot(root).files.values()] == [{"numRecords": 2}]


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(TableMissing):
        snapshot(tmp_path / "nothing")
    root = write(tmp_path / "t", people("a"), people("b"), people("c"))
    (root / "_delta_log" / f"{1:020d}.json").rename(tmp_path / "kept.json")
    with pytest.raises(TableRefused, match="gap"):
        snapshot(root)
    (root / "_delta_log" / f"{1:020d}.json").write_text("{")
    with pytest.raises(TableRefused, match="not JSON"):
        snapshot(root)
    (root / "_delta_log" / f"{1:020d}.json").write_text("[1]")
    with pytest.raises(TableRefused, match="list of actions"):
        snapshot(root)


def test_a_clone_is_refused(tmp_path: Path) -> None:
    root = write(tmp_path / "t", people("a"))
    add = actions(root, 0)[-1]["add"]
    for path in ("file:///elsewhere/a.parquet", "/elsewhere/a.parquet", "../elsewhere/a.parquet"):
        commit(root, 1, {"add": add | {"path": path}})
        with pytest.raises(TableRefused, match="clone"):
            _ = [found.file_path for found in snapshot(root).files.values()]
    assert log_files(root) == [f"{0:020d}.json", f"{1:020d}.json"]
