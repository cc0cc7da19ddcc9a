"""Several processes on one database: nothing is spent twice, done twice or made twice."""

from datetime import timedelta

from lethe.domain.quota import QuotaName
from lethe.storage.interface import Store
from support.processes import answer_once, at_once, spend
from support.values import NOON, ORG

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
