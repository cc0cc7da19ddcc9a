"""Eight processes ask at once: what is granted is exactly what was allowed, and no two wait for each other."""

from lethe.domain.audit import first_break
from lethe.domain.ids import DatasetId
from lethe.domain.quota import QuotaName
from lethe.operations.expirations import expiration_history, find_expiration
from lethe.operations.quota import quota_states
from lethe.storage.interface import Store
from operations.histories import is_legal
from operations.workers import EXPIRATIONS, IDENTITIES, compete, quarrel_call, shared_call
from support.calls import all_orders, register
from support.processes import at_once
from support.values import ORG

SIZES = [(1,), (2, 3), (5,), (7, 1), (11,), (13, 2), (17,), (90, 30)]


def test_eight_processes_get_exactly_what_is_allowed(store: Store, store_url: str) -> None:
    call = shared_call()
    names = [f"p{number}" for number in range(len(SIZES))]
    register(store, call, "ds-1", *(f"{name}-{number}" for name in names for number in range(3)))

    register(store, quarrel_call(), "contested")

    outcomes = at_once(compete, [(store_url, name, sizes) for name, sizes in zip(names, SIZES, strict=True)])

    granted = [size for sizes, _ in outcomes for size in sizes]
    with store.read() as tx:
        orders = all_orders(tx, ORG)
        consumed = {state.name: state.consumed for state in quota_states(tx, call)}
        assert first_break(tx.audit.records(), tx.audit.head()) is None
        contested = find_expiration(tx, quarrel_call(), DatasetId("contested"))
        history = expiration_history(tx, contested)
        accepted = [record for record in tx.audit.records() if record.event.action == "work_order.accepted"]
        assert sum(len(tx.identities.open(order.work_order_id).by_namespace) for order in orders) == len(orders)
    assert sum(granted) == IDENTITIES
    assert sorted(order.operation_count for order in orders) == sorted(granted)
    assert consumed[QuotaName.DAILY_DELETES] == consumed[QuotaName.MONTHLY_DELETES] == IDENTITIES
    assert {record.event.subject for record in accepted} == {str(order.work_order_id) for order in orders}

    assert consumed[QuotaName.EXPIRATIONS] == sum(claimed for _, claimed in outcomes) == EXPIRATIONS
    assert is_legal(history)
