"""People of a namespace in which letter case does not count, found in pages: who Arrow would find, and nobody else."""

import io
from collections.abc import Sequence
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engines.asking import CRM, EMAIL, asked, order
from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.identity import fold
from lethe.engines.interface import IdentityMap, Selector
from lethe.engines.matching import compile_matcher
from lethe.engines.rewrite.judged import JudgedColumns
from lethe.engines.rewrite.judges import MatchJudge
from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.footer import read_footer
from lethe.engines.rewrite.pages.leaves import Shape
from lethe.engines.rewrite.source import open_parquet

BY_MAIL, IN_MAP = PrimaryIdentity(("id",), EMAIL.code), IdentityMap("ids")
KINDS = [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string()), pa.string_view()]
MAP = pa.map_(pa.string(), pa.list_(pa.struct([("id", pa.string()), ("primary", pa.bool_())])))
LETTERS = "aAkKsSzZ@[`{_019ß\u017f\u212a\u0130\u0131ﬃ\u03a3\u03c2\u03c3\u212b名"
"""Those at the ends of the alphabet, those beside them, and those that only full case folding knows."""


def judge_of(selector: Selector, *ids: str, exact: Sequence[str] = ()) -> MatchJudge:
    by_namespace = {EMAIL: ids, CRM: tuple(exact)} if exact else {EMAIL: ids}
    return MatchJudge(compile_matcher(selector, asked(order(by_namespace))))


def written(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"compression": "NONE", "row_group_size": 40, **options})
    return sink.getvalue()


def leaves_out(data: bytes, judge: MatchJudge) -> list[int]:
    source = pa.BufferReader(data)
    columns, first, gone = JudgedColumns(source, open_parquet(source), read_footer(source), judge), 0, []
    for number, group in enumerate(read_footer(source).groups):
        mask = columns.judge(number, first).leave_out.to_pylist()
        gone += [first + row for row, out in enumerate(mask) if out]
        first += group.rows
    return gone


words = st.text(LETTERS, max_size=20) | st.text("aAzZ@[`{09", max_size=20) | st.text(max_size=12)
asking = st.lists(words, min_size=1, max_size=8, unique=True)


@pytest.mark.parametrize("use_dictionary", [True, False])
@given(wanted=asking, others=st.lists(words | st.none(), max_size=60), kind=st.sampled_from(KINDS), chance=st.randoms())
@example(wanted=["ss", "k"], others=["ß", "K", "\u212a", "\u017fs"], kind=pa.string(), chance=Random(1))
def test_whoever_has_the_same_folded_form_is_found(
    wanted: list[str], others: list[str | None], kind: Any, chance: Random, *, use_dictionary: bool
) -> None:
    mine = [text.swapcase() for text in wanted] + [text.upper() for text in wanted] + wanted
    values = others + mine
    chance.shuffle(values)
    column = pa.array([t and t.encode() for t in values] if pa.types.is_binary(kind) else values, kind)
    found = leaves_out(written(pa.table({"id": column}), use_dictionary=use_dictionary), judge_of(BY_MAIL, *wanted))
    forms = {fold(text) for text in wanted}
    assert found == [row for row, text in enumerate(values) if text is not None and fold(text) in forms]


@given(st.lists(st.binary(max_size=20), max_size=40), asking)
def test_bytes_that_are_no_text_have_no_case(values: list[bytes], wanted: list[str]) -> None:
    values += [text.upper().encode() for text in wanted] + [b"\xff" + text.encode() for text in wanted]
    table = pa.table({"id": pa.array(values, pa.binary())})
    judge = judge_of(BY_MAIL, *wanted)
    in_full = judge.judge(table, 0).leave_out.to_pylist()
    assert leaves_out(written(table), judge) == [row for row, out in enumerate(in_full) if out]


@pytest.mark.parametrize("use_dictionary", [True, False])
@given(
    entries=st.lists(st.tuples(st.sampled_from(["Email", "CRM"]), words, st.booleans()), max_size=60),
    wanted=asking,
    exact=asking,
)
def test_in_identity_maps_each_namespace_has_its_own_rule(
    entries: list[tuple[str, str, bool]], wanted: list[str], exact: list[str], *, use_dictionary: bool
) -> None:
    entries += [("Email", text.upper(), True) for text in wanted]
    entries += [("CRM", text, True) for each in exact for text in (each, each.swapcase())]
    maps = [[(code, [{"id": text, "primary": primary}])] for code, text, primary in entries]
    forms = {fold(text) for text in wanted}
    named = [
        row
        for row, (code, text, primary) in enumerate(entries)
        if primary and (fold(text) in forms if code == "Email" else text in exact)
    ]
    data = written(pa.table({"ids": pa.array(maps, MAP)}), use_dictionary=use_dictionary, row_group_size=3)
    assert leaves_out(data, judge_of(IN_MAP, *wanted, exact=exact)) == named


@given(st.lists(st.text(st.characters(max_codepoint=127), max_size=40), min_size=1, max_size=50, unique=True))
def test_capitals_pass_as_their_small_letters_do_and_the_signs_beside_them_as_themselves(texts: list[str]) -> None:
    def plain(values: Sequence[str]) -> bytes:
        return b"".join(len(value.encode()).to_bytes(4, "little") + value.encode() for value in values)

    sieve, few = bytearray(1 << 15), texts[::2]
    _native.sieve_add(sieve, plain([text.lower() for text in few]), len(few), Shape.STRINGS, 0)
    for form in (str.upper, str.lower, str.swapcase):
        passed = _native.sieve_marks(sieve, True, plain([form(text) for text in few]), len(few), Shape.STRINGS, 0)
        assert set(passed) == {1}
    beside = str.maketrans("@[`{", "`{@[")
    others = {text.translate(beside) for text in few} - {text.lower() for text in few}
    unlike = [text for text in others if text.lower() not in {each.lower() for each in few}]
    passed = _native.sieve_marks(sieve, True, plain(unlike), len(unlike), Shape.STRINGS, 0)
    assert sum(passed) <= len(unlike) // 10
    letters = _native.sieve_marks(sieve, True, plain(["é", "aé", "0123456é", "é01234567"]), 4, Shape.STRINGS, 0)
    assert letters == b"\1\1\1\1"
