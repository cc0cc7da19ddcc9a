"""Files that others wrote, edited, and read again by pyarrow, DuckDB and Polars. `make interop` asks Spark too."""

import json
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.pages import claims
from engines.pages.bounds import statistics_are_true
from engines.pages.elsewhere.editing import PEOPLE, Edited, edit
from engines.pages.residue import nothing_is_left
from engines.pages.subjects import subjects
from engines.pages.walk import walk

FILES = Path(__file__).parent / "written_elsewhere"
MANIFEST: dict[str, Any] = json.loads((FILES / "manifest.json").read_text())

_OLD = "spark_legacy.parquet"
"""Compressed as Hadoop does LZ4, which nobody writes any more."""

DECLINED = {"pages": {_OLD}, "pyarrow": {_OLD, "duckdb_v1.parquet", "duckdb_v2.parquet"}}
"""Arrow names the types of DuckDB's columns in another way than DuckDB does."""


UNREADABLE = {("_by_polars", "spark_v2_no_dictionary.parquet")}
"""Polars does not decode DELTA_BYTE_ARRAY in columns of fixed width, neither before nor after."""


@pytest.fixture(scope="module", params=[(name, file) for name in subjects() for file in sorted(MANIFEST)], ids="-".join)
def edited(request: pytest.FixtureRequest) -> tuple[str, str, bytes, Edited]:
    name, file = request.param
    data = (FILES / file).read_bytes()
    return name, file, data, edit(data, subjects()[name])


def test_the_edit_is_right(edited: tuple[str, str, bytes, Edited], tmp_path: Path) -> None:
    name, file, data, outcome = edited
    assert (outcome.result is None) == (file in DECLINED[name]), outcome.declined
    if outcome.result is None:
        return
    source, after = walk(data), walk(outcome.result)
    claims.only_the_rows_are_gone(source, after, outcome.deleted)
    claims.the_footer_adds_up(after)
    statistics_are_true(after)
    assert nothing_is_left(source, after, outcome.deleted) >= 4
    assert not any(person.encode() in outcome.result for person in PEOPLE)
    if name == "pages":
        claims.the_form_stays(source, after)
        claims.the_groups_form_stays(source, after, outcome.deleted)
        claims.checksums_hold(source, after)
        claims.untouched_bytes_stay(source, after, outcome.deleted)
    before, now = tmp_path / "before.parquet", tmp_path / "after.parquet"
    before.write_bytes(data)
    now.write_bytes(outcome.result)
    for read in (_by_arrow, _by_duckdb, _by_polars):
        if (read.__name__, file) in UNREADABLE:
            with pytest.raises(polars.exceptions.ComputeError):
                read(before)
            continue
        kept = [row for row, gone in zip(read(before), outcome.deleted, strict=True) if not gone]
        assert read(now) == kept, read.__name__


def _by_arrow(path: Path) -> list[str]:
    return [repr(row) for row in pq.read_table(path, page_checksum_verification=True).to_pylist()]


def _by_duckdb(path: Path) -> list[str]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'")
        return [repr(row) for row in connection.sql(f"SELECT * FROM '{path}'").to_arrow_table().to_pylist()]


def _by_polars(path: Path) -> list[str]:
    """Polars knows no maps; it is asked for the other columns."""
    names = [f.name for f in pq.read_schema(path) if not pa.types.is_map(f.type)]
    return [repr(row) for row in polars.read_parquet(path, columns=names).rows()]


def test_every_writer_is_there() -> None:
    writers = {str(entry["writer"]).split()[0] for entry in MANIFEST.values()}
    assert writers == {"pyarrow", "DuckDB", "Polars", "deltalake", "Spark", "Daft"}
    assert sorted(MANIFEST) == sorted(path.name for path in FILES.glob("*.parquet"))
    walked = [walk((FILES / file).read_bytes()) for file in MANIFEST if file not in DECLINED["pages"]]
    columns = [column for file in walked for group in file.groups for column in group.columns]
    assert {page.encoding for column in columns for page in column.data} >= {0, 2, 3, 5, 7, 8, 9}
