"""Transactions: what is committed, what is not, who sees what, and what the database refuses."""

import pytest

from lethe.domain.expiration import Change
from lethe.storage.interface import Store
from support.clock import Clock
from support.values import ORG, PROD, a_bundle, a_change, an_event, an_order, identities


def test_one_request_is_one_transaction(store: Store, clock: Clock) -> None:
    bundle = a_bundle()
    order = an_order(bundle)
    sealed = store.seal(ORG, order.work_order_id, identities("a@example.com", "b@example.com"))
    with store.write() as transaction:
        assert transaction.now == clock.now
        transaction.bundles.save(bundle.joined(2))
        transaction.work_orders.add(order)
        transaction.identities.keep(sealed)
        transaction.audit.append(an_event())
    with store.read() as transaction:
        assert transaction.work_orders.find(ORG, PROD, order.work_order_id) == order
        assert transaction.identities.open(order.work_order_id) == identities("a@example.com", "b@example.com")
        assert [record.event for record in transaction.audit.records()] == [an_event()]


def test_an_exception_leaves_nothing(store: Store) -> None:
    change = a_change()
    with pytest.raises(ZeroDivisionError):
        _save_and_fail(store, change)
    with store.read() as transaction:
        assert transaction.expirations.find(ORG, PROD, change.expiration.expiration_id) is None


def _save_and_fail(store: Store, change: Change) -> None:
    with store.write() as transaction:
        transaction.expirations.save(change)
        raise ZeroDivisionError
