"""Cutting pages against rewriting through Arrow; and what only cutting can promise: that other bytes stay."""

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, asked, order
from engines.plugs import PLUGS
from engines.tables import wide
from engines.test_rewriter import LAYOUTS, PEOPLE, judge, written
from lethe.domain.plan import FileAction
from lethe.engines.interface import Forgotten, Marker, TableRefused
from lethe.engines.rewrite import choice
from lethe.engines.rewrite.choice import best_rewriter, method_of, retold
from lethe.engines.rewrite.gate import require_same_form
from lethe.engines.rewrite.interface import Rewritten
from lethe.engines.rewrite.pages import page
from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.footer import OldFile, read_at, read_footer
from lethe.engines.rewrite.pages.page import pages
from lethe.engines.rewrite.pages.page_rewriter import PageRewriter
from lethe.engines.rewrite.pages.thrift import BINARY, I32, I64, STRUCT, Field, Struct, write_struct
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter
from lethe.engines.rewrite.scan import scan
from lethe.engines.storage.local import LocalStorage


def cut(data: bytes, by: Any) -> tuple[bytes, Rewritten]:
    sink = io.BytesIO()
    outcome = PageRewriter().rewrite(pa.BufferReader(data), sink, by)
    require_same_form(pq.read_metadata(io.BytesIO(data)), pq.read_metadata(sink), outcome)
    return sink.getvalue(), outcome


def through_arrow(data: bytes, by: Any) -> tuple[bytes, Rewritten]:
    sink = io.BytesIO()
    outcome = PyarrowRewriter().rewrite(pa.BufferReader(data), sink, by)
    return sink.getvalue(), outcome


def statistics(data: bytes) -> list[Any]:
    metadata = pq.read_metadata(io.BytesIO(data))
    chunks = [metadata.row_group(g).column(c) for g in range(metadata.num_row_groups) for c in range(13)]
    found = [(c.path_in_schema, c.num_values, c.statistics) for c in chunks]
    return [(path, n, s and (s.null_count, s.has_min_max and (s.min, s.max))) for path, n, s in found]


def old_file(data: bytes) -> OldFile:
    source = pa.BufferReader(data)
    return OldFile(source, read_footer(source))


