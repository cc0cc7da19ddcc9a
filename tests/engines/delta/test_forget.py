"""Forgetting: which rows survive, in which files, and what the log says of them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from engines.asking import CRM, asked, order
from engines.delta.lake import (
    AT_ONCE,
    BY_ID,
    MARKER,
    NOW,
    actions,
    adds,
    commit,
    data_files,
    engine,
    exists,
    hide,
    inline_vector,
    metadata,
    numbers,
    people,
    protocol,
    read,
    stored_vector,
    target,
    write,
)
from engines.tables import wide
from lethe.domain.ids import DatasetId
from lethe.domain.plan import FileAction, TablePlan
from lethe.engines.interface import Forgotten, IdentityMap, ResidueKind, Selector, Wanted


def forget(root: Path, wanted: Wanted, selector: Selector = BY_ID) -> Forgotten:
    table = target(root, selector)
    plan = engine().find(table, wanted).plan
    outcome = engine().forget(table, wanted, plan, MARKER)
    assert isinstance(outcome, Forgotten)
    assert outcome.plan.files == plan.touched
    assert outcome.plan.rows_matched == outcome.tally.rows_matched == plan.rows_matched
    return outcome


def test_rows_just_inside_go_and_all_others_stay_as_they_are(tmp_path: Path) -> None:
    first = people("ann", "Ann", "ann ", None, "an", "bob", "annn", "ann")
    root = write(tmp_path, first, people("cy", None, first=10), people("bob", first=20))
    before = sorted(read(root), key=lambda row: row["n"])
    outcome = forget(root, asked(order(CRM, "ann"), order(CRM, "bob", "nobody")))
    assert sorted(read(root), key=lambda row: row["n"]) == [row for row in before if row["id"] not in {"ann", "bob"}]
    assert numbers(root) == [1, 2, 3, 4, 6, 10, 11]
    assert outcome.snapshot == "3"
    assert [t.rows_by_identity for t in outcome.tally.orders] == [(2,), (2, 0)]
    live = [add for add in adds(root) if add["path"].startswith("lethe-")]
    assert pq.read_table(root / live[0]["path"])["n"].to_pylist() == [1, 2, 3, 4, 6]


def test_nothing_to_do_commits_nothing(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob"))
    before = data_files(root)
    outcome = forget(root, asked(order(CRM, "an", "boc")))
    assert (outcome.snapshot, outcome.repeated, data_files(root)) == ("0", False, before)
    assert not exists(root, 1)


def test_everything_goes_and_the_table_stays(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "ann"), people("ann"))
    forget(root, asked(order(CRM, "ann")))
    assert numbers(root) == []
    assert DeltaTable(str(root)).schema().to_arrow() is not None
    write(root, people("bob"))
    assert numbers(root) == [0]


def test_a_repeat_finds_the_marker_and_answers_the_same(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob"), people("ann"))
    wanted = asked(order(CRM, "ann"), order(CRM, "bob"))
    plan = engine().find(target(root), wanted).plan
    first = engine().forget(target(root), wanted, plan, MARKER)
    write(root, people("ann", first=7))
    again = engine().forget(target(root), wanted, plan, MARKER)
    assert isinstance(first, Forgotten)
    assert isinstance(again, Forgotten)
    assert again.repeated
    assert (again.snapshot, again.plan, again.tally) == (first.snapshot, first.plan, first.tally)
    assert numbers(root) == [7]
    assert DeltaTable(str(root)).transaction_version(f"lethe:{MARKER}") == 2


def test_the_commit_says_no_name(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob"))
    forget(root, asked(order(CRM, "ann")))
    text = json.dumps(actions(root, 1))
    assert "ann" not in text
    assert "bob" in text
    info, _, remove, add = actions(root, 1)
    assert (info["commitInfo"]["operation"], info["commitInfo"]["operationParameters"]) == ("DELETE", {})
    assert "stats" not in remove["remove"]
    assert json.loads(add["add"]["stats"]) == {
        "numRecords": 1,
        "minValues": {"id": "bob", "n": 1, "note": "note 1"},
        "maxValues": {"id": "bob", "n": 1, "note": "note 1"},
        "nullCount": {"id": 0, "n": 0, "note": 0},
    }


def test_statistics_have_the_shape_of_the_sources(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        wide(["ann", "bob", None, "cy"]).drop_columns(["small", "half", "clock", "fixed", "uid", "instant", "millis"]),
    )
    source = json.loads(adds(root)[0]["stats"])
    forget(root, asked(order(CRM, "ann")))
    fresh = json.loads(adds(root)[1]["stats"])
    assert fresh["numRecords"] == 3
    for key in ("minValues", "maxValues", "nullCount"):
        assert set(fresh[key]) <= set(source[key])
    assert {"id", "seq", "day", "local", "who"} <= set(fresh["minValues"])
    assert fresh["minValues"]["who"] == {"e.mail": "cy", "n": 2}
    assert (fresh["minValues"]["day"], fresh["maxValues"]["day"]) == ("1969-12-31", "1970-01-02")
    assert (fresh["minValues"]["local"], fresh["maxValues"]["local"]) == (
        "2020-01-01T00:00:00.000",
        "2020-01-01T00:00:00.001",
    )
    assert "real" not in fresh["minValues"]
    assert sorted(row["seq"] for row in read(root) if row["seq"] >= 1) == [1, 2, 3]


def test_statistics_are_not_invented(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob"))
    commit(root, 1, {"add": adds(root)[0] | {"stats": None, "tags": {"a": "b"}, "clusteringProvider": "liquid"}})
    forget(root, asked(order(CRM, "ann")))
    assert adds(root)[-1]["stats"] == '{"numRecords":1}'
    assert (adds(root)[-1]["tags"], adds(root)[-1]["clusteringProvider"]) == ({"a": "b"}, "liquid")


def test_partition_values_and_directories_are_carried_over(tmp_path: Path) -> None:
    table = people("ann", "bob", "ann", "bob", "cy").append_column("land", pa.array(["ä/ %", "ä/ %", None, None, "de"]))
    root = write(tmp_path, table, partition_by=["land"])
    forget(root, asked(order(CRM, "ann")))
    assert [(row["n"], row["land"]) for row in sorted(read(root), key=lambda row: row["n"])] == [
        (1, "ä/ %"),
        (3, None),
        (4, "de"),
    ]
    copies = [add for add in adds(root) if "lethe-" in add["path"]]
    assert sorted(str(add["partitionValues"]["land"]) for add in copies) == ["None", "ä/ %"]
    assert {path.rpartition("/")[0] for path in data_files(root)} == {
        "land=%C3%A4%2F%20%25",
        "land=__HIVE_DEFAULT_PARTITION__",
        "land=de",
    }


def test_the_identity_as_a_partition(tmp_path: Path) -> None:
    root = write(tmp_path, people("a/b ü", "bob", None, "", "a/b ü"), partition_by=["id"])
    outcome = forget(root, asked(order(CRM, "a/b ü")))
    assert numbers(root) == [1, 2, 3]
    assert not [path for path in data_files(root) if "lethe-" in path]
    assert "ü" not in repr(outcome)


@pytest.mark.parametrize("stored", [False, True])
def test_hidden_rows_stay_hidden(tmp_path: Path, stored: bool) -> None:
    root = write(tmp_path, people("bob", "ann", "cy", "ann", "dee"), people("x", "y", first=10))
    first, second = adds(root)
    hide(root, 2, first, stored_vector(root, 0, 3) if stored else inline_vector(0, 3))
    commit(root, 3, protocol("deletionVectors"), metadata(root, delta__enableDeletionVectors="true"))
    hide(root, 4, second, inline_vector(1))
    assert numbers(root) == [1, 2, 4, 10]
    outcome = forget(root, asked(order(CRM, "ann")))
    assert numbers(root) == [2, 4, 10]
    assert outcome.tally.rows_matched == 1
    remove = next(a["remove"] for a in actions(root, 5) if "remove" in a)
    assert remove["deletionVector"]["cardinality"] == 2
    add = next(a["add"] for a in actions(root, 5) if "add" in a)
    assert "deletionVector" not in add
    assert json.loads(add["stats"])["numRecords"] == 2


def test_a_person_who_is_hidden_only_leaves_the_file_too(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob", "cy"))
    hide(root, 1, adds(root)[0], inline_vector(0, 1))
    outcome = forget(root, asked(order(CRM, "ann")))
    assert (outcome.tally.rows_matched, numbers(root)) == (0, [2])
    assert pq.read_table(root / adds(root)[-1]["path"])["id"].to_pylist() == ["cy"]


def test_identity_maps_and_evolved_schemas(tmp_path: Path) -> None:
    keep = [
        name
        for name in wide([]).column_names
        if name not in {"small", "half", "clock", "fixed", "uid", "instant", "millis"}
    ]
    root = write(tmp_path, wide(["ann", "bob", "ann", "ann"]).select(["id", "seq", "identityMap"]))
    write(root, wide(["cy", "ann", "ann"], first=10).select(keep), schema_mode="merge")
    forget(root, asked(order(CRM, "ann")), IdentityMap())
    assert sorted(row["seq"] for row in read(root)) == [1, 3, 10, 11]


# Column mapping


def mapped_table(root: Path) -> Path:
    """Written by deltalake with mode name, then a column renamed by a change of metadata."""
    write(root, people("ann", "bob", None), configuration={"delta.columnMapping.mode": "name"})
    line = metadata(root)
    line["metaData"]["schemaString"] = line["metaData"]["schemaString"].replace('"name":"id"', '"name":"e.mail"')
    commit(root, 1, line)
    return root


def test_column_mapping_by_name_survives_a_rename(tmp_path: Path) -> None:
    from lethe.domain.dataset import PrimaryIdentity

    root = mapped_table(tmp_path)
    physical = pq.read_schema(root / data_files(root)[0]).names
    forget(root, asked(order(CRM, "ann")), PrimaryIdentity(("e.mail",), "CRM"))
    assert numbers(root) == [1, 2]
    add = adds(root)[-1]
    assert pq.read_schema(root / add["path"]).names == physical
    assert set(json.loads(add["stats"])["nullCount"]) == set(physical)


def mapped_by_id(root: Path) -> Path:
    """Mode id: the file's own names are neither the logical nor the physical ones."""
    entry = pa.struct([_field("i", pa.string(), 6), _field("p", pa.bool_(), 7)])
    pair = pa.map_(pa.string(), pa.list_(pa.field("element", entry)))
    who = pa.struct([_field("m", pa.string(), 4)])
    schema = pa.schema(
        [_field("x1", pa.string(), 1), _field("x2", pa.int64(), 2), _field("x3", who, 3), _field("x5", pair, 5)]
    )
    rows = [
        {"x1": "ann", "x2": 0, "x3": {"m": "bob"}, "x5": [("CRM", [{"i": "cy", "p": True}])]},
        {"x1": "bob", "x2": 1, "x3": {"m": "ann"}, "x5": [("CRM", [{"i": "ann", "p": False}])]},
        {"x1": None, "x2": 2, "x3": None, "x5": [("CRM", [{"i": "bob", "p": False}, {"i": "ann", "p": True}])]},
        {"x1": "dee", "x2": 3, "x3": {"m": None}, "x5": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), root / "part-1.parquet")
    listed = {
        "type": "array",
        "containsNull": True,
        "elementType": {"type": "struct", "fields": [_json("id", "string", 6), _json("primary", "boolean", 7)]},
    }
    fields = [
        _json("id", "string", 1),
        _json("n", "long", 2),
        _json("who", {"type": "struct", "fields": [_json("mail", "string", 4)]}, 3),
        _json("identityMap", {"type": "map", "keyType": "string", "valueType": listed, "valueContainsNull": True}, 5),
    ]
    table: dict[str, Any] = {
        "id": "t",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps({"type": "struct", "fields": fields}),
        "partitionColumns": [],
        "configuration": {"delta.columnMapping.mode": "id"},
    }
    add = {"path": "part-1.parquet", "partitionValues": {}, "size": (root / "part-1.parquet").stat().st_size}
    add |= {"modificationTime": 1, "dataChange": True}
    commit(root, 0, protocol("columnMapping"), {"metaData": table}, {"add": add})
    return root


