"""Tasks: the steps of durable work, kept as rows beside what they are about.

A task is stored in the transaction that makes it necessary, so what is recorded is also promised.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from lethe.domain.ids import OrgId, SandboxName, TaskId


class Step(StrEnum):
    """The steps of a deletion, in their order."""

    FIND = "find"
    BUNDLE = "bundle"
    FORGET = "forget"
    PURGE = "purge"
    VERIFY = "verify"


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
