"""Work that tests give to several processes at once. Each process opens the store for itself."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

from lethe.domain.ids import ClientId, OrgId
from lethe.domain.quota import QuotaName
from lethe.storage.interface import StoredAnswer
from lethe.storage.store import SqlStore
from lethe.storage.vault_keys import VaultKeys

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


def migrate(url: str) -> bool:
    """Bring the database to the newest schema; whether it then is."""
    store = SqlStore(url, KEYS)
    store.migrate()
    current = store.health().migrations_current
    store.close()
    return current
