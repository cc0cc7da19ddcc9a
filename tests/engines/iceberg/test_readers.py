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


@pytest.mark.parametrize("version", ["1", "2"])
def test_pyiceberg_duckdb_and_polars_read_equal_rows(tmp_path: Path, version: str) -> None:
    made = lake(
        tmp_path,
        people(ANN, "bob", None),
        people("cy", ANN, "ñandú", first=10),
        people(ANN, first=20),
        properties={"format-version": version},
    )
    made.erase(WANTED)
    expected = [
        {"seq": 1, "id": "bob", "note": "note 1"},
        {"seq": 2, "id": None, "note": "note 2"},
        {"seq": 10, "id": "cy", "note": "note 10"},
        {"seq": 12, "id": "ñandú", "note": "note 12"},
    ]
    paths = [path.removeprefix("file://") for path in made.data_files()]
    assert sorted(made.table.scan().to_arrow().to_pylist(), key=lambda r: r["seq"]) == expected
    assert pl.read_parquet(paths).sort("seq").to_dicts() == expected
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
