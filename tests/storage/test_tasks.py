"""Claims: whose turn it is, and what a claim costs when the queue is long."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.task import Step, TaskState, promise
from lethe.storage.store import SqlStore
from lethe.storage.tasks import _ORGS_WITH_WORK
from support.clock import Clock
from support.postgres import Postgres

LEASE = timedelta(seconds=30)
LARGE, SMALL, TINY = OrgId("a-large"), OrgId("b-small"), OrgId("c-tiny")


def promise_some(store: SqlStore, clock: Clock, org_id: OrgId, count: int) -> None:
    with store.write() as tx:
        for _ in range(count):
            tx.tasks.add(promise(Step.FIND, uuid4(), org_id, SandboxName("prod"), clock.now))


def claimed_orgs(store: SqlStore, turns: int, *, finish: bool) -> list[OrgId]:
    """Whose tasks one worker claims, one after another."""
    orgs: list[OrgId] = []
    for _ in range(turns):
        with store.write() as tx:
            claim = tx.tasks.claim("worker", LEASE, after=orgs[-1] if orgs else None)
            assert claim is not None
            orgs.append(claim.task.org_id)
            if finish:
                tx.tasks.finish(claim)
    return orgs


def test_a_long_queue_of_one_org_holds_up_no_other(store: SqlStore, clock: Clock) -> None:
    promise_some(store, clock, LARGE, 20)
    clock.advance(timedelta(seconds=1))
    promise_some(store, clock, SMALL, 2)
    promise_some(store, clock, TINY, 1)
    clock.advance(timedelta(seconds=1))
    assert claimed_orgs(store, 7, finish=True) == [LARGE, SMALL, TINY, LARGE, SMALL, LARGE, LARGE]


def test_whoever_has_fewer_under_way_comes_first(store: SqlStore, clock: Clock) -> None:
    promise_some(store, clock, LARGE, 5)
    with store.write() as tx:
        assert tx.tasks.claim("first", LEASE) is not None
    promise_some(store, clock, SMALL, 1)
    with store.write() as tx:
        claim = tx.tasks.claim("second", LEASE, after=SMALL)
    assert claim is not None
    assert claim.task.org_id == SMALL


def test_an_org_whose_tasks_are_not_due_is_passed_by(store: SqlStore, clock: Clock) -> None:
    later = promise(Step.FIND, uuid4(), LARGE, SandboxName("prod"), clock.now + timedelta(hours=1))
    with store.write() as tx:
        tx.tasks.add(later)
        tx.tasks.add(replace(promise(Step.FIND, uuid4(), SMALL, SandboxName("prod"), clock.now)))
    assert claimed_orgs(store, 1, finish=True) == [SMALL]
    with store.write() as tx:
        assert tx.tasks.claim("worker", LEASE) is None


@pytest.mark.parametrize("count", [300])
def test_the_orgs_are_found_without_reading_the_queue(
    sqlite_url: str, open_store: object, clock: Clock, count: int
) -> None:
    store: SqlStore = open_store(sqlite_url)  # type: ignore[operator]
    for org_id in (LARGE, SMALL):
        promise_some(store, clock, org_id, count)
    with store.read() as tx:
        query = str(_ORGS_WITH_WORK.compile(store._engines.read, compile_kwargs={"literal_binds": True}))
        rows = tx._session.rows(sa.text(f"EXPLAIN QUERY PLAN {query}"))
    plan = [row["detail"] for row in rows if "tasks" in row["detail"]]
    assert plan
    assert all("USING COVERING INDEX tasks_by_due_at" in each and "SEARCH" in each for each in plan), plan


def test_a_step_that_was_done_in_anothers_turn_is_spared(store: SqlStore, clock: Clock) -> None:
    finds = [promise(Step.FIND, uuid4(), LARGE, SandboxName("prod"), clock.now) for _ in range(3)]
    bundling = promise(Step.BUNDLE, finds[0].subject_id, LARGE, SandboxName("prod"), clock.now)
    with store.write() as tx:
        for task in (*finds, bundling):
            tx.tasks.add(task)
        held = tx.tasks.claim("another", LEASE)
    assert held is not None
    with store.write() as tx:
        tx.tasks.spare(Step.FIND, [task.subject_id for task in finds[:2]])
    with store.read() as tx:
        states = [tx.tasks.of(task.subject_id) for task in finds]
    assert [{(task.step, task.state) for task in each} for each in states] == [
        {(Step.FIND, TaskState.DONE), (Step.BUNDLE, TaskState.READY)},
        {(Step.FIND, TaskState.DONE)},
        {(Step.FIND, TaskState.READY)},
    ]
    with store.write() as tx:
        tx.tasks.extend(held, LEASE)
        tx.tasks.finish(held)
    left = {finds[2].task_id, bundling.task_id} - {held.task.task_id}
    with store.write() as tx:
        claims = [tx.tasks.claim("worker", LEASE) for _ in range(len(left) + 1)]
    assert {claim.task.task_id for claim in claims if claim is not None} == left


def test_a_step_that_its_holder_records_just_now_is_left_to_it(
    postgres: Postgres, postgres_database: str, open_store: Callable[..., SqlStore]
) -> None:
    """Neither waits for the other, who may hold what it wants next."""
    store = open_store(postgres.url(postgres_database))
    task = promise(Step.FIND, uuid4(), LARGE, SandboxName("prod"), datetime(2026, 1, 1, tzinfo=UTC))
    with store.write() as tx:
        tx.tasks.add(task)
    with store.write() as tx:
        claim = tx.tasks.claim("another", LEASE)
    assert claim is not None
    with store.write() as recording:
        recording.tasks.require(claim)
        with store.write() as tx:
            tx.tasks.spare(Step.FIND, [task.subject_id])
        with store.read() as tx:
            assert [each.state for each in tx.tasks.of(task.subject_id)] == [TaskState.READY]
        recording.tasks.finish(claim)
    with store.read() as tx:
        assert [each.state for each in tx.tasks.of(task.subject_id)] == [TaskState.DONE]
