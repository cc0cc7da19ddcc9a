"""Values that are sought in plain pages by their lengths: none is missed, in whatever company it stands."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engines.asking import CRM, EMAIL
from lethe.domain.identity import Identities
from lethe.domain.ids import NamespaceId, WorkOrderId
from lethe.domain.namespace import Namespace
from lethe.engines.interface import IdentityMap, Order, Wanted
from lethe.engines.verify.needles import Needles, needles_of
from lethe.engines.verify.parquet.whole import WholeValues

FOLDED = Namespace(NamespaceId(77), "Loud", "Loud", "Loud", case_insensitive=True)

BYTES = st.one_of(
    st.binary(max_size=12),
    st.integers(1, 40).map(lambda length: b"\x03\x00\x00\x00abc" * length),
    st.integers(250, 600).map(lambda length: b"x" * length),
    st.sampled_from([65_535, 65_536]).map(lambda length: b"y" * length),
)
WORDS = st.text("abcXYZ", min_size=1, max_size=20)
TEXTS = st.one_of(WORDS, st.text(st.characters(codec="utf-8"), min_size=1, max_size=9), st.just("K\N{KELVIN SIGN}k"))


def page(values: Sequence[bytes]) -> bytes:
    return b"".join(len(value).to_bytes(4, "little") + value for value in values)


def needles(**texts: Sequence[str]) -> Needles:
    namespaces = {"crm": CRM, "email": EMAIL, "loud": FOLDED}
    identities = Identities({namespaces[name]: tuple(values) for name, values in texts.items() if values})
    return needles_of(IdentityMap(), Wanted((Order(WorkOrderId(UUID(int=1)), identities),)))


@given(st.lists(BYTES, max_size=12), st.lists(BYTES, min_size=1, max_size=8), st.data())
@example([], [b""], None)
@example([b""], [b""], None)
def test_no_value_is_missed(values: list[bytes], others: list[bytes], data: st.DataObject | None) -> None:
    wanted = {*others, data.draw(st.sampled_from(values))} if values and data else set(others)
    if wanted & set(values):
        assert WholeValues(wanted, folded=False).may_be_in(page(values))


@given(st.lists(WORDS, max_size=30), st.lists(WORDS, min_size=1, max_size=30))
def test_ordinary_texts_are_told_exactly(values: list[str], wanted: list[str]) -> None:
    sought = WholeValues({text.encode() for text in wanted}, folded=False)
    assert sought.may_be_in(page([text.encode() for text in values])) == bool(set(values) & set(wanted))


@given(st.lists(TEXTS, max_size=12), st.lists(TEXTS, max_size=6), st.lists(TEXTS, max_size=6))
def test_none_is_missed_where_case_does_not_count(values: list[str], exact: list[str], folded: list[str]) -> None:
    sought = needles(crm=exact, loud=folded)
    held = page([text.encode() for text in values])
    for code in ("crm", "loud", "email", None):
        if any(sought.named_by(text, code) is not None for text in values):
            assert WholeValues.of(sought, code).may_be_in(held)


@pytest.mark.parametrize("size", range(40))
def test_the_last_value_of_a_page_of_every_length(size: int) -> None:
    value, other = b"v" * size, b"w" * size
    for values in ([value], [other, value], [value, other], [other] * 70 + [value]):
        assert WholeValues({value}, folded=False).may_be_in(page(values))
    assert WholeValues({value}, folded=False).may_be_in(page([other])) == (not size)


def test_a_page_in_capitals() -> None:
    # Lengths from 65 to 90 are the bytes of capital letters.
    text = "Ann." * 18 + "x"
    sought = WholeValues.of(needles(loud=[text]), "loud")
    assert sought.may_be_in(page([text.upper().encode()]))
    assert not sought.may_be_in(page([text[1:].encode()]))


def test_another_namespace_s_identity_is_not_sought() -> None:
    sought = needles(crm=["a"], email=["b"])
    assert WholeValues.of(sought, "crm").may_be_in(page([b"a"]))
    assert not WholeValues.of(sought, "crm").may_be_in(page([b"b"]))
    assert not WholeValues.of(sought, "crm").may_be_in(b"\x01\x00\x00\x00")


@pytest.mark.parametrize("size", range(9))
def test_hardly_a_page(size: int) -> None:
    assert not WholeValues({b"ab"}, folded=False).may_be_in(b"\x02\x00\x00\x00a"[:size])
    assert not WholeValues(set(), folded=False).may_be_in(bytes(size))
