"""The native module's loops over values, against plain Python and against the verifier's own reader."""

import random
import struct
from typing import Any

import pyarrow as pa
import pytest

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.leaves import Order, Shape
from lethe.engines.verify.parquet import bloom

PLAIN, RLE, DELTA, DELTA_LENGTH, DELTA_STRINGS, DICTIONARY, SPLIT = 0, 3, 5, 6, 7, 8, 9
NAMES = {DELTA: "DELTA_BINARY_PACKED", DELTA_LENGTH: "DELTA_LENGTH_BYTE_ARRAY", DELTA_STRINGS: "DELTA_BYTE_ARRAY"}
WORDS = [b"", b"ann", b"anna", b"bob", b"annegret", b"\xff\x00", b"x" * 300, b"bob"]


def strings(*values: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def cut(  # noqa: PLR0917 - as the module takes them
    body: bytes, count: int, gone: list[int], encoding: int, shape: Shape, width: int = 0, **more: Any
) -> Any:
    """Cut a required flat page of version 1; `gone` are rows."""
    flags = bytearray(count)
    for row in gone:
        flags[row] = 1
    entries = more.get("entries", 0)
    return _native.cut(
        body, -1, -1, b"", count, 0, more.get("definition", 0), encoding, shape, width, flags, 0,
        more.get("dictionary", b""), entries, more.get("starts", b""), more.get("used", bytearray(entries)),
        more.get("lost", bytearray(entries)), more.get("marks", ()), more.get("loose", 0), more.get("order", -1),
        more.get("eager", True),
        more.get("room", bytearray()),
    )  # fmt: skip


@pytest.mark.parametrize("gone", [[0], [7], [3, 4], [0, 2, 4, 6], list(range(7))])
def test_strings_are_cut(gone: list[int]) -> None:
    left = [value for row, value in enumerate(WORDS) if row not in gone]
    found = cut(strings(*WORDS), 8, gone, PLAIN, Shape.STRINGS)
    assert found[:6] == (8, len(left), 8, len(left), 0, 0)
    assert found[7] == strings(*left)


@pytest.mark.parametrize("width", [1, 4, 7, 8, 12])
def test_values_of_a_width_are_cut(width: int) -> None:
    values = [bytes([n]) * width for n in range(50)]
    found = cut(b"".join(values), 50, [0, 10, 11, 49], PLAIN, Shape.FIXED, width)
    assert found[7] == b"".join(value for n, value in enumerate(values) if n not in {0, 10, 11, 49})
    split = b"".join(bytes(range(50)) for _ in range(width))
    found = cut(split, 50, [0, 10, 11, 49], SPLIT, Shape.FIXED, width)
    assert found[7] == bytes(n for n in range(50) if n not in {0, 10, 11, 49}) * width


@pytest.mark.parametrize("share", [0.01, 0.2, 0.8])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 64, 1003])
def test_rows_go_in_runs_of_any_length(count: int, share: float) -> None:
    """Where marks are rare, and where they are dense; levels, values of widths with and without a loop of their own."""
    chance = random.Random(count)
    gone = sorted({row for row in range(count) if chance.random() < share} | {chance.randrange(count)})
    stay = [row for row in range(count) if row not in gone]
    for width in (1, 3, 4, 8, 16):
        values = [chance.randbytes(width) for _ in range(count)]
        found = cut(b"".join(values), count, gone, PLAIN, Shape.FIXED, width)
        assert found[7] == b"".join(values[row] for row in stay)
    words = [chance.randbytes(chance.randrange(20)) for _ in range(count)]
    assert cut(strings(*words), count, gone, PLAIN, Shape.STRINGS)[7] == strings(*(words[row] for row in stay))
    nulls = [chance.random() < 0.5 for _ in range(count)]
    body = levels([not null for null in nulls]) + b"".join(w for w, null in zip(values, nulls, strict=True) if not null)
    found = cut(body, count, gone, PLAIN, Shape.FIXED, 16, definition=1)
    assert found[4:6] == (sum(nulls), sum(nulls[row] for row in stay))
    present = b"".join(values[row] for row in stay if not nulls[row])
    assert _native.values(found[7], -1, -1, b"", len(stay), 0, 1, PLAIN, Shape.FIXED, 16) == (
        present,
        len(present) // 16,
    )


