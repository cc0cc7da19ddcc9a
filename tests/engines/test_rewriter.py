"""One file, minus rows, otherwise the same."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, asked, order
from engines.tables import WIDE, wide
from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import TableRefused
from lethe.engines.matching import compile_matcher
from lethe.engines.rewrite.gate import GateClosed, require_same_form
from lethe.engines.rewrite.interface import RewriteRefused
from lethe.engines.rewrite.judges import HiddenRowsJudge, MatchJudge
from lethe.engines.rewrite.pages.footer import ending, read_footer, with_groups
from lethe.engines.rewrite.pages.thrift import I32, LIST, STRUCT, Field, Items
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter
from lethe.engines.rewrite.scan import scan

PEOPLE = ["ann", "bob", None, "ann", "cy", "Ann", "dee", "ann ", "bob", "eve"] * 3


def written(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"row_group_size": 10, "store_decimal_as_integer": True} | options)
    return sink.getvalue()


def judge(*ids: str, path: tuple[str, ...] = ("id",)) -> MatchJudge:
    return MatchJudge(compile_matcher(PrimaryIdentity(path, "CRM"), asked(order(CRM, *ids))))


def rewritten(data: bytes, by: Any) -> bytes:
    sink = io.BytesIO()
    outcome = PyarrowRewriter().rewrite(pa.BufferReader(data), sink, by)
    result = sink.getvalue()
    require_same_form(pq.read_metadata(io.BytesIO(data)), pq.read_metadata(io.BytesIO(result)), outcome)
    return result


LAYOUTS: dict[str, dict[str, Any]] = {
    "snappy": {},
    "zstd per column": {"compression": {"id": "ZSTD", "seq": "GZIP", "real": "BROTLI", "raw": "LZ4"}},
    "uncompressed": {"compression": "NONE"},
    "pages v2": {"data_page_version": "2.0"},
    "no dictionary": {"use_dictionary": False},
    "some dictionary": {"use_dictionary": ["id", "who.e.mail"]},
    "delta": {"use_dictionary": False, "column_encoding": {"seq": "DELTA_BINARY_PACKED", "id": "DELTA_BYTE_ARRAY"}},
    "split": {"use_dictionary": False, "use_byte_stream_split": ["real"]},
    "page index": {"write_page_index": True},
    "bloom": {"bloom_filter_options": {"id": {"ndv": 5000, "fpp": 0.01}, "seq": True}},
    "no statistics": {"write_statistics": False},
    "some statistics": {"write_statistics": ["id"]},
    "sorted": {"sorting_columns": [pq.SortingColumn(1)]},
    "utc times": {"write_time_adjusted_to_utc": True},
    "decimals in bytes": {"store_decimal_as_integer": False},
    "no arrow schema": {"store_schema": False},
    "item": {
        "use_compliant_nested_type": True,
        "version": "2.4",
        "coerce_timestamps": "us",
        "allow_truncated_timestamps": True,
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_other_rows_and_the_form_stay(layout: str) -> None:
    data = written(wide(PEOPLE), **LAYOUTS[layout])
    result = rewritten(data, judge("ann", "eve"))
    before = pq.read_table(io.BytesIO(data))
    keep = [n for n, person in enumerate(PEOPLE) if person not in {"ann", "eve"}]
    after = pq.read_table(io.BytesIO(result))
    assert after.column("seq").to_pylist() == keep
    assert after.schema.equals(before.schema, check_metadata=True)
    assert str(after.to_pylist()) == str(before.take(keep).to_pylist())
    old, new = pq.read_metadata(io.BytesIO(data)), pq.read_metadata(io.BytesIO(result))
    assert [new.row_group(i).num_rows for i in range(3)] == [7, 7, 7]
    for i in range(old.num_columns):
        a, b = old.row_group(0).column(i), new.row_group(0).column(i)
        assert (set(a.encodings), a.is_stats_set) == (set(b.encodings), b.is_stats_set), a.path_in_schema
        assert a.bloom_filter_length == b.bloom_filter_length
    assert old.metadata == new.metadata


def test_views_are_filtered() -> None:
    """As delta-rs writes text. Arrow has no filter for them."""
    names = pa.array(PEOPLE, pa.string())
    table = pa.table({"id": names, "view": names.cast(pa.string_view()), "raw": names.cast(pa.binary_view())})
    left = pq.read_table(io.BytesIO(rewritten(written(table), judge("bob"))))
    keep = [person for person in PEOPLE if person != "bob"]
    assert left["view"].to_pylist() == left["id"].to_pylist() == keep
    assert left["raw"].to_pylist() == [person and person.encode() for person in keep]


def test_int96_stays_int96() -> None:
    only = ["id", "seq", "local", "instant", "millis", "tags"]
    data = written(wide(PEOPLE).select(only), use_deprecated_int96_timestamps=True)
    result = rewritten(data, judge("bob"))
    assert pq.read_metadata(io.BytesIO(result)).schema.column(2).physical_type == "INT96"
    keep = [n for n, person in enumerate(PEOPLE) if person != "bob"]
    assert pq.read_table(io.BytesIO(result)).equals(pq.read_table(io.BytesIO(data)).take(keep))


def test_int96_beyond_nanoseconds_is_refused() -> None:
    table = pa.table({"id": ["a", "b"], "at": pa.array([0, 400 * 365 * 86_400], pa.timestamp("s"))})
    data = written(table, use_deprecated_int96_timestamps=True)
    with pytest.raises(RewriteRefused, match="INT96"):
        rewritten(data, judge("a"))


def test_dictionaries_are_built_anew() -> None:
    table = pa.table({"id": pa.array(["ann", "bob", "cy"]).dictionary_encode(), "x": ["ann", "bob", "ann"]})
    table = table.append_column("s", pa.StructArray.from_arrays([table["id"].combine_chunks()], ["d"]))
    data = written(table, compression="NONE")
    result = rewritten(data, judge("bob"))
    assert b"bob" in data
    assert b"bob" not in result
    assert pq.read_table(io.BytesIO(result)).to_pylist() == [table.to_pylist()[n] for n in (0, 2)]


def test_row_groups_that_become_empty_go_and_a_file_may_become_empty() -> None:
    table = wide(["ann"] * 10 + ["bob"] * 5)
    assert pq.read_metadata(io.BytesIO(rewritten(written(table), judge("ann")))).num_row_groups == 1
    empty = rewritten(written(table), judge("ann", "bob"))
    assert pq.read_table(io.BytesIO(empty)).num_rows == 0
    as_written = pq.read_schema(io.BytesIO(written(table)))
    assert pq.read_schema(io.BytesIO(empty)).equals(as_written, check_metadata=True)


def test_rows_hidden_before_stay_out_and_count_for_nobody() -> None:
    data = written(wide(PEOPLE))
    hiding = HiddenRowsJudge(judge("bob").matcher, pa.array([1, 2, 12, 29]).to_numpy())
    found = scan(pa.BufferReader(data), hiding)
    assert (found.rows, found.rows_matched, found.rows_live, found.rows_left_out) == (30, 5, 26, 9)
    result = rewritten(data, hiding)
    keep = [n for n, p in enumerate(PEOPLE) if p != "bob" and n not in {1, 2, 12, 29}]
    assert pq.read_table(io.BytesIO(result)).column("seq").to_pylist() == keep


def test_a_pathological_path_is_found() -> None:
    data = written(wide(PEOPLE))
    by = judge("cy", path=("who", "e.mail"))
    mail = [r["who"] and r["who"]["e.mail"] for r in pq.read_table(io.BytesIO(data)).to_pylist()]
    result = pq.read_table(io.BytesIO(rewritten(data, by)))
    assert result.column("seq").to_pylist() == [n for n, m in enumerate(mail) if m != "cy"]


def test_a_column_that_is_missing_matches_nothing() -> None:
    found = scan(pa.BufferReader(written(wide(PEOPLE))), judge("ann", path=("nowhere", "x")))
    assert (found.rows, found.rows_matched) == (30, 0)


@pytest.mark.parametrize("ids", [["aaa"], ["zzz"], ["ann!"]])
def test_bounds_spare_the_reading(ids: list[str]) -> None:
    data = written(pa.table({"id": sorted(f"ann{n}" for n in range(50))}), row_group_size=10)
    by = judge(*ids)
    metadata = pq.read_metadata(io.BytesIO(data))
    assert all(by.can_skip(metadata.row_group(i), pa.schema([("id", pa.string())])) for i in range(5))
    one = judge("ann30")
    assert [one.can_skip(metadata.row_group(i), pa.schema([("id", pa.string())])) for i in range(5)].count(False) == 1


def test_encrypted_files_are_refused() -> None:
    pe = pytest.importorskip("pyarrow.parquet.encryption")

    class Kms(pe.KmsClient):
        def __init__(self, _configuration: object) -> None:
            super().__init__()

        def wrap_key(self, key_bytes: bytes, _master: str) -> bytes:
            return key_bytes.hex().encode()

        def unwrap_key(self, wrapped: bytes, _master: str) -> bytes:
            return bytes.fromhex(wrapped.decode())

    for plaintext in (False, True):
        factory = pe.CryptoFactory(Kms)
        how = pe.EncryptionConfiguration(footer_key="f", column_keys={"c": ["id"]}, plaintext_footer=plaintext)
        properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), how)
        data = written(pa.table({"id": ["a"], "x": [1]}), encryption_properties=properties)
        with pytest.raises(RewriteRefused, match="encrypted"):
            scan(pa.BufferReader(data), judge("a"))


def test_names_inside_lists_stay_and_those_of_map_groups_do_not_count() -> None:
    """deltalake calls the elements `item` and a map's group `entries`."""
    lists = pa.table({"id": ["a", "b"], "l": [[1], [2]]})
    result = rewritten(written(lists, store_schema=False).replace(b"element", b"elemenX"), judge("a"))
    assert "elemenX" in str(pq.read_metadata(io.BytesIO(result)).schema)
    maps = pa.table({"id": ["a", "b"], "m": pa.array([[("x", 1)], [("y", 2)]], pa.map_(pa.string(), pa.int8()))})
    source = written(maps, store_schema=False, compression="GZIP").replace(b"key_value", b"entries_x")
    result = rewritten(source, judge("a"))
    assert pq.read_table(io.BytesIO(result))["m"].to_pylist() == [[("y", 2)]]


