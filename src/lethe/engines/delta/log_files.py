"""The files of `_delta_log`, sorted out by their names."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lethe.engines.storage.interface import FileStat

LOG: Final = "_delta_log"

_COMMIT: Final = re.compile(r"(\d{20})\.json\Z")
_CHECKPOINT: Final = re.compile(
    r"(\d{20})\.checkpoint(?:\.(?:(?P<part>\d{10})\.(?P<parts>\d{10})|(?P<uuid>[0-9a-fA-F-]{36})))?\.(?:parquet|json)\Z"
)
_VERSIONED: Final = re.compile(r"\.?(\d{20})\.")
_COMPACTED: Final = re.compile(r"\d{20}\.(\d{20})\.compacted\.json\Z")


def commit_path(version: int) -> str:
    """Where a version's actions stand."""
    return f"{LOG}/{version:020d}.json"


def is_commit(path: str) -> bool:
    """Whether a path is that of a version's actions."""
    directory, _, name = path.rpartition("/")
    return directory == LOG and _COMMIT.match(name) is not None


def checkpoint_path(version: int) -> str:
    """Where a version's classic checkpoint stands."""
    return f"{LOG}/{version:020d}.checkpoint.parquet"


LAST_CHECKPOINT: Final = f"{LOG}/_last_checkpoint"
SIDECARS: Final = f"{LOG}/_sidecars"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One whole checkpoint: a file, or all of its parts."""

    version: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogListing:
    """What the log consists of."""

    commits: Sequence[int]
    """Versions that have a commit file, ascending."""
    checkpoints: Sequence[Checkpoint]
    """Whole ones, oldest first."""
    files: Sequence[FileStat] = field(default_factory=tuple)
    """Every file under `_delta_log`."""

    @property
    def newest(self) -> int | None:
        """The table's version, or None when there is no table."""
        versions = [*self.commits[-1:], *(c.version for c in self.checkpoints[-1:])]
        return max(versions, default=None)

    @property
    def unbroken(self) -> Sequence[int]:
        """The commits from which no later one is missing, newest first."""
        return [version for back, version in enumerate(reversed(self.commits)) if version == self.commits[-1] - back]


def listing_of(files: Iterable[FileStat]) -> LogListing:
    """Sort the files of `_delta_log` out. Parts of a checkpoint that is not whole are no checkpoint."""
    files = tuple(files)
    commits, single, parts = [], [], dict[tuple[int, int], list[str]]()
    for stat in files:
        directory, _, name = stat.path.rpartition("/")
        if directory != LOG:
            continue
        if found := _COMMIT.match(name):
            commits.append(int(found[1]))
        elif found := _CHECKPOINT.match(name):
            version = int(found[1])
            if found["parts"]:
                parts.setdefault((version, int(found["parts"])), []).append(stat.path)
            elif found["uuid"] or name.endswith(".parquet"):
                single.append(Checkpoint(version, (stat.path,)))
    whole = [Checkpoint(v, tuple(sorted(paths))) for (v, count), paths in parts.items() if len(paths) == count]
    return LogListing(sorted(commits), sorted([*whole, *single], key=lambda c: (c.version, -len(c.paths))), files)


def version_of(path: str) -> int | None:
    """The version of which a log file speaks; the last, where it speaks of several; None where it speaks of none."""
    name = path.rpartition("/")[2]
    found = _COMPACTED.match(name) or _VERSIONED.match(name)
    return int(found[1]) if found else None
