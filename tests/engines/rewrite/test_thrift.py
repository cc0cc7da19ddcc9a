"""Structures are written back as they were read, understood or not; broken ones are refused."""

import pytest

from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.thrift import (
    BINARY,
    BYTE,
    DOUBLE,
    I16,
    I32,
    I64,
    LIST,
    MAP,
    SET,
    STRUCT,
    TRUE,
    UUID,
    Field,
    Items,
    Pairs,
    Struct,
    read_struct,
    write_struct,
)

INNER = Struct({1: Field(TRUE, value=False), 40: Field(BINARY, b"far away")})
EVERYTHING = Struct(
    {
        1: Field(TRUE, value=True),
        2: Field(BYTE, 200),
        3: Field(I16, -300),
        4: Field(I32, -(1 << 31)),
        5: Field(I64, (1 << 63) - 1),
        6: Field(DOUBLE, bytes(range(8))),
        7: Field(BINARY, b"\x00text"),
        8: Field(LIST, Items(I32, tuple(range(-20, 20)))),
        9: Field(SET, Items(BINARY, (b"", b"x"))),
        10: Field(MAP, Pairs(BINARY, STRUCT, ((b"k", INNER),))),
        11: Field(MAP, Pairs(0, 0, ())),
        12: Field(STRUCT, INNER),
        13: Field(UUID, bytes(16)),
        14: Field(LIST, Items(TRUE, (b"\x01", b"\x02", b"\x00"))),
        300: Field(LIST, Items(STRUCT, (INNER, Struct({})))),
    }
)


def test_every_type_goes_and_comes() -> None:
    written = write_struct(EVERYTHING)
    found, end = read_struct(b"before" + written + b"behind", 6)
    assert (found, end) == (EVERYTHING, 6 + len(written))
    assert write_struct(found) == written


def test_other_fields_stay_when_some_change() -> None:
    changed = EVERYTHING.having({4: Field(I32, 7), 7: None, 15: Field(I64, 1)})
    assert changed.integer(4) == 7
    assert 7 not in changed.fields
    assert {n: f for n, f in changed.fields.items() if n not in {4, 15}} == {
        n: f for n, f in EVERYTHING.fields.items() if n not in {4, 7}
    }


def test_a_struct_that_ends_anywhere_is_refused() -> None:
    written = write_struct(EVERYTHING)
    for length in range(len(written)):
        with pytest.raises(Damaged):
            read_struct(written[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"\x1c" * 100 + b"\x00" * 101,  # structures in structures
        b"\x19\xf5\xff\xff\xff\xff\x0f\x00",  # a list longer than its place
        b"\x16" + b"\xff" * 20,  # a number without an end
        b"\x1e\x00",  # a type that does not exist
        b"\x18\xff\xff\xff\xff\x0f",  # bytes that lead out
    ],
)
def test_hostile_structures_are_refused(data: bytes) -> None:
    with pytest.raises(Damaged):
        read_struct(data)


def test_a_field_of_another_type_is_refused() -> None:
    for ask in (
        lambda: EVERYTHING.integer(7),
        lambda: EVERYTHING.integer(99),
        lambda: EVERYTHING.struct(1),
        lambda: EVERYTHING.items(8, I64),
        lambda: EVERYTHING.items(7, I32),
        lambda: EVERYTHING.binary(4),
    ):
        with pytest.raises(Damaged):
            ask()
    assert EVERYTHING.integer(99, 3) == 3
    assert EVERYTHING.binary(99) is None
