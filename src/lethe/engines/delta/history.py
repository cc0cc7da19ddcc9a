"""What the log remembers beyond the live table: which files it once named, and since when it names them no more.

A file that the log has named and names no more cannot belong to a commit that is still on its way. Of a file of which
the log has never heard that is not known, unless it bears the name of a forget that is already committed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

from lethe.engines.delta.actions import file_key, metadata_of, vector_of
from lethe.engines.delta.checkpoint import read_checkpoint
from lethe.engines.delta.commit import SEAL, TOLD, counts_told, markers_of
from lethe.engines.delta.deletion_vectors import vector_path
from lethe.engines.delta.log import read_commit
from lethe.engines.delta.log_files import SIDECARS, LogListing
from lethe.engines.delta.rewriting import marker_prefix
from lethe.engines.delta.snapshot import Snapshot
from lethe.engines.storage.interface import Storage

_OURS: Final = re.compile(r"\.?(lethe-[0-9a-f]+-)[0-9a-f]+\.(?:parquet|tmp)\Z")


_HARMLESS_PARAMETERS: Final = frozenset({"mode", "partitionBy", "protocol", "location", "metadata", "statsOnLoad"})
_HARMLESS_INFO: Final = frozenset(
    {
        "clientVersion",
        "engineInfo",
        "inCommitTimestamp",
        "isBlindAppend",
        "isolationLevel",
        "operation",
        "operationMetrics",
        "operationParameters",
        "readVersion",
        "timestamp",
        "txnId",
    }
)


@dataclass(slots=True)
class History:
    """Files named by the log, live or not."""

    named: dict[str, datetime | None] = field(default_factory=dict)
    """Path → when it was removed from the table, where the log tells."""
    finished: frozenset[str] = frozenset()
    """How the names of the files of finished forgets begin."""
    speaks: bool = False
    """Whether the log tells more than the live table: of files that are gone, or what somebody asked for."""
    counts: dict[str, str] = field(default_factory=dict)
    """What finished forgets counted, by marker, the oldest first."""

    def knows(self, path: str) -> bool:
        """Whether the file cannot be part of a commit that is still to come."""
        found = _OURS.match(path.rpartition("/")[2])
        return path in self.named or (found is not None and found[1] in self.finished)

    def removed_at(self, path: str) -> datetime | None:
        """When the table stopped referring to the file, where the log tells."""
        return self.named.get(path)


def read_history(storage: Storage, snapshot: Snapshot, listing: LogListing) -> History:
    """Read every commit that is left, the newest checkpoint, and every checkpoint's sidecars."""
    history = History(finished=frozenset(marker_prefix(marker) for marker in markers_of(snapshot)))
    for number, checkpoint in enumerate(reversed(listing.checkpoints)):
        kinds = (
            frozenset({"add", "remove", "sidecar", "metaData", "domainMetadata"})
            if number == 0
            else frozenset({"sidecar"})
        )
        for action in read_checkpoint(storage, checkpoint, kinds):
            _remember(history, snapshot, action)
    for version in listing.commits:
        actions = read_commit(storage, version)
        history.counts.update(counts_told(actions))
        for action in actions:
            _remember(history, snapshot, action)
    return history


def _remember(history: History, snapshot: Snapshot, action: Mapping[str, Any]) -> None:
    for kind, fields in action.items():
        if isinstance(fields, Mapping):
            history.speaks |= _speaks(snapshot, kind, fields)
            for path, removed_at in _named(kind, fields):
                if removed_at is not None or path not in history.named:
                    history.named[path] = removed_at


def _named(kind: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, datetime | None]]:
    """The files that an action names, and when they were removed by it."""
    if kind in {"add", "remove", "cdc"}:
        at = fields.get("deletionTimestamp") if kind == "remove" else None
        removed_at = None if at is None else datetime.fromtimestamp(at / 1000, UTC)
        yield unquote(fields["path"]), removed_at
        vector = vector_of(fields.get("deletionVector"))
        path = None if vector is None or vector.storage_type == "p" else vector_path(vector)
        if path is not None:
            yield path, removed_at
    if kind == "sidecar":
        yield f"{SIDECARS}/{fields['path']}", None


def _speaks(snapshot: Snapshot, kind: str, fields: Mapping[str, Any]) -> bool:
    """Whether an action tells anything that is not true, or was not asked for, of the live table."""
    match kind:
        case "add":
            live = snapshot.files.get(file_key(fields["path"], vector_of(fields.get("deletionVector"))))
            return live is None or live.stats != fields.get("stats", live.stats)
        case "metaData":
            return metadata_of(fields) != snapshot.metadata
        case "domainMetadata":
            return snapshot.domains.get(fields["domain"]) != fields.get("configuration")
        case "remove" | "cdc":
            return True
        case "commitInfo":
            return _asks(fields)
        case _:
            return False


def _asks(info: Mapping[str, Any]) -> bool:
    """Whether a commit's description may hold values: a predicate, or words of its user."""
    if info.get("operation") == SEAL:
        info = {key: value for key, value in info.items() if key != TOLD}
    parameters = info.get("operationParameters")
    asked = set(parameters) - _HARMLESS_PARAMETERS if isinstance(parameters, Mapping) else parameters
    return bool(asked) or not _HARMLESS_INFO.issuperset(info)
