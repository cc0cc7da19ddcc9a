"""Rows that were deleted before: they neither count nor come back, and their values go too."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engines.asking import CRM, asked, found_each, order
from engines.iceberg.deletes_by_hand import (
    delete_files,
    equality_delete,
    live_rows,
    position_delete,
    with_id,
)
from engines.iceberg.lake import Lake, lake, people
from lethe.domain.plan import FileAction

ID = with_id("id", pa.string(), 2)
SEQ = with_id("seq", pa.int64(), 1)
NOTE = with_id("note", pa.string(), 3)
WANTED = asked(order(CRM, "ann-annegret"))


def ids(*values: str | None) -> pa.Table:
    return pa.table([pa.array(values, pa.string())], schema=pa.schema([ID]))


def left(made: Lake) -> list[int]:
    return [row["seq"] for row in live_rows(made)]


def touched(made: Lake) -> dict[str, tuple[FileAction, int, int]]:
    return {f.path: (f.action, f.rows, f.rows_matched) for f in made.plan(WANTED).touched}


def test_rows_hidden_by_position_stay_hidden(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", "ann-annegret", "cy", "dee", "ann-annegret"))
    [path] = made.data_files()
    position_delete(made, [(path, 0), (path, 4)])
    assert made.rows() == left(made) == [1, 2, 3]
    assert touched(made) == {path: (FileAction.REWRITE, 3, 1)}
    outcome = made.erase(WANTED)
    assert outcome.tally.orders[0].rows_by_identity == (1,)
    assert made.rows() == left(made) == [2, 3]
    assert delete_files(made) == []


def test_a_match_that_is_only_hidden_is_not_counted_but_goes(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", "ann-annegret", "cy"))
    [path] = made.data_files()
    position_delete(made, [(path, 1)])
    assert touched(made) == {path: (FileAction.REWRITE, 2, 0)}
    assert made.erase(WANTED).tally.rows_matched == 0
    assert made.rows() == [0, 2]
    assert made.data_files() != [path]


def test_a_file_of_hidden_and_matching_rows_is_dropped(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", "ann-annegret"), people("cy", first=10))
    path = next(p for p in made.data_files() if pq.read_metadata(p.removeprefix("file://")).num_rows == 2)
    position_delete(made, [(path, 0)])
    assert touched(made) == {path: (FileAction.DROP, 1, 1)}
    made.erase(WANTED)
    assert (made.rows(), delete_files(made)) == ([10], [])


def test_a_delete_file_that_speaks_of_other_files_too_stays(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", "ann-annegret"), people("cy", "dee", first=10))
    paths = made.data_files()
    delete = position_delete(made, [(path, 0) for path in paths])
    made.erase(WANTED)
    assert delete_files(made) == [delete]
    assert made.rows() == left(made) == [11]


def test_a_position_delete_that_keeps_copies_of_rows_is_dissolved(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", "cy"), people("ann-annegret", "dee", first=10))
    by_first = {pq.read_table(p.removeprefix("file://"))["seq"][0].as_py(): p for p in made.data_files()}
    copy = pa.StructArray.from_arrays([pa.array(["bob", "ann-annegret"])], fields=[ID])
    rows = sorted([(by_first[0], 0), (by_first[10], 0)])
    copies = copy if rows[0][0] == by_first[0] else copy.take(pa.array([1, 0]))
    delete = position_delete(made, rows, copies=copies)
    assert touched(made)[delete][0] is FileAction.DROP
    made.erase(WANTED)
    assert made.rows() == left(made) == [1, 11]
    assert delete_files(made) == []


def test_rows_hidden_by_equality_stay_hidden(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", "ann-annegret", None, "cy", "Bob"))
    equality_delete(made, ids("bob", None), [2])
    assert left(made) == [1, 3, 4]
    outcome = made.erase(WANTED)
    assert outcome.tally.rows_matched == 1
    assert left(made) == [3, 4]
    assert delete_files(made) == []


def test_an_equality_delete_does_not_reach_younger_rows(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", "ann-annegret"))
    equality_delete(made, ids("bob", "ann-annegret"), [2])
    made.append(people("bob", "ann-annegret", "cy", first=10))
    assert left(made) == [10, 11, 12]
    outcome = made.erase(WANTED)
    assert outcome.tally.rows_matched == 1
    assert left(made) == [10, 12]


def test_an_equality_delete_that_names_a_match_is_rewritten_and_keeps_its_age(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", "cy"), people("dee", first=5))
    delete = equality_delete(made, ids("bob", "ann-annegret", "dee"), [2])
    made.append(people("bob", first=10))
    assert touched(made) == {delete: (FileAction.REWRITE, 0, 0)}
    made.erase(WANTED)
    [rewritten] = delete_files(made)
    assert pq.read_table(rewritten.removeprefix("file://"))["id"].to_pylist() == ["bob", "dee"]
    assert left(made) == [1, 10]


def test_an_equality_delete_that_names_nothing_else_goes(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", "ann-annegret"))
    equality_delete(made, ids("ann-annegret"), [2])
    assert made.erase(WANTED).tally.rows_matched == 0
    assert (left(made), delete_files(made)) == ([0], [])


def test_an_equality_delete_on_other_columns_that_mentions_a_match_is_dissolved(tmp_path: Path) -> None:
    """It deletes bob's row by its number, and says in passing that the number was once another's."""
    made = lake(tmp_path, people("bob", "cy"), people("dee", first=5))
    data = pa.table([pa.array([0]), pa.array(["ann-annegret"])], schema=pa.schema([SEQ, ID]))
    equality_delete(made, data, [1])
    assert left(made) == [1, 5]
    made.erase(WANTED)
    assert left(made) == made.rows() == [1, 5]
    assert delete_files(made) == []


def test_equality_on_several_columns_counts_null_as_equal(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", None, "bob", "ann-annegret", None))
    data = pa.table(
        [pa.array(["bob", None, None]), pa.array(["note 2", "note 1", "note 0"])], schema=pa.schema([ID, NOTE])
    )
    equality_delete(made, data, [2, 3])
    assert left(made) == [0, 3, 4]
    made.erase(WANTED)
    assert left(made) == made.rows() == [0, 4]


def test_equality_by_a_column_that_was_promoted(tmp_path: Path) -> None:
    schema = pa.schema([("seq", pa.int32()), ("id", pa.string())])
    rows = pa.table({"seq": pa.array([1, 2, 3], pa.int32()), "id": ["bob", "ann-annegret", "cy"]})
    made = lake(tmp_path, rows, schema=schema)
    from pyiceberg.types import LongType

    with made.table.update_schema() as update:
        update.update_column("seq", LongType())
    equality_delete(made, pa.table([pa.array([3, 1 << 40])], schema=pa.schema([SEQ])), [1])
    made.erase(WANTED)
    assert made.rows() == [1]


def test_both_kinds_at_once(tmp_path: Path) -> None:
    made = lake(tmp_path, people("bob", "ann-annegret", "cy", "dee", "eve", "ann-annegret"))
    [path] = made.data_files()
    position_delete(made, [(path, 2), (path, 5)])
    equality_delete(made, ids("dee"), [2])
    assert made.erase(WANTED).tally.rows_matched == 1
    assert left(made) == made.rows() == [0, 4]
    assert delete_files(made) == []


def test_orders_that_are_found_together_share_no_deletes(tmp_path: Path) -> None:
    """What is dissolved, rewritten or still stored for one order's sake changes nothing of another's plan."""
    made = lake(
        tmp_path,
        people("bob", "cy", "gus"),
        people("ann-annegret", "dee", first=10),
        people("eve", "eve", first=20),
        people("fay", first=30),
    )
    by_first = {pq.read_table(p.removeprefix("file://"))["seq"][0].as_py(): p for p in made.data_files()}
    rows = sorted([(by_first[0], 0), (by_first[10], 0)])
    names = ["bob" if path == by_first[0] else "ann-annegret" for path, _ in rows]
    position_delete(made, rows, copies=pa.StructArray.from_arrays([pa.array(names)], fields=[ID]))
    position_delete(made, [(by_first[20], 0)])
    equality_delete(made, ids("dee"), [2])
    findings = found_each(
        made.engine,
        made.target,
        *(order(CRM, *ids_) for ids_ in [("bob",), ("cy",), ("dee",), ("eve",), ("eve", "fay"), ("nobody",), ("gus",)]),
    )
    assert [each.tally.rows_matched for each in findings] == [0, 1, 0, 1, 2, 0, 1]
    # For bob a delete file with a copy of his row is dissolved into every file of which deletes are carried out.
    assert [len(each.plan.touched) for each in findings] == [5, 1, 2, 1, 2, 0, 1]
