"""Bounds that their writers cut short: what an upper one was before its last character was raised by one."""

from collections.abc import Iterator
from typing import Final

CUT_USUALLY: Final = 16
"""The fewest characters to which writers cut a bound, if nobody tells them otherwise."""

_SURROGATES: Final = range(0xD800, 0xE000)


def before_raising(bound: bytes, *, as_text: bool) -> Iterator[bytes]:
    """At most one answer: the last character, or byte, of a bound that was raised to this one."""
    if not as_text:
        if bound and bound[-1]:
            yield bound[:-1] + bytes([bound[-1] - 1])
        return
    try:
        text = bound.decode()
    except UnicodeDecodeError:
        return
    if text and text[-1] != "\0":
        last = ord(text[-1]) - 1
        # No text holds a surrogate; writers step over them.
        yield (text[:-1] + chr(_SURROGATES.start - 1 if last in _SURROGATES else last)).encode()
