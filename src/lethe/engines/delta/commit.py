"""One commit of ours: its lines, its marker, and how it is recognised when it is repeated.

The commit is written by ourselves, as one file put where no file is. deltalake cannot write it: its `RemoveAction`
has no deletion vector, and a remove without one does not remove a file that has one. And everything that touches
storage goes through one seam, with the settings' credentials, where tests can make each call fail.

The marker is a transaction identifier (`txn`), the protocol's own means for "did this application already commit?":
it is carried into every checkpoint by every writer, so it is found long after the commit's file is gone. Its version
is the table version of the commit. The counts, which are positions and never values, are in `commitInfo`; the purge,
which takes the commit away, writes those of the newest forgets into its own.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lethe import __version__
from lethe.domain.ids import DatasetId
from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.delta.actions import Metadata, Transaction
from lethe.engines.delta.log import read_commit
from lethe.engines.delta.log_files import LOG, commit_path, listing_of
from lethe.engines.delta.snapshot import Snapshot
from lethe.engines.interface import Marker
from lethe.engines.storage.interface import FileMissing, Storage
from lethe.engines.tally import Counts

_APP: Final = "lethe:"
_FORGET: Final = "DELETE"
SEAL: Final = "LETHE SEAL"
TOLD: Final = "lethe"
"""The key in a commit's description under which we tell of what we did."""

_COUNTS: Final = "counts"
_ENGINE: Final = f"lethe/{__version__}"


@dataclass(frozen=True, slots=True)
class Done:
    """A forget that is in the log."""

    version: int
    plan: TablePlan | None
    """None when the commit's own file is gone."""
    counts: Counts | None
    """None when no commit tells them any more."""


def marker_of(snapshot: Snapshot, marker: Marker) -> Transaction | None:
    """Where the marker was committed, if it was."""
    return snapshot.transactions.get(_APP + marker)


def markers_of(snapshot: Snapshot) -> Sequence[str]:
    """Every marker in the table."""
    return [app_id.removeprefix(_APP) for app_id in snapshot.transactions if app_id.startswith(_APP)]


def done_before(storage: Storage, snapshot: Snapshot, marker: Marker, dataset_id: DatasetId) -> Done | None:
    """What an earlier attempt with this marker did, or None when there was none."""
    transaction = marker_of(snapshot, marker)
    if transaction is None:
        return None
    for version in dict.fromkeys((transaction.version, *reversed(listing_of(storage.list(LOG)).commits))):
        try:
            told = told_by(read_commit(storage, version))
        except FileMissing:
            continue
        if marker in told.get(_COUNTS, {}):
            files = [PlannedFile(path, FileAction(fate), *facts) for path, fate, *facts in told.get("files", ())]
            plan = TablePlan(dataset_id, told["snapshot"], files) if "snapshot" in told else None
            return Done(transaction.version, plan, Counts.from_text(told[_COUNTS][marker]))
    return Done(transaction.version, None, None)


def told_by(actions: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What a commit of ours tells of itself; nothing, where it is another writer's."""
    for action in actions:
        info = action.get("commitInfo")
        if isinstance(info, Mapping) and isinstance(info.get(TOLD), Mapping):
            return {_COUNTS: {}, **info[TOLD]}
    return {_COUNTS: {}}


def counts_told(actions: Iterable[Mapping[str, Any]]) -> Mapping[str, str]:
    """The counts of forgets that a commit tells, by marker."""
    return dict(told_by(actions)[_COUNTS])


def forget_lines(
    snapshot: Snapshot, marker: Marker, plan: TablePlan, counts: Counts, *, now: datetime, in_commit_ms: int | None
) -> Sequence[Mapping[str, Any]]:
    """The head of a forget's commit; the removes and adds follow."""
    told = {
        "snapshot": plan.snapshot,
        "files": [[f.path, f.action.value, f.rows, f.rows_matched, f.size_bytes, f.reason] for f in plan.touched],
        _COUNTS: {marker: counts.to_text()},
    }
    info = {**_info(_FORGET, now, in_commit_ms), "readVersion": snapshot.version, TOLD: told}
    transaction = Transaction(_APP + marker, snapshot.version + 1, ms(now))
    return [{"commitInfo": info}, transaction.to_json()]


def seal_lines(now: datetime, in_commit_ms: int | None, counts: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """A commit that changes nothing: the purge ends the log's history with it.

    It tells the counts of forgets that are over, by marker, and nothing else.
    """
    return [{"commitInfo": {**_info(SEAL, now, in_commit_ms), TOLD: {_COUNTS: dict(counts)}}}]


def place_holder(metadata: Metadata, now: datetime) -> bytes:
    """What takes the place of a commit that speaks, while a writer that read the version before may still be at work.

    Were the name free, that writer's commit would be put there, below the checkpoint, and lost without anybody's
    knowing. It restates the table's metadata, so that every writer takes it for a conflict, reads the table anew and
    tries again; readers begin at the checkpoint and never see it.
    """
    restated = {
        "id": metadata.table_id,
        "name": metadata.name,
        "description": metadata.description,
        "format": {"provider": metadata.provider, "options": dict(metadata.provider_options)},
        "schemaString": metadata.schema,
        "partitionColumns": list(metadata.partition_columns),
        "configuration": dict(metadata.configuration),
        "createdTime": metadata.created_at_ms,
    }
    return _encoded([{"commitInfo": _info(SEAL, now, None)}, {"metaData": restated}])


def is_seal(actions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a commit is such a one."""
    return len(actions) == 1 and actions[0].get("commitInfo", {}).get("operation") == SEAL


def in_commit_timestamp_ms(storage: Storage, snapshot: Snapshot, now: datetime) -> int | None:
    """The instant that the next commit must bear where the table's commits tell the time themselves.

    Later than that of the commit before, whatever the clock says.
    """
    if not snapshot.metadata.is_on("delta.enableInCommitTimestamps"):
        return None
    try:
        actions = read_commit(storage, snapshot.version)
    except FileMissing:
        return ms(now)
    before = max((a.get("commitInfo", {}).get("inCommitTimestamp") or 0 for a in actions), default=0)
    return max(ms(now), int(before) + 1)


def put_commit(storage: Storage, version: int, lines: Iterable[Mapping[str, Any]]) -> None:
    """Make a version. Raises FileExists when somebody else made it, StorageFailed when it may have happened."""
    storage.put(commit_path(version), _encoded(lines), if_absent=True)


def _encoded(lines: Iterable[Mapping[str, Any]]) -> bytes:
    return "\n".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines).encode()


def _info(operation: str, now: datetime, in_commit_ms: int | None) -> dict[str, Any]:
    first = {} if in_commit_ms is None else {"inCommitTimestamp": in_commit_ms}
    return first | {
        "timestamp": ms(now),
        "operation": operation,
        "operationParameters": {},
        "isBlindAppend": False,
        "engineInfo": _ENGINE,
    }


def ms(now: datetime) -> int:
    """As the log writes instants: milliseconds since 1970."""
    return int(now.timestamp() * 1000)
