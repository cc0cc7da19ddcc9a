"""People of identity maps, found in pages: the rows that Arrow would find, and nobody else's."""

import io
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.asking import CRM, EMAIL, asked, order
from engines.test_verify import MAP_SHAPES, SECRET
from lethe.engines.interface import IdentityMap, TableRefused
from lethe.engines.matching import compile_matcher
from lethe.engines.rewrite.interface import RewriteRefused
from lethe.engines.rewrite.judged import JudgedColumns
from lethe.engines.rewrite.judges import HiddenRowsJudge, MatchJudge
from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.footer import read_footer
from lethe.engines.rewrite.pages.leaves import Leaf
from lethe.engines.rewrite.pages.page import DATA, PLAIN, RLE, Held
from lethe.engines.rewrite.pages.page_rewriter import PageRewriter
from lethe.engines.rewrite.pages.seen import OpenPages
from lethe.engines.rewrite.pages.sieve import Sieve, sift
from lethe.engines.rewrite.pages.thrift import I32, STRUCT, Field, Struct, write_struct
from lethe.engines.rewrite.scan import scan
from lethe.engines.rewrite.source import open_parquet

ENTRY = pa.struct([("id", pa.string()), ("state", pa.string()), ("primary", pa.bool_())])
MAP = pa.map_(pa.string(), pa.list_(ENTRY))
PAIRS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.list_(ENTRY))]))
BY_CODE = pa.struct([("CRM", pa.list_(ENTRY)), ("Email", pa.list_(ENTRY))])
SHAPES = {"map": MAP, "pairs": PAIRS, "struct of lists": BY_CODE}

Entries = Sequence[tuple[str, Sequence[dict[str, Any] | None] | None]] | None
"""Of one row: codes, and what stands under each."""


def column_of(kind: Any, rows: Sequence[Entries]) -> Any:
    if kind == MAP:
        return pa.array([None if row is None else list(row) for row in rows], kind)
    if kind == PAIRS:
        return pa.array([row and [{"key": code, "value": under} for code, under in row] for row in rows], kind)
    return pa.array([None if row is None else dict(row) for row in rows], kind)


def written(column: Any, **options: Any) -> bytes:
    sink = io.BytesIO()
    how = {"row_group_size": 300, "data_page_size": 1, "write_batch_size": 20, "compression": "NONE", **options}
    table = pa.table({"before": range(len(column)), "ids": column, "x": range(len(column))})
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def asking(*ids: str, exact: Sequence[str] = ()) -> MatchJudge:
    wanted = asked(order({CRM: ids, EMAIL: tuple(exact)})) if exact else asked(order(CRM, *ids))
    return MatchJudge(compile_matcher(IdentityMap("ids"), wanted))


def judged(data: bytes, judge: MatchJudge) -> list[int]:
    """The rows that a judge leaves out, by pages."""
    source = pa.BufferReader(data)
    footer = read_footer(source)
    columns, first, gone = JudgedColumns(source, open_parquet(source), footer, judge), 0, list[int]()
    for number, group in enumerate(footer.groups):
        mask = columns.judge(number, first).leave_out.to_pylist()
        assert len(mask) == group.rows
        gone += [first + row for row, out in enumerate(mask) if out]
        first += group.rows
    return gone


def in_full(data: bytes, judge: MatchJudge) -> list[int]:
    """The same, by Arrow."""
    mask = judge.judge(pq.read_table(pa.BufferReader(data), columns=["ids"]), 0).leave_out.to_pylist()
    return [row for row, out in enumerate(mask) if out]


def passed_by(data: bytes, judge: MatchJudge) -> set[int]:
    """The row groups whose bounds exclude a match."""
    file = open_parquet(pa.BufferReader(data))
    groups = range(file.metadata.num_row_groups)
    return {group for group in groups if judge.can_skip(file.metadata.row_group(group), file.schema_arrow)}


