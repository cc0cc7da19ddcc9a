"""One commit of ours: its lines, its marker, and how it is recognised when it is repeated.

The commit is written by ourselves, as one file put where no file is. deltalake cannot write it: its `RemoveAction`
has no deletion vector, and a remove without one does not remove a file that has one. And everything that touches
storage goes through one seam, with the settings' credentials, where tests can make each call fail.

The marker is a transaction identifier (`txn`), the protocol's own means for "did this application already commit?":
it is carried into every checkpoint by every writer, so it is found long after the commit's file is gone. Its version
is the table version of the commit. The counts, which are positions and never values, are in `commitInfo`: they go
with the log's history, that is with the purge that follows the forget whose answer they are.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lethe import __version__
from lethe.domain.ids import DatasetId
from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.delta.actions import Transaction
from lethe.engines.delta.log import read_commit
from lethe.engines.delta.log_files import commit_path
from lethe.engines.delta.snapshot import Snapshot
from lethe.engines.interface import Marker
from lethe.engines.storage.interface import FileMissing, Storage
from lethe.engines.tally import Counts

_APP: Final = "lethe:"
_FORGET: Final = "DELETE"
_SEAL: Final = "LETHE SEAL"
_ENGINE: Final = f"lethe/{__version__}"


@dataclass(frozen=True, slots=True)
class Done:
    """A forget that is in the log."""

    version: int
    plan: TablePlan | None
    """None when the commit's own file is gone, and the counts with it."""
    counts: Counts


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
    try:
        actions = read_commit(storage, transaction.version)
    except FileMissing:
        return Done(transaction.version, None, Counts())
    for action in actions:
        if "lethe" in action.get("commitInfo", {}):
            told = action["commitInfo"]["lethe"]
            files = [PlannedFile(path, FileAction(fate), *facts) for path, fate, *facts in told["files"]]
            plan = TablePlan(dataset_id, told["snapshot"], files)
            return Done(transaction.version, plan, Counts.from_json(told["counts"]))
    return Done(transaction.version, None, Counts())


def forget_lines(
    snapshot: Snapshot, marker: Marker, plan: TablePlan, counts: Counts, *, now: datetime, in_commit_ms: int | None
) -> Sequence[Mapping[str, Any]]:
    """The head of a forget's commit; the removes and adds follow."""
    told = {
        "snapshot": plan.snapshot,
        "files": [[f.path, f.action.value, f.rows, f.rows_matched, f.size_bytes, f.reason] for f in plan.touched],
        "counts": counts.to_json(),
    }
    info = {**_info(_FORGET, now, in_commit_ms), "readVersion": snapshot.version, "lethe": told}
    transaction = Transaction(_APP + marker, snapshot.version + 1, _ms(now))
    return [{"commitInfo": info}, transaction.to_json()]


def seal_lines(now: datetime, in_commit_ms: int | None) -> Sequence[Mapping[str, Any]]:
    """A commit that changes nothing and says nothing: the purge ends the log's history with it."""
    return [{"commitInfo": _info(_SEAL, now, in_commit_ms)}]


def is_seal(actions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a commit is such a one."""
    return len(actions) == 1 and actions[0].get("commitInfo", {}).get("operation") == _SEAL


def in_commit_timestamp_ms(storage: Storage, snapshot: Snapshot, now: datetime) -> int | None:
    """The instant that the next commit must bear where the table's commits tell the time themselves.

    Later than that of the commit before, whatever the clock says.
    """
    if not snapshot.metadata.is_on("delta.enableInCommitTimestamps"):
        return None
    try:
        actions = read_commit(storage, snapshot.version)
    except FileMissing:
        return _ms(now)
    before = max((a.get("commitInfo", {}).get("inCommitTimestamp") or 0 for a in actions), default=0)
    return max(_ms(now), int(before) + 1)


def put_commit(storage: Storage, version: int, lines: Iterable[Mapping[str, Any]]) -> None:
    """Make a version. Raises FileExists when somebody else made it, StorageFailed when it may have happened."""
    data = "\n".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
    storage.put(commit_path(version), data.encode(), if_absent=True)


def _info(operation: str, now: datetime, in_commit_ms: int | None) -> dict[str, Any]:
    first = {} if in_commit_ms is None else {"inCommitTimestamp": in_commit_ms}
    return first | {
        "timestamp": _ms(now),
        "operation": operation,
        "operationParameters": {},
        "isBlindAppend": False,
        "engineInfo": _ENGINE,
    }


def _ms(now: datetime) -> int:
    return int(now.timestamp() * 1000)
