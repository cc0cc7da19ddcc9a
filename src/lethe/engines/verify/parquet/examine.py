"""One Parquet file, to its last byte: rows, dictionaries, bounds, filters, metadata, and what lies between."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import ResidueKind, Selector
from lethe.engines.verify import delta_log
from lethe.engines.verify.findings import Bound, Explained, Findings
from lethe.engines.verify.needles import WIDE_INTEGER, Needles
from lethe.engines.verify.parquet import bloom, identity_map
from lethe.engines.verify.parquet.columns import ChunkReader
from lethe.engines.verify.parquet.footer import Footer, read_footer
from lethe.engines.verify.parts import Sliced

_ARROW_SCHEMA: Final = b"ARROW:schema"


def examine(
    data: Sliced,
    selector: Selector,
    needles: Needles,
    findings: Findings,
    *,
    live: bool,
    full: bool,
    log: bool = False,
) -> None:
    """Examine a whole file. Raises Unreadable.

    A file whose rows are searched and do not match explains every value of its data pages: they are the values of
    surviving rows. `full` searches those pages all the same and counts what is explained. A file that is not live (a
    checkpoint of a log, say) explains nothing: its values must be explained by rows elsewhere. `log` says that it is
    such a checkpoint, whose columns hold JSON.
    """
    footer = read_footer(data)
    findings.rows += footer.rows
    matched = 0
    left: dict[tuple[int, str], set[Any]] = {}
    for number, (_, chunks) in enumerate(footer.groups):
        readers = [ChunkReader(data, chunk, needles) for chunk in chunks]
        matched += _rows_named(readers, selector)
        for column, reader in enumerate(readers):
            _chunk(reader, f"row group {number}", findings, live=live, full=full, log=log)
            if reader.searchable:
                left.setdefault((column, "dictionary entries that no row uses"), set()).update(
                    reader.unused_identities()
                )
                left.setdefault((column, "bounds"), set()).update(reader.unexplained_bounds())
    _explain_by_other_groups(data, footer, left, needles, findings)
    if matched:
        findings.residue(ResidueKind.LIVE_ROW if live else ResidueKind.STORED_ROW, "rows", matched)
    _metadata(footer, needles, findings)
    for start, end in _unaccounted(data, footer):
        if needles.in_bytes(data[start:end]):
            findings.residue(ResidueKind.VALUE, "bytes that belong to no part of the file")


def explained_by_rows(data: Sliced, needles: Needles, beginnings: frozenset[bytes]) -> Explained:
    """Identities that occur in the values of some row, as parts too, and the beginnings of values."""
    found: set[int] = set()
    begun: set[bytes] = set()
    for _, chunks in read_footer(data).groups:
        for chunk in chunks:
            reader = ChunkReader(data, chunk, needles)
            if reader.searchable:
                found |= reader.identities_in_pages() | reader.identities_in_numerals() | reader.identities_as_values(0)
                begun |= reader.begun(beginnings - begun)
    return Explained(frozenset(found), frozenset(begun))


def _rows_named(readers: Sequence[ChunkReader], selector: Selector) -> int:
    if not isinstance(selector, PrimaryIdentity):
        return identity_map.rows_named(readers, selector.column)
    code = selector.namespace_code.casefold()
    return sum(r.rows_named(code) for r in readers if r.chunk.leaf.path == tuple(selector.path) and r.searchable)


def _chunk(reader: ChunkReader, group: str, findings: Findings, *, live: bool, full: bool, log: bool) -> None:
    where = f"{group}, column {'.'.join(reader.chunk.leaf.path)}"
    if (full or not live) and reader.searchable:
        found = reader.identities_in_pages()
        if live:
            findings.explained += len(found)
        else:
            if log and (found or reader.needles.tiny):
                found = delta_log.identities_in_values(
                    reader.used_values, reader.chunk.leaf.path, found, reader.needles
                )
            if not log or delta_log.holds_values(reader.chunk.leaf.path):
                found = found | reader.identities_as_values(0 if log else WIDE_INTEGER)
            findings.ask_elsewhere(found, where)
            findings.bounds += [Bound(where, None, beginnings=cut) for cut in _cut_bounds(reader)] if log else []
    if not reader.searchable:
        return
    if reader.filter_is_stale():
        findings.residue(ResidueKind.VALUE, f"{where}: bloom filter")
    for part in reader.chunk.extra:
        findings.ask_elsewhere(reader.needles.in_bytes(part), f"{where}: key-value metadata")


def _cut_bounds(reader: ChunkReader) -> Iterator[tuple[bytes, ...]]:
    """Of a column of a checkpoint, as JSON or typed; see `delta_log.cut_bounds_in`."""
    column, needles = reader.chunk.leaf.path, reader.needles
    if not reader.holds_text or not (column == delta_log.STATISTICS or delta_log.holds_values(column)):
        return
    for value in reader.used_values:
        if column == delta_log.STATISTICS:
            yield from delta_log.cut_bounds_of(value, needles)
        else:
            yield from delta_log.cut_bound(value, needles, upper="maxValues" in column)


def _explain_by_other_groups(
    data: Sliced, footer: Footer, left: Mapping[tuple[int, str], set[Any]], needles: Needles, findings: Findings
) -> None:
    """Some writers repeat a column's whole dictionary, and its bounds, in every row group: a row of any explains it."""
    for (column, what), values in left.items():
        if not values:
            continue
        used: set[Any] = set()
        for _, chunks in footer.groups:
            used |= ChunkReader(data, chunks[column], needles).used_values
        findings.explained += len(values & used)
        if values - used:
            where = f"column {'.'.join(footer.leaves[column].path)}: {what}"
            findings.residue(ResidueKind.VALUE, where, len(values - used))


def _metadata(footer: Footer, needles: Needles, findings: Findings) -> None:
    named = needles.in_words("\n".join(footer.names).encode())
    for key, value in footer.metadata:
        found = needles.in_words(key) | needles.in_words(value)
        if key == _ARROW_SCHEMA:
            with suppress(binascii.Error):
                found |= needles.in_bytes(base64.b64decode(value))
        findings.explained += len(found & named)
        findings.ask_elsewhere(found - named, "key-value metadata")


def _unaccounted(data: Sliced, footer: Footer) -> Iterator[tuple[int, int]]:
    """Ranges of the file that no structure claims."""
    claimed = [(0, 4), (len(data) - 8 - footer.length, len(data))]
    for _, chunks in footer.groups:
        for chunk in chunks:
            claimed.append((chunk.start, chunk.start + chunk.size_bytes))
            claimed.extend((at[0], at[0] + at[1]) for at in (chunk.column_index, chunk.offset_index) if at is not None)
            if chunk.bloom is not None:
                claimed.append((chunk.bloom, bloom.read_filter(data, chunk)[1]))
    position = 0
    for start, end in sorted(claimed):
        if start > position:
            yield position, start
        position = max(position, end)
