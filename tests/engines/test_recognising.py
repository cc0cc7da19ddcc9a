"""Values recognised by keyed hashes alone, in every type of column that can hold identities."""

import pickle
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pytest

from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.identity import HashedIdentities, Identities
from lethe.domain.ids import WorkOrderId
from lethe.engines.interface import HashedOrder, IdentityMap, Order, Wanted
from lethe.engines.keys import spoken
from lethe.engines.matching import compile_matcher
from lethe.storage.identity_hashes import KeyedHasher
from support.values import EMAIL, HANDLE

HASHER = KeyedHasher(b"a key of the tests, thirty-two by")
SOMEBODY = UUID("8f14e45f-ceea-467f-a8fa-3f5f0a5c1a2b")


def hashed(*ids: str, namespace: Any = EMAIL) -> HashedOrder:
    identities = HashedIdentities({namespace: tuple(HASHER.hashes(namespace, ids))}, HASHER)
    return HashedOrder(WorkOrderId(uuid4()), identities)


@pytest.mark.parametrize(
    ("column", "ids", "expected"),
    [
        (pa.array(["a@x", None, "b@x", "A@x", "a@x"]), ["a@x", "z@x"], [1, 0, 0, 0, 1]),
        (pa.array([b"a@x", b"\xff\xfe", b"b@x"]), ["b@x"], [0, 0, 1]),
        (pa.array([7, 70, None, -7], pa.int32()), ["7", "-7"], [1, 0, 0, 1]),
        (pa.array([Decimal("7.00"), Decimal("7.50"), Decimal("70.00")]), ["7.5", "70"], [0, 1, 1]),
        (pa.array([SOMEBODY.bytes, uuid4().bytes], pa.binary(16)), [str(SOMEBODY).upper()], [1, 0]),
        (pa.array(["a@x", "b@x", "a@x"]).dictionary_encode(), ["a@x"], [1, 0, 1]),
    ],
    ids=["text", "binary", "integer", "decimal", "uuid", "dictionary"],
)
def test_rows_are_recognised_as_they_would_be_found(column: Any, ids: list[str], expected: list[int]) -> None:
    table = pa.table({"id": column})
    selector = PrimaryIdentity(("id",), "Email")
    plain = compile_matcher(selector, Wanted((Order(WorkOrderId(uuid4()), Identities({EMAIL: tuple(ids)})),)))
    known = compile_matcher(selector, Wanted((), (hashed(*ids),)))
    found = pickle.loads(pickle.dumps(known)).match(table)
    assert found.mask.to_pylist() == plain.match(table).mask.to_pylist() == list(map(bool, expected))
    assert found.counts.by_slot.tolist() == plain.match(table).counts.by_slot.tolist()


def test_letter_case_counts_where_it_counts() -> None:
    table = pa.table({"id": ["Straße", "STRASSE", "strasse", "Gasse"]})
    known = compile_matcher(PrimaryIdentity(("id",), "Handle"), Wanted((), (hashed("straße", namespace=HANDLE),)))
    assert known.match(table).mask.to_pylist() == [True, True, True, False]


def test_orders_are_counted_each_for_itself() -> None:
    table = pa.table({"id": ["a", "b", "a", "c"]})
    wanted = Wanted((), (hashed("a", "b"), hashed("b", "z"), hashed("c", namespace=HANDLE)))
    counts = compile_matcher(PrimaryIdentity(("id",), "Email"), wanted).match(table).counts
    assert counts.by_order.tolist() == [3, 1, 0]
    assert counts.by_slot.tolist() == [2, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        (pa.array([Decimal("7.00"), Decimal("8.00")], pa.decimal128(10, 2)), "7", "7.00"),
        (pa.array([SOMEBODY.bytes, bytes(16)], pa.binary(16)), str(SOMEBODY), str(SOMEBODY).upper()),
    ],
    ids=["decimal", "uuid"],
)
def test_every_spelling_of_a_value_is_recognised_for_itself(column: Any, one: str, other: str) -> None:
    wanted = Wanted((), (hashed(one), hashed(other), hashed(one, other)))
    counts = compile_matcher(PrimaryIdentity(("id",), "Email"), wanted).match(pa.table({"id": column})).counts
    assert counts.rows == 1
    assert counts.by_order.tolist() == [1, 1, 1]
    assert counts.by_slot.tolist() == [1, 1, 1, 1]


def test_in_a_folded_namespace_both_letter_cases_are_one_spelling() -> None:
    wanted = Wanted((), (hashed(str(SOMEBODY), namespace=HANDLE), hashed(str(SOMEBODY).upper(), namespace=HANDLE)))
    table = pa.table({"id": pa.array([SOMEBODY.bytes], pa.binary(16))})
    counts = compile_matcher(PrimaryIdentity(("id",), "Handle"), wanted).match(table).counts
    assert (counts.rows, counts.by_order.tolist(), counts.by_slot.tolist()) == (1, [1, 1], [1, 1])


def test_an_identity_map_is_recognised_by_its_primary_entries() -> None:
    entry = pa.struct([("id", pa.string()), ("primary", pa.bool_())])
    rows = [
        [("Email", [{"id": "a@x", "primary": True}])],
        [("Email", [{"id": "a@x", "primary": False}])],
        [("Phone", [{"id": "a@x", "primary": True}])],
        None,
    ]
    table = pa.table({"identityMap": pa.array(rows, pa.map_(pa.string(), pa.list_(entry)))})
    known = compile_matcher(IdentityMap(), Wanted((), (hashed("a@x"),)))
    assert known.match(table).mask.to_pylist() == [True, False, False, False]


def test_a_decimal_is_spoken_with_every_number_of_places() -> None:
    assert spoken(pa.array([Decimal("7.00"), Decimal("0.50")])) == (
        [0, 0, 0, 1, 1],
        ["7.00", "7.0", "7", "0.50", "0.5"],
    )


def test_neither_key_nor_hashes_are_shown() -> None:
    known = compile_matcher(PrimaryIdentity(("id",), "Email"), Wanted((), (hashed("a@x"),)))
    assert "key of the tests" not in repr(known) + repr(known.groups[0])
