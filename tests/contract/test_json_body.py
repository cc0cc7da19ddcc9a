"""Strict JSON: a key that stands twice anywhere is refused, and what is refused is never repeated."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.json_text import Pairs, has_twins, write
from lethe.contract.json_body import DuplicateKey, NotJson, require_unique_keys, speakable
from support.properties import thoroughly

keys = st.sampled_from(["a", "id", "é", 'q"', "\\", "\ud800", "", "\U0001f480"]) | st.text(max_size=3)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(keys, inner), max_size=4).map(Pairs),
    max_leaves=12,
)


@thoroughly
@given(documents, st.randoms(use_true_random=False))
def test_a_body_is_refused_exactly_when_a_key_stands_twice_in_one_object(document: Any, random: Random) -> None:
    body = write(document, random).encode()
    if not has_twins(document):
        require_unique_keys(body)
        return
    with pytest.raises(DuplicateKey) as refused:
        require_unique_keys(body)
    assert refused.value.key == speakable(refused.value.key)


@pytest.mark.parametrize(
    "body",
    [
        '{"a":1,"a":1}',
        '{"a":1,"\\u0061":2}',
        '[{"x":{"a":[],"b":{},"a":null}}]',
        '{"é":1,"\\u00e9":2}',
        '{"\\ud83d\\udc80":1,"\U0001f480":2}',
    ],
)
def test_twins_under_whatever_spelling(body: str) -> None:
    with pytest.raises(DuplicateKey, match="stands twice in one object"):
        require_unique_keys(body.encode())


@pytest.mark.parametrize("body", ['{"a":1,"A":1}', '{"e\\u0301":1,"\\u00e9":1}', '[{"a":1},{"a":1}]', '{"a":{"a":1}}'])
def test_what_is_not_a_twin(body: str) -> None:
    require_unique_keys(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"{'a': 1}", b'{"a": 1,}', b"// no", b'{"a": NaN}', b"[Infinity]", b"[-Infinity]", b'"\n"', b"[01]",
        b'{"a": "\xff"}', b"\xef\xbb\xbf{}", '{"a": 1}'.encode("utf-16"), b"[" * 200_000, b'{"a":' * 200_000,
        b"9" * 10_000, b"{} {}", b"\0", b"nul", b'"\\x"',
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_what_is_not_json(body: bytes) -> None:
    with pytest.raises(NotJson) as refused:
        require_unique_keys(body)
    assert str(refused.value).startswith("the request body")


def test_where_it_stops_being_json_is_said_and_what_stands_there_is_not() -> None:
    with pytest.raises(NotJson, match=r"^the request body is not valid JSON: at line 2 column 8$"):
        require_unique_keys(b'{"a": 1,\n "id": ann.ovid@example.com}')


@pytest.mark.parametrize("name", ["a", "displayName", "x-y_z", "_1", "A" * 40])
def test_a_key_that_looks_like_a_field_may_be_repeated(name: str) -> None:
    assert speakable(name) == name


@pytest.mark.parametrize("name", ["", "1a", "ann@example.com", "+49 30 1234", "a b", "é", "A" * 41, "a\n", "a\0"])
def test_any_other_is_not_for_it_may_be_what_belongs_elsewhere(name: str) -> None:
    assert speakable(name) == "(a field)"
    with pytest.raises(DuplicateKey) as refused:
        require_unique_keys(json.dumps({name: 1})[:-1].encode() + b"," + json.dumps({name: 2})[1:].encode())
    assert refused.value.key == "(a field)"
