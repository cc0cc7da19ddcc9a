"""Which rows match: types, paths, maps, folding, and who counts what."""

from decimal import Decimal
from uuid import UUID, uuid5

import pyarrow as pa
import pytest

from engines.asking import CRM, EMAIL, asked, order
from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import IdentityMap, TableRefused
from lethe.engines.matching import compile_matcher
from lethe.engines.tally import tally

U = UUID("6f1ed002-ab59-4b65-8c1a-0a6d3c0f0d6e")


def matched(column: pa.Array, *ids: str, namespace=CRM, path=("id",)) -> list[bool]:
    table = pa.table({"id": column})
    matcher = compile_matcher(PrimaryIdentity(path, namespace.code), asked(order(namespace, *ids)))
    return matcher.match(table).mask.to_pylist()


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()],
    ids=str,
)
def test_text_and_bytes_match_exactly_and_null_never(kind: pa.DataType) -> None:
    column = pa.array(["ann", "Ann", "ann ", "an", None, "ñ"]).cast(kind)
    assert matched(column, "ann", "ñ") == [True, False, False, False, False, True]


def test_dictionaries_and_runs_match_like_their_values() -> None:
    column = pa.array(["a", "b", None, "a"])
    assert matched(column.dictionary_encode(), "a") == [True, False, False, True]
    runs = pa.RunEndEncodedArray.from_arrays([2, 3], pa.array(["a", None]))
    assert matched(runs, "a") == [True, True, False]


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.int64(), pa.uint64()], ids=str)
def test_integers_match_canonical_numerals_alone(kind: pa.DataType) -> None:
    column = pa.array([7, 70, None, 0], kind)
    assert matched(column, "7", "070", "+70", "0", "99999999999999999999999") == [True, False, False, True]
    assert matched(column, "07", "-0", "7.0", "७") == [False] * 4


def test_decimals_match_by_value() -> None:
    column = pa.array([Decimal("1.50"), Decimal("-1.50"), None, Decimal("0.00"), Decimal("15.00")], pa.decimal128(6, 2))
    assert matched(column, "1.5", "0", "15.000", "1.501", "123456.00", "01.5") == [True, False, False, True, True]
    assert matched(column, "-1.50", "-0") == [False, True, False, False, False]


def test_uuids_match_hyphenated_text_in_either_case() -> None:
    other = uuid5(U, "other")
    for column in (
        pa.array([U.bytes, other.bytes, None], pa.uuid()),
        pa.array([U.bytes, other.bytes, None], pa.binary(16)),
    ):
        assert matched(column, str(U).upper()) == [True, False, False]
        assert matched(column, U.hex, f"{{{other}}}") == [False, False, False]


def test_floats_are_refused() -> None:
    with pytest.raises(TableRefused, match="double"):
        matched(pa.array([1.0]), "1")


def test_folded_namespaces_know_full_case_folding() -> None:
    column = pa.array(["ANN@x", "straße", "STRASSE", "ǅ", None, "ann@y"])
    assert matched(column, "Ann@X", "Strasse", "ǆ", namespace=EMAIL) == [True, True, True, True, False, False]
    assert matched(column.cast(pa.binary()), "Ann@X", "STRASSE", namespace=EMAIL) == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_paths_lead_through_structs_and_may_hold_dots() -> None:
    inner = pa.StructArray.from_arrays([pa.array(["a", "a", "b"])], ["x.y"], mask=pa.array([False, True, False]))
    table = pa.table({"p.q": pa.StructArray.from_arrays([inner], ["r"])})
    matcher = compile_matcher(PrimaryIdentity(("p.q", "r", "x.y"), CRM.code), asked(order(CRM, "a")))
    assert matcher.match(table).mask.to_pylist() == [True, False, False]
    assert matcher.columns(table.schema) == ["p.q.r.x.y"]
    elsewhere = matcher.at(PrimaryIdentity(("p", "q"), CRM.code))
    assert elsewhere.columns(table.schema) == []
    assert elsewhere.match(table).mask.to_pylist() == [False] * 3


def test_a_path_through_a_list_is_refused() -> None:
    with pytest.raises(TableRefused, match="list"):
        matched(pa.array([[{"x": "a"}]]), "a", path=("id", "x"))


def test_the_primary_identity_asks_for_its_own_namespace_alone() -> None:
    matcher = compile_matcher(PrimaryIdentity(("id",), "crm"), asked(order(EMAIL, "a"), order(CRM, "b")))
    assert matcher.match(pa.table({"id": ["a", "b"]})).mask.to_pylist() == [False, True]


ENTRY = pa.struct([("id", pa.string()), ("authenticatedState", pa.string()), ("primary", pa.bool_())])
MAP = pa.map_(pa.string(), pa.list_(ENTRY))


def entry(value: str | None, primary: bool | None) -> dict[str, object]:
    return {"id": value, "authenticatedState": "ambiguous", "primary": primary}