def page_bytes(data: bytes) -> set[bytes]:
    """Every page as it stands in the file."""
    old = old_file(data)
    chunks = [(chunk, bytes(old.read(chunk.span))) for group in old.footer.groups for chunk in group.chunks]
    return {raw[p.start : p.start + p.size] for c, raw in chunks for p in pages(c, memoryview(raw))}


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["NONE", "snappy", "zstd"])
@pytest.mark.parametrize("first", [0, 100])
def test_pages_that_were_opened_for_the_judge_are_not_opened_again(
    version: str, codec: str, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as no row group keeps all of its rows; the others wait for all to be judged. The result is the same."""
    ids = [f"p{row % 50:03}" if row >= first else "nobody" for row in range(400)]
    table = pa.table({"id": ids}, schema=pa.schema([pa.field("id", pa.string(), nullable=False)]))
    sink = io.BytesIO()
    pq.write_table(
        table, sink, row_group_size=100, data_page_size=1, write_batch_size=20, use_dictionary=False,
        data_page_version=version, compression=codec,
    )  # fmt: skip
    sizes: list[int] = []
    true = page.decompressed

    def counted(body: Any, codec: int, size: int) -> Any:
        sizes.append(size)
        return true(body, codec, size)

    monkeypatch.setattr(page, "decompressed", counted)
    result, outcome = cut(sink.getvalue(), judge("p003", "p030"))
    assert pq.read_table(io.BytesIO(result))["id"].to_pylist() == [who for who in ids if who not in {"p003", "p030"}]
    assert outcome.counts.rows == ids.count("p003") + ids.count("p030")
    judged_pages, cut_pages = (20, 0) if not first else (15, 12)
    is_stored = codec == "NONE" and version == "2.0"
    assert len(sizes) == (0 if is_stored else judged_pages + cut_pages)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_as_through_arrow(layout: str, small: bool) -> None:
    options = LAYOUTS[layout] | ({"data_page_size": 1, "write_batch_size": 3} if small else {})
    data = written(wide(PEOPLE), **options)
    for ids in (["ann", "eve"], ["ann", "bob", "cy", "Ann", "dee", "ann ", "eve"]):
        result, outcome = cut(data, judge(*ids))
        expected, reference = through_arrow(data, judge(*ids))
        assert outcome.rows_by_group == reference.rows_by_group
        assert outcome.counts.rows == reference.counts.rows
        assert not outcome.fell_back
        after, by_arrow = pq.read_table(io.BytesIO(result)), pq.read_table(io.BytesIO(expected))
        assert after.schema.equals(by_arrow.schema, check_metadata=True)
        assert str(after.to_pylist()) == str(by_arrow.to_pylist())
        assert statistics(result) == statistics(expected)


def test_pages_without_such_a_row_stay_byte_for_byte() -> None:
    people = [f"p{n}" for n in range(1000)]
    data = written(wide(people), row_group_size=500, data_page_size=1, write_batch_size=50, use_dictionary=False)
    result, _ = cut(data, judge("p120"))
    before, after = page_bytes(data), page_bytes(result)
    columns = pq.read_metadata(io.BytesIO(data)).num_columns
    assert len(before - after) <= columns
    assert len(after - before) <= columns
    assert len(before & after) > 10 * columns


def test_row_groups_without_such_a_row_are_one_range() -> None:
    people = ["ann"] + [f"p{n}" for n in range(99)]
    data = written(wide(people), row_group_size=25, compression="NONE", use_dictionary=False)
    old = old_file(data)
    result, _ = cut(data, judge("ann"))
    for group in old.footer.groups[1:]:
        first, last = group.chunks[0].span, group.chunks[-1].span
        assert data[first.start : last.end] in result


def test_ranges_are_copied_by_the_kernel_where_both_files_are_local(tmp_path: Path) -> None:
    data = written(wide([f"p{n}" for n in range(100)]), row_group_size=25)
    (tmp_path / "a.parquet").write_bytes(data)
    storage = LocalStorage(str(tmp_path))
    with storage.open("a.parquet") as source, storage.create("b.parquet") as sink:
        PageRewriter().rewrite(source, sink, judge("p60"))
    assert (tmp_path / "b.parquet").read_bytes() == cut(data, judge("p60"))[0]


def test_what_nobody_understands_stays() -> None:
    """Fields of a later format, in the footer, a row group and a chunk."""
    data = written(wide(PEOPLE))
    old = old_file(data).footer
    strange = {77: Field(BINARY, b"of a later format"), 78: Field(STRUCT, Struct({5: Field(I64, -9)}))}
    groups = old.raw.get(4)
    chunks = [g.get(1)._replace(values=tuple(c.having(strange) for c in g.get(1).values)) for g in groups.values]
    raws = [g.having({1: Field(g.fields[1].kind, of), **strange}) for g, of in zip(groups.values, chunks, strict=True)]
    footer = old.raw.having({4: Field(old.raw.fields[4].kind, groups._replace(values=tuple(raws))), **strange})
    tail = write_struct(footer)
    result, _ = cut(data[: old.start] + tail + len(tail).to_bytes(4, "little") + b"PAR1", judge("ann"))
    new = old_file(result).footer
    for where in (new.raw, *(g.raw for g in new.groups), *(c.raw for g in new.groups for c in g.chunks)):
        assert {n: where.fields[n] for n in strange} == strange
    assert new.raw.get(6) == old.raw.get(6)


def test_nothing_of_the_row_is_left_in_any_form() -> None:
    secret = "user-annegret@example.com"
    people = [secret if n == 500 else f"user-{n % 90:02}@example.com" for n in range(1000)]
    for options in (
        {"compression": "NONE", "write_page_index": True, "bloom_filter_options": {"id": {"ndv": 100}}},
        {"compression": "NONE", "data_page_version": "2.0", "data_page_size": 1, "write_batch_size": 100},
        {"compression": "NONE", "use_dictionary": False, "write_page_index": True},
    ):
        data = written(pa.table({"id": people, "again": people}), row_group_size=400, **options)
        result, _ = cut(data, judge(secret))
        assert secret.encode() in data
        assert secret.encode() not in result
        assert pq.read_table(io.BytesIO(result))["id"].to_pylist() == [p for p in people if p != secret]


def test_a_dictionary_that_every_row_group_repeats_is_cleared() -> None:
    """Arrow writes the dictionary of a categorical column whole into every row group."""
    table = pa.table({"id": pa.array(["ann", "bob", "cy", "bob"]).dictionary_encode(), "x": [1, 2, 3, 4]})
    data = written(table, row_group_size=2, compression="NONE")
    assert data.count(b"ann") > 1
    result, _ = cut(data, judge("ann"))
    assert b"ann" not in result
    assert pq.read_table(io.BytesIO(result))["x"].to_pylist() == [2, 3, 4]


def test_blank_entries_keep_the_numbers_of_the_others_for_who_reads_dictionaries() -> None:
    """Arrow reads a categorical column's dictionary into one of its own, in which no two entries are alike."""
    people = ["ann", "", "bob", "cy", "\x01", "dee", "eve"] * 3
    table = pa.table({"id": pa.array(people).dictionary_encode(), "x": range(len(people))})
    result, _ = cut(written(table, row_group_size=30), judge("ann", "bob", "cy", "dee"))
    assert pq.read_table(io.BytesIO(result))["id"].to_pylist() == ["", "\x01", "eve"] * 3
    plain = pq.ParquetFile(io.BytesIO(result), read_dictionary=["id"]).read()
    assert plain["id"].to_pylist() == ["", "\x01", "eve"] * 3


def test_a_row_group_that_is_not_cut_goes_through_arrow_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    people = ["ann", "bob"] * 4 + ["ann", "cy"] + ["dee"] * 4
    table = pa.table({"id": people, "x": [{"y": n} for n in range(len(people))]})
    data = written(table, row_group_size=8)
    monkeypatch.setattr(page, "VALUES_MAX", 7)
    result, outcome = cut(data, judge("ann"))
    assert outcome.fell_back == {0: "a page of too many values"}
    monkeypatch.undo()
    keep = [n for n, person in enumerate(table["id"].to_pylist()) if person != "ann"]
    after, before = pq.read_table(io.BytesIO(result)), pq.read_table(io.BytesIO(data))
    assert after.schema.equals(before.schema, check_metadata=True)
    assert str(after.to_pylist()) == str(before.take(keep).to_pylist())


def test_a_page_that_is_not_what_its_checksum_says_is_refused() -> None:
    data = bytearray(written(wide(PEOPLE), write_page_checksum=True, compression="NONE", use_dictionary=False))
    old = old_file(bytes(data))
    chunk = next(c for c in old.footer.groups[0].chunks if c.leaf.name == "seq")
    data[chunk.span.end - 1] ^= 1
    with pytest.raises(Damaged, match="checksum"):
        cut(bytes(data), judge("ann"))


@pytest.mark.parametrize(
    "change",
    [
        {4: Field(I32, 9)},  # a codec
        {5: Field(I64, -1)},  # values
        {7: Field(I64, 1 << 40)},  # bytes
        {1: Field(I32, 5)},  # a type
        {12: Field(STRUCT, Struct({5: Field(BINARY, b"x")}))},  # a bound
    ],
)
def test_footers_that_contradict_themselves_are_refused_before_arrow_reads_them(change: dict[int, Field]) -> None:
    data = written(pa.table({"seq": [1, 2], "id": ["ann", "bob"]}))
    old = old_file(data).footer
    group, listed = old.groups[0].raw, old.groups[0].raw.get(1)
    broken = listed.values[0].having({3: Field(STRUCT, listed.values[0].struct(3).having(change))})
    group = group.having({1: Field(group.fields[1].kind, listed._replace(values=(broken, *listed.values[1:])))})
    raw = old.raw.having({4: Field(old.raw.fields[4].kind, old.raw.get(4)._replace(values=(group,)))})
    tail = write_struct(raw)
    broken_file = data[: old.start] + tail + len(tail).to_bytes(4, "little") + b"PAR1"
    for rewriter in (PageRewriter(), PyarrowRewriter()):
        with pytest.raises(TableRefused):
            rewriter.rewrite(pa.BufferReader(broken_file), io.BytesIO(), judge("ann"))


@pytest.mark.parametrize("kind", [3, 101, -1])
def test_a_schema_with_an_unknown_repetition_is_refused_before_arrow_reads_it(kind: int) -> None:
    data = written(pa.table({"id": ["ann", "bob"], "x": [[1], [2]]}))
    old = old_file(data).footer
    elements = old.raw.get(2)
    broken = [each.having({3: Field(I32, kind)}) if each.get(4) == b"x" else each for each in elements.values]
    raw = old.raw.having({2: Field(old.raw.fields[2].kind, elements._replace(values=tuple(broken)))})
    tail = write_struct(raw)
    broken_file = data[: old.start] + tail + len(tail).to_bytes(4, "little") + b"PAR1"
    for rewriter in (PageRewriter(), PyarrowRewriter()):
        with pytest.raises(TableRefused):
            rewriter.rewrite(pa.BufferReader(broken_file), io.BytesIO(), judge("ann"))


def test_a_file_that_ends_anywhere_is_refused() -> None:
    data = written(pa.table({"id": ["ann", "bob"]}))
    for length in range(0, len(data), 7):
        with pytest.raises(TableRefused):
            cut(data[:length], judge("ann"))


def test_the_plan_can_say_how() -> None:
    data = written(wide(PEOPLE))
    assert isinstance(best_rewriter(), PageRewriter)
    assert method_of(read_footer(pa.BufferReader(data)), [0]) == "pages are cut"


def test_the_plan_says_how_many_row_groups_are_not_cut_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that lose rows; one that goes whole, or stays, is not written."""
    data = written(pa.table({"id": ["ann", "bob"] * 6 + ["ann", "ann", "bob", "bob"]}), row_group_size=2)
    monkeypatch.setattr(
        choice, "reasons_against_cutting", lambda _: {0: "B", 1: "A", 2: "A", 4: "A", 6: "all go", 7: "all stay"}
    )
    assert scan(pa.BufferReader(data), judge("ann")).method == (
        "pages are cut, but Arrow writes 4 of 6 row groups anew: A (3), B (1)"
    )


def test_a_reason_is_told_again_when_it_came_otherwise() -> None:
    assert retold("some rows match; pages are cut", {}) == "some rows match; pages are cut"
    planned = "some rows match; pages are cut, but Arrow writes 1 of 9 row groups anew: A (1)"
    for reason in ("some rows match", planned):
        assert retold(reason, {7: "A", 2: "B", 3: "A"}) == (
            "some rows match; pages are cut, but Arrow wrote 3 row groups anew: A (2), B (1)"
        )


@pytest.mark.parametrize("name", ["parquet", "parquet objects", "delta", "iceberg v1", "iceberg v2"])
def test_the_outcome_says_what_was_not_cut(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug = next(plug for plug in PLUGS if plug.name == name)
    files = [pa.table({"id": ["ann", "bob", None]}), pa.table({"id": ["ann", "ann"]}), pa.table({"id": ["cy"]})]
    table = plug.make(tmp_path, files, files[0].schema, ())
    monkeypatch.setattr(page, "VALUES_MAX", 1)
    outcome, evidence = table.erase(asked(order(CRM, "ann")))
    assert evidence.gone
    told = [file.reason for file in outcome.plan.files if file.action is FileAction.REWRITE]
    assert len(told) == 1
    assert told[0].endswith("; pages are cut, but Arrow wrote 1 row group anew: a page of too many values (1)")
    again = table.engine.forget(table.target(), asked(order(CRM, "ann")), outcome.plan, Marker("bundle-1/forget"))
    assert isinstance(again, Forgotten)


def test_a_footer_is_read_at_its_place() -> None:
    data = written(wide(PEOPLE))
    old = old_file(data)
    assert bytes(read_at(old.source, old.footer.groups[0].chunks[0].span))[:1] == b"\x15"
    assert sum(group.rows for group in old.footer.groups) == len(PEOPLE)
