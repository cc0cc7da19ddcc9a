"""What must hold of a rewritten file, claim by claim. An AssertionError names the place, never the values."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.pages import bounds, order
from engines.pages.thrift import plain
from engines.pages.walk import DATA_V1, DICTIONARY, Column, Group, Page, Walked, chunk_start
from lethe.engines.verify.parquet.footer import BOOLEAN, INT96

_CODECS: Final = frozenset({0, 1, 2, 4, 6, 7})
"""None, snappy, gzip, brotli, zstd, lz4_raw."""

_CHARACTER: Final = 4
"""Bytes of the last character of a bound, which is raised where the bound is a shortened one."""

Mask = NDArray[np.bool_]
"""One entry a row of the file: it is deleted."""


def require(holds: bool, claim: str) -> None:
    """Assert without pytest's rewriting, which would print both sides."""
    if not holds:
        raise AssertionError(claim)


def masks_of(walked: Walked, deleted: Mask) -> list[Mask]:
    """The mask of each row group."""
    ends = np.cumsum([group.rows for group in walked.groups])
    return np.split(deleted, ends[:-1]) if len(ends) else []


def pairs(source: Walked, result: Walked, deleted: Mask) -> Iterator[tuple[int, Mask, Group, Group]]:
    """The row groups that are left, each with what it was."""
    masks = zip(masks_of(source, deleted), source.groups, strict=True)
    left = [(number, mask, group) for number, (mask, group) in enumerate(masks) if not mask.all()]
    kept = [group for group in result.groups if group.rows]
    require(len(left) == len(kept), f"{len(kept)} row groups with rows, expected {len(left)}")
    for (number, mask, before), after in zip(left, kept, strict=True):
        yield number, mask, before, after


def only_the_rows_are_gone(source: Walked, result: Walked, deleted: Mask) -> None:
    """Levels and values of every column are those of the source without the rows, to the bits of a NaN, in order."""
    require(result.footer.get(3) == int((~deleted).sum()), "the footer's number of rows")
    for number, mask, before, after in pairs(source, result, deleted):
        require(after.rows == int((~mask).sum()), f"row group {number}: number of rows")
        for old, new in zip(before.columns, after.columns, strict=True):
            where = _where(number, old)
            repetition, definition, values = old.cut(~mask)
            require(np.array_equal(new.repetition, repetition), f"{where}: repetition levels")
            require(np.array_equal(new.definition, definition), f"{where}: definition levels")
            require(list(new.values) == values, f"{where}: values")


def the_form_stays(source: Walked, result: Walked) -> None:
    """Schema, key-value metadata, order of columns, and whatever the footer says that nobody knows, byte for byte."""
    dynamic = {3, 4}
    before, after = (dict(w.footer.value.items()) for w in (source, result))
    for number in sorted((before.keys() | after.keys()) - dynamic):
        require(number in before and number in after, f"the footer's field {number} came or went")
        require(plain(before[number]) == plain(after[number]), f"the footer's field {number}")


def the_groups_form_stays(source: Walked, result: Walked, deleted: Mask) -> None:
    """Codec, path, type, sort order, key-value metadata and unknown fields of each chunk."""
    for number, _, before, after in pairs(source, result, deleted):
        require(plain(before.raw).get(4) == plain(after.raw).get(4), f"row group {number}: sort order")
        for field in (n for n in before.raw.value if n > 7):
            require(plain(before.raw[field]) == plain(after.raw).get(field), f"row group {number}: field {field}")
        for old, new in zip(before.columns, after.columns, strict=True):
            where = _where(number, old)
            for field in [1, 3, 4, 8, *(n for n in old.meta.value if n > 17)]:
                same = plain(old.meta).get(field) == plain(new.meta).get(field)
                require(same, f"{where}: chunk metadata field {field}")
            for field in (n for n in old.chunk.value if n > 9):
                require(plain(old.chunk)[field] == plain(new.chunk).get(field), f"{where}: chunk field {field}")
            versions = {page.kind for page in new.data}
            require(versions <= {page.kind for page in old.data}, f"{where}: version of data pages")


def the_footer_adds_up(walked: Walked) -> None:
    """Counts, sizes, offsets and encodings of every chunk and row group."""
    require(walked.footer.get(3) == walked.rows, "the number of rows is not the sum over row groups")
    for number, group in enumerate(walked.groups):
        for column in group.columns:
            _chunk_adds_up(_where(number, column), column)
        sizes = [(c.meta.get(6), c.meta.get(7)) for c in group.columns]
        if 2 in group.raw.value:
            require(group.raw.get(2) == sum(s[0] for s in sizes), f"row group {number}: total_byte_size")
        if group.raw.get(6) is not None:
            require(group.raw.get(6) == sum(s[1] for s in sizes), f"row group {number}: total_compressed_size")
        if group.raw.get(5) and any(c.pages for c in group.columns):
            first = min(chunk_start(c.meta) for c in group.columns if c.pages)
            require(group.raw.get(5) == first, f"row group {number}: file_offset {group.raw.get(5)} {first}")
        if group.raw.get(7) is not None:
            require(group.raw.get(7) == number, f"row group {number}: ordinal")


