"""Bounds and partitions in manifests, of every type that an identity can have: seen when they speak, and only then."""

import io
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.transforms import IdentityTransform, TruncateTransform
from pyiceberg.typedef import Record

from engines.asking import CRM, EMAIL, asked, order
from engines.iceberg.lake import Lake, add_file, append_partitioned, lake, people, write_parquet
from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.plan import FileAction
from lethe.engines.interface import Forgotten, Marker, ResidueKind, Wanted

MAIL = "annegret.secret@example.com"
UID = "6f1ed002-ab59-4b65-8c1a-0a6d3c0f0d6e"


@dataclass(frozen=True)
class Kind:
    """One type of identity."""

    type: pa.DataType
    value: Any
    text: str
    low: Any
    """Another value, before it in order."""
    high: Any


KINDS = {
    "short text": Kind(pa.string(), "bob", "bob", "ann", "zoe"),
    "text": Kind(pa.string(), "annegret-1", "annegret-1", "anna", "zoe"),
    "e-mail": Kind(pa.string(), MAIL, MAIL, "anna", "zoe"),
    "sixteen characters": Kind(pa.string(), "annegret-secret1", "annegret-secret1", "anna", "zoe"),
    "characters of several bytes": Kind(
        pa.string(), "ännegrét.secrét@example.com", "ännegrét.secrét@example.com", "b", "ö"
    ),
    "digit": Kind(pa.int64(), 7, "7", 3, 9),
    "integer": Kind(pa.int64(), 1234567, "1234567", 3, 1234568),
    "wide integer": Kind(pa.int64(), 123456789012, "123456789012", 3, 1 << 60),
    "small integer": Kind(pa.int32(), 1234567, "1234567", -3, 1234568),
    "negative": Kind(pa.int32(), -5, "-5", -7, 0),
    "decimal": Kind(
        pa.decimal128(30, 2), Decimal("1234567890123.25"), "1234567890123.25", Decimal(1), Decimal(10) ** 20
    ),
    "small decimal": Kind(pa.decimal128(9, 2), Decimal("7.00"), "7.0", Decimal(-1), Decimal(8)),
    "uuid": Kind(pa.uuid(), UUID(UID).bytes, UID.upper(), bytes(16), b"\xff" * 16),
    "bytes": Kind(pa.binary(), MAIL.encode(), MAIL, b"anna", b"zoe"),
    "fixed bytes": Kind(pa.binary(len(MAIL)), MAIL.encode(), MAIL, b" " * len(MAIL), b"z" * len(MAIL)),
}


def rows(kind: Kind, *values: Any, first: int) -> pa.Table:
    ids = pa.array(values, kind.type)
    return pa.table({"seq": pa.array(range(first, first + len(values)), pa.int64()), "id": ids})


def deleted_and_expired(made: Lake, condition: str) -> None:
    """What the library does, and everything gone that the table does not need: what speaks now is what it needs."""
    made.table.delete(condition)
    table = made.table
    current = table.current_snapshot()
    assert current is not None
    table.maintenance.expire_snapshots().by_ids(
        [s.snapshot_id for s in table.snapshots() if s.snapshot_id != current.snapshot_id]
    ).commit()
    manifests = [manifest.manifest_path for manifest in current.manifests(table.io)]
    needed = {*made.data_files(), current.manifest_list, *manifests, made.table.metadata_location}
    for path in made.files():
        if f"file://{path}" not in needed:
            path.unlink()


def spoken(made: Lake, wanted: Wanted) -> set[str]:
    """The kinds of files with a residue."""
    residues = made.verify(wanted).residues
    assert {residue.kind for residue in residues} <= {ResidueKind.VALUE}
    return {Path(residue.path).name.rpartition(".")[2] for residue in residues}


