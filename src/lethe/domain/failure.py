"""What was given up, and what is waited for: the reasons that a client is shown.

Reasons speak of datasets, files and counts; never of an identity.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lethe.domain.ids import DatasetId, TaskId
from lethe.domain.product import Product
from lethe.domain.task import Step


@dataclass(frozen=True, slots=True)
class Failure:
    """One step that was given up. It stays with its order or expiration until that is retried."""

    task_id: TaskId
    step: Step
    product: Product | None
    """None before the products have the order."""
    dataset_id: DatasetId | None
    reason: str
    attempts: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Delay:
    """One step that waits, or is tried again after a failure."""

    step: Step
    product: Product | None
    dataset_id: DatasetId | None
    reason: str
    attempts: int
    """Failures so far; 0 when it merely waits."""
    again_at: datetime
    """When it is looked at again."""


@dataclass(frozen=True, slots=True)
class Hindrances:
    """Everything that stands between an order or expiration and its end."""

    failures: tuple[Failure, ...] = ()
    delays: tuple[Delay, ...] = ()


def taken_reason(dataset_id: DatasetId, holder: UUID, *, is_bundle: bool) -> str:
    """Say who has a dataset that a step waits for."""
    name = f"bundle BN-{holder}" if is_bundle else f"expiration SD-{holder}"
    return f"dataset {dataset_id} is in work for {name}"