def test_what_cannot_be_written_back_is_refused() -> None:
    with pytest.raises(TableRefused):
        scan(pa.BufferReader(b"PAR1 nothing PAR1"), judge("a"))


def test_an_encoding_that_the_type_of_a_column_does_not_have_is_refused() -> None:
    """One byte of a footer, broken: Arrow reads the pages as they are, and could not write such ones."""
    table = pa.table({"seq": range(9), "id": ["ann"] * 9})
    data = written(table, use_dictionary=False, column_encoding={"seq": "DELTA_BINARY_PACKED"})
    footer = read_footer(pa.BufferReader(data))
    chunk = footer.groups[0].chunks[0].raw
    meta = chunk.struct(3)
    claimed = Field(LIST, Items(I32, tuple({5: 7}.get(number, number) for number in meta.items(2, I32))))
    lying = chunk.having({3: Field(STRUCT, meta.having({2: claimed}))})
    group = footer.groups[0].raw
    group = group.having({1: Field(LIST, Items(STRUCT, (lying, footer.groups[0].chunks[1].raw)))})
    broken = data[: footer.start] + ending(with_groups(footer.raw, (group,), 9))
    assert pq.read_table(io.BytesIO(broken)).equals(table)
    with pytest.raises(RewriteRefused, match="seq is said to be in an encoding"):
        PyarrowRewriter().rewrite(pa.BufferReader(broken), io.BytesIO(), judge("bob"))