def levels(here: list[bool]) -> bytes:
    """Definition levels of 0 and 1 as one run of packed groups."""
    packed = packed_groups([int(flag) for flag in here], 1)
    return struct.pack("<I", len(packed)) + packed


@pytest.mark.parametrize("width", [1, 2, 3, 5, 7, 8, 9, 13, 16, 17])
def test_indices_of_any_width_are_cut(width: int) -> None:
    chance = random.Random(width)
    entries = 1 << width
    indices = [entries - 1, *(chance.randrange(entries) for _ in range(998)), *[1] * 24]
    gone = [row for row in range(1023) if chance.random() < 0.3]
    body = bytes([width]) + packed_groups(indices, width)
    used, lost = bytearray(entries), bytearray(entries)
    plain = struct.pack(f"<{entries}I", *range(entries))
    found = cut(
        body, 1023, gone, DICTIONARY, Shape.FIXED, 4, dictionary=plain, entries=entries, used=used, lost=lost
    )  # fmt: skip
    went = set(gone)
    stay = [index for row, index in enumerate(indices) if row not in went]
    assert {entry for entry in range(entries) if used[entry]} == set(stay)
    assert {entry for entry in range(entries) if lost[entry]} == {indices[row] for row in gone}
    assert read_indices(found[7], len(stay)) == stay


