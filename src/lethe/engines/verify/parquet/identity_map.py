"""Which rows of a row group have a primary entry of a wanted identity in their identity map: assembled from levels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lethe.engines.verify.findings import Unreadable
from lethe.engines.verify.parquet.columns import ChunkReader
from lethe.engines.verify.parquet.footer import BOOLEAN, Chunk
from lethe.engines.verify.parquet.naming import Namer, namer
from lethe.engines.verify.parquet.pages import PLAIN, RLE, Page
from lethe.engines.verify.parquet.values import DICTIONARY_ENCODINGS, Integers, decode, hybrid, indices, levels, present

Path = tuple[str, ...]

_OF_A_PAIR: Final = 2
"""How often the ids repeat that belong to a code: in a list of entries, in a list of pairs."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A leaf's slots: levels, and the value of each slot or None."""

    repetition: Integers
    values: Sequence[Any]


def rows_named(readers: Sequence[ChunkReader], column: str) -> int:
    """Rows of a row group with a primary entry that is wanted in its namespace. Raises Unreadable."""
    rows = 0
    for ids, primaries, keys in _triples(readers, column):
        is_text = ids.holds_text and not ids.chunk.leaf.decimal
        if not is_text or ids.may_name_any():
            rows += _named(ids, primaries, keys)
    return rows


def _triples(
    readers: Sequence[ChunkReader], column: str
) -> Sequence[tuple[ChunkReader, ChunkReader, ChunkReader | str]]:
    """Per map, or per field of a struct of lists: ids, primary marks, and the codes.

    What a column is shows in how often its leaves repeat, whatever writers call the groups between: ids of a struct of
    lists repeat once, and the field is the code; those of a map, or of a list of pairs, repeat twice, and the code is
    the pair's first leaf.
    """
    mine = {reader.chunk.leaf.path: reader for reader in readers if reader.chunk.leaf.path[0] == column}
    first = next(iter(mine.values()), None)
    pairs = first is not None and first.chunk.leaf.repetition_max == 1
    found: list[tuple[ChunkReader, ChunkReader, ChunkReader | str]] = []
    for path, ids in mine.items():
        primaries = mine.get((*path[:-1], "primary"))
        if path[-1] != "id" or primaries is None or primaries.chunk.leaf.physical != BOOLEAN:
            continue
        if _is_entry(ids, path, mine):
            keys = first if pairs and first is not None and ids.chunk.leaf.repetition_max == _OF_A_PAIR else None
            found.append((ids, primaries, keys or path[1].casefold()))
    return found


def _is_entry(ids: ChunkReader, path: Path, mine: Mapping[Path, ChunkReader]) -> bool:
    """Whether these are an entry's own ids, and not those of something inside of it."""
    return not any(
        (*path[:depth], "id") in mine
        and mine[(*path[:depth], "id")].chunk.leaf.repetition_max == ids.chunk.leaf.repetition_max
        for depth in range(1, len(path) - 1)
    )


def _named(ids: ChunkReader, primaries: ChunkReader, keys: ChunkReader | str) -> int:
    id_column, primary_column = _column(ids), _column(primaries)
    if len(id_column.values) != len(primary_column.values):
        raise Unreadable("ids and marks of an identity map do not stand side by side")
    row = np.cumsum(id_column.repetition == 0) - 1
    entry = np.cumsum(id_column.repetition <= 1) - 1
    codes: Sequence[Any] = [] if isinstance(keys, str) else _column(keys).values
    named = set()
    namers: dict[str, Namer] = {}
    for slot, value in enumerate(id_column.values):
        if value is None or not primary_column.values[slot]:
            continue
        code = keys if isinstance(keys, str) else (codes[entry[slot]] or b"").decode("utf-8", "replace").casefold()
        if code not in namers:
            namers[code] = namer(ids.needles, ids.chunk.leaf, code)
        if namers[code](value) is not None:
            named.add(int(row[slot]))
    return len(named)


def _column(reader: ChunkReader) -> _Column:
    chunk = reader.chunk
    repetition: list[Integers] = []
    values: list[Any] = []
    entries: Sequence[Any] = []
    for page in reader.pages:
        if page.dictionary:
            entries = decode(page, chunk.leaf)
            continue
        repetition.append(levels(page.repetition, chunk.leaf.repetition_max, page.values))
        definition = levels(page.definition, chunk.leaf.definition_max, page.values)
        there = iter(_values(page, chunk, entries))
        values.extend(next(there) if level == chunk.leaf.definition_max else None for level in definition)
    return _Column(np.concatenate(repetition) if repetition else np.zeros(0, dtype=np.int64), values)


def _values(page: Page, chunk: Chunk, entries: Sequence[Any]) -> Sequence[Any]:
    if page.encoding in DICTIONARY_ENCODINGS:
        return [entries[number] for number in indices(page, chunk.leaf)]
    if chunk.leaf.physical != BOOLEAN:
        return list(decode(page, chunk.leaf))
    count = present(page, chunk.leaf)
    if page.encoding == PLAIN:
        bits = np.unpackbits(np.frombuffer(page.body, dtype=np.uint8), bitorder="little")[:count]
        return list(bits.astype(bool))
    if page.encoding == RLE:
        return list(hybrid(page.body[4:], 1, count).astype(bool)) if count else []
    raise Unreadable("booleans in an unknown encoding")
