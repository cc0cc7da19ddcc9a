"""The native module's loops are no obstacle to other threads."""

import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from lethe.engines.rewrite.pages import _native

COUNT = 1 << 20


@pytest.fixture
def turns() -> Iterator[list[int]]:
    """Counts the turns of another thread, which gets none but while this one lets go of the interpreter's lock."""
    seen, done, interval = [0], threading.Event(), sys.getswitchinterval()

    def count() -> None:
        while not done.is_set():
            seen[0] += 1
            time.sleep(0)

    other = threading.Thread(target=count)
    sys.setswitchinterval(1000)
    try:
        other.start()
        yield seen
    finally:
        sys.setswitchinterval(interval)
        done.set()
        other.join()


def _cut(plain: bytes, flags: bytes) -> object:
    return _native.cut(
        plain, -1, -1, b"", COUNT, 0, 0, 0, 1, 8, flags, 0, b"", 0, b"", bytearray(), bytearray(), (), 0, -1, False,
        bytearray(),
    )  # fmt: skip


_LONG: dict[str, Callable[[bytes, bytes], object]] = {
    "cut": _cut,
    "values": lambda plain, _: _native.values(plain, -1, -1, b"", COUNT, 0, 0, 0, 1, 8),
    "mark": lambda *_: _native.mark(b"\x08" + _groups(), COUNT, 256, bytearray(256)),
    "select": lambda plain, flags: _native.select(plain, 1, 8, flags),
    "scrub": lambda plain, flags: _native.scrub(plain, 1, 8, flags),
    "starts": lambda *_: _native.starts(bytes(4 * COUNT), COUNT),
    "bounds": lambda plain, _: _native.bounds(plain, COUNT, 1, 8, 0),
    "bloom_add": lambda plain, _: _native.bloom_add(bytearray(1 << 16), plain, COUNT, 1, 8),
    "bloom_any": lambda plain, _: _native.bloom_any(bytes(1 << 16), plain, COUNT, 1, 8),
    "sieve_add": lambda plain, _: _native.sieve_add(bytearray(1 << 16), plain, COUNT, 1, 8),
    "sieve_marks": lambda plain, _: _native.sieve_marks(bytes(1 << 16), True, plain, COUNT, 1, 8),
    "sift": lambda plain, _: _native.sift(
        plain, -1, -1, b"", COUNT, 0, 0, 0, 1, 8, bytes(1 << 16), True, b"", b"", b""
    ),
}  # fmt: skip


def _groups() -> bytes:
    """One run of bit-packed groups of a byte each."""
    return bytes([COUNT >> 2 & 0x7F | 0x81, COUNT >> 9 & 0x7F | 0x80, COUNT >> 16]) + bytes(COUNT)


@pytest.mark.parametrize("name", _LONG)
def test_other_threads_go_on_while_a_loop_runs(name: str, turns: list[int]) -> None:
    plain, flags = bytes(8 * COUNT), bytes([0, 1]) * (COUNT // 2)
    for _ in range(1000):
        before = turns[0]
        _LONG[name](plain, flags)
        if turns[0] > before:
            return
    pytest.fail("no other thread had a turn")
