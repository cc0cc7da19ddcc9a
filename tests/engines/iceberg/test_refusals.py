"""What is not touched, and the reason that is given; and where tables and credentials come from."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.typedef import Record

from engines.asking import CRM, asked, order
from engines.iceberg.deletes_by_hand import position_delete
from engines.iceberg.lake import LATER, VERIFIER, Lake, add_file, lake, people, write_parquet
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.domain.plan import FileAction
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.iceberg.engine import IcebergEngine
from lethe.engines.iceberg.places import below, canonical
from lethe.engines.interface import (
    DidNotHappen,
    NeverWill,
    PurgePolicy,
    TableMissing,
    TableRefused,
    TableUnavailable,
    Target,
)
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter
from lethe.engines.storage.opening import storage_opener

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))


@pytest.fixture
def made(tmp_path: Path) -> Lake:
    return lake(tmp_path, people(ANN, "bob", None), people("cy", first=10))


def metadata_of(made: Lake) -> Path:
    return Path(made.table.metadata_location.removeprefix("file://"))


def upgrade(made: Lake) -> None:
    """Make the table one of version 3 in place: a change of its metadata alone."""
    path = metadata_of(made)
    document = json.loads(path.read_text())
    document |= {"format-version": 3, "next-row-id": 100}
    for snapshot in document["snapshots"]:
        snapshot |= {"first-row-id": 0, "added-rows": 0}
    path.write_text(json.dumps(document))


def test_version_3_is_read_and_not_written(made: Lake) -> None:
    upgrade(made)
    files = made.files()
    plan = made.plan(WANTED)
    assert plan.rows_matched == 1
    outcome = made.forget(WANTED, plan)
    assert isinstance(outcome, NeverWill)
    assert "version 3" in outcome.reason
    with pytest.raises(TableRefused, match="version 3"):
        made.purge()
    assert not made.verify(WANTED).gone
    assert made.files() == files


def test_deletion_vectors_of_version_3_are_read(made: Lake) -> None:
    [path] = [p.path for p in made.plan(WANTED).touched]
    vector = _deletion_vector(path, [0, 2])
    location = made.location / "data" / "deletes.puffin"
    location.write_bytes(vector)
    file = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=f"file://{location}",
        file_format=FileFormat.PUFFIN,
        partition=Record(),
        record_count=2,
        file_size_in_bytes=len(vector),
    )
    file.spec_id = 0
    _commit_delete(made, file)
    upgrade(made)
    [planned] = made.plan(WANTED).touched
    assert (planned.action, planned.rows, planned.rows_matched) == (FileAction.REWRITE, 1, 0)
    assert made.plan(asked(order(CRM, "bob"))).rows_matched == 1


def _deletion_vector(path: str, positions: list[int]) -> bytes:
    """A puffin file with one blob, as the specification lays it out."""
    import zlib

    from pyroaring import BitMap

    bitmap = (1).to_bytes(8, "little") + (0).to_bytes(4, "little") + BitMap(positions).serialize()
    body = bytes.fromhex("d1d33964") + bitmap
    blob = len(body).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    meta = {
        "type": "deletion-vector-v1", "fields": [2147483546], "snapshot-id": -1, "sequence-number": -1,
        "offset": 4, "length": len(blob), "properties": {"referenced-data-file": path, "cardinality": "2"},
    }  # fmt: skip
    footer = json.dumps({"blobs": [meta], "properties": {}}).encode()
    return b"PFA1" + blob + b"PFA1" + footer + len(footer).to_bytes(4, "little") + bytes(4) + b"PFA1"


def _commit_delete(made: Lake, file: DataFile) -> None:
    from datetime import UTC, datetime

    from lethe.engines.iceberg.commit import Change, Committer, send
    from lethe.engines.iceberg.manifests import Added
    from lethe.engines.iceberg.state import table_state

    state = table_state(made.table, made.opener)
    send(state, Committer(state, "by-hand", datetime.now(UTC)).overwrite(Change(added=[Added(file)])).updates)


def test_encrypted_tables_are_refused(made: Lake) -> None:
    with made.table.transaction() as change:
        change.set_properties({"encryption.key-id": "k"})
    _refused(made, "encrypted")


def test_encrypted_files_are_refused(made: Lake) -> None:
    _add(made, FileFormat.PARQUET, key_metadata=b"key")
    _refused(made, "encrypted")


@pytest.mark.parametrize("kind", [FileFormat.ORC, FileFormat.AVRO])
def test_files_of_other_formats_are_refused(made: Lake, kind: FileFormat) -> None:
    _add(made, kind)
    _refused(made, "only Parquet")


def _add(made: Lake, kind: FileFormat, **more: Any) -> None:
    location = write_parquet(made, people("x"))
    file = DataFile.from_args(
        content=DataFileContent.DATA, file_path=location, file_format=kind, partition=Record(), record_count=1,
        file_size_in_bytes=1, **more,
    )  # fmt: skip
    file.spec_id = 0
    with made.table.transaction() as change, change.update_snapshot().fast_append() as append:
        append.append_data_file(file)


def _refused(made: Lake, reason: str) -> None:
    files, rows = made.files(), made.table.metadata_location
    with pytest.raises(TableRefused, match=reason):
        made.plan(WANTED)
    from lethe.domain.plan import TablePlan

    outcome = made.forget(WANTED, TablePlan(DatasetId("ds"), "", ()))
    assert isinstance(outcome, NeverWill)
    assert reason in outcome.reason
    assert (made.files(), made.table.metadata_location) == (files, rows)


def test_a_file_that_the_rewriter_refuses_stops_everything(made: Lake) -> None:
    from lethe.engines.rewrite.interface import RewriteRefused

    class Refuses:
        def rewrite(self, *_: object, anew: bool) -> None:
            raise RewriteRefused("a feature that would be lost")

    made.rewriter = Refuses()
    made.append(people(ANN, "eve", first=20))
    files = made.files()
    outcome = made.forget(WANTED)
    assert outcome == NeverWill("a feature that would be lost")
    assert made.files() == files
    assert made.rows() == [0, 1, 2, 10, 20, 21]


class Greedy:
    """A judge that leaves out one row too many."""

    def __init__(self, inner: Any) -> None:
        self.columns, self.can_skip, self._inner = inner.columns, inner.can_skip, inner
        self.candidates = inner.candidates

    def judge(self, batch: Any, first_row: int) -> Any:
        return replace(self._inner.judge(batch, first_row), leave_out=pa.array([True, True, False]))


def test_a_copy_that_lacks_a_row_is_not_committed(made: Lake) -> None:
    class Forgetful(PyarrowRewriter):
        def rewrite(self, source: Any, sink: Any, judge: Any, *, anew: bool = False) -> Any:
            return PyarrowRewriter().rewrite(source, sink, Greedy(judge))

    made.rewriter = Forgetful()
    files = made.files()
    outcome = made.forget(WANTED)
    assert isinstance(outcome, NeverWill)
    assert "were to stay" in outcome.reason
    assert (made.files(), made.rows()) == (files, [0, 1, 2, 10])


def test_a_file_that_is_missing_is_no_answer_but_no_damage(made: Lake) -> None:
    plan = made.plan(WANTED)
    [path] = [Path(p.path.removeprefix("file://")) for p in plan.touched]
    away = path.rename(path.with_suffix(".away"))
    with pytest.raises(TableUnavailable):
        made.plan(WANTED)
    assert isinstance(made.forget(WANTED, plan), DidNotHappen)
    away.rename(path)
    made.erase(WANTED)
    assert made.rows() == [1, 2, 10]


@pytest.mark.parametrize("key", ["py-io-impl", "s3.endpoint", "write.py-location-provider.impl"])
def test_a_table_does_not_choose_how_files_are_opened(made: Lake, key: str) -> None:
    path = metadata_of(made)
    document = json.loads(path.read_text())
    document["properties"][key] = "pyiceberg.io.pyarrow.PyArrowFileIO"
    path.write_text(json.dumps(document))
    with pytest.raises(TableRefused, match="only the settings"):
        made.plan(WANTED)


def test_a_table_is_named_by_a_known_catalog(made: Lake) -> None:
    def find(reference: TableReference) -> None:
        made.engine.find(Target(DatasetId("ds"), reference, made.selector), WANTED)

    with pytest.raises(TableRefused, match="named by a catalog"):
        find(TableReference(TableFormat.ICEBERG, location=str(made.location)))
    with pytest.raises(TableRefused, match="no catalog named"):
        find(TableReference(TableFormat.ICEBERG, catalog="other", identifier="db.people"))
    for identifier in ("db.nobody", "nowhere.people"):
        with pytest.raises(TableMissing):
            find(TableReference(TableFormat.ICEBERG, catalog="lake", identifier=identifier))


def test_a_catalog_is_loaded_from_properties_of_the_settings(made: Lake) -> None:
    properties = {"py-catalog-impl": "engines.iceberg.lake.QuietCatalog", **made.catalog.properties}
    engine = IcebergEngine(
        {"lake": properties, "gone": {"type": "rest", "uri": "http://127.0.0.1:9/"}},
        open_storage=storage_opener(),
        executor=InlineExecutor(),
        rewriter=best_rewriter(),
        verifier=VERIFIER,
        new_name=lambda: "name",
        clock=lambda: LATER,
    )
    assert engine.find(made.target, WANTED).plan.rows_matched == 1
    reference = TableReference(TableFormat.ICEBERG, catalog="gone", identifier="db.people")
    with pytest.raises(TableUnavailable):
        engine.find(Target(DatasetId("ds"), reference, made.selector), WANTED)


def test_a_manifest_must_not_lead_upwards(made: Lake) -> None:
    location = write_parquet(made, people("x"))
    add_file(made, location.replace("/data/", "/data/../data/"), 1)
    with pytest.raises(TableRefused, match="upwards"):
        made.plan(WANTED)
    with pytest.raises(TableRefused, match="upwards"):
        made.purge()


def test_no_error_and_no_report_names_an_identity(made: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    [path] = [p.path for p in made.plan(WANTED).touched]
    position_delete(made, [(path, 1)])
    texts = [repr(made.plan(WANTED)), repr(made.forgotten(WANTED)), repr(made.purge(PurgePolicy()))]
    texts.append(repr(made.verify(WANTED)))
    assert not [text for text in (*texts, *capsys.readouterr()) if ANN in text]


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("/a/b/", "/a/b"),
        ("file:///a/b", "/a/b"),
        ("file:/a/b", "/a/b"),
        ("file://a%20b", "/a%20b"),
        ("s3a://b/t/", "s3://b/t"),
        ("S3://b/t", "s3://b/t"),
        ("abfss://c@a.dfs/t", "abfss://c@a.dfs/t"),
    ],
)
def test_one_spelling_of_every_location(spelling: str, expected: str) -> None:
    assert canonical(spelling) == expected


def test_below_is_not_beside() -> None:
    assert below("/a/b", "/a/b/c") == "c"
    assert below("/a/b", "/a/bc") is None
    assert below("/a/b", "/a/b") is None
