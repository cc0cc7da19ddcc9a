"""Partitions, schemas that changed, files from elsewhere."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform, TruncateTransform, VoidTransform
from pyiceberg.types import LongType, StringType

from engines.asking import CRM, EMAIL, asked, order
from engines.iceberg.lake import Lake, add_file, append_partitioned, lake, people, write_parquet
from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.plan import FileAction
from lethe.engines.interface import IdentityMap, TableRefused

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))
IDS = [ANN, "bob", None, "Ann-annegret", ANN, "ann-annegretx", "xann-annegret", ""]


def reasons(made: Lake, *ids: str) -> list[tuple[FileAction, str]]:
    return sorted((f.action, f.reason) for f in made.plan(asked(order(CRM, *ids))).files)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    "transform",
    [IdentityTransform(), BucketTransform(4), TruncateTransform(3), VoidTransform()],
    ids=lambda t: type(t).__name__,
)
def test_partitioned_by_the_identity(tmp_path: Path, transform: Any, version: str) -> None:
    made = lake(
        tmp_path, people(*IDS), people("bob", ANN, first=10), properties={"format-version": version},
        spec=[("id", transform, "part")],
    )  # fmt: skip
    spec, plan = made.table.spec(), made.plan(WANTED)
    assert ANN not in repr(plan)
    assert len({file.path for file in plan.files}) == len(plan.files)
    append_partitioned(made, people(ANN, "cy", first=20))  # the plan is of an older version
    made.forget(WANTED, plan)
    made.purge()
    assert made.verify(WANTED).gone
    assert made.rows() == [1, 2, 3, 5, 6, 7, 10, 21]
    assert made.table.spec() == spec
    assert {task.file.spec_id for task in _tasks(made)} == {spec.spec_id}
    assert not [path for path in made.location.rglob("*") if path.name == f"part={ANN}"]


def test_a_partition_that_is_the_identity_is_dropped_by_metadata_alone(tmp_path: Path) -> None:
    made = lake(tmp_path, people(*IDS), spec=[("id", IdentityTransform(), "part")])
    actions = reasons(made, ANN)
    assert actions.count((FileAction.DROP, "2 of 2 rows match")) == 1
    assert actions.count((FileAction.KEEP, "its partition or its bounds admit no match")) == 6


def test_buckets_and_prefixes_prune(tmp_path: Path) -> None:
    made = lake(tmp_path, people("aaa", "bbb", "ccc"), spec=[("id", TruncateTransform(1), "part")])
    kept = [action for action, reason in reasons(made, "bzz") if reason.startswith("its partition")]
    assert kept == [FileAction.KEEP] * 2
    assert [a for a, _ in reasons(made, "bbb")] == [FileAction.DROP, FileAction.KEEP, FileAction.KEEP]


def test_bounds_prune_but_not_where_letter_case_does_not_count(tmp_path: Path) -> None:
    made = lake(tmp_path, people("b", "d"), people("p", "q"))
    assert [r for _, r in reasons(made, "c")] == ["its partition or its bounds admit no match", "no row matches"]
    made.selector = PrimaryIdentity(("id",), "Email")
    plan = made.plan(asked(order(EMAIL, "Q")))
    assert sorted(f.action for f in plan.files) == [FileAction.KEEP, FileAction.REWRITE]


def test_partitioned_by_day_the_partition_is_carried_over(tmp_path: Path) -> None:
    schema = pa.schema([("seq", pa.int64()), ("id", pa.string()), ("at", pa.timestamp("us", "UTC"))])
    rows = [{"seq": n, "id": value, "at": datetime(2024, 1, 1 + n % 2, tzinfo=UTC)} for n, value in enumerate(IDS)]
    made = lake(tmp_path, pa.Table.from_pylist(rows, schema), schema=schema, spec=[("at", DayTransform(), "day")])
    before = {task.file.partition[0] for task in made.table.scan().plan_files()}
    made.erase(WANTED)
    assert made.rows() == [1, 2, 3, 5, 6, 7]
    assert {task.file.partition[0] for task in made.table.scan().plan_files()} == before
    scan = made.table.scan(row_filter="at >= '2024-01-02T00:00:00+00:00'")
    assert sorted(scan.to_arrow()["seq"].to_pylist()) == [1, 3, 5, 7]


def test_files_of_an_older_spec_stay_in_it(tmp_path: Path) -> None:
    made = lake(tmp_path, people(ANN, "bob"), spec=[("id", BucketTransform(2), "part")])
    with made.table.update_spec() as update:
        update.add_field("note", TruncateTransform(4), "more")
    append_partitioned(made, people(ANN, "cy", first=10))
    append_partitioned(made, people(ANN, "dee", ANN, first=20))
    before = {(t.file.spec_id, tuple(t.file.partition)) for t in _tasks(made)}
    made.erase(WANTED)
    assert made.rows() == [1, 11, 21]
    assert {(t.file.spec_id, tuple(t.file.partition)) for t in _tasks(made)} <= before
    assert {t.file.spec_id for t in _tasks(made)} == {1, 2}


def _tasks(made: Lake) -> Sequence[Any]:
    return list(made.table.scan().plan_files())


def test_a_renamed_column_is_found_by_its_id(tmp_path: Path) -> None:
    made = lake(tmp_path, people(ANN, "bob"))
    with made.table.update_schema() as update:
        update.rename_column("id", "person")
    with made.table.update_schema() as update:
        update.add_column("id", StringType())
    data = pa.table({"seq": [10, 11], "person": [ANN, "cy"], "note": ["", ""], "id": ["cy", ANN]}, schema=_schema(made))
    made.append(data)
    made.selector = PrimaryIdentity(("person",), "CRM")
    outcome = made.forgotten(WANTED)
    assert outcome.tally.rows_matched == 2
    assert made.rows() == [1, 11]
    assert made.purge().clean
    assert made.verify(WANTED).gone, "the value in another column belongs to a surviving row"


def _schema(made: Lake) -> pa.Schema:
    schema = made.table.schema().as_arrow()
    return schema.set(0, schema.field(0).with_nullable(False))


def test_a_nested_column_that_moved_and_was_renamed(tmp_path: Path) -> None:
    who = pa.struct([("n", pa.int32()), ("e.mail", pa.string())])
    schema = pa.schema([("seq", pa.int64()), ("who", who)])
    rows = [{"seq": n, "who": None if v is None else {"n": n, "e.mail": v}} for n, v in enumerate(IDS)]
    made = lake(tmp_path, pa.Table.from_pylist(rows, schema), schema=schema)
    with made.table.update_schema() as update:
        update.rename_column(("who", "e.mail"), "mail")
        update.rename_column("who", "person")
    with made.table.update_schema() as update:
        update.move_first(("person", "mail"))
        update.move_first("person")
    made.append(pa.Table.from_pylist([{"person": {"mail": ANN, "n": 1}, "seq": 20}], made.table.schema().as_arrow()))
    made.selector = PrimaryIdentity(("person", "mail"), "CRM")
    outcome = made.erase(WANTED)
    assert outcome.tally.rows_matched == 3
    assert made.rows() == [1, 2, 3, 5, 6, 7]


def test_files_before_the_column_was_added_match_nothing(tmp_path: Path) -> None:
    made = lake(tmp_path, people("x").select(["seq", "note"]), schema=people("x").select(["seq", "note"]).schema)
    with made.table.update_schema() as update:
        update.add_column("id", StringType())
    made.append(people(ANN, "bob", first=10).select(["seq", "note", "id"]))
    made.erase(WANTED)
    assert made.rows() == [0, 11]


def test_without_the_column_the_table_is_refused(tmp_path: Path) -> None:
    made = lake(tmp_path, people(ANN, "bob"))
    with made.table.update_schema() as update:
        update.delete_column("id")
    with pytest.raises(TableRefused, match="no column"):
        made.plan(WANTED)


def test_other_columns_that_were_dropped_or_promoted_stay_in_the_files(tmp_path: Path) -> None:
    schema = pa.schema([("seq", pa.int32()), ("id", pa.string()), ("gone", pa.string())])
    data = pa.table({"seq": pa.array([0, 1], pa.int32()), "id": [ANN, "bob"], "gone": ["g0", "g1"]}, schema=schema)
    made = lake(tmp_path, data, schema=schema)
    with made.table.update_schema() as update:
        update.delete_column("gone")
        update.update_column("seq", LongType())
    before = _physical(made)
    made.erase(WANTED)
    assert _physical(made) == before
    assert made.rows() == [1]


def _physical(made: Lake) -> set[str]:
    found = [pq.read_metadata(p.removeprefix("file://")) for p in made.data_files()]
    return {str(m.schema).split("\n", 1)[1] + str(m.metadata) for m in found}


def test_files_without_ids_follow_the_name_mapping(tmp_path: Path) -> None:
    made = lake(tmp_path)
    plain = pa.table({"seq": [0, 1], "ID": [ANN, "bob"], "note": ["", ""]})
    mapping = '[{"field-id":1,"names":["seq"]},{"field-id":2,"names":["id","ID"]},{"field-id":3,"names":["note"]}]'
    with made.table.transaction() as change:
        change.set_properties({"schema.name-mapping.default": mapping})
    location = write_parquet(made, plain.rename_columns(["seq", "ID", "note"]))
    add_file(made, location, plain.num_rows)
    made.append(people(ANN, "cy", first=10))
    outcome = made.erase(WANTED)
    assert outcome.tally.rows_matched == 2
    assert made.rows() == [1, 11]


def test_files_without_ids_and_without_a_mapping_are_refused(tmp_path: Path) -> None:
    made = lake(tmp_path)
    add_file(made, write_parquet(made, pa.table({"seq": [0], "id": [ANN]})), 1)
    with pytest.raises(TableRefused, match="no field ids"):
        made.plan(WANTED)


def test_a_column_that_only_the_partition_tells(tmp_path: Path) -> None:
    """Files taken over from Hive do not store the columns by which they are partitioned."""
    made = lake(tmp_path, spec=[("id", IdentityTransform(), "id")])
    with made.table.transaction() as change:
        change.set_properties({"schema.name-mapping.default": '[{"field-id":1,"names":["seq"]}]'})
    for value, first in ((ANN, 0), ("bob", 10)):
        add_file(made, write_parquet(made, pa.table({"seq": [first, first + 1]})), 2, partition=(value,))
    outcome = made.forgotten(WANTED)
    assert outcome.tally.rows_matched == 2
    assert [p.action for p in outcome.plan.touched] == [FileAction.DROP]
    assert made.purge().clean
    assert made.verify(WANTED).gone
    assert len(made.data_files()) == 1


def test_the_copy_has_bounds_of_its_own_rows(tmp_path: Path) -> None:
    made = lake(tmp_path, people("aaa", "bob", "zoe"))
    made.erase(asked(order(CRM, "aaa", "zoe")))
    [file] = [task.file for task in made.table.scan().plan_files()]
    assert (file.lower_bounds[2], file.upper_bounds[2]) == (b"bob", b"bob")
    assert (file.record_count, file.value_counts[2], file.null_value_counts[2]) == (1, 1, 0)
    path = Path(file.file_path.removeprefix("file://"))
    assert file.file_size_in_bytes == path.stat().st_size
    assert made.table.scan(row_filter="id = 'bob'").to_arrow()["seq"].to_pylist() == [1]


def test_a_copy_of_a_file_without_bounds_gets_none(tmp_path: Path) -> None:
    made = lake(tmp_path, people(ANN, "bob"), properties={"write.metadata.metrics.default": "none"})
    made.erase(WANTED)
    [file] = [task.file for task in made.table.scan().plan_files()]
    assert not file.lower_bounds
    assert made.rows() == [1]


def test_the_sort_order_is_carried_over(tmp_path: Path) -> None:
    from pyiceberg.table.sorting import SortDirection
    from pyiceberg.transforms import IdentityTransform as Same

    made = lake(tmp_path)
    with made.table.update_sort_order() as update:
        update.asc("seq", Same())
    made.append(people(ANN, "bob"))
    before = [task.file.sort_order_id for task in _tasks(made)]
    made.erase(WANTED)
    assert [task.file.sort_order_id for task in _tasks(made)] == before
    assert made.table.sort_order().fields[0].direction == SortDirection.ASC


def test_an_identity_map_whose_entries_were_renamed_is_refused(tmp_path: Path) -> None:
    entry = pa.struct([("id", pa.string()), ("primary", pa.bool_())])
    schema = pa.schema([("seq", pa.int64()), ("identityMap", pa.map_(pa.string(), pa.list_(entry)))])
    row = {"seq": 0, "identityMap": [("CRM", [{"id": ANN, "primary": True}])]}
    made = lake(tmp_path, pa.Table.from_pylist([row], schema), schema=schema, selector=IdentityMap())
    with made.table.update_schema() as update:
        update.rename_column("identityMap", "people")
    made.selector = IdentityMap("people")
    assert made.plan(WANTED).rows_matched == 1
    with made.table.update_schema() as update:
        update.rename_column(("people", "value", "element", "primary"), "main")
    with pytest.raises(TableRefused, match="renamed"):
        made.plan(WANTED)
