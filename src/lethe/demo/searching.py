"""Looks for people in the bytes of every file, whoever refers to it, as `grep` would."""

import gzip
from collections.abc import Iterable
from pathlib import Path

import ahocorasick_rs


def files_that_name(values: Iterable[str], root: Path) -> dict[Path, int]:
    """Under `root`, the files in which any of these values stands, and how many of them do; gzip is undone."""
    search = ahocorasick_rs.BytesAhoCorasick([value.encode() for value in values])
    found: dict[Path, int] = {}
    for path in sorted(each for each in root.rglob("*") if each.is_file()):
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        hits = {index for index, _, _ in search.find_matches_as_indexes(content)}
        if hits:
            found[path] = len(hits)
    return found