def _field(name: str, kind: pa.DataType, number: int) -> pa.Field:
    return pa.field(name, kind, metadata={b"PARQUET:field_id": str(number).encode()})


def _json(name: str, kind: Any, number: int) -> dict[str, Any]:
    mapping = {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"col-{number}"}
    return {"name": name, "type": kind, "nullable": True, "metadata": mapping}


@pytest.mark.parametrize(
    ("selector", "left"),
    [(BY_ID, [1, 2, 3]), (("who", "mail"), [0, 2, 3]), (IdentityMap(), [0, 1, 3])],
    ids=["column", "nested", "map"],
)
def test_column_mapping_by_id(tmp_path: Path, selector: Any, left: list[int]) -> None:
    from lethe.domain.dataset import PrimaryIdentity

    root = mapped_by_id(tmp_path)
    if isinstance(selector, tuple):
        selector = PrimaryIdentity(selector, "CRM")
    forget(root, asked(order(CRM, "ann")), selector)
    assert pq.read_table(root / adds(root)[-1]["path"])["x2"].to_pylist() == left


def test_column_mapping_by_id_refuses_files_without_ids(tmp_path: Path) -> None:
    from lethe.engines.interface import TableRefused

    root = mapped_by_id(tmp_path)
    pq.write_table(people("ann"), root / "part-1.parquet")
    with pytest.raises(TableRefused, match="no field ids"):
        engine().find(target(root), asked(order(CRM, "ann")))


