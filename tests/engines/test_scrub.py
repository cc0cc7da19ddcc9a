"""Files in which somebody's careless deletion left a trace: no row matches, and yet they are written anew."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.transaction import AddAction
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.typedef import Record

from engines.asking import CRM, EMAIL, asked, order
from engines.delta import lake as delta
from engines.iceberg import lake as iceberg
from engines.plug import LATER, VERIFIER
from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.domain.plan import FileAction
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import TRACE, Engine, Forgotten, Marker, PurgePolicy, ResidueKind, Target
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.storage.local import LocalStorage

ANN = "ann-annegret"
LONG = "annegret.the.long-lived.secret.of.everybody@example.com"
WANTED = asked(order({CRM: (ANN, LONG), EMAIL: (ANN,)}))
BY_ID = PrimaryIdentity(("id",), "CRM")
SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False), pa.field("id", pa.string())])


def rows(*ids: str | None, first: int = 0) -> pa.Table:
    return pa.Table.from_pylist([{"n": first + n, "id": who} for n, who in enumerate(ids)], schema=SCHEMA)


def careless() -> bytes:
    """Read with dictionaries, delete, write back: the dictionary page, and the bounds, keep the deleted value."""
    before, after = io.BytesIO(), io.BytesIO()
    pq.write_table(rows(ANN, "bob", "cy", None), before)
    table = pq.read_table(before, read_dictionary=["id"])
    pq.write_table(table.filter(pa.array([False, True, True, True])), after, store_schema=False)
    return after.getvalue()


@dataclass
class Case:
    """A table with one careless file among others."""

    engine: Engine
    target: Target
    live: Callable[[], list[int]]


def directory(root: Path) -> Case:
    (root / "a.parquet").write_bytes(careless())
    pq.write_table(rows("eve", first=10), root / "b.parquet")

    def live() -> list[int]:
        return sorted(n for path in root.glob("*.parquet") for n in pq.read_table(path)["n"].to_pylist())

    engine = DirectoryEngine(ParquetFormat(), LocalStorage, InlineExecutor(), VERIFIER)
    return Case(engine, Target(DatasetId("ds"), TableReference(TableFormat.PARQUET, str(root)), BY_ID), live)


def directory_filter(root: Path) -> Case:
    """A filter that knows more than the column; asked in whatever case."""
    sink = io.BytesIO()
    options = {"compression": "NONE", "use_dictionary": False, "write_statistics": False}
    pq.write_table(rows(ANN.upper(), "cy", None, first=1), sink, bloom_filter_options={"id": {"ndv": 10}}, **options)
    (root / "a.parquet").write_bytes(sink.getvalue().replace(ANN.upper().encode(), b"x" * len(ANN)))
    pq.write_table(rows("eve", first=10), root / "b.parquet", bloom_filter_options={"id": {"ndv": 10}})

    def live() -> list[int]:
        return sorted(n for path in root.glob("*.parquet") for n in pq.read_table(path)["n"].to_pylist())

    engine = DirectoryEngine(ParquetFormat(), LocalStorage, InlineExecutor(), VERIFIER)
    selector = PrimaryIdentity(("id",), "Email")
    return Case(engine, Target(DatasetId("ds"), TableReference(TableFormat.PARQUET, str(root)), selector), live)


def _add(root: Path, name: str, data: bytes, stats: str) -> None:
    (root / name).write_bytes(data)
    table = DeltaTable(str(root))
    action = AddAction(name, len(data), {}, 1, True, stats)
    table.create_write_transaction([action], "append", table.schema())


def delta_dictionary(root: Path) -> Case:
    delta.write(root, rows("eve", first=10))
    _add(root, "careless.parquet", careless(), '{"numRecords":3}')
    return Case(delta.engine(), delta.target(root, BY_ID), lambda: delta.numbers(root))


def delta_statistics(root: Path) -> Case:
    """The file is clean, and the log's statistics of it are those of before."""
    delta.write(root, rows("eve", first=10))
    sink = io.BytesIO()
    pq.write_table(rows("bob", "cy", None, first=1), sink)
    stats = f'{{"numRecords":3,"minValues":{{"id":"{ANN}"}},"maxValues":{{"id":"cy"}},"nullCount":{{"id":1}}}}'
    _add(root, "careless.parquet", sink.getvalue(), stats)
    return Case(delta.engine(), delta.target(root, BY_ID), lambda: delta.numbers(root))


