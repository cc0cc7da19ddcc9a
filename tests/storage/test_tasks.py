"""Claims: whose turn it is, and what a claim costs when the queue is long."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.task import Step, promise
from lethe.storage.store import SqlStore
from lethe.storage.tasks import _ORGS_WITH_WORK
from support.clock import Clock

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
