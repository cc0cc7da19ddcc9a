"""Noting what was done and seen in a place, of which the certificate is made."""

from typing import Any

from lethe.domain.certificate import instant_text
from lethe.domain.task import Task
from lethe.storage.work_interface import WorkTransaction


def note(tx: WorkTransaction, task: Task, **facts: Any) -> None:
    """Keep these facts of the task's place, beside those that are kept."""
    _keep(tx, task, _kept(tx, task) | facts)


def note_look(tx: WorkTransaction, task: Task, **facts: Any) -> None:
    """Keep what a look saw, and when."""
    note(tx, task, at=instant_text(tx.now), **facts)


def count(tx: WorkTransaction, task: Task, **counts: int) -> None:
    """Add to the counts of the task's place: what goes in several rounds is counted together."""
    kept = _kept(tx, task)
    _keep(tx, task, kept | {name: kept.get(name, 0) + more for name, more in counts.items()})


def _kept(tx: WorkTransaction, task: Task) -> dict[str, Any]:
    return dict(tx.plans.evidence(task.subject_id).get(task.place, {}))


def _keep(tx: WorkTransaction, task: Task, facts: dict[str, Any]) -> None:
    tx.plans.save_evidence(task.subject_id, task.place, facts)
