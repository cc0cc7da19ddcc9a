"""A search for texts in every byte of a directory: names, files as they are, and what stands in them compressed."""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from engines.pages.residue import SEARCHED_BYTES_MIN, parts_of
from engines.pages.walk import walk
from lethe.engines.verify import avro


def residue(root: Path, *values: str) -> set[str]:
    """Files, by path, that hold one of the texts."""
    found = set()
    forms = {form.encode() for value in values for form in (value, json.dumps(value)[1:-1])}
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        texts = [unquote(unquote(name)).encode(), name.encode(), *(_parts(path.read_bytes()) if path.is_file() else ())]
        if any(form in text for text in texts for form in forms):
            found.add(name)
    return found


def words(gone: Iterable[str], survivors: Any) -> list[str]:
    """Of the texts of rows that went those that can be searched for: no survivor holds them, nor does chance."""
    alive = _texts_of(survivors)
    return sorted({word for word in gone if len(word.encode()) >= SEARCHED_BYTES_MIN and word not in alive})


def _texts_of(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(map(_texts_of, value.values()))
    if isinstance(value, list | tuple):
        return "\n".join(map(_texts_of, value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _parts(data: bytes) -> Iterator[bytes]:
    yield data
    if data[:4] == b"PAR1":
        yield from (part for _, part in parts_of(walk(data)))
    elif data[:4] == avro.MAGIC:
        yield from (part for _, part in avro.parts(data))
    elif data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