def delta_cut_statistics(root: Path) -> Case:
    """The same where the log keeps but the beginning of a value."""
    delta.write(root, rows("eve", first=10))
    sink = io.BytesIO()
    pq.write_table(rows("bob", "cy", None, first=1), sink)
    _add(
        root,
        "careless.parquet",
        sink.getvalue(),
        f'{{"numRecords":3,"minValues":{{"id":"{LONG[:32]}"}},"maxValues":{{}}}}',
    )
    return Case(delta.engine(), delta.target(root, BY_ID), lambda: delta.numbers(root))


def _iceberg(root: Path, data: bytes, low: bytes | None) -> Case:
    made = iceberg.lake(root, rows("eve", first=10), schema=SCHEMA)
    path = made.location / "data" / "careless.parquet"
    path.write_bytes(data)
    file = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=f"file://{path}",
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=3,
        file_size_in_bytes=len(data),
        lower_bounds={2: low} if low else None,
        upper_bounds={2: b"cy"} if low else None,
    )
    file.spec_id = 0
    properties = {"schema.name-mapping.default": made.table.schema().name_mapping.model_dump_json()}
    with made.table.transaction() as change:
        change.set_properties(properties)
        with change.update_snapshot().fast_append() as append:
            append.append_data_file(file)
    return Case(made.engine, made.target, lambda: made.rows("n"))


def iceberg_dictionary(root: Path) -> Case:
    return _iceberg(root, careless(), None)


def iceberg_bounds(root: Path) -> Case:
    """The file is clean, and its manifest's bounds are those of before."""
    sink = io.BytesIO()
    pq.write_table(rows("bob", "cy", None, first=1), sink)
    return _iceberg(root, sink.getvalue(), ANN.encode())


CASES = [
    directory,
    directory_filter,
    delta_dictionary,
    delta_statistics,
    delta_cut_statistics,
    iceberg_dictionary,
    iceberg_bounds,
]


@pytest.fixture(params=CASES, ids=lambda make: make.__name__)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    return request.param(tmp_path)


def erase(case: Case, *, scrub: bool, marker: str) -> Forgotten:
    plan = case.engine.find(case.target, WANTED, scrub=scrub).plan
    outcome = case.engine.forget(case.target, WANTED, plan, Marker(marker))
    assert isinstance(outcome, Forgotten), outcome
    assert case.engine.purge(case.target, PurgePolicy(), LATER).clean
    return outcome


def test_a_trace_that_no_row_explains_is_found_and_scrubbed(case: Case) -> None:
    assert case.live() == [1, 2, 3, 10]
    erase(case, scrub=False, marker="b/1/0")
    evidence = case.engine.verify(case.target, WANTED)
    assert {residue.kind for residue in evidence.residues} == {ResidueKind.VALUE}

    plan = case.engine.find(case.target, WANTED, scrub=True).plan
    [touched] = plan.touched
    assert (touched.action, touched.rows_matched, touched.reason) == (FileAction.SCRUB, 0, TRACE)
    assert len(plan.files) == 2

    outcome = erase(case, scrub=True, marker="b/1/1")
    assert outcome.tally is not None
    assert outcome.tally.rows_matched == 0
    assert case.live() == [1, 2, 3, 10]
    evidence = case.engine.verify(case.target, WANTED)
    assert evidence.gone, evidence.residues
    assert not case.engine.find(case.target, WANTED, scrub=True).plan.touched


def test_a_file_with_a_trace_and_with_matching_rows_is_counted_and_encoded_anew(tmp_path: Path) -> None:
    case = directory(tmp_path)
    pq.write_table(
        pa.concat_tables([pq.read_table(tmp_path / "b.parquet"), rows(ANN, first=20)]), tmp_path / "b.parquet"
    )
    finding = case.engine.find(case.target, WANTED, scrub=True)
    assert finding.tally.rows_matched == 1
    assert {file.path: file.action for file in finding.plan.files} == {
        "a.parquet": FileAction.SCRUB,
        "b.parquet": FileAction.SCRUB,
    }
    assert erase(case, scrub=True, marker="b/1/1").tally == finding.tally
    assert case.live() == [1, 2, 3, 10]
    assert case.engine.verify(case.target, WANTED).gone


def test_a_value_that_a_surviving_row_explains_is_no_trace(tmp_path: Path) -> None:
    case = directory(tmp_path)
    table = pa.table({"n": pa.array([20], pa.int64()), "id": ["zoe"], "note": [f"a friend of {ANN}"]})
    pq.write_table(table, tmp_path / "c.parquet")
    plan = case.engine.find(case.target, WANTED, scrub=True).plan
    assert [file.path for file in plan.touched] == ["a.parquet"]
