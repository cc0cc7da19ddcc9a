"""Pages in which DuckDB wrote values below null structs, too: readers take the first ones, and nobody cuts them."""

import io
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, asked, order
from engines.pages.bounds import statistics_are_true
from engines.pages.residue import nothing_is_left, verification_finds_nothing
from engines.pages.subjects import subjects
from engines.pages.walk import walk
from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.matching import compile_matcher
from lethe.engines.rewrite.gate import require_same_form
from lethe.engines.rewrite.judges import MatchJudge

BY_ID = PrimaryIdentity(("id",), "CRM")
WANTED = asked(order(CRM, "person-4", "person-7", "person-30"))


def written(path: Path) -> bytes:
    # Enough different values that they are not put into a dictionary, which has no place for more of them.
    notes = pa.array([f"{n * 7919:016}".encode() if n % 5 else None for n in range(3000)], pa.binary(16))
    where = pa.StructArray.from_arrays([notes], ["note"], mask=pa.array([n % 3 == 0 for n in range(3000)]))
    with duckdb.connect() as connection:
        connection.register("source", pa.table({"id": [f"person-{n % 100}" for n in range(3000)], "where": where}))
        connection.sql(f"COPY (FROM source) TO '{path}' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2)")
    return path.read_bytes()


def rows(data: Any) -> list[Any]:
    found: list[Any] = pq.read_table(data).to_pylist()
    return found


def test_such_row_groups_go_through_arrow(tmp_path: Path) -> None:
    data, sink = written(tmp_path / "written.parquet"), io.BytesIO()
    before = rows(io.BytesIO(data))
    judge = MatchJudge(compile_matcher(BY_ID, WANTED))
    rewritten = subjects()["pages"].rewriter.rewrite(pa.BufferReader(data), sink, judge)
    assert rewritten.fell_back == {0: "a page with more values than its levels tell"}
    require_same_form(pq.read_metadata(io.BytesIO(data)), pq.read_metadata(io.BytesIO(sink.getvalue())), rewritten)
    gone = {"person-4", "person-7", "person-30"}
    assert rows(io.BytesIO(sink.getvalue())) == [row for row in before if row["id"] not in gone]
    verification_finds_nothing(sink.getvalue(), BY_ID, WANTED)


@pytest.mark.parametrize("every", [1, 7], ids=["all structs are null", "some are"])
@pytest.mark.parametrize("spread", [3, 3000], ids=["in a dictionary", "plain"])
def test_what_a_row_hid_below_a_null_struct_goes_with_it(tmp_path: Path, spread: int, every: int) -> None:
    """The last values, which no reader takes, are left away, and so are entries and bounds that only they had."""
    hidden = b"\xffhidden by p-294!"
    texts = [f"{n % spread * 7919:017}".encode() if n % 5 else None for n in range(300)]
    notes = pa.array([*texts[:294], hidden, *texts[295:]], pa.binary(17))
    where = pa.StructArray.from_arrays([notes], ["note"], mask=pa.array([n % every == 0 for n in range(300)]))
    path = tmp_path / "written.parquet"
    with duckdb.connect() as connection:
        connection.register("source", pa.table({"id": [f"person-{n}" for n in range(300)], "where": where}))
        connection.sql(f"COPY (FROM source) TO '{path}' (FORMAT parquet, COMPRESSION uncompressed, PARQUET_VERSION V1)")
    data, sink = path.read_bytes(), io.BytesIO()
    assert hidden in data
    judge = MatchJudge(compile_matcher(BY_ID, asked(order(CRM, "person-294"))))
    rewritten = subjects()["pages"].rewriter.rewrite(pa.BufferReader(data), sink, judge)
    assert rewritten.fell_back == {}
    assert rows(io.BytesIO(sink.getvalue())) == [row for row in rows(path) if row["id"] != "person-294"]
    assert hidden not in sink.getvalue()
    statistics_are_true(walk(sink.getvalue()))
    nothing_is_left(walk(data), walk(sink.getvalue()), np.arange(300) == 294)
