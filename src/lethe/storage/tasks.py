"""Tasks as rows: promised, claimed, finished.

A claim is one statement: it finds a due row that nobody holds, skipping what other claims have locked, and marks it
with an owner, the end of the lease and the next token. Whatever a worker records later is recorded only if its token
is still the newest, and the row stays locked until then.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.ids import DatasetId, OrgId, SandboxName, TaskId
from lethe.domain.product import Product
from lethe.domain.task import Claim, Step, Task, TaskState
from lethe.storage.schema import tasks, work_orders
from lethe.storage.session import Row, Session
from lethe.storage.work_interface import StaleClaim


def _orgs_with_work() -> sa.Select[tuple[str]]:
    """The orgs that have ready tasks, found by leaping through the index from one to the next.

    Grouping all ready tasks would read the whole queue for every claim.
    """
    ready = tasks.c.state == TaskState.READY
    leaps = sa.select(sa.func.min(tasks.c.org_id).label("org_id")).where(ready).cte("leaps", recursive=True)
    beyond = sa.select(sa.func.min(tasks.c.org_id)).where(ready, tasks.c.org_id > leaps.c.org_id).scalar_subquery()
    leaps = leaps.union_all(sa.select(beyond).where(leaps.c.org_id.is_not(None)))
    return sa.select(leaps.c.org_id).where(leaps.c.org_id.is_not(None))


_ORGS_WITH_WORK: Final = _orgs_with_work()


_SPARED_MAX: Final = 1_000
"""In one statement."""


class SqlTasks:
    """Implements `work_interface.ClaimableTasks`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, task: Task) -> None:
        """Promise a step; one that is promised already stays as it is."""
        insert = self._session.insert(tasks).values(
            task_id=task.task_id,
            org_id=task.org_id,
            sandbox_name=task.sandbox_name,
            step=task.step,
            subject_id=task.subject_id,
            product=task.product,
            dataset_id=task.dataset_id,
            due_at=task.due_at,
            state=task.state,
        )
        if self._session.run(insert.on_conflict_do_nothing()):
            self._session.wakes_workers = True

    def claim(self, owner: str, lease: timedelta, *, after: OrgId | None = None) -> Claim | None:
        """Take a due task that nobody holds, of the org that has the fewest under way; None when there is none.

        Among orgs that have equally many it goes round, beginning behind `after`: however long one's queue is, the
        others' first tasks do not wait for the end of it.
        """
        now = self._session.now
        is_free = sa.or_(tasks.c.lease_until.is_(None), tasks.c.lease_until <= now)
        for org_id in self._orgs_in_turn(now, after):
            oldest = sa.select(tasks.c.task_id).where(
                tasks.c.state == TaskState.READY, tasks.c.org_id == org_id, tasks.c.due_at <= now, is_free
            )
            oldest = oldest.order_by(tasks.c.due_at, tasks.c.task_id).limit(1).with_for_update(skip_locked=True)
            update = tasks.update().where(tasks.c.task_id == oldest.scalar_subquery())
            claimed = update.values(
                lease_owner=owner, lease_until=now + lease, token=tasks.c.token + 1, is_nudged=False
            )
            row = self._session.row(claimed.returning(tasks))
            if row is not None:
                return Claim(_task(row), row["token"], row["attempts"], row["lease_until"])
        return None

    def _orgs_in_turn(self, now: datetime, after: OrgId | None) -> Sequence[OrgId]:
        """Orgs with tasks to be done: those with the fewest held ones first, and then by turns."""
        is_held = sa.and_(tasks.c.lease_until > now, tasks.c.state == TaskState.READY)
        counting = sa.select(tasks.c.org_id, sa.func.count().label("held")).where(is_held).group_by(tasks.c.org_id)
        held = {row["org_id"]: row["held"] for row in self._session.rows(counting)}
        found = [OrgId(row["org_id"]) for row in self._session.rows(_ORGS_WITH_WORK)]
        return sorted(found, key=lambda org_id: (held.get(org_id, 0), after is not None and org_id <= after, org_id))

    def extend(self, claim: Claim, lease: timedelta) -> None:
        """Hold it longer. Raises StaleClaim."""
        self._change(claim, lease_until=self._session.now + lease)

    def require(self, claim: Claim) -> None:
        """Lock the task for this transaction. Raises StaleClaim when the claim is no longer the newest."""
        query = sa.select(tasks.c.token).where(tasks.c.task_id == claim.task.task_id)
        if self._session.value(self._session.locked(query)) != claim.token:
            raise StaleClaim

    def finish(self, claim: Claim) -> None:
        """It is done."""
        self._change(claim, state=TaskState.DONE, lease_until=None, lease_owner=None, reason=None)

    def postpone(self, claim: Claim, due_at: datetime, reason: str, *, failed: bool) -> None:
        """Try again then, or at once if it was nudged meanwhile; `failed` counts as an attempt."""
        attempts = tasks.c.attempts + (1 if failed else 0)
        due: Any = due_at
        if not failed:
            now = sa.literal(self._session.now, tasks.c.due_at.type)
            due = sa.case((tasks.c.is_nudged, now), else_=sa.literal(due_at, tasks.c.due_at.type))
        self._change(claim, due_at=due, reason=reason, attempts=attempts, lease_until=None, lease_owner=None)

    def reopen(self, claim: Claim, due_at: datetime, reason: str) -> None:
        """It is not done after all: look again then."""
        self._change(claim, state=TaskState.READY, due_at=due_at, reason=reason)

    def give_up(self, claim: Claim, reason: str) -> None:
        """It will not be done; the last attempt counts too."""
        attempts = tasks.c.attempts + 1
        self._change(
            claim, state=TaskState.FAILED, reason=reason, attempts=attempts, lease_until=None, lease_owner=None
        )

    def of(self, subject_id: UUID) -> Sequence[Task]:
        """All tasks of a subject."""
        query = sa.select(tasks).where(tasks.c.subject_id == subject_id).order_by(tasks.c.task_id)
        return [_task(row) for row in self._session.rows(query)]

    def spare(self, step: Step, subject_ids: Sequence[UUID]) -> None:
        """These steps were done in another's turn. One whose holder is just recording is left to it."""
        for first in range(0, len(subject_ids), _SPARED_MAX):
            some = subject_ids[first : first + _SPARED_MAX]
            waiting = sa.select(tasks.c.task_id).where(
                tasks.c.subject_id.in_(some), tasks.c.step == step, tasks.c.state == TaskState.READY
            )
            waiting = waiting.with_for_update(skip_locked=True)
            self._session.run(tasks.update().where(tasks.c.task_id.in_(waiting)).values(state=TaskState.DONE))

    def again(self, chosen: Sequence[Task], due_at: datetime) -> None:
        """Make those of these tasks that are done or failed ready once more, in a new round."""
        ended = tasks.c.state != TaskState.READY
        update = tasks.update().where(tasks.c.task_id.in_([task.task_id for task in chosen]), ended)
        self._session.run(
            update.values(state=TaskState.READY, due_at=due_at, attempts=0, reason=None, round=tasks.c.round + 1)
        )
        self._session.wakes_workers = True

    def nudge(self, chosen: Sequence[Task]) -> None:
        """What these tasks wait for may have happened: look at once, or once more when somebody is looking now."""
        update = tasks.update().where(
            tasks.c.task_id.in_([task.task_id for task in chosen]), tasks.c.state == TaskState.READY
        )
        self._session.run(update.values(due_at=self._session.now, is_nudged=True))
        self._session.wakes_workers = True

    def concerning(self, subject_id: UUID) -> Sequence[Task]:
        """The tasks of an order and of its bundle, or those of an expiration. Locked in a writing transaction."""
        bundle = sa.select(work_orders.c.bundle_id).where(work_orders.c.work_order_id == subject_id)
        of_either = sa.or_(tasks.c.subject_id == subject_id, tasks.c.subject_id == bundle.scalar_subquery())
        query = sa.select(tasks).where(of_either).order_by(tasks.c.task_id)
        return [_task(row) for row in self._session.rows(self._session.locked(query))]

    def restart(self, chosen: Sequence[Task], due_at: datetime) -> None:
        """Make those of these tasks that are not done ready, in the same round; whoever holds one loses it."""
        self._begin_again(chosen, tasks.c.state != TaskState.DONE, due_at, tasks.c.round)

    def anew(self, chosen: Sequence[Task], due_at: datetime) -> None:
        """Make these tasks ready, in whatever state they are, in a new round; whoever holds one loses it."""
        self._begin_again(chosen, sa.true(), due_at, tasks.c.round + 1)

    def _begin_again(
        self, chosen: Sequence[Task], which: sa.ColumnElement[bool], due_at: datetime, round_: sa.ColumnElement[int]
    ) -> None:
        update = tasks.update().where(tasks.c.task_id.in_([task.task_id for task in chosen]), which)
        self._session.run(
            update.values(
                state=TaskState.READY,
                due_at=due_at,
                attempts=0,
                reason=None,
                round=round_,
                token=tasks.c.token + 1,
                lease_owner=None,
                lease_until=None,
            )
        )
        self._session.wakes_workers = True

    def withdraw(self, chosen: Sequence[Task]) -> None:
        """Take back what was promised."""
        self._session.run(tasks.delete().where(tasks.c.task_id.in_([task.task_id for task in chosen])))

    def is_dropping(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> bool:
        """Whether a step that destroys this dataset is still to be done; one that was given up is not."""
        query = sa.select(tasks.c.task_id).where(
            tasks.c.state == TaskState.READY,
            tasks.c.org_id == org_id,
            tasks.c.sandbox_name == sandbox_name,
            tasks.c.dataset_id == dataset_id,
            tasks.c.step.in_([Step.DROP, Step.CONFIRM]),
        )
        return self._session.value(query.limit(1)) is not None

    def next_due_at(self) -> datetime | None:
        """When the next task that nobody holds is due."""
        free_at = sa.case((tasks.c.lease_until > tasks.c.due_at, tasks.c.lease_until), else_=tasks.c.due_at)
        query = sa.select(sa.func.min(free_at, type_=tasks.c.due_at.type)).where(tasks.c.state == TaskState.READY)
        due_at: datetime | None = self._session.value(query)
        return due_at

    def _change(self, claim: Claim, **values: Any) -> None:
        update = tasks.update().where(tasks.c.task_id == claim.task.task_id, tasks.c.token == claim.token)
        if self._session.run(update.values(**values)) != 1:
            raise StaleClaim


def _task(row: Row) -> Task:
    return Task(
        TaskId(row["task_id"]),
        OrgId(row["org_id"]),
        SandboxName(row["sandbox_name"]),
        Step(row["step"]),
        row["subject_id"],
        row["due_at"],
        None if row["product"] is None else Product(row["product"]),
        None if row["dataset_id"] is None else DatasetId(row["dataset_id"]),
        TaskState(row["state"]),
        row["reason"],
        row["round"],
        row["attempts"],
    )
