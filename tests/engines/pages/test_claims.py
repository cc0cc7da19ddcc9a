"""The claims themselves: a result that is wrong in one place breaks the claim that is about that place."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.pages import claims, thrift
from engines.pages.arrow import arrow_reads_the_same
from engines.pages.bounds import statistics_are_true
from engines.pages.cases import MaskJudge
from engines.pages.page_index import Untrue
from engines.pages.residue import nothing_is_left
from engines.pages.thrift import I32, Typed
from engines.pages.walk import Walked, footer_of, walk
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter

PEOPLE = [f"somebody-{n:04}" for n in range(40)]
DELETED = np.array([n % 4 == 0 for n in range(40)])
DELETED[20:] = False


def source() -> bytes:
    table = pa.table({"id": PEOPLE, "n": pa.array(range(40), pa.int64()), "x": [float(n) for n in range(40)]})
    sink = io.BytesIO()
    pq.write_table(
        table, sink, row_group_size=20, compression="NONE", write_page_index=True, write_page_checksum=True,
        max_rows_per_page=5, bloom_filter_options={"id": {"ndv": 40, "fpp": 0.05}},
    )  # fmt: skip
    return sink.getvalue()


def rewritten(data: bytes) -> bytes:
    sink = io.BytesIO()
    PyarrowRewriter().rewrite(pa.BufferReader(data), sink, MaskJudge(DELETED))
    return sink.getvalue()


def with_footer(data: bytes, change: Callable[[Typed], Any]) -> bytes:
    footer, start = footer_of(data)
    change(footer)
    body = thrift.write(footer)
    return data[:start] + body + len(body).to_bytes(4, "little") + b"PAR1"


def meta(footer: Typed, column: int = 0, group: int = 0) -> Typed:
    return footer[4].value[group][1].value[column][3]


def set_(part: Typed, value: Any) -> None:
    part.value = value


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def all_claims(before: Walked, after: Walked) -> None:
    claims.only_the_rows_are_gone(before, after, DELETED)
    claims.the_form_stays(before, after)
    claims.the_groups_form_stays(before, after, DELETED)
    claims.the_footer_adds_up(after)
    claims.checksums_hold(before, after)
    statistics_are_true(after)
    assert nothing_is_left(before, after, DELETED)


def test_a_good_result_breaks_no_claim() -> None:
    data = source()
    result = rewritten(data)
    all_claims(walk(data), walk(result))
    assert arrow_reads_the_same(data, result, DELETED)
    nobody = np.zeros(40, dtype=np.bool_)
    same, pages = claims.untouched_bytes_stay(walk(data), walk(data), nobody)
    assert same == pages > 20


LIES: dict[str, Callable[[Typed], Any]] = {
    "number of rows": lambda f: set_(f[3], 31),
    "the footer's field 5": lambda f: f.value.pop(5),
    "the footer's field 2": lambda f: set_(f[2].value[1][4], b"di"),
    "total_byte_size": lambda f: set_(f[4].value[0][2], 1),
    "num_values": lambda f: set_(meta(f)[5], 16),
    "total_uncompressed_size": lambda f: set_(meta(f)[6], 16),
    "encodings": lambda f: set_(meta(f)[2], Typed(thrift.LIST, [Typed(I32, 0)], (I32,)).value),
    "null count": lambda f: set_(meta(f)[12][3], 1),
    "minimum is called exact": lambda f: set_(meta(f)[12][6], b"some"),
    "maximum is none": lambda f: set_(meta(f)[12][5], b"some"),
    "a deleted value is a bound": lambda f: (set_(meta(f)[12][6], b"somebody-0000"), meta(f)[12].value.pop(8)),
    "histogram": lambda f: set_(meta(f)[16][3].value[1], 3),
    "sort order": lambda f: f[4].value[1].value.update({4: Typed(thrift.LIST, [], (thrift.STRUCT,))}),
}


@pytest.mark.parametrize("claim", LIES)
def test_a_footer_that_lies_is_noticed(claim: str) -> None:
    data = source()
    with pytest.raises((AssertionError, Untrue), match=claim):
        all_claims(walk(data), walk(with_footer(rewritten(data), LIES[claim])))


def test_a_value_a_checksum_and_an_index_that_are_wrong_are_noticed() -> None:
    data = source()
    result = rewritten(data)
    before, after = walk(data), walk(result)
    page = after.groups[0].columns[1].dictionary
    assert page is not None
    other = flipped(result, page.end - 8)
    with pytest.raises(AssertionError, match="column n: values"):
        claims.only_the_rows_are_gone(before, walk(other), DELETED)
    with pytest.raises(AssertionError, match="CRC"):
        claims.checksums_hold(before, walk(other))
    with pytest.raises(OSError, match="CRC"):
        arrow_reads_the_same(data, other, DELETED)
    for field, claim in ((4, r"offset index"), (6, r"bounds of a page|ascending")):
        offset = after.groups[0].columns[1].chunk.get(field)
        index, end = thrift.read(result, offset)
        part = index[1].value[0][1] if field == 4 else index[2].value[0]
        part.value = part.value + 1 if field == 4 else b"\xff" * 7 + b"\x7f"
        wrong = thrift.write(index)
        assert len(wrong) == end - offset
        with pytest.raises(Untrue, match=claim):
            statistics_are_true(walk(result[:offset] + wrong + result[end:]))


def test_what_is_left_of_a_deleted_value_is_noticed() -> None:
    data = source()
    before, result = walk(data), rewritten(data)
    after = walk(result)
    column = after.groups[0].columns[0]
    gap = result[: after.footer_start] + b"xx somebody-0004 xx" + result[after.footer_start :]
    with pytest.raises(AssertionError, match="1 deleted values in the bytes of the file"):
        nothing_is_left(before, walk(gap), DELETED)
    old = before.groups[0].columns[0].meta.get(14)
    new = column.meta.get(14)
    header, start = thrift.read(data, old)
    size = header.get(1)
    at = thrift.read(result, new)[1]
    stale = result[:at] + data[start : start + size] + result[at + size :]
    with pytest.raises(Untrue, match="knows more"):
        nothing_is_left(before, walk(stale), DELETED)
    kept = pq.read_table(pa.BufferReader(data), read_dictionary=["id"]).filter(pa.array(~DELETED))
    sink = io.BytesIO()
    pq.write_table(kept, sink, row_group_size=20, compression="NONE", write_statistics=False)
    with pytest.raises(AssertionError, match=r"dictionary entries|deleted values in the bytes"):
        nothing_is_left(before, walk(sink.getvalue()), DELETED)


def test_an_untouched_page_that_changed_is_noticed() -> None:
    data = source()
    table = pq.read_table(pa.BufferReader(data))
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=20, compression="NONE", max_rows_per_page=10)
    nobody = np.zeros(40, dtype=np.bool_)
    with pytest.raises(AssertionError, match="untouched"):
        claims.untouched_bytes_stay(walk(data), walk(sink.getvalue()), nobody)
    one = nobody.copy()
    one[0] = True
    with pytest.raises(AssertionError, match="untouched page"):
        claims.untouched_bytes_stay(walk(data), walk(rewritten(data)), one)
