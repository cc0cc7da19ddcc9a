"""Bloom filters that are asked before a column is read: what they exclude is not there, and not read."""

import io
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.asking import CRM, EMAIL, asked, order
from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.identity import HashedIdentities
from lethe.domain.ids import WorkOrderId
from lethe.engines.interface import HashedOrder, Wanted
from lethe.engines.matching import compile_matcher
from lethe.engines.pruning import CANDIDATES_MAX, candidates
from lethe.engines.rewrite.judged import JudgedColumns
from lethe.engines.rewrite.judges import HiddenRowsJudge, MatchJudge
from lethe.engines.rewrite.pages import bloom
from lethe.engines.rewrite.pages.page_rewriter import PageRewriter
from lethe.engines.rewrite.scan import scan
from lethe.storage.identity_hashes import KeyedHasher

BY_ID = PrimaryIdentity(("id",), "CRM")
GROUPS, ROWS = 4, 500
NAMES = [f"{n:05}-{uuid5(UUID(int=0), str(n))}" for n in range(GROUPS * ROWS)]


def shuffled() -> list[str]:
    """Names in an order in which no bounds exclude anything."""
    return [NAMES[n] for n in np.random.default_rng(1).permutation(len(NAMES))]


def written(column: Any, *, fpp: float = 0.001, ndv: int = ROWS, **options: Any) -> bytes:
    sink = io.BytesIO()
    table = pa.table({"id": column, "x": range(len(column))})
    filters = {"id": {"ndv": ndv, "fpp": fpp}}
    pq.write_table(table, sink, row_group_size=ROWS, bloom_filter_options=filters, **{"compression": "NONE", **options})
    return sink.getvalue()


