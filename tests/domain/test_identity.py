"""Identities: which are distinct, which are refused, and that no error ever repeats one."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.domain import identity
from lethe.domain.errors import InvalidField, NoIdentities, Refusal, TooManyIdentities
from lethe.domain.identity import ID_LENGTH_MAX, Identities, RequestedIds, distinct, fold, united
from lethe.domain.namespace import Namespace
from support.properties import ids, quickly
from support.values import EMAIL, HANDLE, LOYALTY

SECRET = "ann.ovid@example.com"


def run(namespace: Namespace, values: Sequence[str], first: int = 0, field: str = "identities[{}].id") -> RequestedIds:
    return RequestedIds(namespace, values, field, range(first, first + len(values)))


@quickly
@given(st.lists(st.tuples(st.sampled_from([EMAIL, LOYALTY, HANDLE]), st.lists(ids, min_size=1)), min_size=1))
def test_each_namespace_keeps_the_first_spelling_of_each_id_in_order(runs: list[tuple[Namespace, list[str]]]) -> None:
    expected: dict[Namespace, dict[str, str]] = {}
    for namespace, values in runs:
        for value in values:
            compared = value.casefold() if namespace is HANDLE else value
            expected.setdefault(namespace, {}).setdefault(compared, value)
    found = distinct([run(namespace, values) for namespace, values in runs])
    assert found == Identities({namespace: tuple(group.values()) for namespace, group in expected.items()})
    assert list(found.by_namespace) == list(expected)
    assert found.count == len(list(found)) == sum(map(len, expected.values()))


def test_ids_are_exact_unless_the_namespace_folds() -> None:
    spellings = ["Ann", "ann", "ANN", "ann ", "Straße", "STRASSE"]
    assert distinct([run(EMAIL, spellings)]).by_namespace == {EMAIL: tuple(spellings)}
    assert distinct([run(HANDLE, spellings)]).by_namespace == {HANDLE: ("Ann", "ann ", "Straße")}


def test_one_id_in_two_namespaces_is_two_identities() -> None:
    assert distinct([run(EMAIL, ["a"]), run(LOYALTY, ["a"])]).count == 2


@quickly
@given(ids)
def test_folding_twice_is_folding_once(value: str) -> None:
    assert fold(fold(value)) == fold(value)


BAD = st.sampled_from(["", " ", "\t\n", "\u2003", "\0", f"{SECRET}\0", SECRET + "x" * ID_LENGTH_MAX])


@quickly
@given(st.lists(ids), BAD, st.lists(ids | BAD), st.integers(0, 1_000), st.sampled_from([EMAIL, HANDLE]))
def test_the_first_bad_id_is_named_by_its_index_and_not_by_its_value(
    before: list[str], bad: str, after: list[str], first: int, namespace: Namespace
) -> None:
    with pytest.raises(InvalidField) as refused:
        distinct([run(EMAIL, ["fine"]), run(namespace, [*before, bad, *after], first, "users[2].ids[{}]")])
    index = first + len(before)
    assert refused.value.field == f"users[2].ids[{index}]"
    assert refused.value.context == {"index": index}
    assert SECRET not in spoken(refused.value)


def test_indexes_are_those_of_the_request_even_when_a_run_skips_some() -> None:
    with pytest.raises(InvalidField) as refused:
        distinct([RequestedIds(EMAIL, ["a", "b", " "], "identities[{}].id", [0, 4, 7])])
    assert refused.value.field == "identities[7].id"


@pytest.mark.parametrize(
    "value", ["x" * ID_LENGTH_MAX, "\u200b", "\x1b", "\ufeff", "a\nb", "'; --", "%", "\U0001f480"], ids=ascii
)
def test_what_is_odd_but_an_id(value: str) -> None:
    assert distinct([run(EMAIL, [value])]).by_namespace == {EMAIL: (value,)}


@pytest.mark.parametrize("runs", [[], [run(EMAIL, [])], [run(EMAIL, []), run(HANDLE, [])]])
def test_no_identity_at_all_is_refused(runs: list[RequestedIds]) -> None:
    with pytest.raises(NoIdentities, match="Identities are Empty for Delete Identity request"):
        distinct(runs)


def test_a_namespace_without_ids_is_no_part_of_the_order() -> None:
    assert list(distinct([run(EMAIL, []), run(LOYALTY, ["7"])]).by_namespace) == [LOYALTY]


def test_the_limit_counts_distinct_identities_over_all_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "IDENTITIES_MAX", 4)
    assert distinct([run(EMAIL, ["a", "b", "a", "b", "a"]), run(LOYALTY, ["a", "b"])]).count == 4
    with pytest.raises(TooManyIdentities) as refused:
        distinct([run(EMAIL, ["a", "b", "c"]), run(LOYALTY, ["a", "b"])])
    assert refused.value.context == {"count": 5, "maximum": 4}


def test_a_hundred_thousand_pass_and_one_more_does_not() -> None:
    many = [f"{number}@example.com" for number in range(100_001)]
    assert distinct([run(EMAIL, many[1:])]).count == 100_000
    with pytest.raises(TooManyIdentities, match="100001 distinct identities; one work order takes at most 100000"):
        distinct([run(EMAIL, many)])


def test_nothing_that_holds_identities_shows_one() -> None:
    requested = run(EMAIL, [SECRET])
    assert repr(requested) == "RequestedIds(Email, 1)"
    assert repr(distinct([requested])) == str(distinct([requested])) == "Identities(1 in 1 namespaces)"


def spoken(refusal: Refusal) -> str:
    return f"{refusal} {refusal!r} {refusal.detail} {refusal.field} {refusal.context} {refusal.args}"


def test_orders_are_united_with_each_spelling_once() -> None:
    left = Identities({EMAIL: ("b", "a"), LOYALTY: ("1",)})
    right = Identities({LOYALTY: ("2", "1"), EMAIL: ("A", "a")})
    assert united([left, right]) == Identities({EMAIL: ("b", "a", "A"), LOYALTY: ("1", "2")})
    assert united([]) == Identities({})