def test_in_commit_timestamps_only_rise(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob"))
    line = metadata(root, delta__enableInCommitTimestamps="true")
    late = {"commitInfo": {"inCommitTimestamp": 9_999_999_999_999, "timestamp": 1, "operation": "SET TBLPROPERTIES"}}
    commit(root, 1, late, protocol("inCommitTimestamp"), line)
    forget(root, asked(order(CRM, "ann")))
    assert actions(root, 2)[0]["commitInfo"]["inCommitTimestamp"] == 10_000_000_000_000


def test_a_stale_plan_is_no_danger(tmp_path: Path) -> None:
    """A plan that would drop a file that matches in part, for a version that is not the newest."""
    root = write(tmp_path, people("ann", "bob"), people("ann", first=5))
    wanted = asked(order(CRM, "ann"))
    found = engine().find(target(root), wanted).plan
    wrong = [type(f)(f.path, FileAction.DROP, f.rows, f.rows, f.size_bytes, "wrong") for f in found.files]
    outcome = engine().forget(target(root), wanted, TablePlan(DatasetId("d1"), "0", wrong), MARKER)
    assert isinstance(outcome, Forgotten)
    assert numbers(root) == [1]


# The whole way, proven by the independent reader


def erased(root: Path, wanted: Wanted, selector: Selector = BY_ID) -> list[int]:
    assert not engine().verify(target(root, selector), wanted).gone
    forget(root, wanted, selector)
    assert engine().purge(target(root, selector), AT_ONCE, NOW).clean
    evidence = engine().verify(target(root, selector), wanted)
    assert evidence.gone, evidence.residues
    assert evidence.snapshot == str(DeltaTable(str(root)).version())
    return numbers(root)


LONG = asked(order(CRM, "annegret"))


def test_absence_is_proven_under_column_mapping(tmp_path: Path) -> None:
    root = write(
        tmp_path, people("annegret", "bobbert", None, "annegret"), configuration={"delta.columnMapping.mode": "name"}
    )
    assert erased(root, LONG) == [1, 2]


def test_absence_is_proven_for_rows_that_were_hidden(tmp_path: Path) -> None:
    root = write(tmp_path, people("annegret", "bobbert"), people("cyprian", "annegret", first=10))
    hide(root, 2, adds(root)[0], inline_vector(0))
    commit(root, 3, protocol("deletionVectors"), metadata(root, delta__enableDeletionVectors="true"))
    assert erased(root, LONG) == [1, 10]


def test_absence_is_proven_beside_people_who_are_named_alike(tmp_path: Path) -> None:
    """A longer name that holds the shorter one stands rightly in paths and in the log, for its rows are there."""
    root = write(tmp_path, people("annegret", "x.annegret@y", "annegret2"), partition_by=["id"])
    assert erased(root, LONG) == [1, 2]


def test_absence_is_proven_for_integers(tmp_path: Path) -> None:
    table = pa.table({"id": pa.array([70_000_001, -70_000_001, 70_000_002, None], pa.int64()), "n": [0, 1, 2, 3]})
    assert erased(write(tmp_path, table), asked(order(CRM, "70000001"))) == [1, 2, 3]


def test_absence_is_proven_for_decimals(tmp_path: Path) -> None:
    """The log writes bounds as numerals, in which a neighbour's may hold the person's."""
    numbers = [Decimal(text) for text in ("70000001.50", "-70000001.50", "70000001.51", "7.00")]
    table = pa.table({"id": pa.array([*numbers, None], pa.decimal128(12, 2)), "n": [0, 1, 2, 3, 4]})
    assert erased(write(tmp_path, table, table.slice(1)), asked(order(CRM, "70000001.5"))) == [1, 1, 2, 2, 3, 3, 4, 4]


def test_a_decimal_in_the_log_is_a_trace(tmp_path: Path) -> None:
    numbers = [Decimal(text) for text in ("70000001.50", "7.00")]
    root = write(tmp_path, pa.table({"id": pa.array(numbers, pa.decimal128(12, 2)), "n": [0, 1]}))
    wanted = asked(order(CRM, "70000001.5"))
    forget(root, wanted)
    for old in root.glob("part-*.parquet"):
        if not old.name.startswith("lethe-"):
            old.unlink()
    evidence = engine().verify(target(root), wanted)
    assert [residue.kind for residue in evidence.residues] == [ResidueKind.VALUE]
    assert evidence.residues[0].path.startswith("_delta_log/")
