"""The benchmark's own arithmetic: what a process tree used, what became of a contender, what medians say."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from bench.engines import checking, tables
from bench.engines.contenders import CONTENDERS
from bench.engines.forms import FORMS, Shelf, live_files
from bench.engines.measuring import Bench, Limits, measure
from bench.engines.report import table
from bench.engines.results import Case, Results
from bench.process_tree import used

CASE = Case(2_000, "scattered", 10)
BURN = "import time\nwhile time.process_time() < 0.3: pass\n"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "work", CASE.rows, CASE.layout)


def test_children_count_whether_they_live_or_were_waited_for() -> None:
    before = used(os.getpid()).cpu_s
    subprocess.run([sys.executable, "-c", BURN], check=True)
    ended = used(os.getpid()).cpu_s
    assert ended - before >= 0.25, "read in ticks of the kernel"
    living = subprocess.Popen([sys.executable, "-c", f"{BURN}print(1, flush=True)\ninput()"], stdin=-1, stdout=-1)
    assert living.stdout is not None
    living.stdout.read(1)
    assert used(os.getpid()).cpu_s - ended >= 0.25, "read in ticks of the kernel"
    living.communicate(b"\n")


def test_every_form_of_a_table_is_over_the_same_files(shelf: Shelf) -> None:
    plain = {path.stat().st_ino for path in shelf.plain.iterdir()}
    for form in FORMS:
        root = shelf.lay_out(form)
        assert {Path(path).stat().st_ino for path in live_files(root, form)} == plain


def test_a_table_with_a_row_too_many_or_a_changed_value_is_told(shelf: Shelf) -> None:
    values = tables.wanted(CASE.rows, CASE.identities)
    root = shelf.lay_out("plain")
    assert checked(shelf, root, values) == ("wrong", "wrong", True)
    file = root / "part-0000.parquet"
    rows = pq.read_table(file)
    file.unlink()
    kept = [who not in values for who in rows["email"].to_pylist()]
    pq.write_table(rows.filter(kept), file, compression="zstd")
    assert checked(shelf, root, values) == ("ok", "ok", False)
    changed = duckdb.sql(f"SELECT * REPLACE (quantity + 1 AS quantity) FROM '{file}'").to_arrow_table()
    pq.write_table(changed.cast(rows.schema), file, compression="zstd")
    assert checked(shelf, root, values) == ("ok", "wrong", False)


def checked(shelf: Shelf, root: Path, values: list[str]) -> tuple[str, str, bool]:
    found = checking.check(root, "plain", shelf.plain, values, CASE.layout)
    return found["rows_check"], found["values_check"], found["residue"] > 0


def test_a_contender_that_dies_is_an_answer(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Limits(60, 1 << 33))
    result = measure("duckdb anti-join", tmp_path / "nowhere", ["a"], CASE.layout, bench)
    assert result["outcome"] == "crashed"
    stopped = measure("duckdb anti-join", tmp_path, ["a"], CASE.layout, Bench(tmp_path, Limits(60, 1)))
    assert stopped["outcome"] == "stopped"


def test_medians_survive_a_restart_and_one_crash_tells(tmp_path: Path) -> None:
    results = Results(tmp_path / "r.json", {})
    for cpu in (3.0, 1.0, 2.0):
        results.add(CASE, "lethe parquet", run(cpu))
    results.add(CASE, "deltalake delete", run(4.0))
    results.add(CASE, "deltalake delete", {"outcome": "crashed", "reason": "signal SIGSEGV"})
    again = Results(results.path, {})
    again.load()
    assert again.cases() == [CASE]
    assert again.done(CASE, "lethe parquet") == 3
    medians = again.medians(CASE)
    assert medians["lethe parquet"]["cpu_s"] == 2.0
    assert medians["deltalake delete"]["outcome"] == "crashed"
    lines = table(CASE, medians).splitlines()
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def run(cpu: float) -> dict[str, Any]:
    return {
        "outcome": "done",
        "cpu_s": cpu,
        "wall_s": cpu,
        "rss_mb": 100.0,
        "written_mb": 1.0,
        "phases": {"verify": {"cpu_s": 1.0, "wall_s": 1.0}},
        "rows_check": "ok",
        "values_check": "ok",
        "schema_check": "ok",
        "residue": 0,
    }


@pytest.mark.parametrize("name", ["lethe parquet", "lethe iceberg", "lethe delta"])
def test_what_is_measured_is_a_deletion(name: str, shelf: Shelf, tmp_path: Path) -> None:
    values, form = tables.wanted(CASE.rows, CASE.identities), CONTENDERS[name].form
    root = shelf.lay_out(form)
    result = measure(name, root, values, CASE.layout, Bench(tmp_path, Limits(120, 4 << 30)))
    assert result["outcome"] == "done", result
    seen = checking.check(root, form, shelf.plain, values, CASE.layout)
    assert (seen["rows_check"], seen["values_check"], seen["schema_check"], seen["residue"]) == ("ok", "ok", "ok", 0)


@pytest.mark.parametrize("name", [name for name in CONTENDERS if not name.startswith(("lethe", "spark"))])
def test_every_contender_is_there(name: str) -> None:
    assert callable(CONTENDERS[name].load())
