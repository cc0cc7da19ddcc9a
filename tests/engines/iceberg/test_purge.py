"""What a purge removes, what it holds and why; and that the usual way leaves residue."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table.statistics import StatisticsFile
from pyiceberg.transforms import IdentityTransform

from engines.asking import CRM, asked, order
from engines.iceberg.faults import Refusing, hooked
from engines.iceberg.lake import LATER, NOW, Lake, lake, people
from engines.iceberg.test_bounds import KINDS, rows
from lethe.engines.interface import PurgePolicy, PurgeReport, ResidueKind, TableRefused, TableUnavailable
from lethe.engines.storage.local import LocalStorage

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))


@pytest.fixture
def made(tmp_path: Path) -> Lake:
    return lake(tmp_path, people(ANN, "bob", None), people("cy", first=10))


def held(report: PurgeReport) -> list[tuple[str, str]]:
    return sorted((Path(one.path).suffix, one.reason) for one in report.held)


def gone(made: Lake) -> bool:
    return made.verify(WANTED).gone


def test_only_what_the_live_table_needs_is_left(made: Lake) -> None:
    made.erase(WANTED)
    table = made.table
    assert len(table.snapshots()) == 1
    names = sorted(path.suffix for path in made.files())
    assert names == [".avro", ".avro", ".avro", ".json", ".parquet", ".parquet"]
    assert made.rows() == [1, 2, 10]


@pytest.mark.parametrize("name", ["short text", "text", "e-mail", "digit", "integer", "decimal", "uuid"])
def test_delete_and_expire_of_pyiceberg_leave_residue_which_the_search_finds(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    made = lake(tmp_path, rows(kind, kind.value, kind.high, first=0), schema=rows(kind, first=0).schema)
    made.append(rows(kind, kind.low, first=10))
    wanted = asked(order(CRM, kind.text))
    made.table.delete("seq = 0")
    table = made.table
    current = table.current_snapshot()
    assert current is not None
    old = [s.snapshot_id for s in table.snapshots() if s.snapshot_id != current.snapshot_id]
    table.maintenance.expire_snapshots().by_ids(old).commit()
    assert made.rows() == [1, 10]
    kinds = {residue.kind for residue in made.verify(wanted).residues}
    assert kinds == {ResidueKind.STORED_ROW, ResidueKind.VALUE}
    live = {Path(m.manifest_path).name for m in made.table.current_snapshot().manifests(made.table.io)}  # type: ignore[union-attr]
    places = {Path(residue.path).name for residue in made.verify(wanted).residues}
    assert places & live, "a live manifest holds the bounds of the deleted file"
    assert made.purge().clean
    assert made.verify(wanted).gone
    assert made.rows() == [1, 10]


def test_a_purge_of_a_clean_table_changes_nothing(made: Lake) -> None:
    made.erase(WANTED)
    location, files = made.table.metadata_location, made.files()
    report = made.purge()
    assert (report.files_removed, report.clean) == (0, True)
    assert (made.table.metadata_location, made.files()) == (location, files)


def test_a_table_that_lost_all_rows_can_be_read_and_written(made: Lake) -> None:
    everyone = asked(order(CRM, ANN, "bob", "cy"))
    made.append(people(ANN, first=20))
    made.erase(everyone)
    assert made.rows() == [2]
    made.table.delete("seq = 2")
    assert made.purge().clean
    assert made.rows() == []
    made.append(people("dee", first=30))
    assert made.rows() == [30]
    made.erase(asked(order(CRM, "dee")))
    assert made.rows() == []


@pytest.mark.parametrize("kind", ["tag", "branch"])
def test_a_ref_holds_what_it_pins_and_no_more(made: Lake, kind: str) -> None:
    table = made.table
    old = table.current_snapshot()
    assert old is not None
    pinned = {task.file.file_path for task in table.scan().plan_files()}
    manage = table.manage_snapshots()
    (manage.create_tag if kind == "tag" else manage.create_branch)(old.snapshot_id, "audit").commit()
    made.append(people(ANN, first=30))
    made.forgotten(WANTED)
    report = made.purge()
    assert not report.clean
    reason = f"the {kind} audit pins snapshot {old.snapshot_id}"
    assert held(report) == [(".avro", reason), (".avro", reason), (".parquet", reason)]
    [file] = [one.path for one in report.held if one.path.endswith(".parquet")]
    live = {task.file.file_path for task in made.table.scan().plan_files()}
    assert {f"file://{file}"} == pinned - live
    assert not gone(made)
    assert sorted(made.table.scan(snapshot_id=old.snapshot_id).to_arrow()["seq"].to_pylist()) == [0, 1, 2, 10]
    manage = made.table.manage_snapshots()
    (manage.remove_tag if kind == "tag" else manage.remove_branch)("audit").commit()
    assert made.purge().clean
    assert gone(made)
    assert made.rows() == [1, 2, 10]


def test_a_tag_whose_files_are_all_live_holds_nothing(made: Lake) -> None:
    made.append(people(ANN, first=20))
    first = made.table.snapshots()[1]
    made.erase(WANTED)
    table = made.table
    current = table.current_snapshot()
    assert current is not None
    assert first.snapshot_id != current.snapshot_id
    table.manage_snapshots().create_tag(current.snapshot_id, "clean").commit()
    made.append(people("dee", first=30))
    report = made.purge()
    assert (report.clean, held(report)) == (True, [])
    assert gone(made)
    assert sorted(made.table.scan(snapshot_id=current.snapshot_id).to_arrow()["seq"].to_pylist()) == [1, 2, 10]
    assert made.rows() == [1, 2, 10, 30]


def test_a_tag_past_its_own_age_goes(made: Lake) -> None:
    table = made.table
    old = table.current_snapshot()
    assert old is not None
    table.manage_snapshots().create_tag(old.snapshot_id, "short", max_ref_age_ms=60_000).commit()
    made.forgotten(WANTED)
    soon = datetime.fromtimestamp(old.timestamp_ms / 1000, UTC) + timedelta(seconds=59)
    report = made.purge(now=soon)
    assert {one.until for one in report.held} == {soon + timedelta(seconds=1)}
    assert made.purge(now=soon + timedelta(seconds=1)).clean
    assert list(made.table.refs()) == ["main"]
    assert gone(made)


def test_readers_have_their_grace(made: Lake) -> None:
    made.forgotten(WANTED)
    policy = PurgePolicy(readers_grace=timedelta(days=1), writers_grace=timedelta(0))
    now = datetime.now(UTC)
    report = made.purge(policy, now)
    dates = [one.until for one in report.held]
    assert dates
    assert all(date is not None and timedelta(hours=23) < date - now < timedelta(hours=25) for date in dates)
    assert all(one.reason.startswith("readers may still use snapshot") for one in report.held)
    assert made.rows() == [1, 2, 10]
    old = made.table.snapshots()[0]
    assert sorted(made.table.scan(snapshot_id=old.snapshot_id).to_arrow()["seq"].to_pylist()) == [0, 1, 2]
    assert made.purge(policy, now + timedelta(days=2)).clean
    assert gone(made)


def test_a_file_that_may_be_a_writers_waits_but_one_that_was_the_tables_does_not(made: Lake) -> None:
    orphan = made.location / "data" / "orphan.parquet"
    made.forgotten(WANTED)
    import pyarrow.parquet as pq

    pq.write_table(people(ANN), orphan)
    policy, now = PurgePolicy(writers_grace=timedelta(hours=1)), datetime.now(UTC)
    report = made.purge(policy, now)
    assert [one.path for one in report.held] == [str(orphan)]
    assert report.held[0].until is not None
    assert report.files_removed > 0
    assert made.purge(policy, now + timedelta(hours=2)).clean
    assert not orphan.exists()
    assert gone(made)


def test_a_staged_snapshot_waits_for_its_writer(made: Lake) -> None:
    table = made.table
    first, second = table.snapshots()
    table.manage_snapshots().set_current_snapshot(first.snapshot_id).commit()
    made.forgotten(WANTED)
    now = datetime.now(UTC)
    report = made.purge(PurgePolicy(), now)
    assert {one.reason for one in report.held} == {f"snapshot {second.snapshot_id} may be staged for a branch"}
    assert made.purge(PurgePolicy(), LATER).clean
    assert gone(made)
    assert made.rows() == [1, 2]


@pytest.mark.parametrize(
    ("properties", "count"),
    [({"history.expire.min-snapshots-to-keep": "2"}, 2), ({"history.expire.max-snapshot-age-ms": "86400000"}, 4)],
    ids=["count", "age"],
)
def test_a_retention_floor_that_someone_set_is_kept(made: Lake, properties: dict[str, str], count: int) -> None:
    with made.table.transaction() as change:
        change.set_properties(properties)
    made.forgotten(WANTED)
    report = made.purge(now=datetime.now(UTC))
    assert all("the branch main keeps" in one.reason for one in report.held)
    assert report.held
    assert len(made.table.snapshots()) == count
    with made.table.transaction() as change:
        change.remove_properties(*properties)
    assert made.purge().clean
    assert gone(made)


def test_statistics_of_old_snapshots_go(made: Lake) -> None:
    table = made.table
    current = table.current_snapshot()
    assert current is not None
    path = made.location / "metadata" / "old.stats"
    path.write_bytes(f"PFA1{ANN}PFA1".encode())
    statistics = StatisticsFile(
        snapshot_id=current.snapshot_id, statistics_path=f"file://{path}", file_size_in_bytes=1,
        file_footer_size_in_bytes=1, blob_metadata=[],
    )  # fmt: skip
    with table.update_statistics() as update:
        update.set_statistics(statistics)
    made.erase(WANTED)
    assert not path.exists()
    assert made.table.metadata.statistics == []


def test_partitions_in_summaries_go(tmp_path: Path) -> None:
    made = lake(
        tmp_path, people(ANN, "bob"), spec=[("id", IdentityTransform(), "part")],
        properties={"write.summary.partition-limit": "100"},
    )  # fmt: skip
    made.table.append(people(ANN, "cy", first=10))
    assert f"partitions.part={ANN}" in Path(made.table.metadata_location.removeprefix("file://")).read_text()
    made.erase(WANTED)
    assert ANN not in Path(made.table.metadata_location.removeprefix("file://")).read_text()
    assert made.rows() == [1, 11]


def test_files_outside_of_the_location_that_were_the_tables_go_and_others_are_held(tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    made = lake(
        tmp_path, people(ANN, "bob"), people("cy", first=10), properties={"write.data.path": f"file://{beside}"}
    )
    assert len(list(beside.rglob("*.parquet"))) == 2
    assert not gone(made), "rows outside are examined too"
    (beside / "somebody's.parquet").write_bytes(b"whose?")
    made.forgotten(WANTED)
    report = made.purge()
    assert [(Path(one.path).name, one.until) for one in report.held] == [("somebody's.parquet", None)]
    (beside / "somebody's.parquet").unlink()
    assert made.purge().clean
    assert gone(made)
    assert len(list(beside.rglob("*.parquet"))) == 2
    assert made.rows() == [1, 10]


def test_files_of_which_the_table_is_not_the_owner_are_held(made: Lake) -> None:
    with made.table.transaction() as change:
        change.set_properties({"gc.enabled": "false"})
    made.forgotten(WANTED)
    files = made.files()
    report = made.purge()
    assert "gc.enabled" in report.held[0].reason
    assert made.files() == files
    assert "gc.enabled" in made.engine.drop(made.target, LATER).held[0].reason
    assert made.files() == files


def test_another_table_inside_the_location_is_not_touched(made: Lake) -> None:
    inner = made.catalog.create_table("db.inner", people("x").schema, location=f"file://{made.location}/inner")
    inner.append(people("x"))
    made.forgotten(WANTED)
    with pytest.raises(TableRefused, match="another table"):
        made.purge()
    with pytest.raises(TableRefused, match="another table"):
        made.engine.drop(made.target, LATER)
    assert made.catalog.load_table("db.inner").scan().to_arrow().num_rows == 1
    assert made.rows() == [1, 2, 10]


@pytest.mark.parametrize("what", [".parquet", "-m0.avro", "snap-", ".metadata.json"])
def test_a_removal_that_fails_is_reported_and_repeated(made: Lake, what: str) -> None:
    made.forgotten(WANTED)
    opener = made.opener
    made.opener = lambda location: Refusing(LocalStorage(location), lambda path: what in path)  # type: ignore[assignment]
    report = made.purge()
    assert not report.clean
    assert [one for one in report.failed if what in one.path]
    refused = [one for one in report.failed if "storage refused" in one.reason]
    assert all(what in one.path for one in refused)
    assert gone(made) == (what in {"snap-", ".metadata.json"}), "lists and metadata files hold no value here"
    assert made.rows() == [1, 2, 10]
    made.opener = opener
    report = made.purge(PurgePolicy(), datetime.now(UTC))
    assert report.clean, "what was the table's needs no grace"
    assert gone(made)
    assert made.rows() == [1, 2, 10]


def test_a_tag_made_during_the_purge_is_seen(made: Lake) -> None:
    made.forgotten(WANTED)
    first = made.table.snapshots()[1]
    catalog = hooked(made.directory)

    def tag(number: int) -> None:
        if number == 1:
            current = made.table.current_snapshot()
            assert current is not None
            made.append(people("dee", first=20))
            made.table.manage_snapshots().create_tag(first.snapshot_id, "late").commit()

    catalog.before = tag
    report = Lake(made.directory, catalog).purge()
    assert {one.reason for one in report.held} == {f"the tag late pins snapshot {first.snapshot_id}"}
    assert sorted(made.table.scan(snapshot_id=first.snapshot_id).to_arrow()["seq"].to_pylist()) == [0, 1, 2, 10]
    assert made.rows() == [1, 2, 10, 20]


def test_a_purge_that_cannot_commit_is_repeated(made: Lake) -> None:
    made.forgotten(WANTED)

    def fails(error: Exception) -> Callable[[int], Any]:
        def fail(_: int) -> None:
            raise error

        return fail

    for error in (CommitFailedException("no"), TimeoutError()):
        catalog = hooked(made.directory)
        catalog.before = fails(error)
        with pytest.raises(TableUnavailable):
            Lake(made.directory, catalog).purge()
        assert made.rows() == [1, 2, 10]
    assert made.purge().clean
    assert gone(made)


def test_old_metadata_that_is_compressed_or_broken_stops_nothing(made: Lake) -> None:
    made.forgotten(WANTED)
    old = min((made.location / "metadata").glob("*.metadata.json"))
    old.write_bytes(b"{broken")
    (made.location / "metadata" / "version-hint.text").write_text("7")
    assert made.purge().clean
    assert gone(made)
    assert (made.location / "metadata" / "version-hint.text").exists()
    assert isinstance(made.table.scan().to_arrow(), pa.Table)
    assert made.purge(NOW).clean


def test_metadata_files_may_be_compressed(made: Lake) -> None:
    """The whole way with a metadata file as other writers leave it: gzip inside, `.gz` in the name."""
    import gzip

    plain = Path(made.table.metadata_location.removeprefix("file://"))
    packed = plain.with_name(plain.name.replace(".metadata.json", ".gz.metadata.json"))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    made.catalog.drop_table(made.identifier)
    made.catalog.register_table(made.identifier, f"file://{packed}")
    assert not gone(made)
    made.erase(WANTED)
    assert made.rows() == [1, 2, 10]
    assert not packed.exists()
