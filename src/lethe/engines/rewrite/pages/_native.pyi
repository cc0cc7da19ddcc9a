"""The native module. Buffers come in, bytes go out; Malformed says that bytes contradict themselves."""

from collections.abc import Sequence
from typing import Any

class Malformed(ValueError): ...
class Uncut(ValueError): ...

def cut(
    body: Any,
    rep_size: int,
    def_size: int,
    values: Any,
    count: int,
    max_rep: int,
    max_def: int,
    encoding: int,
    shape: int,
    width: int,
    gone: Any,
    row: int,
    dictionary: Any,
    entries: int,
    starts: Any,
    used: Any,
    lost: Any,
    marks: tuple[bytes, ...],
    loose: int,
    order: int,
    eager: bool,
    room: Any,
    /,
) -> tuple[int, int, int, int, int, int, int, Any, bytes, int, int, tuple[bytes, bytes] | None, int]:
    """Cut rows out of a data page.

    Answers with rows, values and nulls, each before and after; a bit for each mark that a value equals which goes; the
    new body, levels (version 2) and their two sizes, which are empty where no value goes; and the least and the
    greatest of the values that stay, in the order, if it is one and they are no indices, and if it is eager or a value
    goes that equals a mark; and 1 where rows went and there were more values than levels tell, so that any bound may be
    one of these, which are not taken along. The body is a part of the room where it fits in there, and holds until
    another page is cut.
    """

def values(
    body: Any,
    rep_size: int,
    def_size: int,
    values: Any,
    count: int,
    max_rep: int,
    max_def: int,
    encoding: int,
    shape: int,
    width: int,
    /,
) -> tuple[bytes, int]:
    """The values of a page that are not null, and how many: plain ones, or encoded indices."""

def heads(chunk: Any, /) -> list[tuple[int, int, int, int, int, int, int, int, int]]:
    """Every page of a chunk, as its header says.

    Its kind; the sizes of its body, unpacked and packed; fields 1 to 4 of the part of the header that is of its kind,
    the least number of 64 bits for what is missing; where its header and its body begin.
    """

def said(
    head: Any, kind: int, /
) -> tuple[
    int | None,
    int | None,
    int | None,
    bool | None,
    tuple[bytes | None, bytes | None, int | None, bytes | None, bytes | None, bool | None, bool | None] | None,
]:
    """What the header of a page says that it takes to open it.

    Its checksum; the sizes of its definition and repetition levels, in version 2; whether it is compressed, in version
    2, or whether the dictionary is sorted; its statistics, in fields 1, 2, 3, 5, 6, 7 and 8.
    """

def reheaded(
    head: Any,
    kind: int,
    unpacked: int,
    packed: int,
    checksum: int,
    numbers: Sequence[int | None],
    flag: bool | None,
    statistics: Sequence[bytes | int | bool | None] | None,
    /,
) -> bytes:
    """A page's header with other words: sizes of the body, a checksum where it has one, statistics as of `said`.

    `numbers` are fields 1 and following of the part that is of its kind. Numbers and flag that are None stay.
    """

def mark(indices: Any, count: int, entries: int, used: Any, /) -> None:
    """Flag the dictionary's entries that encoded indices name."""

def select(plain: Any, shape: int, width: int, flags: Any, /) -> bytes:
    """The flagged ones of plain values."""

def scrub(plain: Any, shape: int, width: int, flags: Any, /) -> bytes:
    """Plain values with the flagged ones blank."""

def starts(plain: Any, count: int, /) -> bytes:
    """Where each string begins."""

def bounds(plain: Any, count: int, shape: int, width: int, order: int, /) -> tuple[bytes, bytes] | None:
    """The least and the greatest of plain values."""

def bloom_add(bits: Any, plain: Any, count: int, shape: int, width: int, /) -> None:
    """Put plain values into a split-block bloom filter."""

def bloom_any(bits: Any, plain: Any, count: int, shape: int, width: int, /) -> bool:
    """Whether a split-block bloom filter may hold one of the plain values."""

def sieve_add(sieve: Any, plain: Any, count: int, shape: int, width: int, /) -> None:
    """Put plain values into a sieve: zeros at first, a multiple of eight bytes."""

def sieve_marks(sieve: Any, folded: bool, plain: Any, count: int, shape: int, width: int, /) -> bytes:
    """A flag for each of the plain values: 0 where it was not put into the sieve.

    With `folded`, where it was not put in with small letters, and is ASCII.
    """

def sift(
    body: Any,
    rep_size: int,
    def_size: int,
    values: Any,
    count: int,
    max_rep: int,
    max_def: int,
    encoding: int,
    shape: int,
    width: int,
    sieve: Any,
    folded: bool,
    dictionary: Any,
    starts: Any,
    entries: Any,
    /,
) -> tuple[int, bytes, bytes, bytes]:
    """The values of a data page that may be in a sieve, and their rows.

    `folded` is as of `sieve_marks`; `entries` has a flag for each entry of the dictionary that may be one. Answers with
    how many rows begin in the page, the row of each value, counted from the first of these (-1 is the row before), the
    sizes of the values, both in 32 bits, and the values without lengths.
    """

def lz4_size(block: Any, /) -> int:
    """The size of an LZ4 block when decompressed."""
