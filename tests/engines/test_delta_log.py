"""Short ids in a Delta log: what the protocol counts and calls is nobody's, and everything else may be somebody's."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, asked, order
from engines.delta.lake import AT_ONCE, BY_ID, MARKER, NOW, VERIFIER, engine, target, write
from lethe.engines.interface import Forgotten, Residue
from lethe.engines.storage.local import LocalStorage
from lethe.engines.verify.interface import Surroundings

SIZE, ROWS = 48611, 4711

ADD: dict[str, Any] = {
    "path": "part-00000-6f1ed002-ab59-4b65-8c1a-0a6d3c0f0d6e-c000.snappy.parquet",
    "partitionValues": {"country": "de"},
    "size": SIZE,
    "modificationTime": 1700000000000,
    "dataChange": True,
    "stats": json.dumps({"numRecords": ROWS, "minValues": {"n": 1}, "maxValues": {"n": 9}, "nullCount": {"n": 8001}}),
    "deletionVector": {
        "storageType": "u",
        "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^",
        "offset": 4001,
        "sizeInBytes": 4002,
        "cardinality": 4003,
    },
}
SCHEMA = json.dumps(
    {"type": "struct", "fields": [{"name": "n", "type": "long", "nullable": True, "metadata": {"comment": "of all"}}]}
)
METADATA: dict[str, Any] = {
    "id": "6f1ed002-ab59-4b65-8c1a-0a6d3c0f0d6e",
    "format": {"provider": "parquet", "options": {}},
    "schemaString": SCHEMA,
    "partitionColumns": ["country"],
    "configuration": {"delta.checkpointInterval": "5005", "delta.appendOnly": "false"},
    "createdTime": 6006,
}
INFO: dict[str, Any] = {
    "timestamp": 1700000000000,
    "operation": "WRITE",
    "operationParameters": {"mode": "Append"},
    "operationMetrics": {"numFiles": "7007", "execution_time_ms": 8008},
    "engineInfo": "delta-rs:py-1.6.0",
    "isolationLevel": "Serializable",
    "readVersion": 9009,
}


def logged(root: Path, *actions: dict[str, Any]) -> Path:
    write(root, pa.table({"id": ["bob"], "n": pa.array([1], pa.int64())}))
    (root / "_delta_log" / f"{1:020d}.json").write_text("\n".join(json.dumps(action) for action in actions))
    return root


def found(root: Path, value: str) -> list[Residue]:
    evidence = engine().verify(target(root), asked(order(CRM, value)))
    return [residue for residue in evidence.residues if residue.path.endswith(f"{1:020d}.json")]


@pytest.mark.parametrize(
    "value",
    [
        *(str(SIZE), str(ROWS), "8001", "true", "dataChange", "snappy", "00000", "aqEH", "4001", "4002", "4003"),
        *("1700000000000", "5005", "false", "6006", "parquet", "struct", "long", "nullable", "7007", "8008"),
        *("WRITE", "Serializable", "9009", "size", "numRecords"),
    ],
)
def test_numbers_and_words_of_the_protocol_are_nobody(value: str, tmp_path: Path) -> None:
    root = logged(tmp_path, {"commitInfo": INFO}, {"metaData": METADATA}, {"add": ADD})
    assert found(root, value) == []


VALUE = "4812"


@pytest.mark.parametrize(
    "action",
    [
        {"add": ADD | {"path": f"country={VALUE}/{ADD['path']}"}},
        {"add": ADD | {"path": f"{VALUE}.parquet"}},
        {"add": ADD | {"path": f"country=%25{ord(VALUE[0]):x}{VALUE[1:]}/{ADD['path']}"}},
        {"add": ADD | {"partitionValues": {"country": VALUE}}},
        {"add": ADD | {"stats": json.dumps({"numRecords": 1, "minValues": {"id": VALUE}})}},
        {"add": ADD | {"stats": json.dumps({"numRecords": 1, "maxValues": {"who": {"id": int(VALUE)}}})}},
        {"add": ADD | {"stats": json.dumps({"numRecords": VALUE})}},
        {"add": ADD | {"stats": f"no JSON {VALUE}"}},
        {"add": ADD | {"stats": json.dumps({"ours": int(VALUE)})}},
        {"add": ADD | {"tags": {"of": VALUE}}},
        {"add": ADD | {"size": VALUE}},
        {"add": ADD | {"new": int(VALUE)}},
        {"remove": {"path": ADD["path"], "partitionValues": {"id": VALUE}, "deletionTimestamp": 1, "dataChange": True}},
        {"metaData": METADATA | {"configuration": {"owner": VALUE}}},
        {"metaData": METADATA | {"configuration": {"delta.constraints.c": f"id <> {VALUE}"}}},
        {"metaData": METADATA | {"description": f"without {VALUE}"}},
        {"metaData": METADATA | {"schemaString": SCHEMA.replace("of all", VALUE)}},
        {"metaData": METADATA | {"schemaString": SCHEMA.replace('"n"', f'"{VALUE}"')}},
        {"commitInfo": INFO | {"operationParameters": {"predicate": f"id = {VALUE}"}}},
        {"commitInfo": INFO | {"operationParameters": {"predicate": json.dumps([{"id": int(VALUE)}])}}},
        {"commitInfo": INFO | {"operationMetrics": {"of the user": VALUE}}},
        {"commitInfo": INFO | {"operationMetrics": {"numFiles": f"for {VALUE}"}}},
        {"commitInfo": INFO | {"operation": f"DELETE {VALUE}"}},
        {"commitInfo": INFO | {"userMetadata": VALUE}},
        {"commitInfo": INFO | {"job": {"jobId": int(VALUE)}}},
        {"txn": {"appId": VALUE, "version": 1}},
        {"domainMetadata": {"domain": "d", "configuration": json.dumps({"of": int(VALUE)}), "removed": False}},
        {"unheard of": {"size": int(VALUE)}},
    ],
    ids=str,
)
def test_whatever_could_be_somebody_is_found(action: dict[str, Any], tmp_path: Path) -> None:
    assert found(logged(tmp_path, {"commitInfo": INFO}, action), VALUE)


@pytest.mark.parametrize(("stored", "value"), [("1234567.50", "1234567.5"), ("7.0", "7.00"), ("-0.25", "-0.2500")])
def test_a_decimal_in_statistics_is_found_however_it_is_spelled(stored: str, value: str, tmp_path: Path) -> None:
    root = logged(tmp_path, {"add": ADD | {"stats": f'{{"minValues":{{"id":{stored}}}}}'}})
    assert found(root, value)
    assert not found(root, value.replace("5", "6").replace("7.", "8."))


@pytest.mark.parametrize("value", [7, 4812, 987654321])
@pytest.mark.parametrize("kind", [pa.int64(), pa.int32(), pa.decimal128(20, 2), pa.string()])
@pytest.mark.parametrize(
    "path", ["stats_parsed.minValues.id", "stats_parsed.maxValues.who.id", "partitionValues_parsed.id"]
)
def test_typed_values_in_a_checkpoint(path: str, kind: Any, value: int, tmp_path: Path) -> None:
    """Spark writes statistics and partition values in the types of their columns beside the JSON."""
    typed = str(value) if kind == pa.string() else value

    def checkpoint(told: Any) -> Any:
        values = pa.array([told], kind)
        for name in reversed(path.split(".")):
            values = pa.StructArray.from_arrays([values], [name])
        size = pa.array([value], pa.int64())
        counts = pa.StructArray.from_arrays([size], ["numRecords"])
        return pa.table(
            {
                "add": pa.StructArray.from_arrays(
                    [*values.flatten(), size, counts], [path.partition(".")[0], "size", "stats_counted"]
                )
            }
        )

    write(tmp_path, pa.table({"id": ["bob"], "n": pa.array([1], pa.int64())}))
    where = tmp_path / "_delta_log" / f"{1:020d}.checkpoint.parquet"
    for told in (typed, None):
        pq.write_table(checkpoint(told), where)
        evidence = VERIFIER.verify(LocalStorage(str(tmp_path)), BY_ID, asked(order(CRM, str(value))), Surroundings("s"))
        assert any(residue.path.endswith(where.name) for residue in evidence.residues) == (told is not None)


def test_a_log_that_is_not_json_is_searched_as_it_is(tmp_path: Path) -> None:
    root = logged(tmp_path, {"add": ADD})
    path = root / "_delta_log" / f"{1:020d}.json"
    path.write_text(path.read_text() + f"\nsize {SIZE}")
    assert found(root, str(SIZE))


LONG = "annegret.the.long-lived.secret.of.everybody@example.com"


@pytest.mark.parametrize(
    ("bound", "told"),
    [
        ({"minValues": {"id": LONG[:32]}}, LONG[:32]),
        ({"maxValues": {"who": {"id": LONG[:31] + chr(ord(LONG[31]) + 1)}}}, LONG[:32]),
        ({"maxValues": {"id": LONG[:32] + "\uffff"}}, LONG[:32]),
        ({"maxValues": {"id": LONG[:15] + chr(ord(LONG[15]) + 1)}}, LONG[:16]),
        ({"minValues": {"id": LONG[:8]}}, None),
        ({"minValues": {"id": LONG[:31] + "x"}}, None),
    ],
    ids=str,
)
def test_a_cut_bound_speaks_unless_a_row_begins_so(bound: dict[str, Any], told: str | None, tmp_path: Path) -> None:
    """Spark keeps 32 characters and puts one behind an upper bound; delta-rs keeps 64 and raises the last."""
    root = logged(tmp_path / "commit", {"add": ADD | {"stats": json.dumps(bound)}})
    assert bool(found(root, LONG)) == (told is not None)
    assert not found(root, LONG.replace("annegret", "anna"))
    write(root, pa.table({"id": [f"{told}-and-on"], "n": pa.array([1], pa.int64())}))
    assert not found(root, LONG)
    checkpoint = tmp_path / "checkpoint"
    write(checkpoint, pa.table({"id": ["bob"], "n": pa.array([1], pa.int64())}))
    path = checkpoint / "_delta_log" / f"{1:020d}.checkpoint.parquet"
    add = {"stats": json.dumps(bound), "stats_parsed": bound}
    for kept, value in add.items():
        pq.write_table(pa.table({"add": [{kept: value}]}), path)
        wanted = asked(order(CRM, LONG))
        evidence = VERIFIER.verify(LocalStorage(str(checkpoint)), BY_ID, wanted, Surroundings("s"))
        assert bool(evidence.residues) == (told is not None), kept
        pq.write_table(pa.table({"id": [f"{told}-and-on"]}), checkpoint / "live.parquet")
        around = Surroundings("s", frozenset({"live.parquet"}))
        assert VERIFIER.verify(LocalStorage(str(checkpoint)), BY_ID, wanted, around).gone
        (checkpoint / "live.parquet").unlink()


def test_an_order_of_short_ids_is_not_kept_from_its_end_by_the_log(tmp_path: Path) -> None:
    """In commits, in their checkpoint, and in what the purge leaves: whole numbers that are ids as well."""
    rows = pa.table({"id": [str(n) for n in range(2000)], "n": pa.array(range(2000), pa.int64())})
    write(tmp_path, rows, rows.slice(0, 1234))
    sizes = {str(path.stat().st_size) for path in tmp_path.glob("*.parquet")}
    wanted = asked(order(CRM, "1234", "766", "2000", "1233", *sizes))
    where = target(tmp_path)
    outcome = engine().forget(where, wanted, engine().find(where, wanted).plan, MARKER)
    assert isinstance(outcome, Forgotten)
    assert engine().purge(where, AT_ONCE, NOW).clean
    evidence = engine().verify(where, wanted)
    assert evidence.gone, evidence.residues
