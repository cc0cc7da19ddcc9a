"""Claims that nothing of the deleted rows is left: not in dictionaries, bounds, filters, nor any byte of the file."""

from collections.abc import Iterator

from ahocorasick_rs import BytesAhoCorasick

from engines.pages.bounds import bounds_of, filter_is_exact
from engines.pages.claims import Mask, masks_of, pairs, require
from engines.pages.order import key_of
from engines.pages.walk import Column, Walked
from lethe.engines.interface import Selector, Wanted
from lethe.engines.verify.findings import Findings
from lethe.engines.verify.needles import needles_of
from lethe.engines.verify.parquet.examine import examine

SEARCHED_BYTES_MIN = 7
"""Shorter runs of bytes occur by chance."""


def nothing_is_left(source: Walked, result: Walked, deleted: Mask) -> int:
    """All claims; answers how many values were searched for in the bytes."""
    for number, mask, before, after in pairs(source, result, deleted):
        if not mask.any():
            continue
        for old, new in zip(before.columns, after.columns, strict=True):
            where = f"row group {number}, column {'.'.join(old.leaf.path)}"
            gone = set(old.values) - set(new.values)
            _no_entry_is_left(where, new, gone)
            _no_bound_is_left(where, result.data, new, gone)
            filter_is_exact(where, result.data, new)
    return _no_byte_is_left(source, result, deleted)


def verification_finds_nothing(result: bytes, selector: Selector, wanted: Wanted) -> None:
    """The product's own independent reader, asked for the people."""
    findings = Findings("result")
    examine(result, selector, needles_of(selector, wanted), findings, live=True, full=True)
    require(not findings.residues, f"the verification finds {[(r.kind.name, r.where) for r in findings.residues]}")


def _no_entry_is_left(where: str, column: Column, gone: set[bytes]) -> None:
    """A blank is empty or zero, which a deleted value may have been as well."""
    if column.dictionary is None:
        return
    used = {index for page in column.data if page.indices is not None for index in page.indices}
    unused = {entry for number, entry in enumerate(column.dictionary.values) if number not in used}
    left = {entry for entry in unused & gone if entry.strip(b"\0")}
    require(not left, f"{where}: {len(left)} dictionary entries that only deleted rows used")


def _no_bound_is_left(where: str, data: bytes, column: Column, gone: set[bytes]) -> None:
    """A bound may be shortened, or shortened and raised in its last byte; some surviving value must explain it."""
    key = key_of(column.leaf, column.element)
    kept = set(column.values)
    keys = {key(value) for value in kept} if key else set()
    for bound, what in bounds_of(data, column):
        if bound in kept or (key is not None and key(bound) in keys) or not bound.strip(b"\0"):
            continue
        require(bound not in gone, f"{where}: a deleted value is a bound in the {what}")
        if len(bound) >= SEARCHED_BYTES_MIN and any(value.startswith(bound[:-1]) for value in gone):
            require(any(value.startswith(bound[:-1]) for value in kept), f"{where}: a shortened bound in the {what}")


def _no_byte_is_left(source: Walked, result: Walked, deleted: Mask) -> int:
    """Search every decompressed page and the file as it is for every distinct deleted value."""
    gone: set[bytes] = set()
    for group, mask in zip(source.groups, masks_of(source, deleted), strict=True):
        for column in group.columns:
            kept = {*column.cut(~mask)[2]}
            gone |= {v for v in set(column.values) - kept if len(v) >= SEARCHED_BYTES_MIN and len(set(v)) > 4}
    alive = b"".join(value for group in result.groups for column in group.columns for value in column.values)
    words = [word for word in gone if word not in alive]
    if not words:
        return 0
    search = BytesAhoCorasick(words)
    for where, part in parts_of(result):
        found = search.find_matches_as_indexes(part)
        # What the source's own schema or metadata says is not of its rows.
        left = {words[n] for n, _, _ in found if words[n] not in source.data[source.footer_start :] or where != "file"}
        require(not left, f"{len(left)} deleted values in the bytes of the {where}")
    return len(words)


def parts_of(walked: Walked) -> Iterator[tuple[str, bytes]]:
    """The file as it is, and the body of every page, decompressed."""
    yield "file", walked.data
    for number, group in enumerate(walked.groups):
        for column in group.columns:
            for page in column.pages:
                yield f"pages of row group {number}, column {'.'.join(column.leaf.path)}", page.body
