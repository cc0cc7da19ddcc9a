"""What the processes of `test_concurrency` do, each with a store of its own."""

from itertools import cycle

from lethe.clock import SystemIds
from lethe.domain.bundle import BundleLimits
from lethe.domain.errors import ExpirationNotCancellable, ExpirationNotEditable, QuotaExceeded
from lethe.domain.expiration import Edit
from lethe.domain.ids import DatasetId
from lethe.domain.quota import Allowances
from lethe.operations.call import Call
from lethe.operations.expirations import (
    cancel_expiration,
    create_expiration,
    put_expiration,
    update_expiration,
)
from lethe.operations.work_orders import accept
from lethe.storage.store import SqlStore
from support.calls import a_call, a_draft, sealed_order
from support.clock import NOON
from support.processes import KEYS
from support.values import LEAD, OTHER_ORG

IDENTITIES, EXPIRATIONS = 1_000, 5
IDS = SystemIds()


def shared_call() -> Call:
    """The org on which all of them call."""
    return a_call(
        allowances=Allowances(expirations=EXPIRATIONS, daily_deletes=IDENTITIES),
        bundle_limits=BundleLimits(LEAD, orders_max=7),
    )


def quarrel_call() -> Call:
    """Another org, in which they change one expiration."""
    return a_call(OTHER_ORG)


def compete(url: str, name: str, sizes: tuple[int, ...]) -> tuple[list[int], int]:
    """Delete, create and change until nothing is granted any more; the orders granted, and the expirations."""
    store = SqlStore(url, KEYS, now=lambda: NOON)
    try:
        quarrel(store)
        return spend_identities(store, name, sizes), claim_expirations(store, name)
    finally:
        store.close()


def spend_identities(store: SqlStore, name: str, sizes: tuple[int, ...]) -> list[int]:
    """Orders of these sizes, and once one is refused of a single identity each, until not even that is granted."""
    call, pieces = shared_call(), cycle(sizes)
    granted: list[int] = []
    while True:
        size = next(pieces)
        draft = a_draft(*(f"{name}-{len(granted)}-{number}@example.com" for number in range(size)))
        sealed = sealed_order(store, call, draft)
        try:
            with store.write() as tx:
                granted.append(accept(tx, call, sealed, ids=IDS).operation_count)
        except QuotaExceeded:
            if size == 1:
                return granted
            pieces = cycle([1])


def claim_expirations(store: SqlStore, name: str) -> int:
    """Expirations for three datasets; how many were granted."""
    call, granted = shared_call(), 0
    for number in range(3):
        try:
            with store.write() as tx:
                create_expiration(tx, call, DatasetId(f"{name}-{number}"), Edit(NOON + 2 * LEAD), ids=IDS)
        except QuotaExceeded:
            continue
        granted += 1
    return granted


def quarrel(store: SqlStore) -> None:
    """Change one expiration in every way at once with everybody else; whoever comes too late is refused."""
    call, contested = quarrel_call(), DatasetId("contested")
    edit = Edit(NOON + 3 * LEAD)
    for _ in range(10):
        with store.write() as tx:
            put_expiration(tx, call, contested, edit, ids=IDS)
        try:
            with store.write() as tx:
                expiration = cancel_expiration(tx, call, contested)
            with store.write() as tx:
                update_expiration(tx, call, expiration.expiration_id, edit)
        except (ExpirationNotCancellable, ExpirationNotEditable):
            continue
