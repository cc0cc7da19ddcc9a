"""The tables under a location, told by their files.

A directory with a `_delta_log` is a Delta table, one with `metadata/*.metadata.json` an Iceberg table. Any other
directory of Parquet or newline-delimited JSON files is a table of that format; directories named by a partition column
belong to the one above them. What is hidden is no table.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from lethe.domain.dataset import TableFormat
from lethe.engines.delta.log import read_snapshot
from lethe.engines.discovery import fields as reading
from lethe.engines.discovery.candidates import Candidate, candidates_of
from lethe.engines.discovery.fields import Fields
from lethe.engines.interface import TableRefused
from lethe.engines.storage.interface import FileStat, Storage, StorageFailed
from lethe.engines.storage.opening import StorageOpener

FILES_MAX: Final = 1_000_000
_ROWS_READ: Final = 100
_BYTES_READ: Final = 4 * 1024**2
_NDJSON: Final = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz", ".json")
_DELTA_LOG, _ICEBERG = "_delta_log", ".metadata.json"


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table that could be registered."""

    format: TableFormat
    location: str
    files: int
    size_bytes: int
    candidates: tuple[Candidate, ...] = ()
    has_identity_map: bool = False
    catalog: str | None = None
    identifier: str | None = None
    """The two by which an Iceberg table is registered; unknown when it was found by its files."""
    problem: str | None = None
    """Why its fields could not be read."""


@dataclass
class _Seen:
    format: TableFormat
    first: FileStat
    files: int = 0
    size_bytes: int = 0


def tables_at(location: str, open_storage: StorageOpener) -> Sequence[FoundTable]:
    """Every table under a location, by its place. Raises StorageFailed, TableRefused."""
    seen: dict[str, _Seen] = {}
    for stat in islice(open_storage(location).list(), FILES_MAX):
        told = _told(stat.path)
        if told is not None:
            directory, form = told
            table = seen.setdefault(directory, _Seen(form, stat))
            if form is table.format and form is TableFormat.ICEBERG:
                table.first = stat
            table.files += 1
            table.size_bytes += stat.size_bytes
    tables = {name: table for name, table in seen.items() if not _is_inside(name, seen)}
    return [_found(location, name, table, open_storage) for name, table in sorted(tables.items())]


def _told(path: str) -> tuple[str, TableFormat] | None:
    """The directory of the table that a file belongs to, and the table's format."""
    *directories, name = path.split("/")
    if _DELTA_LOG in directories:
        return "/".join(directories[: directories.index(_DELTA_LOG)]), TableFormat.DELTA
    if name.endswith(_ICEBERG) and directories[-1:] == ["metadata"]:
        return "/".join(directories[:-1]), TableFormat.ICEBERG
    while directories and "=" in directories[-1]:
        directories.pop()
    if any(part.startswith(("_", ".")) for part in (*directories, name)):
        return None
    if name.endswith(".parquet"):
        return "/".join(directories), TableFormat.PARQUET
    return ("/".join(directories), TableFormat.NDJSON) if name.endswith(_NDJSON) else None


def _is_inside(name: str, seen: Mapping[str, _Seen]) -> bool:
    """Whether a directory of files is part of a table with a log of its own, which stands above it or is it."""
    if seen[name].format in {TableFormat.DELTA, TableFormat.ICEBERG}:
        return False
    above = ["/".join(name.split("/")[:depth]) for depth in range(len(name.split("/")) + 1)]
    return any(each in seen and seen[each].format in {TableFormat.DELTA, TableFormat.ICEBERG} for each in above)


def _found(location: str, name: str, table: _Seen, open_storage: StorageOpener) -> FoundTable:
    place = f"{location.rstrip('/')}/{name}".rstrip("/")
    try:
        fields = _fields(open_storage(place), table, table.first.path.removeprefix(name).lstrip("/"))
    except (StorageFailed, TableRefused, pa.ArrowException, ValueError, KeyError, StopIteration, OSError) as error:
        problem = str(error) if isinstance(error, TableRefused) else f"not readable ({type(error).__name__})"
        return FoundTable(table.format, place, table.files, table.size_bytes, problem=problem)
    return FoundTable(
        table.format, place, table.files, table.size_bytes, candidates_of(fields), fields.has_identity_map
    )


def _fields(storage: Storage, table: _Seen, first: str) -> Fields:
    match table.format:
        case TableFormat.DELTA:
            return reading.of_delta(read_snapshot(storage).metadata.schema)
        case TableFormat.ICEBERG:
            return reading.of_iceberg(json.loads(storage.read(first)))
        case TableFormat.PARQUET:
            with storage.open(first) as source:
                return reading.of_arrow(pq.read_schema(source))
        case TableFormat.NDJSON:
            with storage.open(first) as source:
                return reading.of_rows(_rows(source.read(_BYTES_READ)))


def _rows(head: bytes) -> Iterator[Mapping[str, Any]]:
    """The first rows; the last line of what was read may be cut off."""
    if head[:2] == b"\x1f\x8b":
        head = zlib.decompressobj(wbits=31).decompress(head, _BYTES_READ)
    for line in head.split(b"\n")[:_ROWS_READ]:
        try:
            row = json.loads(line) if line.strip() else None
        except ValueError:
            return
        if isinstance(row, dict):
            yield row
