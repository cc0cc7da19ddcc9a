"""Tables and questions of every kind: what survives is what should, and the statistics stay true."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, WriterProperties, write_deltalake
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from engines.asking import CRM, asked, order
from engines.byte_search import residue, words
from engines.delta.lake import (
    AT_ONCE,
    MARKER,
    NOW,
    adds,
    commit,
    data_files,
    engine,
    hide,
    inline_vector,
    metadata,
    protocol,
    read,
    target,
    write,
)
from engines.drawn import ARROW_ALONE, PART, SIDE_OF_LAKES, Drawn, examples, tables
from lethe.engines.delta.actions import add_of
from lethe.engines.delta.log import read_snapshot
from lethe.engines.interface import Forgotten
from lethe.engines.storage.local import LocalStorage

PEOPLE = ["annegret", "annegret ", "Ännegret", "bobbert", "ü/ %=\"'", "zz" * 40, "日本語の人", "😀😀😀😀"]
INSTANTS = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
FILE = st.lists(st.tuples(st.sampled_from([*PEOPLE, None]), st.integers(-(2**63), 2**63 - 1), INSTANTS), max_size=6)


def table(rows: list[Any], first: int) -> pa.Table:
    ids, numbers, instants = ([row[i] for row in rows] for i in range(3))
    return pa.table(
        {
            "n": pa.array(range(first, first + len(rows)), pa.int64()),
            "id": pa.array(ids, pa.string()),
            "big": pa.array(numbers, pa.int64()),
            "at": pa.array(instants, pa.timestamp("us", "UTC")),
        }
    )


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
@given(
    files=st.lists(FILE, min_size=1, max_size=4),
    wanted=st.sets(st.sampled_from(PEOPLE), min_size=1, max_size=3),
    hidden=st.sets(st.integers(0, 5), max_size=3),
    by_identity=st.booleans(),
)
def test_survivors_statistics_and_absence(
    files: list[Any], wanted: set[str], hidden: set[int], by_identity: bool
) -> None:
    with TemporaryDirectory() as directory:
        root = Path(directory)
        tables = [table(rows, 10 * number) for number, rows in enumerate(files)]
        options = {"partition_by": ["id"]} if by_identity else {}
        write(root, tables[0], **options)
        live = [row for one in tables for row in one.to_pylist()]
        hidden = {position for position in hidden if position < len(files[0])}
        if hidden and not by_identity:
            hide(root, 1, adds(root)[0], inline_vector(*hidden))
            live = [row for row in live if row["n"] not in hidden]
        write(root, *tables[1:], **options)
        question, where = asked(order(CRM, *sorted(wanted))), target(root)
        finding = engine().find(where, question)
        outcome = engine().forget(where, question, finding.plan, MARKER)
        assert isinstance(outcome, Forgotten), outcome
        assert outcome.tally == finding.tally
        assert list(outcome.tally.orders[0].rows_by_identity) == [
            sum(row["id"] == one for row in live) for one in sorted(wanted)
        ]
        assert engine().purge(where, AT_ONCE, NOW).clean
        evidence = engine().verify(where, question)
        assert evidence.gone, evidence.residues
        survivors = [row for row in live if row["id"] not in wanted]
        assert sorted(_rows(root), key=lambda row: row["n"]) == survivors
        _require_true_statistics(root)


CODECS = ["ZSTD", "SNAPPY", "GZIP", "UNCOMPRESSED", "LZ4_RAW", "BROTLI"]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Drawn, dict[str, Any], set[int]]:
    """A table, how it is written, and which rows of its first file a deletion vector hides."""
    partitioned = draw(st.booleans())
    drawn = draw(tables(SIDE_OF_LAKES, [pa.string(), pa.binary()], partitioned=partitioned, field_ids=False))
    options: dict[str, Any] = {"writer_properties": WriterProperties(compression=draw(st.sampled_from(CODECS)))}
    if partitioned:
        options["partition_by"] = [PART]
    if draw(st.booleans()):
        options["configuration"] = {"delta.columnMapping.mode": "name"}
    return drawn, options, draw(st.sets(st.integers(0, 11), max_size=4))


@settings(max_examples=examples(35), suppress_health_check=list(HealthCheck))
@given(cases())
def test_survivors_form_and_absence(case: tuple[Drawn, dict[str, Any], set[int]]) -> None:
    drawn, options, positions = case
    with TemporaryDirectory() as directory:
        root = Path(directory) / "t"
        for data in drawn.files:
            write_deltalake(str(root), data, mode="append", **options)
        rows = {row["seq"]: row for row in read(root)}
        hidden = _hide(root, positions)
        forms, before = _forms(root), _places(root)
        live = {seq: row for seq, row in rows.items() if seq not in hidden}
        survivors = {seq: row for seq, row in live.items() if not drawn.is_named(row)}
        where = target(root, drawn.selector)
        outcome = engine().forget(where, drawn.wanted, engine().find(where, drawn.wanted).plan, MARKER)
        assert isinstance(outcome, Forgotten), outcome
        assert outcome.tally is not None
        assert outcome.tally.rows_matched == len(live) - len(survivors)
        assert engine().purge(where, AT_ONCE, NOW).clean
        evidence = engine().verify(where, drawn.wanted)
        assert evidence.gone, evidence.residues
        assert sorted(read(root), key=lambda row: row["seq"]) == [survivors[seq] for seq in sorted(survivors)]
        assert _forms(root) <= forms
        written_anew = {tuple(seq for seq in seqs if seq in survivors) for seqs in before}
        assert _places(root) <= before | written_anew, "rows keep their order and their neighbours"
        gone = [name for row in rows.values() if drawn.is_named(row) for name in drawn.names(row)]
        alive = [row for row in rows.values() if not drawn.is_named(row)]
        searched = words(gone, alive)
        event(f"{'some' if searched else 'no'} words searched, {'some' if hidden else 'no'} rows hidden before")
        assert residue(root, *searched) == set()


def _hide(root: Path, positions: set[int]) -> set[int]:
    """Hide some rows of the first file that has any; answers their numbers."""
    for add in read_snapshot(LocalStorage(str(root))).files.values():
        seqs = _seqs(root / add.file_path)
        chosen = sorted(position for position in positions if position < len(seqs))
        if chosen:
            version = DeltaTable(str(root)).version()
            commit(root, version + 1, *_with_vectors(root))
            hide(root, version + 2, add.to_json()["add"], inline_vector(*chosen))
            return {seqs[position] for position in chosen}
    return set()


def _with_vectors(root: Path) -> list[dict[str, Any]]:
    return [protocol("deletionVectors", "columnMapping"), metadata(root, delta__enableDeletionVectors="true")]


def _live(root: Path) -> list[Path]:
    return [root / add.file_path for add in read_snapshot(LocalStorage(str(root))).files.values()]


def _places(root: Path) -> set[tuple[int, ...]]:
    return {tuple(_seqs(path)) for path in _live(root)}


def _seqs(path: Path) -> list[int]:
    """The first column is the number, whatever it is called in the file."""
    return pq.ParquetFile(path).read().column(0).to_pylist()


def _forms(root: Path) -> set[str]:
    """Schema (but for the name of its root, which says nothing) and metadata of every live file, and its codecs."""
    found = set()
    for path in _live(root):
        told = pq.read_metadata(path)
        groups = [told.row_group(n) for n in range(told.num_row_groups)]
        codecs = {group.column(n).compression for group in groups for n in range(told.num_columns)}
        schema = str(told.schema).split("\n", 2)[2]
        if ARROW_ALONE:
            schema = schema.replace("repeated group field_id=-1 entries {", "repeated group field_id=-1 key_value {")
        found.add(f"{schema}{told.metadata}{sorted(codecs)}")
    return found


def _rows(root: Path) -> list[dict[str, Any]]:
    """By a plain walk over the newest version."""
    from lethe.engines.delta.deletion_vectors import hidden_rows

    storage, rows = LocalStorage(str(root)), []
    for add in read_snapshot(storage).files.values():
        hidden = set(hidden_rows(storage, add.deletion_vector).tolist())
        found = pq.ParquetFile(root / add.file_path).read().to_pylist()
        rows += [
            {"n": row["n"], "id": row.get("id", add.partition_values.get("id")), "big": row["big"], "at": row["at"]}
            for position, row in enumerate(found)
            if position not in hidden
        ]
    return rows


def _require_true_statistics(root: Path) -> None:
    """Every bound holds for every row of its file, and no file is there that the table does not name."""
    live = read_snapshot(LocalStorage(str(root))).files.values()
    assert sorted(add.file_path for add in live) == data_files(root)
    for add in live:
        stats = json.loads(add_of(add.to_json()["add"]).stats or "{}")
        rows = pq.ParquetFile(root / add.file_path).read()
        assert stats["numRecords"] == rows.num_rows
        for name, nulls in stats["nullCount"].items():
            assert rows[name].null_count == nulls or add.deletion_vector is not None
        for name, low in stats["minValues"].items():
            assert all(_comparable(value, 0) >= _comparable(low, 0) for value in rows[name].drop_null().to_pylist())
        for name, high in stats["maxValues"].items():
            assert all(_comparable(value, 0) <= _comparable(high, 1) for value in rows[name].drop_null().to_pylist())


def _comparable(value: Any, round_up_ms: int) -> Any:
    """Instants of the log are texts; deltalake cuts an upper bound to the millisecond, and readers add one."""
    if isinstance(value, str) and value[4:5] == "-" and "T" in value:
        return datetime.fromisoformat(value) + timedelta(milliseconds=round_up_ms)
    return value.encode() if isinstance(value, str) else value