def _chunk_adds_up(where: str, column: Column) -> None:
    meta, pages = column.meta, column.pages
    require(meta.get(5) == sum(len(page.definition) for page in column.data), f"{where}: num_values")
    sizes = [page.body_start - page.start + page.header.get(2) for page in pages]
    require(meta.get(6) == sum(sizes), f"{where}: total_uncompressed_size")
    require(meta.get(7) == sum(len(page.raw) for page in pages), f"{where}: total_compressed_size")
    if column.data:
        require(meta.get(9) == column.data[0].start, f"{where}: data_page_offset")
    if column.dictionary is not None and meta.get(11):
        require(meta.get(11) == column.dictionary.start, f"{where}: dictionary_page_offset")
    require(column.dictionary is not None or not meta.get(11), f"{where}: an offset of no dictionary")
    said = {item.value for item in meta[2].value}
    used = {page.encoding if page.encoding != 8 or 8 in said else 2 for page in column.data}
    require(used <= said, f"{where}: encodings")
    if meta.get(13) is not None:
        # Some writers call pages of the second version pages of the first here.
        found = Counter(page.header[5 if page.kind == DATA_V1 else 8].get(2 if page.kind == DATA_V1 else 4)
                        for page in column.data)  # fmt: skip
        stats: Counter[int] = Counter()
        for item in meta.get(13):
            if item.get(1) != DICTIONARY:
                stats[item.get(2)] += item.get(3)
        require(stats == found, f"{where}: encoding_stats {dict(stats)} {dict(found)}")


def checksums_hold(source: Walked, result: Walked) -> None:
    """Pages have a CRC where they had one, and it is right."""
    had = any(4 in page.header.value for page in _all_pages(source))
    for page in _all_pages(result):
        require((4 in page.header.value) == had, "a page's CRC came or went")
        if had:
            require(bounds.crc(page) == page.header.get(4) & 0xFFFFFFFF, "a page's CRC")


def _all_pages(walked: Walked) -> Iterator[Page]:
    for group in walked.groups:
        for column in group.columns:
            yield from column.pages


def untouched_bytes_stay(source: Walked, result: Walked, deleted: Mask) -> tuple[int, int]:
    """Row groups without a deleted row, and pages without one, are in the result byte for byte.

    Answers how many pages stayed so, and how many there were.
    """
    same = 0
    edited = [group for mask, group in zip(masks_of(source, deleted), source.groups, strict=True) if mask.any()]
    for number, mask, before, after in pairs(source, result, deleted):
        for place, (old, new) in enumerate(zip(before.columns, after.columns, strict=True)):
            where = _where(number, old)
            if not mask.any() and can_be_cut(before):
                same += _untouched_chunk_stays(where, old, new, [group.columns[place] for group in edited])
            elif mask.any() and can_be_cut(before):
                same += _untouched_pages_stay(where, old, new, mask)
    return same, sum(1 for _ in _all_pages(source))


def can_be_cut(group: Group) -> bool:
    """Whether all of the row group is such as is cut; else it may be written anew as a whole.

    A page whose values that stay are all NaN has no bounds, and a page index has no way to say so.
    """
    for column in group.columns:
        physical = column.leaf.physical
        if column.meta.get(4) not in _CODECS or (physical in {BOOLEAN, INT96} and column.meta.get(14)):
            return False
        key = order.key_of(column.leaf, column.element)
        if column.chunk.get(6) and key is not None and any(key(value) is None for value in column.values):
            return False
    return True


def _untouched_chunk_stays(where: str, old: Column, new: Column, edited: Sequence[Column]) -> int:
    """Where writers repeat bounds or dictionaries in the row groups, bounds may be written anew, and headers with them.

    Not the bodies: no writer here puts anything into a dictionary that no row of it has.
    """
    if [page.raw for page in old.pages] == [page.raw for page in new.pages]:
        return len(old.pages)
    repeated = set(bounds.of_chunk(old)) & {bound for column in edited for bound in bounds.of_chunk(column)}
    suspect = bool(repeated) or (bool(edited) and old.dictionary is not None)
    require(suspect, f"{where}: bytes of an untouched chunk")
    require(
        [page.packed for page in old.pages] == [page.packed for page in new.pages],
        f"{where}: bodies of an untouched chunk",
    )
    return 0


def _untouched_pages_stay(where: str, old: Column, new: Column, mask: Mask) -> int:
    """In order; a page of a row that reaches over its end counts as touched when that row goes.

    Some writers repeat the bounds of the whole chunk, maybe shortened, in every page's header: where one goes, the
    header is written anew, and the body stays.
    """
    raws = [page.raw for page in new.data]
    bodies = [page.packed for page in new.data]
    _, _, gone = old.cut(mask)
    touched = any(_may_be(bound, value) for bound in bounds.of_chunk(old) for value in gone)
    at = same = 0
    for page in old.data:
        first = page.rows[0] - bool(len(page.repetition) and page.repetition[0])
        if not first < page.rows[1] or mask[first : page.rows[1]].any():
            continue
        if page.raw in raws[at:]:
            at = raws.index(page.raw, at) + 1
            same += 1
            continue
        require(touched, f"{where}: bytes of an untouched page")
        require(page.packed in bodies[at:], f"{where}: body of an untouched page")
        at = bodies.index(page.packed, at) + 1
    return same


def _may_be(bound: bytes, value: bytes) -> bool:
    """Whether the bound is the value, maybe shortened and raised; the empty one is no other's."""
    return value.startswith(bound[:-_CHARACTER]) if bound else not value


def _where(number: int, column: Column) -> str:
    return f"row group {number}, column {'.'.join(column.leaf.path)}"