def test_the_gate_sees_each_difference() -> None:
    table = wide(PEOPLE)
    good = PyarrowRewriter().rewrite(pa.BufferReader(written(table)), io.BytesIO(), judge("nobody"))
    source = pq.read_metadata(io.BytesIO(written(table)))

    def against(changed: pa.Table, **options: Any) -> None:
        require_same_form(source, pq.read_metadata(io.BytesIO(written(changed, **options))), good)

    against(table)
    for changed, options in [
        (table.slice(1), {}),
        (table, {"row_group_size": 9}),
        (table, {"compression": {"id": "ZSTD"}}),
        (table, {"use_dictionary": ["id"]}),
        (table, {"write_page_index": True}),
        (table, {"bloom_filter_options": {"id": True}}),
        (table, {"sorting_columns": [pq.SortingColumn(1)]}),
        (table, {"store_decimal_as_integer": False}),
        (table.replace_schema_metadata({}), {}),
        (table.rename_columns([f.name + "x" for f in WIDE]), {}),
        (table.cast(pa.schema([f.with_metadata({b"PARQUET:field_id": b"99"}) for f in WIDE], WIDE.metadata)), {}),
        (table.cast(pa.schema([f.with_nullable(True) for f in WIDE], WIDE.metadata)), {}),
    ]:
        with pytest.raises(GateClosed):
            against(changed, **options)


def test_a_column_gets_its_page_index_with_pages_that_all_have_bounds() -> None:
    """Arrow writes none where all values of a page are NaN, and one when these rows are gone; the gate stays open."""
    rows = 4_000
    table = pa.table(
        {
            "id": pa.array(["ann"] * (rows // 2) + ["bob"] * (rows // 2)),
            "x": pa.array([float("nan")] * (rows // 2) + [1.0] * (rows // 2)),
        }
    )
    data = written(table, write_page_index=True, data_page_size=1_024, use_dictionary=False, write_batch_size=64)
    result = io.BytesIO()
    rewritten = PyarrowRewriter().rewrite(pa.BufferReader(data), result, judge("ann"))
    before, after = pq.read_metadata(io.BytesIO(data)), pq.read_metadata(io.BytesIO(result.getvalue()))
    indexed = [[of.row_group(0).column(at).has_column_index for at in range(2)] for of in (before, after)]
    assert indexed == [[True, False], [True, True]]
    require_same_form(before, after, rewritten)
    assert pq.read_table(io.BytesIO(result.getvalue()))["id"].to_pylist() == ["bob"] * (rows // 2)
