"""Looking again, later, whether an erased identity is back.

When an order completes, the raw identities are destroyed; what is left are keyed hashes. A look reads the identities of
the order's tables and hashes them: who is recognised is back, by a restored backup or a late import.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lethe.domain.ids import DatasetId, OrgId, SandboxName, WorkOrderId


@dataclass(frozen=True, slots=True)
class CompletedOrder:
    """An order whose identities should be gone, and since when."""

    work_order_id: WorkOrderId
    org_id: OrgId
    sandbox_name: SandboxName
    completed_at: datetime


@dataclass(frozen=True, slots=True)
class Reverification:
    """What one look saw of one order in one dataset."""

    work_order_id: WorkOrderId
    dataset_id: DatasetId
    at: datetime
    snapshot: str
    rows_examined: int
    rows_back: int
    identities_back: int
    problem: str | None = None
    """Why the table could not be examined, if it could not."""


def next_look(completed_at: Collection[datetime], after: Sequence[timedelta], now: datetime) -> datetime | None:
    """When the first look is due that is still to come; None when all are past."""
    coming = [at + wait for at in completed_at for wait in after if at + wait > now]
    return min(coming, default=None)