def require_found(data: bytes, judge: MatchJudge, rows: Sequence[int]) -> None:
    """By the find, and by what is left of the file."""
    assert scan(pa.BufferReader(data), judge).counts.rows == len(rows)
    sink = io.BytesIO()
    assert PageRewriter().rewrite(pa.BufferReader(data), sink, judge).counts.rows == len(rows)
    before, left = pq.read_table(io.BytesIO(data)), pq.read_table(io.BytesIO(sink.getvalue()))
    stay = sorted(set(range(before.num_rows)) - set(rows))
    assert left["x"].to_pylist() == stay
    assert left["ids"].combine_chunks().equals(before.take(pa.array(stay, pa.int64()))["ids"].combine_chunks())


ROWS = 3000
PEOPLE = [None if n % 11 == 5 else n // 3 for n in range(ROWS)]
"""Three rows each, one after the other; some rows are nobody's."""


def rows_of(*people: int) -> list[int]:
    """Odd persons stand under another code; every fourth is not primary; some rows have no map, or an empty id."""
    return [n for n, who in enumerate(PEOPLE) if who is not None and who in people and who % 4 == 2 and n % 50 != 7]


def crowd(kind: Any, people: Sequence[int | None] = PEOPLE) -> Any:
    return column_of(
        kind,
        [
            who
            if who is None
            else [
                (
                    "Email" if who % 2 else "CRM",
                    [{"id": None if row % 50 == 7 else f"user{who:05}", "state": "x", "primary": who % 4 != 0}],
                )
            ]
            for row, who in enumerate(people)
        ],
    )


@pytest.mark.parametrize("how", [{}, {"use_dictionary": False}, {"data_page_version": "2.0", "compression": "ZSTD"}])
@pytest.mark.parametrize("shape", SHAPES)
def test_people_are_found_in_pages(by_arrow: list[int], shape: str, how: dict[str, Any]) -> None:
    data = written(crowd(SHAPES[shape]), **how)
    for people in ([202, 730], [98], [100], [101], [99, 102], [5000], [998, 2], range(0, 1000, 12)):
        require_found(data, asking(*[f"user{who:05}" for who in people]), rows_of(*people))
    assert by_arrow == []


@pytest.mark.parametrize("shape", SHAPES)
def test_row_groups_with_other_bounds_of_ids_are_passed_by(shape: str) -> None:
    """Ids ascend, 100 persons a row group. Letter case has no bounds, and counts of nulls are not believed."""
    data = written(crowd(SHAPES[shape]))
    for who in (2, 98, 102, 550, 998):
        require_found(data, asking(f"user{who:05}"), rows_of(who))
    assert passed_by(data, asking("user00550")) == set(range(10)) - {5}
    assert passed_by(data, asking("user00550", "user00002")) == set(range(10)) - {0, 5}
    assert passed_by(data, asking("nobody")) == set(range(10))
    assert passed_by(data, asking("nobody", exact=["NOBODY"])) == set()
    assert passed_by(written(pa.nulls(600, SHAPES[shape])), asking("user00550")) == set()
    assert passed_by(written(crowd(SHAPES[shape]), write_statistics=False), asking("nobody")) == set()


@pytest.mark.parametrize("compliant", [True, False])
@pytest.mark.parametrize("shape", MAP_SHAPES)
def test_people_are_found_in_maps_of_every_shape(by_arrow: list[int], shape: str, *, compliant: bool) -> None:
    column = MAP_SHAPES[shape]
    column = pa.concat_arrays([pa.nulls(40, column.type), column, pa.nulls(3, column.type)])
    judge, table = asking(SECRET, "1234567.0"), pa.table({"ids": column})
    named = [row for row, out in enumerate(judge.judge(table, 0).leave_out.to_pylist()) if out]
    require_found(written(column, use_compliant_nested_type=compliant), judge, named)
    assert named == ([] if shape == "marks that are no marks" else [40])
    assert set(by_arrow) == ({0} if shape == "decimal ids" else set())


def test_where_many_rows_may_match_arrow_reads_all(by_arrow: list[int]) -> None:
    data = written(crowd(MAP))
    require_found(data, asking(*[f"user{who:05}" for who in range(1000)]), rows_of(*range(1000)))
    assert set(by_arrow) == set(range(10))


def test_people_behind_the_end_of_a_dictionary_are_found_in_their_rows(by_arrow: list[int]) -> None:
    """The first pages are of indices, and pass by unopened; how many rows they have is only in their levels."""
    several = [
        None if row % 7 == 3 else [("CRM", [{"id": f"user{row:05}-{n}", "primary": n == 0} for n in range(row % 4)])]
        for row in range(900)
    ]
    data = written(column_of(MAP, several), row_group_size=900, dictionary_pagesize_limit=4000)
    encodings = pq.read_metadata(io.BytesIO(data)).row_group(0).column(2).encodings
    assert {"PLAIN", "RLE_DICTIONARY"} <= set(encodings)
    for row in (1, 5, 250, 401, 623, 895, 898):
        require_found(data, asking(f"user{row:05}-0"), [row])
        require_found(data, asking(f"user{row:05}-1"), [])
    assert by_arrow == []


def a_page(leaf: Leaf, repetition: Sequence[int], texts: Sequence[str]) -> bytes:
    """A data page of version 1, its levels in runs of one."""

    def runs(levels: Sequence[int]) -> bytes:
        body = b"".join(bytes([2, level]) for level in levels)
        return len(body).to_bytes(4, "little") + body

    plain = b"".join(len(text).to_bytes(4, "little") + text.encode() for text in texts)
    body = runs(repetition) + runs([leaf.definition_max] * len(texts)) + plain
    numbers = [Field(I32, number) for number in (len(texts), PLAIN, RLE, RLE)]
    head = {1: Field(I32, DATA), 2: Field(I32, len(body)), 3: Field(I32, len(body))}
    return write_struct(Struct({**head, 5: Field(STRUCT, Struct(dict(enumerate(numbers, 1))))})) + body


def test_a_page_may_begin_in_the_middle_of_a_row() -> None:
    """As writers of old have it: of the row, other values stand in the page before."""
    texts = [f"user{n}" for n in range(12)]
    rows = [[("CRM", [{"id": text, "primary": True} for text in texts[n : n + 3]])] for n in range(0, 12, 3)]
    source = pa.BufferReader(written(column_of(MAP, rows)))
    footer = read_footer(source)
    chunk = footer.groups[0].chunks[2]
    wanted = asking(*texts[::2]).sought(open_parquet(source).schema_arrow)
    assert wanted is not None
    sieve, depth = Sieve.of(wanted, chunk.leaf), chunk.leaf.repetition_max
    levels = [0, depth, depth] * 4
    for one in range(1, 12):
        for two in range(one, 12):
            parts = [slice(0, one), slice(one, two), slice(two, 12)]
            data = b"".join(a_page(chunk.leaf, levels[part], texts[part]) for part in parts)
            found = sift(Held(chunk, memoryview(data)), 4, sieve, OpenPages(2, 0).keep)
            assert found.places.tolist() == [n // 3 for n in range(0, 12, 2)]
            assert found.array(pa.string()).to_pylist() == texts[::2]
    data = a_page(chunk.leaf, [depth, *levels[1:]], texts)
    with pytest.raises(Damaged):
        sift(Held(chunk, memoryview(data)), 4, sieve, OpenPages(2, 0).keep)
    with pytest.raises(Damaged):
        sift(Held(chunk, memoryview(data)), 3, sieve, OpenPages(2, 0).keep)


ids = st.sampled_from(["ann", "ANN", "bob", "Bob", "cy", "Straße", "STRASSE", "", "dee-" * 9])
one = st.fixed_dictionaries({"id": ids | st.none(), "primary": st.booleans() | st.none()})
under = st.lists(one | st.none(), max_size=3) | st.none()
maps = st.none() | st.lists(
    st.tuples(st.sampled_from(["CRM", "Email"]), under), max_size=2, unique_by=lambda pair: pair[0]
)


@pytest.mark.parametrize("shape", SHAPES)
@given(
    rows=st.lists(maps, min_size=1, max_size=30),
    wanted=st.lists(ids, min_size=1, max_size=2, unique=True),
    exact=st.lists(ids, max_size=2, unique=True),
    chance=st.randoms(),
    use_dictionary=st.booleans(),
    version=st.sampled_from(["1.0", "2.0"]),
    compression=st.sampled_from(["NONE", "ZSTD", "SNAPPY"]),
)
def test_whom_arrow_finds_in_a_map_is_found(shape: str, rows: list[Entries], chance: Random, **drawn: Any) -> None:
    many = rows + [None] * 3 * len(rows) + [[("CRM", [{"id": "zoe", "primary": True}])]] * 2 * len(rows)
    chance.shuffle(many)
    wanted, exact = drawn.pop("wanted"), drawn.pop("exact")
    options = {"data_page_version": drawn.pop("version"), **drawn}
    data = written(column_of(SHAPES[shape], many), row_group_size=40, write_batch_size=chance.randint(1, 9), **options)
    judge = asking(*wanted, exact=exact)
    rows_found = judged(data, judge)
    assert rows_found == in_full(data, judge)
    assert not passed_by(data, judge) & {row // 40 for row in rows_found}
    require_found(data, judge, rows_found)


def test_what_stands_beside_ids_is_not_read(by_arrow: list[int]) -> None:
    """Broken as it is, the state of a person hinders no find."""
    data = written(crowd(MAP), row_group_size=ROWS, use_dictionary=False)
    chunk = read_footer(pa.BufferReader(data)).groups[0].chunks[3]
    assert chunk.leaf.path[-1] == b"state"
    broken = bytearray(data)
    broken[chunk.span.start : chunk.span.end] = bytes(chunk.span.size)
    assert judged(bytes(broken), asking("user00730")) == rows_of(730)
    assert by_arrow == []


def test_of_a_broken_map_the_rows_are_those_that_arrow_sees_or_it_is_refused() -> None:
    data, judge, chance = written(crowd(MAP, PEOPLE[:600]), row_group_size=200), asking("user00102"), Random(7)
    footer = read_footer(pa.BufferReader(data))
    told = 0
    for _ in range(1500):
        chunk = footer.groups[chance.randrange(3)].chunks[chance.randrange(1, 5)]
        broken = bytearray(data)
        broken[chance.randrange(chunk.span.start, chunk.span.end)] ^= 1 << chance.randrange(8)
        try:
            rows = judged(bytes(broken), judge)
            expected = in_full(bytes(broken), judge)
        except (RewriteRefused, pa.ArrowException, OSError):
            continue
        told += 1
        assert rows == expected
    assert told > 100


def test_maps_whose_rows_are_hidden_or_whose_ids_are_no_text_are_left_to_arrow(by_arrow: list[int]) -> None:
    data = written(crowd(MAP), row_group_size=1000)
    hidden = HiddenRowsJudge(asking("user00006").matcher, np.array([0, 2999]))
    assert scan(pa.BufferReader(data), hidden).rows_left_out == 2 + len(rows_of(6))
    assert by_arrow == [0, 1, 2]
    entry = pa.struct([("id", pa.decimal128(9, 2)), ("primary", pa.bool_())])
    numbers = pa.array([[("CRM", [{"id": 7, "primary": True}])]] * 9, pa.map_(pa.string(), pa.list_(entry)))
    data = written(numbers, store_decimal_as_integer=False)
    assert judged(data, asking("7.00")) == list(range(9))
    assert passed_by(data, asking("zoe")) == set()


def test_a_map_that_contradicts_itself_is_left_to_arrow_and_refused(by_arrow: list[int]) -> None:
    data = written(crowd(MAP, PEOPLE[:99]), row_group_size=99)
    assert judged(data, asking("user00000-not")) == []
    assert by_arrow == []
    at = data.index(b"\x09\0\0\0user00000")
    broken = data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :]
    with pytest.raises(RewriteRefused):
        scan(pa.BufferReader(broken), asking("user00000-not"))
    assert by_arrow == [0]


def test_a_map_of_a_shape_that_is_refused_is_refused_whoever_is_in_it() -> None:
    inner = pa.struct([("meta", pa.struct([("id", pa.string())])), ("primary", pa.bool_())])
    for kind in (pa.map_(pa.string(), pa.list_(inner)), pa.struct([("id", pa.string())]), pa.list_(inner)):
        with pytest.raises(TableRefused):
            scan(pa.BufferReader(written(pa.nulls(9, kind))), asking("nobody"))
