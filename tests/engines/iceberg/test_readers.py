"""After an erasure every reader sees the same rows; and a drop leaves nothing."""

from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from engines.asking import CRM, asked, order
from engines.iceberg.deletes_by_hand import position_delete
from engines.iceberg.lake import LATER, Lake, lake, people
from engines.tables import WIDE, wide
from lethe.engines.executors.pool import PoolExecutor
from lethe.engines.interface import TableMissing

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))


@pytest.mark.parametrize(("version", "hidden"), [("1", False), ("2", False), ("2", True)])
def test_pyiceberg_polars_and_duckdb_read_equal_rows(
    tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch, *, hidden: bool
) -> None:
    """Also a table in which a position delete hides a row, in a file that is rewritten and in one that is not."""
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")  # it plans, and Polars reads the files
    made = lake(
        tmp_path,
        people(ANN, "bob", None),
        people("cy", ANN, "ñandú", first=10),
        people(ANN, first=20),
        people("dee", "eve", first=30),
        properties={"format-version": version},
    )
    if hidden:
        by_rows = {file.rows: file.path for file in made.plan(WANTED).files if file.rows_matched == 0}
        rewritten = next(file.path for file in made.plan(WANTED).touched if file.rows == 3)
        position_delete(made, [(by_rows[2], 1)])
        position_delete(made, [(rewritten, 2)])
    rows = [
        {"seq": 1, "id": "bob", "note": "note 1"},
        {"seq": 2, "id": None, "note": "note 2"},
        {"seq": 10, "id": "cy", "note": "note 10"},
        {"seq": 12, "id": "ñandú", "note": "note 12"},
        {"seq": 30, "id": "dee", "note": "note 30"},
        {"seq": 31, "id": "eve", "note": "note 31"},
    ]
    before = made.rows()
    expected = [row for row in rows if row["seq"] in before]
    assert len(expected) == (4 if hidden else 6)
    made.erase(WANTED)
    assert sorted(made.table.scan().to_arrow().to_pylist(), key=lambda r: r["seq"]) == expected
    # Of position deletes, Polars itself reads but those whose manifest names their one data file.
    table = pl.scan_iceberg(made.table, reader_override="pyiceberg" if hidden else "native").collect()
    assert table.sort("seq").to_dicts() == expected
    with made.table.scan().to_duckdb("rows") as connection:
        found = connection.execute("SELECT * FROM rows ORDER BY seq").fetchall()
    assert found == [tuple(row.values()) for row in expected]
    if not hidden:  # a reader that knows nothing of tables reads the live files
        paths = [path.removeprefix("file://") for path in made.data_files()]
        with duckdb.connect() as connection:
            found = connection.execute("SELECT * FROM read_parquet(?) ORDER BY seq", [paths]).fetchall()
        assert found == [tuple(row.values()) for row in expected]


def test_every_type_survives_value_for_value(tmp_path: Path) -> None:
    odd = {"small", "half", "instant", "millis", "fixed"}
    kept = [f.name for f in WIDE if f.name not in odd]
    data = wide([ANN, "bob", None, "cy", ANN, "dee", "eve", "fay"]).select(kept).replace_schema_metadata(None)
    made = lake(tmp_path, data, schema=pa.schema([f.remove_metadata() for f in data.schema]))
    before = made.table.scan().to_arrow()
    made.erase(WANTED)
    keep = [n for n, value in enumerate(before["id"].to_pylist()) if value != ANN]
    after = made.table.scan().to_arrow()
    assert after.schema == before.schema
    assert str(after.to_pylist()) == str(before.take(pa.array(keep)).to_pylist())


def test_a_pool_of_processes_does_the_same(tmp_path: Path) -> None:
    made = lake(tmp_path, people(ANN, "bob", "cy"), people("dee", ANN, first=10), executor=PoolExecutor(2, 1 << 30))
    [path] = [f.path for f in made.plan(WANTED).touched if f.rows == 3]
    position_delete(made, [(path, 2)])
    made.erase(WANTED)
    assert made.rows() == [1, 10]


def test_a_drop_takes_the_entry_and_every_file(tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    made = lake(tmp_path, people(ANN), properties={"write.data.path": f"file://{beside}"})
    location = made.location
    assert made.engine.drop(made.target, LATER).clean
    assert not [path for path in (*location.rglob("*"), *beside.rglob("*")) if path.is_file()]
    assert not made.catalog.table_exists(made.identifier)
    with pytest.raises(TableMissing):
        made.engine.find(made.target, WANTED)
    assert made.engine.drop(made.target, LATER).clean
    assert made.verify(WANTED).gone


def test_the_order_of_rows_and_files_stays(tmp_path: Path) -> None:
    made: Lake = lake(tmp_path, people(*[ANN if n % 3 == 0 else f"p{n}" for n in range(50)]))
    made.erase(WANTED)
    assert made.table.scan().to_arrow()["seq"].to_pylist() == [n for n in range(50) if n % 3]
