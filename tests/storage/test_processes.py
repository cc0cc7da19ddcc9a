"""Several processes on one database: nothing is spent twice, done twice or made twice."""

from datetime import timedelta

from lethe.domain.audit import first_break
from lethe.domain.listing import Page
from lethe.domain.quota import QuotaName
from lethe.domain.work_order import OpenStatus
from lethe.storage.interface import Store
from lethe.storage.order_interface import WorkOrderFilter
from support.processes import accept, answer_once, at_once, spend
from support.values import ANN, BOB, DEV, NOON, ORG, PROD

ALLOWANCE = 1_000


def test_eight_processes_spend_one_quota_exactly(store: Store, store_url: str) -> None:
    pieces = (1, 2, 3, 5, 7, 11, 13, 17)
    granted = at_once(spend, [(store_url, ORG, NOON, ALLOWANCE, piece) for piece in pieces])
    assert sum(granted) == ALLOWANCE
    with store.read() as transaction:
        assert transaction.quotas.consumed(ORG, QuotaName.DAILY_DELETES, NOON) == ALLOWANCE
        assert transaction.quotas.consumed(ORG, QuotaName.DAILY_DELETES, NOON + timedelta(days=1)) == 0


def test_two_processes_with_one_key_do_it_once(store_url: str) -> None:
    keys = [f"key-{number}" for number in range(40)]
    first, second = at_once(answer_once, [(store_url, ORG, keys, "first"), (store_url, ORG, keys, "second")])
    assert first == second
    assert set(first) <= {"first", "second"}


def test_whole_requests_of_several_processes_neither_block_nor_lose_each_other(store: Store, store_url: str) -> None:
    count = 15
    at_once(accept, [(store_url, ORG, space, author, count) for space in (PROD, DEV) for author in (ANN, BOB)])
    with store.read() as transaction:
        orders = transaction.work_orders
        assert transaction.quotas.consumed(ORG, QuotaName.DAILY_DELETES, NOON) == 4 * count * 2
        assert first_break(transaction.audit.records(), transaction.audit.head()) is None
        assert transaction.audit.head()[0] == 4 * count * 2
        for space in (PROD, DEV):
            bundle = transaction.bundles.find_open(ORG, space)
            assert bundle is not None
            assert (bundle.order_count, bundle.identity_count) == (2 * count, 4 * count)
            by_status = [
                orders.list(WorkOrderFilter(ORG, frozenset({space}), statuses=frozenset({status})), [], Page()).total
                for status in OpenStatus
            ]
            assert by_status == [0, 2 * count, 0, 0]