def judge(*ids: str, selector: PrimaryIdentity = BY_ID, namespace: Any = CRM) -> MatchJudge:
    return MatchJudge(compile_matcher(selector, asked(order(namespace, *ids))))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The row groups whose columns are read, by find and by forget."""
    read: list[int] = []
    true = JudgedColumns.judge

    def counted(columns: JudgedColumns, group: int, first_row: int) -> Any:
        read.append(group)
        return true(columns, group, first_row)

    monkeypatch.setattr(JudgedColumns, "judge", counted)
    return read


def test_a_row_group_that_its_filter_excludes_is_not_read(reads: list[int]) -> None:
    people = shuffled()
    data = written(people)
    where = people.index(NAMES[700]) // ROWS
    asked_for = judge(NAMES[700], f"{NAMES[701]}x", f"{NAMES[5]}y")
    assert scan(pa.BufferReader(data), asked_for).counts.rows == 1
    assert reads == [where]
    sink = io.BytesIO()
    outcome = PageRewriter().rewrite(pa.BufferReader(data), sink, asked_for)
    assert reads == [where, where]
    assert outcome.counts.rows == 1
    assert pq.read_table(io.BytesIO(sink.getvalue()))["id"].to_pylist() == [n for n in people if n != NAMES[700]]


def test_nobody_of_the_file_is_found_without_a_read(reads: list[int]) -> None:
    data = written(shuffled())
    assert scan(pa.BufferReader(data), judge(*[f"{name}x" for name in NAMES[3::500]])).counts.rows == 0
    assert reads == []


def test_a_false_positive_is_read_and_finds_nobody(reads: list[int]) -> None:
    data = written(shuffled(), fpp=0.99, ndv=1)
    assert scan(pa.BufferReader(data), judge(f"{NAMES[700]}x")).counts.rows == 0
    assert reads == list(range(GROUPS))


def test_filters_are_not_asked_where_they_cannot_answer(reads: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> bool:
        raise AssertionError

    monkeypatch.setattr(bloom, "may_hold", never)
    data = written(shuffled())
    known = HashedIdentities({CRM: (b"x" * 32,)}, KeyedHasher(b"a key of the tests, thirty-two by"))
    hashed = Wanted((), (HashedOrder(WorkOrderId(UUID(int=1)), known),))
    for by in (
        judge(NAMES[7], selector=PrimaryIdentity(("id",), "Email"), namespace=EMAIL),
        judge(*NAMES[100 : 101 + CANDIDATES_MAX]),
        MatchJudge(compile_matcher(BY_ID, hashed)),
        HiddenRowsJudge(judge("x").matcher, np.array([3])),
    ):
        reads.clear()
        scan(pa.BufferReader(data), by)
        assert reads == list(range(GROUPS))


def test_a_filter_that_is_large_beside_its_column_is_not_read(reads: list[int]) -> None:
    data = written(["ann", "bob"] * 1000, ndv=100_000)
    assert scan(pa.BufferReader(data), judge("ax", "az")).counts.rows == 0
    assert reads == list(range(GROUPS))


@pytest.mark.parametrize("damage", ["header", "algorithm", "offset"])
def test_a_filter_that_cannot_be_read_excludes_nothing(reads: list[int], damage: str) -> None:
    data = bytearray(written(shuffled()))
    metadata = pq.read_metadata(io.BytesIO(bytes(data)))
    starts = [metadata.row_group(n).column(0).bloom_filter_offset for n in range(GROUPS)]
    for start in starts:
        if damage == "header":
            data[start : start + 8] = b"\xff" * 8
        elif damage == "algorithm":
            assert data[start + 5 : start + 7] == b"\x1c\x1c" or b"\x1c" in data[start : start + 12]
            place = data.index(b"\x1c", start)
            data[place + 1] = 0x2C
        else:
            data[start] = 0
    assert scan(pa.BufferReader(bytes(data)), judge(f"{NAMES[5]}y")).counts.rows == 0
    assert reads == list(range(GROUPS))


def test_the_count_of_candidates_is_of_those_within_the_bounds() -> None:
    data = written(NAMES)
    file = pq.ParquetFile(io.BytesIO(data))
    matcher = judge(*NAMES[::10]).matcher
    found = candidates(matcher, file.metadata.row_group(2), file.schema_arrow)
    assert found is not None
    assert list(found.values) == [name.encode() for name in NAMES[1000:1500:10]]
    assert NAMES[1000] not in repr(found)


KINDS = {
    "text": (pa.string(), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40), str),
    "large text": (pa.large_string(), st.text(st.characters(codec="utf-8"), max_size=40), str),
    "view": (pa.string_view(), st.text(st.characters(codec="utf-8"), max_size=40), str),
    "categories": (pa.dictionary(pa.int32(), pa.string()), st.text("abc", max_size=9), str),
    "bytes": (pa.binary(), st.text(max_size=9).map(str.encode), bytes.decode),
    "uuid": (pa.binary(16), st.uuids().map(lambda u: u.bytes), lambda raw: str(UUID(bytes=raw))),
    "uuid type": (pa.uuid(), st.uuids().map(lambda u: u.bytes), lambda raw: str(UUID(bytes=raw))),
    **{
        str(kind): (kind, st.integers(low, high), str)
        for kind, low, high in (
            (pa.int8(), -(1 << 7), (1 << 7) - 1),
            (pa.uint8(), 0, (1 << 8) - 1),
            (pa.int16(), -(1 << 15), (1 << 15) - 1),
            (pa.int32(), -(1 << 31), (1 << 31) - 1),
            (pa.uint32(), 0, (1 << 32) - 1),
            (pa.int64(), -(1 << 63), (1 << 63) - 1),
            (pa.uint64(), 0, (1 << 64) - 1),
        )
    },
}


@given(
    name=st.sampled_from(sorted(KINDS)),
    version=st.sampled_from(["1.0", "2.6"]),
    statistics=st.booleans(),
    dictionary=st.booleans(),
    data=st.data(),
)
def test_a_filter_never_excludes_a_row_that_matches(
    name: str, version: str, statistics: bool, dictionary: bool, data: st.DataObject
) -> None:
    kind, values, spell = KINDS[name]
    rows = data.draw(st.lists(values | st.none(), min_size=1, max_size=60))
    present = [value for value in rows if value is not None]
    wanted = data.draw(st.lists(st.sampled_from(present) if present else values, max_size=5))
    wanted += data.draw(st.lists(values, max_size=20))
    ids = dict.fromkeys(text for value in wanted if (text := _spelled(spell, value)) is not None)
    column = pa.array(rows, kind)
    file = written(
        column, ndv=max(len(rows), 1), fpp=0.05, version=version, write_statistics=statistics, use_dictionary=dictionary
    )
    by = judge(*ids)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bloom, "_SHARE", 0)
        found = scan(pa.BufferReader(file), by)
    assert found.counts.rows == by.matcher.match(pa.table({"id": column})).counts.rows


def _spelled(spell: Any, value: Any) -> str | None:
    """Bytes that are no text are nobody's id."""
    try:
        return spell(value)
    except UnicodeDecodeError:
        return None
