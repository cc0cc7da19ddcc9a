"""Files broken on purpose: bits flipped where they matter, fields set to what they must not be, ends cut off."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engines.pages import thrift
from engines.pages.cases import random_mask
from engines.pages.claims import Mask
from engines.pages.layouts import by_arrow, options
from engines.pages.tables import Random, random_table
from engines.pages.thrift import I16, I32, I64, LIST, STRUCT, Typed
from engines.pages.walk import DATA_V1, DATA_V2, Page, Walked, footer_of, walk

_EXTREMES: Final = (
    0,
    1,
    -1,
    2,
    7,
    255,
    1 << 15,
    (1 << 31) - 1,
    -(1 << 31),
    1 << 31,
    (1 << 62),
    (1 << 63) - 1,
    -(1 << 63),
)


@dataclass(frozen=True)
class Damaged:
    """A broken file."""

    seed: int
    data: bytes
    deleted: Mask
    what: str


def damaged(seed: int) -> Damaged:
    """The broken file of a seed: small, mostly uncompressed, so that the damage reaches levels and values."""
    random = np.random.default_rng([seed, 1])
    rows = int(random.choice([9, 60, 200]))
    table = random_table(random, rows)
    how = options(random, table)
    how["write_page_checksum"] = bool(random.random() < 0.15)
    if random.random() < 0.65:
        how["compression"] = "NONE"
    data, _ = by_arrow(table, how, [rows // 2, rows - rows // 2] if random.random() < 0.5 else [rows], empty=False)
    deleted, _ = random_mask(random, data, rows)
    if not deleted.any():
        deleted[:: int(random.integers(2, 9))] = True
    told = []
    for _ in range(int(random.choice([1, 1, 1, 2, 3]))):
        kind = _KINDS[int(random.integers(0, len(_KINDS)))]
        try:
            data, what = kind(random, data)
        except Exception:  # noqa: BLE001 - already too broken for this kind
            continue
        told.append(what)
    return Damaged(seed, data, deleted, "; ".join(told))


def _truncated(random: Random, data: bytes) -> tuple[bytes, str]:
    """At any place; often with the end put back behind, so that a footer is found."""
    _, start = footer_of(data)
    at = int(random.integers(4, len(data)))
    if random.random() < 0.5:
        return data[:at], f"truncated to {at}"
    at = int(random.integers(4, start))
    return data[:at] + data[start:], f"bytes {at} to {start} cut out"


def _flipped(random: Random, data: bytes, start: int, end: int, what: str) -> tuple[bytes, str]:
    out, told = bytearray(data), []
    for _ in range(int(random.choice([1, 1, 2, 8]))):
        at, bit = int(random.integers(start, max(end, start + 1))), int(random.integers(0, 8))
        out[at] ^= 1 << bit
        told.append(f"{at}.{bit}")
    return bytes(out), f"{what}: flipped {' '.join(told)}"


def _anywhere(random: Random, data: bytes) -> tuple[bytes, str]:
    return _flipped(random, data, 4, len(data) - 4, "anywhere")


def _footer_bits(random: Random, data: bytes) -> tuple[bytes, str]:
    return _flipped(random, data, footer_of(data)[1], len(data) - 4, "footer")


def _footer_field(random: Random, data: bytes) -> tuple[bytes, str]:
    """One field of the footer changed, the rest as it was."""
    footer, start = footer_of(data)
    what = _change(random, footer)
    body = thrift.write(footer)
    return data[:start] + body + len(body).to_bytes(4, "little") + b"PAR1", f"footer field {what}"


def _index_bits(random: Random, data: bytes) -> tuple[bytes, str]:
    """Between the pages and the footer: page indexes and filters."""
    walked = walk(data)
    end = max((page.end for page in _pages(walked)), default=4)
    return _flipped(random, data, end, max(walked.footer_start, end + 1), "index")


def _header_bits(random: Random, data: bytes) -> tuple[bytes, str]:
    page = _one_page(random, data)
    return _flipped(random, data, page.start, page.body_start, f"header of page at {page.start}")


def _header_field(random: Random, data: bytes) -> tuple[bytes, str]:
    """One field of a page header, written over the old one; what follows moves only if lengths differ."""
    page = _one_page(random, data)
    what = _change(random, page.header)
    header = thrift.write(page.header)
    out = data[: page.start] + header + data[max(page.body_start, page.start + len(header)) :]
    if len(header) < page.body_start - page.start:
        out = data[: page.start] + header + data[page.body_start :]
        out = _grown(out, page.body_start - page.start - len(header), page.start + len(header))
    return out, f"header of page at {page.start}: field {what}"


def _grown(data: bytes, count: int, at: int) -> bytes:
    return data[:at] + bytes(count) + data[at:]


def _level_bits(random: Random, data: bytes) -> tuple[bytes, str]:
    """The first bytes of a body: lengths and runs of levels, widths and first runs of indices."""
    page = _one_page(random, data, {DATA_V1, DATA_V2})
    end = min(page.end, page.body_start + int(random.choice([1, 6, 20, 60])))
    return _flipped(random, data, page.body_start, end, f"levels of page at {page.start}")


def _body_bits(random: Random, data: bytes) -> tuple[bytes, str]:
    page = _one_page(random, data)
    return _flipped(random, data, page.body_start, page.end, f"body of page at {page.start}, kind {page.kind}")


def _garbage(random: Random, data: bytes) -> tuple[bytes, str]:
    """A stretch of a page overwritten."""
    page = _one_page(random, data)
    at = int(random.integers(page.start, page.end))
    length = min(int(random.integers(1, 12)), page.end - at)
    fill = [random.bytes(length), b"\xff" * length, bytes(length)][int(random.integers(0, 3))]
    return data[:at] + fill + data[at + length :], f"{length} bytes overwritten at {at}, page at {page.start}"


def _swapped(random: Random, data: bytes) -> tuple[bytes, str]:
    """The bytes of one page put over those of another."""
    one, other = _one_page(random, data), _one_page(random, data)
    length = min(len(one.raw), len(other.raw))
    return data[: one.start] + other.raw[:length] + data[
        one.start + length :
    ], f"page at {other.start} over {one.start}"


def _pages(walked: Walked) -> Iterator[Page]:
    for group in walked.groups:
        for column in group.columns:
            yield from column.pages


def _one_page(random: Random, data: bytes, kinds: set[int] | None = None) -> Page:
    found = [page for page in _pages(walk(data)) if len(page.raw) and (kinds is None or page.kind in kinds)]
    return found[int(random.integers(0, len(found)))]


def _change(random: Random, root: Typed) -> str:
    """Change one number, byte string or list somewhere below, or leave a field away."""
    places = list(_places(root, ""))
    path, holder, key = places[int(random.integers(0, len(places)))]
    part: Typed = holder[key]
    if random.random() < 0.1 and isinstance(holder, dict):
        del holder[key]
        return f"{path} removed"
    if part.kind in {I16, I32, I64}:
        return f"{path} = {_number(random, part)}"
    if part.kind == LIST:
        return f"{path} {_list(random, part.value)}"
    if part.kind == STRUCT:
        part.value = {}
        return f"{path} emptied"
    if isinstance(part.value, bool):
        part.value = not part.value
        return f"{path} negated"
    part.value = [b"", part.value[:-1], part.value + b"\0", bytes(len(part.value))][int(random.integers(0, 4))] or b"\0"
    return f"{path} other bytes"


def _list(random: Random, items: list[Any]) -> str:
    if items and random.random() < 0.5:
        del items[int(random.integers(0, len(items)))]
        return "shortened"
    items.extend(items[:1] * int(random.choice([1, 3])))
    return "lengthened"


def _number(random: Random, part: Typed) -> int:
    """Another number: an extreme, or one nearby."""
    near = [part.value + int(d) for d in (-1, 1, 4, -4, 100)] + [part.value ^ (1 << int(random.integers(0, 31)))]
    choices = [*_EXTREMES, *near, *near]
    value = choices[int(random.integers(0, len(choices)))]
    bits = {I16: 16, I32: 32, I64: 64}[part.kind]
    part.value = (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
    found: int = part.value
    return found


def _places(value: Typed, path: str) -> Iterator[tuple[str, Any, Any]]:
    parts = value.value.items() if value.kind == STRUCT else enumerate(value.value) if value.kind == LIST else ()
    for key, part in list(parts):
        yield f"{path}.{key}", value.value, key
        yield from _places(part, f"{path}.{key}")


_KINDS: Final[tuple[Callable[[Random, bytes], tuple[bytes, str]], ...]] = (
    _truncated, _anywhere, _footer_bits, _footer_field, _footer_field, _index_bits, _header_bits, _header_bits,
    _header_field, _header_field, _level_bits, _level_bits, _level_bits, _body_bits, _body_bits, _garbage, _swapped,
)  # fmt: skip
