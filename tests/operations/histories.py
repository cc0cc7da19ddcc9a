"""Which histories an expiration can have."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from lethe.domain.expiration import ExpirationStatus, HistoryEntry, HistoryStatus

_AFTER: Mapping[HistoryStatus, tuple[ExpirationStatus | None, ...]] = {
    HistoryStatus.CREATED: (None,),
    HistoryStatus.UPDATED: (ExpirationStatus.PENDING, ExpirationStatus.CANCELLED),
    HistoryStatus.CANCELLED: (ExpirationStatus.PENDING,),
    HistoryStatus.EXECUTING: (ExpirationStatus.PENDING,),
    HistoryStatus.COMPLETED: (ExpirationStatus.EXECUTING,),
}
"""In which status each thing can happen."""

_BECOMES: Mapping[HistoryStatus, ExpirationStatus] = {
    HistoryStatus.CREATED: ExpirationStatus.PENDING,
    HistoryStatus.UPDATED: ExpirationStatus.PENDING,
    HistoryStatus.CANCELLED: ExpirationStatus.CANCELLED,
    HistoryStatus.EXECUTING: ExpirationStatus.EXECUTING,
    HistoryStatus.COMPLETED: ExpirationStatus.COMPLETED,
}


def status_after(history: Sequence[HistoryEntry]) -> ExpirationStatus | None:
    """The status in which this history ends; None when a step of it is not possible."""
    status = None
    for entry in history:
        if status not in _AFTER[entry.status]:
            return None
        status = _BECOMES[entry.status]
    return status


def is_legal(history: Sequence[HistoryEntry]) -> bool:
    """Whether every step was possible, and the times only go forward."""
    return status_after(history) is not None and all(a.at <= b.at for a, b in pairwise(history))