@pytest.mark.parametrize("bound", ["lower", "upper", "both"])
@pytest.mark.parametrize("name", KINDS)
def test_a_bound_of_a_deleted_file_speaks_until_the_purge(name: str, bound: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    values = {"lower": [kind.value, kind.high], "upper": [kind.low, kind.value], "both": [kind.value]}[bound]
    made = lake(tmp_path, rows(kind, *values, first=0), schema=rows(kind, first=0).schema)
    made.append(rows(kind, kind.low, kind.high, first=10))
    wanted = asked(order(CRM, kind.text))
    deleted_and_expired(made, "seq < 10")
    assert spoken(made, wanted) == {"avro"}
    nobody = made.verify(asked(order(CRM, "never", "11", "-11", "8.25", UID.replace("6", "5"))))
    assert nobody.gone, nobody.residues
    assert made.purge().clean
    evidence = made.verify(wanted)
    assert evidence.gone, evidence.residues
    assert made.rows() == [10, 11]


@pytest.mark.parametrize("name", KINDS)
def test_an_order_over_any_type_comes_to_its_end(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    made = lake(tmp_path, rows(kind, kind.low, kind.value, first=0), schema=rows(kind, first=0).schema)
    made.append(rows(kind, kind.value, kind.high, first=10))
    made.erase(asked(order(CRM, kind.text)))
    assert made.rows() == [0, 11]


@pytest.mark.parametrize("transform", [IdentityTransform(), TruncateTransform(8)])
@pytest.mark.parametrize("name", ["short text", "e-mail", "digit"])
def test_partition_values_speak_until_the_purge(name: str, transform: Any, tmp_path: Path) -> None:
    kind = KINDS[name]
    schema = rows(kind, first=0).schema
    made = lake(tmp_path, rows(kind, kind.value, first=0), schema=schema, spec=[("id", transform, "part")],
                properties={"write.metadata.metrics.default": "none"})  # fmt: skip
    wanted = asked(order(CRM, kind.text))
    append_partitioned(made, rows(kind, kind.low, first=10))
    deleted_and_expired(made, "seq < 10")
    tells = transform == IdentityTransform() or name == "e-mail"
    assert spoken(made, wanted) >= ({"avro"} if tells else set())
    made.erase(wanted)
    assert made.rows() == [10]


@pytest.mark.parametrize(
    "survivor",
    [
        pytest.param("annegret.secret@example.org", id="the same beginning"),
        pytest.param("annegret.secret@", id="the beginning alone"),
        pytest.param("annegret.secret?example.org", id="raised to the same beginning"),
    ],
)
def test_what_a_surviving_row_begins_with_is_explained(survivor: str, tmp_path: Path) -> None:
    made = lake(tmp_path, people("anna", survivor), people(survivor, "zoe", first=10), people(MAIL, first=20))
    made.erase(asked(order(CRM, MAIL)))
    assert made.rows() == [0, 1, 10, 11]


def test_what_is_raised_to_an_identity_is_explained(tmp_path: Path) -> None:
    made = lake(tmp_path, people("anna", "annegret.secret?example.org"))
    evidence = made.verify(asked(order(CRM, "annegret.secret@", "annegret.secret")))
    assert evidence.gone, evidence.residues
    assert evidence.finds_explained


def test_case_counts_for_nothing_where_it_does_not(tmp_path: Path) -> None:
    made = lake(
        tmp_path, people(MAIL.upper(), first=0), people("zoe", first=10), selector=PrimaryIdentity(("id",), "Email")
    )
    wanted = asked(order(EMAIL, MAIL))
    deleted_and_expired(made, "seq < 10")
    assert spoken(made, wanted) == {"avro"}
    made.erase(wanted)


def test_bounds_of_a_renamed_column_and_of_other_columns_speak(tmp_path: Path) -> None:
    made = lake(tmp_path, people("zoe", first=10), schema=people().schema)
    made.append(pa.Table.from_pylist([{"seq": 0, "id": "anna", "note": MAIL}], people().schema))
    made.append(people("bob", first=1))
    deleted_and_expired(made, "seq < 10")
    with made.table.update_schema() as change:
        change.rename_column("id", "person")
    made.selector = PrimaryIdentity(("person",), "CRM")
    assert spoken(made, asked(order(CRM, "bob"))) == {"avro"}
    assert spoken(made, asked(order(CRM, MAIL))) == {"avro"}
    assert made.verify(asked(order(CRM, "zoe", "other.secret.person@example.com"))).residues
    made.erase(asked(order(CRM, "bob", MAIL)))


def test_the_path_of_a_deleted_file_speaks_with_its_escapes_undone(tmp_path: Path) -> None:
    made = lake(tmp_path, people("zoe", first=10), properties={"write.metadata.metrics.default": "none"})
    add_file(made, write_parquet(made, people("anna"), "data/by=Ann+Maria%40Secret"), 1)
    properties = {"schema.name-mapping.default": made.table.schema().name_mapping.model_dump_json()}
    with made.table.transaction() as change:
        change.set_properties(properties)
    deleted_and_expired(made, "seq < 10")
    for path in made.location.glob("data/by=*"):
        path.rmdir()
    assert spoken(made, asked(order(CRM, "Ann Maria@Secret"))) == {"avro"}
    assert made.verify(asked(order(CRM, "Ann Maria@Other"))).gone


@pytest.mark.parametrize("name", ["short text", "e-mail", "integer", "decimal", "uuid"])
def test_a_manifest_speaks_by_itself_when_the_table_is_gone(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    made = lake(tmp_path, rows(kind, kind.value, first=0), schema=rows(kind, first=0).schema)
    made.known_location = str(made.location)
    for path in made.files():
        if path.suffix != ".avro":
            path.unlink()
    made.catalog.drop_table(made.identifier)
    assert spoken(made, asked(order(CRM, kind.text))) == {"avro"}
    assert made.verify(asked(order(CRM, "never", "4711"))).gone


@pytest.mark.parametrize("width", ["truncate(8)", "truncate(24)", "full"])
def test_bounds_of_another_width_speak(width: str, tmp_path: Path) -> None:
    properties = {"write.metadata.metrics.column.id": width}
    made = lake(tmp_path, people(MAIL, first=0), people("zoe", first=10), properties=properties)
    wanted = asked(order(CRM, MAIL))
    deleted_and_expired(made, "seq < 10")
    assert spoken(made, wanted) == {"avro"}
    made.erase(wanted)


@pytest.mark.parametrize("name", ["short text", "e-mail", "integer", "decimal", "uuid"])
def test_a_live_file_with_bounds_of_before_is_written_anew(name: str, tmp_path: Path) -> None:
    """The file is clean; its manifest says of it what was true of the file from which somebody copied it."""
    kind = KINDS[name]
    raw = {
        "short text": b"bob",
        "e-mail": MAIL[:16].encode(),
        "integer": (1234567).to_bytes(8, "little"),
        "decimal": (123456789012325).to_bytes(7, "big"),
        "uuid": UUID(UID).bytes,
    }[name]
    made = lake(tmp_path, rows(kind, kind.high, first=10), schema=rows(kind, first=0).schema)
    sink = io.BytesIO()
    pq.write_table(rows(kind, kind.low, kind.high, first=0), sink)
    path = made.location / "data" / "careless.parquet"
    path.write_bytes(sink.getvalue())
    file = DataFile.from_args(
        content=DataFileContent.DATA, file_path=f"file://{path}", file_format=FileFormat.PARQUET, partition=Record(),
        record_count=2, file_size_in_bytes=len(sink.getvalue()), lower_bounds={2: raw}, upper_bounds={},
    )  # fmt: skip
    file.spec_id = 0
    properties = {"schema.name-mapping.default": made.table.schema().name_mapping.model_dump_json()}
    with made.table.transaction() as change:
        change.set_properties(properties)
        with change.update_snapshot().fast_append() as append:
            append.append_data_file(file)
    wanted = asked(order(CRM, kind.text))
    made.forgotten(wanted, "b-1/forget")
    assert made.purge().clean
    assert spoken(made, wanted) == {"avro"}
    plan = made.engine.find(made.target, wanted, scrub=True).plan
    assert [(Path(f.path).name, f.action) for f in plan.touched] == [("careless.parquet", FileAction.SCRUB)]
    assert isinstance(made.engine.forget(made.target, wanted, plan, Marker("b-2/forget")), Forgotten)
    assert made.purge().clean
    evidence = made.verify(wanted)
    assert evidence.gone, evidence.residues
    assert made.rows() == [0, 1, 10]
