"""Which files of a directory are the table."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from lethe.engines.interface import TableRefused
from lethe.engines.storage.interface import FileStat, Storage

OURS: Final = "_lethe"
"""The hidden directory of journals and of files that are being written."""

_SUMMARY: Final = "_metadata"
_HARMLESS: Final = frozenset({"_SUCCESS", "_common_metadata"})
_NULL_PARTITION: Final = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Listing:
    """Every file under the location, sorted out."""

    live: Sequence[FileStat]
    """The table: files whose names, and whose directories' names, do not begin with `_` or a dot."""
    ours: Sequence[FileStat]
    """Journals and files in the making."""
    summaries: Sequence[FileStat]
    """`_metadata` files, which repeat the bounds of all others and are stale after a change."""
    harmless: Sequence[FileStat]
    """Hidden files that say nothing of rows."""
    leftovers: Sequence[FileStat]
    """Hidden files of other writers: unfinished, or forgotten."""

    @property
    def snapshot(self) -> str:
        """The table's version: a digest over the live files and their versions."""
        facts = [[stat.path, stat.version] for stat in self.live]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def listing_of(storage: Storage) -> Listing:
    """Read and sort out. Raises TableRefused where the directory belongs to a table format with a log of its own."""
    live, ours, summaries, harmless, leftovers = [], [], [], [], []
    for stat in storage.list():
        parts = stat.path.split("/")
        if "_delta_log" in parts:
            raise TableRefused("this directory is a Delta table")
        if parts[0] == OURS:
            ours.append(stat)
        elif not any(part.startswith(("_", ".")) and not _is_partition(part) for part in parts):
            live.append(stat)
        elif parts[-1] == _SUMMARY:
            summaries.append(stat)
        elif parts[-1] in _HARMLESS or _is_checksum_of_live(parts):
            harmless.append(stat)
        else:
            leftovers.append(stat)
    return Listing(live, ours, summaries, harmless, leftovers)


def _is_partition(part: str) -> bool:
    """Whether a directory such as `_day=1` is hidden no more: it is named by a partition column."""
    return "=" in part


def _is_checksum_of_live(parts: Sequence[str]) -> bool:
    return parts[-1].startswith(".") and parts[-1].endswith(".crc") and not any(p.startswith("_") for p in parts[:-1])


def checksum_of(path: str) -> str:
    """Where Hadoop's local file system keeps the checksums of a file; it refuses to read a file that differs."""
    directory, slash, name = path.rpartition("/")
    return f"{directory}{slash}.{name}.crc"


def partition_values(path: str) -> Mapping[str, str | None]:
    """Hive-style values in the directories of a path: `country=de/…`."""
    values: dict[str, str | None] = {}
    for part in path.split("/")[:-1]:
        name, equals, value = part.partition("=")
        if equals:
            values[unquote(name)] = None if value == _NULL_PARTITION else unquote(value)
    return values


def public_names(listing: Listing, identity_column: str) -> Mapping[str, str]:
    """For each live path, the name under which plans and reports speak of it.

    That is the path, unless its directories name the identity itself: then it is the file's number in the listing,
    which holds for the snapshot of the plan.
    """
    return {
        stat.path: f"file {number}" if identity_column in partition_values(stat.path) else stat.path
        for number, stat in enumerate(listing.live)
    }
