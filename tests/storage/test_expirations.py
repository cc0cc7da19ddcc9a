"""Dataset expirations: found by either id, one a dataset, with a history."""

from datetime import timedelta

import pytest

from lethe.domain.errors import ExpirationExists
from lethe.domain.expiration import Change, Edit, Executing, ExpirationStatus, HistoryStatus, Pending
from lethe.domain.ids import DatasetId, ExpirationId
from lethe.domain.product import Product, ProductProgress, ProductStatus
from lethe.operations.own_call import LETHE
from lethe.storage.interface import Store
from support.clock import Clock
from support.values import ANN, BOB, DEV, LEAD, ORG, OTHER_ORG, PROD, a_change


def save(store: Store, *changes: Change) -> None:
    with store.write() as transaction:
        for change in changes:
            transaction.expirations.save(change)


def test_an_expiration_is_found_by_its_id_and_its_dataset_in_its_own_space_alone(store: Store) -> None:
    change = a_change("ds-1")
    expiration = change.expiration
    save(store, change, a_change("ds-1", sandbox_name=DEV), a_change("ds-1", org_id=OTHER_ORG))
    with store.read() as transaction:
        assert transaction.expirations.find(ORG, PROD, expiration.expiration_id) == expiration
        assert transaction.expirations.find(ORG, PROD, expiration.dataset_id) == expiration
        assert transaction.expirations.find(ORG, DEV, expiration.expiration_id) is None
        assert transaction.expirations.find(OTHER_ORG, PROD, expiration.expiration_id) is None
        assert transaction.expirations.find(ORG, PROD, DatasetId("ds-2")) is None
        assert transaction.expirations.find(ORG, PROD, DatasetId("ds-1\0")) is None


def test_every_transition_is_kept_with_its_history(store: Store, clock: Clock) -> None:
    created = a_change()
    pending = created.expiration
    assert isinstance(pending, Pending)
    updated = pending.update(Edit(display_name="Ünicode  \t names"), min_lead=LEAD, now=clock.now, by=BOB)
    assert isinstance(updated.expiration, Pending)
    cancelled = updated.expiration.cancel(now=clock.now + timedelta(hours=1), by=ANN)
    later = clock.now + timedelta(hours=2)
    reopened = cancelled.expiration.reopen(Edit(later + LEAD), min_lead=LEAD, now=later, by=BOB)  # type: ignore[union-attr]
    begun = reopened.expiration.begin(now=later + LEAD, by=LETHE.author)
    completed = begun.expiration.complete(now=later + 2 * LEAD, by=LETHE.author)
    changes = [created, updated, cancelled, reopened, begun, completed]
    for change in changes:
        save(store, change)
        with store.read() as transaction:
            assert transaction.expirations.find(ORG, PROD, pending.expiration_id) == change.expiration
    with store.read() as transaction:
        assert transaction.expirations.history(pending.expiration_id) == [change.entry for change in changes]
    assert [change.entry.status for change in changes][-1] is HistoryStatus.COMPLETED


def test_a_dataset_has_one_expiration(store: Store) -> None:
    save(store, a_change("ds-1"))
    with pytest.raises(ExpirationExists):
        save(store, a_change("ds-1"))
    with store.read() as transaction:
        assert transaction.expirations.count_active(ORG) == 1


def test_only_what_was_created_can_be_changed(store: Store) -> None:
    pending = a_change().expiration
    assert isinstance(pending, Pending)
    with pytest.raises(KeyError):
        save(store, pending.cancel(now=pending.updated_at, by=ANN))


def test_active_ones_are_counted_over_the_whole_org(store: Store, clock: Clock) -> None:
    changes = [a_change(f"ds-{number}") for number in range(4)]
    save(store, *changes, a_change("ds-9", sandbox_name=DEV), a_change("ds-9", org_id=OTHER_ORG))
    first, second, third, _ = (change.expiration for change in changes)
    assert isinstance(first, Pending)
    assert isinstance(second, Pending)
    assert isinstance(third, Pending)
    executing = second.begin(now=clock.now, by=LETHE.author)
    assert isinstance(executing.expiration, Executing)
    done = third.begin(now=clock.now, by=LETHE.author).expiration.complete(now=clock.now, by=LETHE.author)
    save(store, first.cancel(now=clock.now, by=ANN), executing, done)
    with store.read() as transaction:
        assert transaction.expirations.count_active(ORG) == 3
        wanted = [DatasetId(f"ds-{number}") for number in range(4)]
        expiries = transaction.expirations.active_expiries(ORG, PROD, wanted)
    assert expiries == {
        change.expiration.dataset_id: change.expiration.expiry_at for change in (changes[1], changes[3])
    }
    assert done.expiration.status is ExpirationStatus.COMPLETED


def test_products_stand_in_the_order_of_an_answer(store: Store, clock: Clock) -> None:
    change = a_change()
    expiration_id = change.expiration.expiration_id
    waiting = [ProductProgress(product, ProductStatus.WAITING, clock.now) for product in reversed(Product)]
    done = ProductProgress(Product.PROFILE, ProductStatus.SUCCESS, clock.now + timedelta(seconds=1))
    save(store, change)
    with store.write() as transaction:
        assert transaction.expirations.products(expiration_id) == []
        transaction.expirations.save_products(expiration_id, waiting)
        transaction.expirations.save_products(expiration_id, [done])
        transaction.expirations.save_products(expiration_id, [])
    with store.read() as transaction:
        found = transaction.expirations.products(expiration_id)
    assert [one.product for one in found] == list(Product)
    assert found[2] == done


def test_an_unknown_expiration_has_nothing(store: Store) -> None:
    with store.read() as transaction:
        assert transaction.expirations.history(ExpirationId(a_change().expiration.expiration_id)) == []
        assert transaction.expirations.active_expiries(ORG, PROD, []) == {}
