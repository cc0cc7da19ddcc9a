"""Tasks: the steps of durable work, kept as rows beside what they are about.

A task is stored in the transaction that makes it necessary, so what is recorded is also promised. Its id follows from
what it is about: promising it twice is promising it once. A worker claims a due task with a lease and a token; the
token grows with every claim, so that a worker who lost its lease can be told from the one who has it now.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from lethe.domain.ids import DatasetId, OrgId, SandboxName, TaskId
from lethe.domain.product import Product

ATTEMPTS_MAX: Final = 10
"""Failures after which a task is given up."""

_BACKOFF_FIRST: Final = timedelta(seconds=1)
_BACKOFF_MAX: Final = timedelta(minutes=10)


class Step(StrEnum):
    """The steps of a deletion, in their order."""

    FIND = "find"
    """Of a work order: decide what goes, in every dataset; change nothing."""
    BUNDLE = "bundle"
    """Of a bundle: close it, lock its datasets, hand its orders to the products."""
    FORGET = "forget"
    """Of a bundle, in one dataset or one service: delete."""
    PURGE = "purge"
    """Of a bundle, in one dataset: remove what still speaks of the deleted."""
    VERIFY = "verify"
    """Of a bundle, in one dataset or one service: look for what should be gone."""
    DROP = "drop"
    """Of a bundle or an expiration: destroy a dataset, or what it contributed to one service."""
    CONFIRM = "confirm"
    """Of a bundle or an expiration: look whether a dropped dataset left anything."""
    REVERIFY = "reverify"
    """Of a bundle, in one dataset, after it has ended: look whether an erased identity is back."""


class TaskState(StrEnum):
    """Whether a task is still to be done."""

    READY = "ready"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """One step to be done for one subject, not before `due_at`."""

    task_id: TaskId
    org_id: OrgId
    sandbox_name: SandboxName
    step: Step
    subject_id: UUID
    """The work order, bundle or expiration."""
    due_at: datetime
    product: Product | None = None
    dataset_id: DatasetId | None = None
    state: TaskState = TaskState.READY
    reason: str | None = None
    """Why it waits or failed; holds no identity."""
    round: int = 0
    """How often it was made ready again after it was done; a repeat within a round is the same work."""
    attempts: int = 0
    """Failures in this round."""

    @property
    def is_at_last_attempt(self) -> bool:
        """Whether it is given up when it fails once more."""
        return self.attempts + 1 >= ATTEMPTS_MAX

    @property
    def place(self) -> "Place":
        """Where it does its step."""
        return self.product, self.dataset_id


Place = tuple[Product | None, DatasetId | None]
"""A product, in one dataset or as a whole; without a product it is the order or the bundle itself."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on a task."""

    task: Task
    token: int
    attempts: int
    """Failures so far."""
    lease_until: datetime


def promise(
    step: Step,
    subject_id: UUID,
    org_id: OrgId,
    sandbox_name: SandboxName,
    due_at: datetime,
    *,
    product: Product | None = None,
    dataset_id: DatasetId | None = None,
) -> Task:
    """Return the task for this step of this subject; the same facts give the same id."""
    facts = f"lethe:task:{subject_id}/{step.value}/{product.value if product else ''}/{dataset_id or ''}"
    return Task(
        TaskId(uuid5(NAMESPACE_URL, facts)), org_id, sandbox_name, step, subject_id, due_at, product, dataset_id
    )


def backoff(attempts: int, jitter: float) -> timedelta:
    """How long to wait after the `attempts`-th failure: doubling, bounded, less up to a half by `jitter` in [0, 1)."""
    doublings = min(max(attempts - 1, 0), 20)
    full = min(_BACKOFF_MAX, _BACKOFF_FIRST * (1 << doublings))
    return full * (1 - jitter / 2)