def packed_groups(numbers: list[int], width: int) -> bytes:
    """One run of bit-packed groups."""
    groups = -(-len(numbers) // 8)
    header = groups << 1 | 1
    varint = bytes([header & 0x7F | 0x80, header >> 7]) if header > 0x7F else bytes([header])
    return varint + sum(n << place * width for place, n in enumerate(numbers)).to_bytes(groups * width, "little")


def read_indices(body: bytes, count: int) -> list[int]:
    """Indices in runs and packed groups, read by plain Python."""
    width, place, found = body[0], 1, list[int]()
    while len(found) < count:
        header = shift = 0
        while True:
            header |= (body[place] & 0x7F) << shift
            shift += 7
            place += 1
            if body[place - 1] < 0x80:
                break
        if header & 1:
            bits = int.from_bytes(body[place : place + (header >> 1) * width], "little")
            found += [bits >> n * width & (1 << width) - 1 for n in range((header >> 1) * 8)]
            place += (header >> 1) * width
        else:
            size = (width + 7) // 8
            found += [int.from_bytes(body[place : place + size], "little")] * (header >> 1)
            place += size
    assert place == len(body)
    return found[:count]


@pytest.mark.parametrize("encoding", [DELTA, DELTA_LENGTH, DELTA_STRINGS])
def test_what_is_encoded_by_differences_comes_back(encoding: int) -> None:
    """Cut, decode, cut again: each against the plain values."""
    numbers = [(-1) ** n * n**5 % (1 << 31) - (1 << 30) for n in range(700)]
    plain = struct.pack("<700i", *numbers) if encoding == DELTA else strings(*(WORDS * 88)[:700])
    shape, width = (Shape.FIXED, 4) if encoding == DELTA else (Shape.STRINGS, 0)
    kind = pa.int32() if encoding == DELTA else pa.binary()
    body = page_of(pa.array(numbers if encoding == DELTA else (WORDS * 88)[:700], kind), NAMES[encoding])
    assert _native.values(body, -1, -1, b"", 700, 0, 0, encoding, shape, width) == (plain, 700)
    gone = list(range(0, 700, 3))
    smaller = cut(body, 700, gone, encoding, shape, width)[7]
    expected = cut(plain, 700, gone, PLAIN, shape, width)[7]
    assert _native.values(smaller, -1, -1, b"", 466, 0, 0, encoding, shape, width) == (expected, 466)


def page_of(values: Any, encoding: str) -> bytes:
    """The body of the only page that Arrow writes for some values."""
    import io

    import pyarrow.parquet as pq

    from lethe.engines.rewrite.pages.footer import read_at, read_footer
    from lethe.engines.rewrite.pages.page import Held, opened, pages

    sink = io.BytesIO()
    table = pa.table({"x": values}).cast(pa.schema([pa.field("x", values.type, nullable=False)]))
    pq.write_table(table, sink, compression="NONE", use_dictionary=False, column_encoding={"x": encoding})
    source = pa.BufferReader(sink.getvalue())
    chunk = read_footer(source).groups[0].chunks[0]
    held = Held(chunk, read_at(source, chunk.span))
    (page,) = pages(chunk, held.data)
    return bytes(opened(held.headed(page)).body)


def test_indices_are_cut_and_entries_marked() -> None:
    entries = strings(b"ann", b"bob", b"cy")
    indices = bytes([2, 3, 0b00100100, 0b00000001 << 1])  # width 2, one group: 0 1 2 0 2 0 0 0
    used, lost = bytearray(3), bytearray(3)
    found = cut(
        indices, 5, [1, 4], DICTIONARY, Shape.STRINGS, dictionary=entries, entries=3,
        starts=_native.starts(entries, 3), used=used, lost=lost, marks=(b"bob", b"cy", b"ann"),
    )  # fmt: skip
    assert (bytes(used), bytes(lost)) == (b"\1\0\1", b"\0\1\1")
    assert found[6] == 0b001, "a bound whose value a row of the page still has is touched"
    marks = bytearray(3)
    _native.mark(found[7], 3, 3, marks)
    assert bytes(marks) == b"\1\0\1"


@pytest.mark.parametrize("encoding", [PLAIN, DELTA_LENGTH, DELTA_STRINGS])
def test_a_cut_tells_the_bounds_of_what_stays(encoding: int) -> None:
    """Texts that begin alike, one that is the beginning of another, and ones that end with zeros."""
    words = [b"session-b", b"session-a\0", b"session-a", b"session-c", b"sess", b"session-c\0\0", b"zz", b"a"]
    body = strings(*words) if encoding == PLAIN else page_of(pa.array(words, pa.binary()), NAMES[encoding])
    bounds = (Shape.STRINGS, 0, Order.BYTEWISE)
    for gone in ([], [7], [6], [6, 7], [4, 6, 7], [2, 4, 5, 6, 7], list(range(8))):
        left = [word for place, word in enumerate(words) if place not in gone]
        found = cut(body, 8, gone, encoding, Shape.STRINGS, order=Order.BYTEWISE)
        assert found[11] == ((min(left), max(left)) if left and gone else None)
        if left:
            assert _native.bounds(strings(*left), len(left), *bounds) == (min(left), max(left))
        assert cut(body, 8, gone, encoding, Shape.STRINGS)[11] is None
        lazy = cut(body, 8, gone, encoding, Shape.STRINGS, order=Order.BYTEWISE, eager=False, marks=(b"zz",))
        assert lazy[11] == (found[11] if 6 in gone else None), "the bounds are told where one goes"


def test_a_cut_tells_no_bounds_where_no_value_has_an_order() -> None:
    body = struct.pack("<3d", float("nan"), 2.5, float("nan"))
    assert cut(body, 3, [1], PLAIN, Shape.FIXED, 8, order=Order.FLOATING)[11] is None
    low_and_high = cut(body, 3, [0], PLAIN, Shape.FIXED, 8, order=Order.FLOATING)[11]
    assert low_and_high == (struct.pack("<d", 2.5),) * 2
    bits = cut(bytes([0b101]), 3, [1], PLAIN, Shape.BITS, order=Order.UNSIGNED)
    assert (bits[7], bits[11]) == (bytes([0b11]), (b"\1", b"\1"))


@pytest.mark.parametrize("size", [0, 40, 1000])
def test_a_page_is_cut_into_a_room_where_it_fits(size: int) -> None:
    room = bytearray(size)
    found = cut(strings(*WORDS), 8, [0, 6], PLAIN, Shape.STRINGS, room=memoryview(room))
    assert found[7] == strings(*(WORDS[1:6] + WORDS[7:]))
    assert isinstance(found[7], memoryview) == (size == 1000)
    if size == 1000:
        assert room.startswith(found[7])


def test_entries_are_blanked_in_place() -> None:
    assert _native.scrub(strings(b"ann", b"bob", b"cy"), Shape.STRINGS, 0, b"\0\1\0") == strings(b"ann", b"", b"cy")
    blanks = _native.scrub(strings(b"ann", b"", b"bob", b"\x02", b"cy"), Shape.STRINGS, 0, b"\1\0\1\0\1")
    assert blanks == strings(b"\x01", b"", b"\x03", b"\x02", b"\x04")
    many = _native.scrub(strings(*(b"%d" % n for n in range(5000))), Shape.STRINGS, 0, b"\0" + b"\1" * 4999)
    starts = struct.unpack("<5000I", _native.starts(many, 5000))
    assert len({many[start + 4 : end] for start, end in zip(starts, (*starts[1:], len(many)), strict=True)}) == 5000
    numbers = struct.pack("<3q", 5, 6, 7)
    assert _native.scrub(numbers, Shape.FIXED, 8, b"\1\0\1") == struct.pack("<3q", 6, 6, 6)
    assert _native.select(numbers, Shape.FIXED, 8, b"\1\0\1") == struct.pack("<2q", 5, 7)
    with pytest.raises(_native.Malformed):
        _native.scrub(numbers, Shape.FIXED, 8, b"\1\1\1")


def fixed(number: int, size: int) -> bytes:
    return number.to_bytes(size, "big", signed=True)


def packed(form: str, *values: float) -> list[bytes]:
    return [struct.pack(f"<{form}", value) for value in values]


@pytest.mark.parametrize(
    ("values", "shape", "order", "low", "high"),
    [
        (packed("i", 1, -5, 3), Shape.FIXED, Order.SIGNED, 1, 2),
        (packed("i", 1, -5, 3), Shape.FIXED, Order.UNSIGNED, 0, 1),
        (packed("q", 1, -5, 3), Shape.FIXED, Order.SIGNED, 1, 2),
        (packed("d", 1, -5, float("nan")), Shape.FIXED, Order.FLOATING, 1, 0),
        (packed("e", 1.5, -5, 0.25), Shape.FIXED, Order.FLOATING, 1, 0),
        (packed("i", 0, -(1 << 31), (1 << 31) - 1), Shape.FIXED, Order.SIGNED, 1, 2),
        (packed("Q", 5, 0, (1 << 64) - 1), Shape.FIXED, Order.UNSIGNED, 1, 2),
        (packed("q", -(1 << 63), (1 << 63) - 1), Shape.FIXED, Order.SIGNED, 0, 1),
        ([b"b", b"", b"ab", b"\xff"], Shape.STRINGS, Order.BYTEWISE, 1, 3),
        ([b"12345678b", b"12345678", b"12345678c", b"1234567"], Shape.STRINGS, Order.BYTEWISE, 3, 2),
        ([b"same-first-words", b"same-first-word\xff", b"same-first-word"], Shape.STRINGS, Order.BYTEWISE, 2, 1),
        ([fixed(300, 2), fixed(-1, 1), fixed(-300, 4)], Shape.STRINGS, Order.BIG_ENDIAN, 2, 0),
        ([fixed(n, 3) for n in (7, -1, -300, 299)], Shape.FIXED, Order.BIG_ENDIAN, 2, 3),
        ([fixed(n, 16) for n in (-1, 7, -300, 299, 1 << 90)], Shape.FIXED, Order.BIG_ENDIAN, 2, 4),
        ([b"abc", b"ab\0", b"zzz", b"aaa"], Shape.FIXED, Order.BYTEWISE, 3, 2),
        ([b"\0", b"\1", b"\0"], Shape.BITS, Order.UNSIGNED, 0, 1),
    ],
)
def test_bounds(values: list[bytes], shape: Shape, order: Order, low: int, high: int) -> None:
    width = 0 if shape is Shape.STRINGS else len(values[0])
    plain = strings(*values) if shape is Shape.STRINGS else b"".join(values)
    assert _native.bounds(plain, len(values), shape, width, order) == (values[low], values[high])


def test_values_without_an_order_have_no_bounds() -> None:
    assert _native.bounds(struct.pack("<f", float("nan")), 1, Shape.FIXED, 4, Order.FLOATING) is None
    assert _native.bounds(b"", 0, Shape.STRINGS, 0, Order.BYTEWISE) is None


def test_filters_are_those_of_the_independent_reader() -> None:
    words = [*WORDS, *(f"user{n}@example.com".encode() * (n % 3 + 1) for n in range(100))]
    bits = bytearray(1024)
    _native.bloom_add(bits, strings(*words), len(words), Shape.STRINGS, 0)
    assert bytes(bits) == bloom.rebuilt(words, 1024)


def test_a_filter_holds_what_was_put_in_and_little_else() -> None:
    words = [f"user{n}@example.com".encode() * (n % 3 + 1) for n in range(100)]
    bits = bloom.rebuilt(words, 1024)
    others = [word + b"?" for word in words]
    assert all(_native.bloom_any(bits, strings(*others, word), 101, Shape.STRINGS, 0) for word in words)
    assert sum(_native.bloom_any(bits, strings(word), 1, Shape.STRINGS, 0) for word in others) < 10
    assert _native.bloom_any(bits, b"", 0, Shape.STRINGS, 0) is False


@pytest.mark.parametrize(
    ("bits", "plain", "count", "shape", "width"),
    [
        (b"", strings(b"ann"), 1, Shape.STRINGS, 0),
        (bytes(31), strings(b"ann"), 1, Shape.STRINGS, 0),
        (bytes(32), strings(b"ann"), 2, Shape.STRINGS, 0),
        (bytes(32), strings(b"ann")[:-1], 1, Shape.STRINGS, 0),
        (bytes(32), bytes(7), 1, Shape.FIXED, 8),
        (bytes(32), b"", -1, Shape.FIXED, 8),
    ],
)
def test_a_filter_that_is_none_and_values_that_end_early_are_refused(
    bits: bytes, plain: bytes, count: int, shape: Shape, width: int
) -> None:
    with pytest.raises(_native.Malformed):
        _native.bloom_any(bits, plain, count, shape, width)


@pytest.mark.parametrize("data", [b"", b"abc", b"abc" * 1000, bytes(range(256)) * 40, b"\0" * 70_000])
def test_the_size_of_a_block(data: bytes) -> None:
    block = pa.Codec("lz4_raw").compress(data, asbytes=True)
    assert _native.lz4_size(block) == len(data)


@pytest.mark.parametrize(
    ("body", "count", "encoding", "shape", "width"),
    [
        (b"\x05\0\0\0ann", 1, PLAIN, Shape.STRINGS, 0),
        (b"\0" * 7, 1, PLAIN, Shape.FIXED, 8),
        (b"\0", 9, PLAIN, Shape.BITS, 0),
        (b"\x09\0\0\0\x02\x01", 1, RLE, Shape.BITS, 0),
        (b"\x02\x00", 1, DICTIONARY, Shape.STRINGS, 0),
        (b"\x28\x02\x01", 1, DICTIONARY, Shape.STRINGS, 0),
        (b"\x80\x01\x04\x05\x00", 9, DELTA, Shape.FIXED, 4),
        (b"\x00\x00\x09\x00", 9, DELTA, Shape.FIXED, 4),
        (b"\0" * 8, 3, 77, Shape.FIXED, 4),
    ],
)
def test_bodies_that_contradict_themselves_are_refused(
    body: bytes, count: int, encoding: int, shape: Shape, width: int
) -> None:
    with pytest.raises(_native.Malformed):
        cut(body, count, [0], encoding, shape, width, dictionary=strings(b"ann"), entries=1, starts=b"\0\0\0\0")


def test_levels_higher_than_their_column_are_refused() -> None:
    with pytest.raises(_native.Malformed, match="level"):
        cut(b"\x02\0\0\0\x04\x03" + strings(b"a", b"b"), 2, [0], PLAIN, Shape.STRINGS, definition=2)


@pytest.mark.parametrize(("width", "order"), [(4, Order.SIGNED), (8, Order.UNSIGNED)])
def test_bounds_of_numbers_that_are_not_all_there_are_refused(width: int, order: Order) -> None:
    with pytest.raises(_native.Malformed):
        _native.bounds(bytes(3 * width - 1), 3, Shape.FIXED, width, order)


def test_bounds_of_any_texts_are_those_that_python_finds() -> None:
    chance = random.Random(1)
    for _ in range(200):
        shared = b"shared" * chance.randrange(4)
        words = [shared + chance.randbytes(chance.randrange(20)) for _ in range(chance.randrange(1, 30))]
        assert _native.bounds(strings(*words), len(words), Shape.STRINGS, 0, Order.BYTEWISE) == (min(words), max(words))


def test_values_behind_the_last_one_are_told_of_and_left_away() -> None:
    whole = strings(*WORDS)
    assert cut(whole, 8, [0], PLAIN, Shape.STRINGS)[12] == 0
    found = cut(whole + strings(b"hidden"), 8, [0], PLAIN, Shape.STRINGS, marks=(b"zoe",))
    assert (found[6] & 1, found[7], found[12]) == (1, strings(*WORDS[1:]), 1)
    assert cut(bytes(8 * 9), 8, [0], PLAIN, Shape.FIXED, 8)[12] == 1
    entries = {"dictionary": strings(b"a", b"b"), "entries": 2, "starts": _native.starts(strings(b"a", b"b"), 2)}
    for indices, surplus in [
        (b"\x01\x03\xaa", 0),  # a group of eight
        (b"\x01\x10\x01", 0),  # a run of eight
        (b"\x01\x05\xaa\xaa", 1),  # two groups
        (b"\x01\x12\x01", 1),  # a run of nine
        (b"\x01\x03\xaa\x02\x01", 1),  # a group, and a run of one
    ]:
        assert cut(indices, 8, [0], DICTIONARY, Shape.STRINGS, **entries)[12] == surplus
        assert cut(indices, 8, [], DICTIONARY, Shape.STRINGS, **entries)[12] == 0
    assert cut(b"\x01\x03\x2a", 6, [0], DICTIONARY, Shape.STRINGS, **entries)[12] == 0  # padded


def test_streams_of_more_values_than_levels_tell_are_not_cut() -> None:
    whole = bytes(range(8 * 4))
    assert cut(whole, 8, [0], SPLIT, Shape.FIXED, 4)[3] == 7
    with pytest.raises(_native.Uncut):
        cut(whole + bytes(4), 8, [0], SPLIT, Shape.FIXED, 4)
    with pytest.raises(_native.Malformed):
        cut(whole[:-4], 8, [0], SPLIT, Shape.FIXED, 4)