ROWS = [
    [("Email", [entry("a", True)])],
    [("Email", [entry("a", False)])],
    [("Email", [entry("a", None)])],
    [("crm", [entry("a", True)])],
    None,
    [],
    [("Email", None)],
    [("Email", [None])],
    [("email", [entry("z", True), entry("A", True), entry("a", True)])],
    [("ECID", [entry("e", True)]), ("CRM", [entry("a", False), entry("b", True)])],
]


@pytest.mark.parametrize("shape", ["map", "list", "struct", "sliced", "chunked"])
def test_only_primary_entries_of_the_namespace_match(shape: str) -> None:
    column = pa.array(ROWS, MAP)
    expected = [True, False, False, False, False, False, False, False, True, True]
    if shape == "list":
        column = column.cast(pa.list_(pa.struct([("key", pa.string()), ("value", pa.list_(ENTRY))])))
    elif shape == "struct":
        codes = ["Email", "email", "crm", "ECID", "CRM"]
        column = pa.array([None if r is None else {c: dict(r).get(c) for c in codes} for r in ROWS])
    elif shape == "sliced":
        column, expected = column.slice(1, 8), expected[1:9]
    elif shape == "chunked":
        column = pa.chunked_array([column.slice(0, 3), column.slice(3)])
    wanted = asked(order(EMAIL, "a"), order(CRM, "b", "q"), order(EMAIL, "A", "e"))
    matches = compile_matcher(IdentityMap(), wanted).match(pa.table({"identityMap": column}))
    assert matches.mask.to_pylist() == expected
    counted = tally(wanted, matches.counts)
    ann = sum(expected[:1] + expected[-2:-1]) if shape != "sliced" else 1
    assert counted.rows_matched == sum(expected)
    assert [o.rows_matched for o in counted.orders] == [ann, int(shape != "sliced"), ann]
    assert [o.rows_by_identity for o in counted.orders] == [(ann,), (int(shape != "sliced"), 0), (ann, 0)]


def test_orders_that_share_an_identity_each_count_it() -> None:
    wanted = asked(order(CRM, "a", "b"), order(CRM, "b", "zz"))
    matcher = compile_matcher(PrimaryIdentity(("id",), "CRM"), wanted)
    counted = tally(wanted, matcher.match(pa.table({"id": ["a", "b", "b", None, "c"]})).counts)
    assert counted.rows_matched == 3
    assert [o.rows_by_identity for o in counted.orders] == [(1, 2), (2, 0)]
    assert [o.rows_matched for o in counted.orders] == [3, 2]


SPELLINGS = pytest.mark.parametrize(
    ("column", "one", "other", "nobody"),
    [
        (pa.array([Decimal("7.00"), None, Decimal("8.00"), Decimal("7.00")], pa.decimal128(10, 2)), "7", "7.00", "9"),
        (pa.array([U.bytes, None, bytes(16), U.bytes], pa.binary(16)), str(U), str(U).upper(), str(UUID(int=1))),
    ],
    ids=["decimal", "uuid"],
)


@SPELLINGS
def test_orders_that_spell_a_value_differently_each_count_it(
    column: pa.Array, one: str, other: str, nobody: str
) -> None:
    wanted = asked(order(CRM, one, nobody), order(CRM, other), order(CRM, nobody), order(CRM, one))
    matches = compile_matcher(PrimaryIdentity(("id",), "CRM"), wanted).match(pa.table({"id": column}))
    counted = tally(wanted, matches.counts)
    assert matches.mask.to_pylist() == [True, False, False, True]
    assert counted.rows_matched == 2
    assert [o.rows_by_identity for o in counted.orders] == [(2, 0), (2,), (0,), (2,)]
    assert [o.rows_matched for o in counted.orders] == [2, 2, 0, 2]


@SPELLINGS
def test_an_order_that_spells_a_value_twice_counts_its_rows_once(
    column: pa.Array, one: str, other: str, nobody: str
) -> None:
    wanted = asked(order(CRM, nobody, one, other), order(CRM, other))
    matches = compile_matcher(PrimaryIdentity(("id",), "CRM"), wanted).match(pa.table({"id": column}))
    counted = tally(wanted, matches.counts)
    assert counted.rows_matched == 2
    assert [o.rows_by_identity for o in counted.orders] == [(0, 2, 2), (2,)]
    assert [o.rows_matched for o in counted.orders] == [2, 2]


def test_a_row_with_two_identities_of_an_order_counts_once_for_it() -> None:
    column = pa.array([[("Email", [entry("a", True)]), ("CRM", [entry("b", True)])]], MAP)
    wanted = asked(order({EMAIL: ("a",), CRM: ("b",)}))
    counted = tally(wanted, compile_matcher(IdentityMap(), wanted).match(pa.table({"identityMap": column})).counts)
    assert counted.orders[0].rows_matched == 1
    assert counted.orders[0].rows_by_identity == (1, 1)


def test_no_repr_speaks() -> None:
    wanted = asked(order(CRM, "secret-value"))
    matcher = compile_matcher(PrimaryIdentity(("id",), "CRM"), wanted)
    matcher.match(pa.table({"id": ["secret-value"]}))
    assert "secret-value" not in repr(matcher)
    assert "secret-value" not in repr(wanted)
