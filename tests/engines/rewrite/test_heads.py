"""Page headers as the native module reads and writes them, against the reader and writer in Python."""

import pytest

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.page import DATA, DATA_V2, DICTIONARY
from lethe.engines.rewrite.pages.thrift import (
    BINARY,
    DOUBLE,
    I32,
    I64,
    LIST,
    STRUCT,
    TRUE,
    Field,
    Items,
    Struct,
    read_struct,
    write_struct,
)

PART = {DATA: 5, DICTIONARY: 7, DATA_V2: 8}
STATISTICS = {DATA: 5, DATA_V2: 8}
TOLD = (b"old high", b"", 7, b"high" * 50, b"low", True, False)
FIELDS = (1, 2, 3, 5, 6, 7, 8)
KINDS = (BINARY, BINARY, I64, BINARY, BINARY, TRUE, TRUE)


def statistics(told: tuple[object, ...]) -> Struct:
    return Struct({n: Field(k, v) for n, k, v in zip(FIELDS, KINDS, told, strict=True) if v is not None})


def header(kind: int, part: dict[int, Field], more: dict[int, Field] | None = None) -> Struct:
    """With fields of the future, near and far, which nobody here understands."""
    unknown = {3000: Field(DOUBLE, b"\1" * 8), 40: Field(LIST, Items(STRUCT, (Struct({1: Field(TRUE, value=True)}),)))}
    size = {1: Field(I32, kind), 2: Field(I32, 1000), 3: Field(I32, 500)}
    return Struct({**size, PART[kind]: Field(STRUCT, Struct({**part, 21: Field(I64, -5)})), **unknown, **(more or {})})


def data(kind: int, told: tuple[object, ...] | None = TOLD) -> dict[int, Field]:
    numbers = {1: 20_000, 2: 0, 3: 3, 4: 3} if kind == DATA else {1: 20_000, 2: 5, 3: 20_000, 4: 0, 5: 14, 6: 0}
    part = {number: Field(I32, value) for number, value in numbers.items()}
    return part if told is None else part | {STATISTICS[kind]: Field(STRUCT, statistics(told))}


@pytest.mark.parametrize("checksum", [None, 0, -(1 << 31), (1 << 31) - 1])
def test_a_header_says_what_it_takes_to_open_its_page(checksum: int | None) -> None:
    more = {} if checksum is None else {4: Field(I32, checksum)}
    assert _native.said(write_struct(header(DATA, data(DATA), more)), DATA) == (checksum, None, None, None, TOLD)
    second = write_struct(header(DATA_V2, data(DATA_V2) | {7: Field(TRUE, value=False)}, more))
    assert _native.said(second, DATA_V2) == (checksum, 14, 0, False, TOLD)
    silent = write_struct(header(DATA_V2, data(DATA_V2, None), more))
    assert _native.said(silent, DATA_V2) == (checksum, 14, 0, None, None)
    entries = {1: Field(I32, 5), 2: Field(I32, 0), 3: Field(TRUE, value=True)}
    assert _native.said(write_struct(header(DICTIONARY, entries, more)), DICTIONARY) == (
        checksum,
        None,
        None,
        True,
        None,
    )


@pytest.mark.parametrize("place", range(7))
def test_what_statistics_do_not_say_is_none(place: int) -> None:
    told = tuple(None if number == place else value for number, value in enumerate(TOLD))
    assert _native.said(write_struct(header(DATA, data(DATA, told))), DATA)[4] == told
    assert _native.said(write_struct(header(DATA, data(DATA, (None,) * 7))), DATA)[4] == (None,) * 7


@pytest.mark.parametrize("told", [None, TOLD, (None,) * 7, (None, None, 0, b"x", b"", None, True)])
@pytest.mark.parametrize("had", [None, TOLD])
@pytest.mark.parametrize("kind", [DATA, DATA_V2])
def test_a_header_is_written_with_other_words(
    kind: int, had: tuple[object, ...] | None, told: tuple[object, ...] | None
) -> None:
    """All that is not changed stays, also what nobody understands, and a checksum is written where there was one."""
    for more in ({}, {4: Field(I32, 77)}):
        old = header(kind, data(kind, had), more)
        part = dict(old.struct(PART[kind]).fields) | {1: Field(I32, 1 << 20), 3: Field(I32, 0)}
        part.pop(STATISTICS[kind], None)
        if told is not None:
            part[STATISTICS[kind]] = Field(STRUCT, statistics(told))
        if kind == DATA_V2:
            part[7] = Field(TRUE, value=True)
        changes = {2: Field(I32, 1 << 27), 3: Field(I32, 0), PART[kind]: Field(STRUCT, Struct(part))}
        expected = write_struct(old.having(changes | ({4: Field(I32, -9)} if more else {})))
        flag = True if kind == DATA_V2 else None
        found = _native.reheaded(write_struct(old), kind, 1 << 27, 0, -9, (1 << 20, None, 0), flag, told)
        assert found == expected


def test_a_dictionarys_header_is_written_with_other_words() -> None:
    for flag in (None, True):
        fields = {1: Field(I32, 5), 2: Field(I32, 0)} | ({} if flag is None else {3: Field(TRUE, value=True)})
        old = header(DICTIONARY, fields)
        after = {1: Field(I32, 4), 2: Field(I32, 0), 21: Field(I64, -5)} | (
            {} if flag is None else {3: Field(TRUE, value=False)}
        )
        expected = old.having({2: Field(I32, 1), 3: Field(I32, 2), 7: Field(STRUCT, Struct(after))})
        new = _native.reheaded(write_struct(old), DICTIONARY, 1, 2, 0, (4,), None if flag is None else False, None)
        assert new == write_struct(expected)
        assert read_struct(new)[0] == expected


def test_broken_headers_are_refused() -> None:
    whole = write_struct(header(DATA, data(DATA), {4: Field(I32, 77)}))
    for length in range(len(whole)):
        with pytest.raises(_native.Malformed):
            _native.said(whole[:length], DATA)
        with pytest.raises(_native.Malformed):
            _native.reheaded(whole[:length], DATA, 1, 2, 0, (3,), None, TOLD)
    with pytest.raises(_native.Malformed):
        _native.reheaded(whole, DATA_V2, 1, 2, 0, (3,), None, None)
    no_bytes = header(DATA, data(DATA, None) | {5: Field(STRUCT, Struct({1: Field(I32, 5)}))})
    with pytest.raises(_native.Malformed, match="bound"):
        _native.said(write_struct(no_bytes), DATA)
    with pytest.raises(ValueError, match="kind"):
        _native.said(whole, 1)


def test_a_header_whose_fields_do_not_ascend_is_not_written_anew() -> None:
    """Which of two alike would count, readers do not agree on."""
    whole = write_struct(header(DATA, data(DATA)))
    assert whole.startswith(b"\x15\x00\x15")
    again = whole[:2] + b"\x05\x02\x00" + whole[2:]
    with pytest.raises(_native.Uncut):
        _native.reheaded(again, DATA, 1, 2, 0, (3,), None, None)


@pytest.mark.parametrize("told", [(1, *TOLD[1:]), TOLD[:6], (*TOLD[:2], "7", *TOLD[3:])])
def test_statistics_of_another_form_are_refused(told: tuple[object, ...]) -> None:
    whole = write_struct(header(DATA, data(DATA)))
    with pytest.raises((ValueError, TypeError)):
        _native.reheaded(whole, DATA, 1, 2, 0, (3,), None, told)  # type: ignore[arg-type]
