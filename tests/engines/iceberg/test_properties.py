"""Tables of many types, partitions, codecs and earlier deletes: who survives is who should, and no byte of the rest."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pyiceberg.io.pyarrow import schema_to_pyarrow

from engines.byte_search import residue, words
from engines.drawn import PART, SIDE_OF_LAKES, Drawn, examples, tables
from engines.iceberg.deletes_by_hand import data_files, equality_delete, live_rows, position_delete
from engines.iceberg.lake import IDENTIFIER, Lake, catalog_in

CODECS = ["zstd", "snappy", "gzip", "uncompressed", "lz4", "brotli"]


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    partitioned = draw(st.booleans())
    drawn = draw(tables(SIDE_OF_LAKES, [pa.string(), pa.binary()], "wer", partitioned=partitioned, field_ids=False))
    return {
        "drawn": drawn,
        "partitioned": partitioned,
        "codec": draw(st.sampled_from(CODECS)),
        "version": draw(st.sampled_from(["1", "2", "2"])),
        "positions": draw(st.sets(st.integers(0, 11), max_size=4)),
        "equal": draw(st.sets(st.integers(0, 35), max_size=2)),
    }


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(cases())
def test_survivors_form_and_absence(case: dict[str, Any]) -> None:
    drawn: Drawn = case["drawn"]
    with TemporaryDirectory() as directory:
        made = _made(Path(directory), case)
        rows = {row["seq"]: row for row in made.table.scan().to_arrow().to_pylist()}
        hidden = _hide(made, case, rows)
        forms, before = _forms(made), _files_of(made)
        live = {seq: row for seq, row in rows.items() if seq not in hidden}
        survivors = {seq: row for seq, row in live.items() if not drawn.is_named(row)}
        outcome = made.erase(drawn.wanted)
        assert outcome.tally is not None
        assert outcome.tally.rows_matched == len(live) - len(survivors)
        assert live_rows(made) == [survivors[seq] for seq in sorted(survivors)]
        assert _forms(made) <= forms
        untouched = {tuple(seqs) for seqs in before.values()}
        written_anew = {tuple(seq for seq in seqs if seq in survivors) for seqs in untouched}
        after = {tuple(seqs) for seqs in _files_of(made).values()}
        assert after <= untouched | written_anew, "rows keep their order and their neighbours"
        gone = [name for row in rows.values() if drawn.is_named(row) for name in drawn.names(row)]
        alive = [row for seq, row in rows.items() if seq in survivors or not drawn.is_named(row)]
        searched = words(gone, alive)
        event(f"{'some' if searched else 'no'} words searched")
        event(f"{'some' if hidden else 'no'} rows hidden before")
        assert residue(made.location, *searched) == set()


def _made(directory: Path, case: dict[str, Any]) -> Lake:
    drawn: Drawn = case["drawn"]
    catalog = catalog_in(directory)
    properties = {"format-version": case["version"], "write.parquet.compression-codec": case["codec"]}
    table = catalog.create_table(IDENTIFIER, drawn.files[0].schema, properties=properties)
    if case["partitioned"]:
        with table.update_spec() as update:
            update.add_identity(PART)
    made = Lake(directory, catalog, selector=drawn.selector)
    for data in drawn.files:
        if data.num_rows:
            made.append(data)
    return made


def _hide(made: Lake, case: dict[str, Any], rows: dict[int, Any]) -> set[int]:
    """Deletes that others made before: by position in one file, and where there are no partitions by equality."""
    tasks = sorted(made.table.scan().plan_files(), key=lambda task: task.file.file_path)
    if case["version"] == "1" or not tasks:
        return set()
    seqs = _seqs(tasks[0].file.file_path)
    positions = sorted(position for position in case["positions"] if position < len(seqs))
    if positions:
        partition = [tasks[0].file.partition[0]] if case["partitioned"] else []
        position_delete(made, [(tasks[0].file.file_path, n) for n in positions], partition=partition)
    equal = sorted(case["equal"] & rows.keys()) if not case["partitioned"] else []
    if equal:
        field = schema_to_pyarrow(made.table.schema()).field("seq")
        equality_delete(made, pa.table([pa.array(equal, pa.int64())], schema=pa.schema([field])), [1])
    return {seqs[position] for position in positions} | set(equal)


def _files_of(made: Lake) -> dict[str, list[int]]:
    return {path: _seqs(path) for path in data_files(made)}


def _seqs(location: str) -> list[int]:
    return pq.ParquetFile(location.removeprefix("file://")).read(["seq"])["seq"].to_pylist()


def _forms(made: Lake) -> set[str]:
    """Schema (but for the name of its root, which says nothing) and metadata of every live file, and its codecs."""
    found = set()
    for path in data_files(made):
        metadata = pq.read_metadata(path.removeprefix("file://"))
        groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
        codecs = {group.column(n).compression for group in groups for n in range(metadata.num_columns)}
        found.add(f"{str(metadata.schema).split(chr(10), 2)[2]}{metadata.metadata}{codecs}")
    return found
