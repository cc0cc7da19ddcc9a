"""Quotas, bundles and tasks."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from lethe.domain.quota import QuotaName
from lethe.storage.interface import Store
from lethe.storage.schema import tasks
from lethe.storage.store import SqlStore
from support.values import DEV, NOON, ORG, OTHER_ORG, PROD, a_bundle, a_task

DAILY, MONTHLY = QuotaName.DAILY_DELETES, QuotaName.MONTHLY_DELETES
TODAY = NOON.replace(hour=0)


def test_a_counter_counts_what_is_spent_in_its_own_period(store: Store) -> None:
    with store.write() as transaction:
        assert transaction.quotas.lock(ORG, DAILY, TODAY) == 0
        transaction.quotas.spend(ORG, DAILY, TODAY, 3)
        transaction.quotas.spend(ORG, DAILY, TODAY, 4)
        assert transaction.quotas.lock(ORG, DAILY, TODAY) == 7
    with store.read() as transaction:
        assert transaction.quotas.consumed(ORG, DAILY, TODAY) == 7
        assert transaction.quotas.consumed(ORG, DAILY, TODAY + timedelta(days=1)) == 0
        assert transaction.quotas.consumed(ORG, MONTHLY, TODAY) == 0
        assert transaction.quotas.consumed(OTHER_ORG, DAILY, TODAY) == 0
        assert transaction.quotas.all_consumed(ORG, {DAILY: TODAY, MONTHLY: TODAY}) == {DAILY: 7, MONTHLY: 0}
        assert transaction.quotas.all_consumed(OTHER_ORG, {DAILY: TODAY}) == {DAILY: 0}


def test_only_a_locked_counter_is_spent(store: Store) -> None:
    with store.write() as transaction, pytest.raises(KeyError):
        transaction.quotas.spend(ORG, DAILY, TODAY, 1)


def test_a_space_has_one_open_bundle(store: Store) -> None:
    bundle = a_bundle().joined(5)
    with store.write() as transaction:
        assert transaction.bundles.find_open(ORG, PROD) is None
        transaction.bundles.save(bundle)
        transaction.bundles.save(a_bundle(sandbox_name=DEV))
    with store.write() as transaction:
        assert transaction.bundles.find_open(ORG, PROD) == bundle
        transaction.bundles.save(bundle.joined(6))
    with pytest.raises(sa.exc.IntegrityError), store.write() as transaction:
        transaction.bundles.save(a_bundle())
    second = a_bundle()
    with store.write() as transaction:
        transaction.bundles.save(bundle.joined(6).closed(NOON))
        transaction.bundles.save(second)
    with store.read() as transaction:
        assert transaction.bundles.find_open(ORG, PROD) == second


def test_a_promise_is_kept(store: SqlStore) -> None:
    task = a_task(a_bundle())
    with store.write() as transaction:
        transaction.tasks.add(task)
    with store._engines.read.connect() as connection:
        columns = (
            tasks.c.task_id,
            tasks.c.org_id,
            tasks.c.sandbox_name,
            tasks.c.step,
            tasks.c.subject_id,
            tasks.c.due_at,
        )
        row = connection.execute(sa.select(*columns)).one()
    assert row == (task.task_id, ORG, PROD, "find", task.subject_id, NOON)
