"""Work that tests give to several processes at once. Each process opens the store for itself."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

from lethe.domain.actor import Author
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.errors import TableTaken
from lethe.domain.ids import ClientId, OrgId, SandboxName
from lethe.domain.quota import QuotaName
from lethe.storage.interface import StoredAnswer
from lethe.storage.store import SqlStore
from lethe.storage.vault_keys import VaultKeys
from support.clock import NOON
from support.values import a_bundle, a_dataset, a_task, an_event, an_order, identities

KEYS = VaultKeys.from_secret(b"a secret of the tests, long enough")
WAIT_SECONDS_MAX = 120


def at_once(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Run the work once for each of the arguments, every one in a process of its own, all starting together."""
    # A server that has imported what all of them need forks them: eight imports would take longer than the work.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lethe.storage.store", "lethe.operations.work_orders", "psycopg"])
    with context.Manager() as manager, ProcessPoolExecutor(len(arguments), context) as pool:
        barrier = manager.Barrier(len(arguments))
        running = [pool.submit(_after, barrier, work, one) for one in arguments]
        return [future.result(WAIT_SECONDS_MAX) for future in running]


def _after(barrier: Barrier, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    barrier.wait(WAIT_SECONDS_MAX)
    return work(*arguments)


def spend(url: str, org_id: OrgId, period_start: datetime, allowance: int, piece: int) -> int:
    """Spend one quota piece by piece until nothing is left of it; how much this process got."""
    store = SqlStore(url, KEYS)
    spent = 0
    while True:
        with store.write() as transaction:
            left = allowance - transaction.quotas.lock(org_id, QuotaName.DAILY_DELETES, period_start)
            amount = min(piece, left)
            transaction.quotas.spend(org_id, QuotaName.DAILY_DELETES, period_start, amount)
        spent += amount
        if left <= 0:
            store.close()
            return spent


def answer_once(url: str, org_id: OrgId, keys: Sequence[str], name: str) -> list[str]:
    """Send requests under these keys; who carried out each, as its stored answer says."""
    store = SqlStore(url, KEYS)
    carried_out_by = []
    for key in keys:
        with store.write() as transaction:
            answer = transaction.idempotency.claim(org_id, ClientId("c"), key, b"digest", timedelta(days=1))
            if answer is None:
                answer = StoredAnswer(201, name.encode())
                transaction.idempotency.keep(org_id, ClientId("c"), key, answer)
        carried_out_by.append(answer.body.decode())
    store.close()
    return carried_out_by


def accept(url: str, org_id: OrgId, sandbox_name: SandboxName, author: Author, count: int) -> int:
    """Accept so many record deletes, each in one transaction as a request does, and carry each one status further."""
    store = SqlStore(url, KEYS)
    for number in range(count):
        with store.write() as transaction:
            transaction.idempotency.claim(org_id, ClientId("c"), f"{author}{number}", b"digest", timedelta(days=1))
            transaction.quotas.lock(org_id, QuotaName.DAILY_DELETES, NOON)
            transaction.quotas.spend(org_id, QuotaName.DAILY_DELETES, NOON, 2)
            bundle = transaction.bundles.find_open(org_id, sandbox_name) or a_bundle(sandbox_name=sandbox_name)
            transaction.bundles.save(bundle.joined(2))
            order = an_order(bundle, updated_by=author)
            transaction.work_orders.add(order)
            two = identities("a@example.com", "b@example.com")
            transaction.identities.keep(store.seal(org_id, order.work_order_id, two))
            transaction.tasks.add(a_task(bundle))
            transaction.audit.append(an_event(str(order.work_order_id)))
        with store.write() as transaction:
            transaction.work_orders.save(order.advanced(transaction.now))
            transaction.audit.append(an_event(str(order.work_order_id)))
    store.close()
    return count


def register_table(url: str, dataset_id: str, location: str) -> bool:
    """Register a dataset over a table; whether nobody was there before."""
    store = SqlStore(url, KEYS)
    dataset = replace(a_dataset(dataset_id), table=TableReference(TableFormat.PARQUET, location))
    try:
        with store.write() as transaction:
            transaction.datasets.add(dataset)
    except TableTaken:
        return False
    finally:
        store.close()
    return True


def migrate(url: str) -> bool:
    """Bring the database to the newest schema; whether it then is."""
    store = SqlStore(url, KEYS)
    store.migrate()
    current = store.health().migrations_current
    store.close()
    return current
