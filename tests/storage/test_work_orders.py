"""Work orders: kept whole, changed with a note, tallied exactly."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.domain.product import SERVICES, Product, ProductProgress, ProductStatus
from lethe.domain.work_order import Action, NamedDatasets, SkippedDataset, WorkOrder
from lethe.storage.event_schema import events
from lethe.storage.interface import Store
from lethe.storage.schema import work_order_changes, work_order_tallies, work_orders
from lethe.storage.store import SqlStore
from support.clock import Clock
from support.values import ANN, BOB, DEV, ORG, OTHER_ORG, PROD, a_bundle, an_order


def add(store: Store, *orders: WorkOrder) -> None:
    bundles = {order.bundle_id: (order.org_id, order.sandbox_name) for order in orders}
    with store.write() as transaction:
        for bundle_id, (org_id, sandbox_name) in bundles.items():
            bundle = replace(a_bundle(org_id=org_id, sandbox_name=sandbox_name), bundle_id=bundle_id)
            transaction.bundles.save(bundle.closed(bundle.opened_at))
        for order in orders:
            transaction.work_orders.add(order)


def save(store: Store, *orders: WorkOrder) -> None:
    with store.write() as transaction:
        for order in orders:
            transaction.work_orders.save(order)


def test_an_order_is_kept_whole(store: Store) -> None:
    over_all = an_order(
        a_bundle(),
        skipped=(SkippedDataset(DatasetId("ds-7"), "it has no identity"),),
        display_name="  a\tb \U0001f600 ",
    )
    named = an_order(
        a_bundle(),
        action=Action.DELETE_DATASET,
        scope=NamedDatasets((DatasetId("ds-2"), DatasetId("ds-1"))),
        dataset_name="Second, First",
        target_products=SERVICES,
        description="x" * 1_000,
        updated_by=BOB,
    )
    add(store, over_all, named)
    with store.read() as transaction:
        for order in (over_all, named):
            assert transaction.work_orders.find(ORG, PROD, order.work_order_id) == order
            assert transaction.work_orders.find(ORG, DEV, order.work_order_id) is None
            assert transaction.work_orders.find(OTHER_ORG, PROD, order.work_order_id) is None
        assert transaction.work_orders.find(ORG, PROD, WorkOrderId(uuid4())) is None


def test_changes_are_noted_with_their_instants(store: SqlStore, clock: Clock) -> None:
    order = an_order(a_bundle())
    add(store, order)
    validated = order.advanced(clock.advance(timedelta(minutes=1)))
    renamed = validated.renamed("New", None, now=clock.advance(timedelta(minutes=1)), by=BOB)
    submitted = renamed.advanced(clock.now)  # two changes of one instant are two notes
    save(store, validated)
    save(store, renamed, submitted)
    with store.read() as transaction:
        assert transaction.work_orders.find(ORG, PROD, order.work_order_id) == submitted
    with store._engines.read.connect() as connection:
        noted = connection.execute(
            sa.select(work_order_changes.c.status, work_order_changes.c.at).order_by(work_order_changes.c.number)
        ).all()
    assert noted == [(one.status, one.updated_at) for one in (order, validated, renamed, submitted)]


def test_several_are_saved_at_once_each_with_every_change(store: SqlStore, clock: Clock) -> None:
    bundle = a_bundle()
    one, two, three = (an_order(bundle) for _ in range(3))
    add(store, one, two, three)
    further = [one.advanced(clock.now), two.failed(clock.now)]
    further.append(further[0].advanced(clock.now))
    with store.write() as transaction:
        transaction.work_orders.save_each(further)
        transaction.work_orders.save_each([])
    with store.read() as transaction:
        found = [transaction.work_orders.find(ORG, PROD, each.work_order_id) for each in (one, two, three)]
        assert found == [further[2], further[1], three]
    with store._engines.read.connect() as connection:
        notes = connection.execute(
            sa.select(work_order_changes.c.number, work_order_changes.c.status)
            .where(work_order_changes.c.work_order_id == one.work_order_id)
            .order_by(work_order_changes.c.number)
        ).all()
        told = connection.execute(
            sa.select(events.c.sequence, events.c.type)
            .where(events.c.subject_id == one.work_order_id)
            .order_by(events.c.position)
        ).all()
    assert notes == [(1, "received"), (2, "validated"), (3, "submitted")]
    assert told == [(number, f"org.lethe.workorder.{status}") for number, status in notes]
    with pytest.raises(KeyError), store.write() as transaction:
        transaction.work_orders.save_each([three.advanced(clock.now), an_order(bundle)])
    with store.read() as transaction:
        assert transaction.work_orders.find(ORG, PROD, three.work_order_id) == three


def test_only_an_added_order_is_saved(store: Store) -> None:
    with pytest.raises(KeyError):
        save(store, an_order(a_bundle()))


def test_an_order_needs_its_bundle_by_the_end_of_the_transaction(store: Store) -> None:
    bundle = a_bundle()
    order = an_order(bundle)
    with store.write() as transaction:
        transaction.work_orders.add(order)
        transaction.bundles.save(bundle)
    with pytest.raises(sa.exc.IntegrityError), store.write() as transaction:
        transaction.work_orders.add(an_order(a_bundle()))


def test_products_are_kept(store: Store, clock: Clock) -> None:
    order = an_order(a_bundle())
    add(store, order)
    progress = [ProductProgress(product, ProductStatus.WAITING, clock.now) for product in Product]
    with store.write() as transaction:
        assert transaction.work_orders.products(order.work_order_id) == []
        transaction.work_orders.save_products({order.work_order_id: progress})
    with store.read() as transaction:
        assert transaction.work_orders.products(order.work_order_id) == progress


def test_tallies_are_what_counting_gives(store: SqlStore, clock: Clock) -> None:
    orders = [an_order(a_bundle(sandbox_name=PROD if number % 2 else DEV)) for number in range(6)]
    add(store, *orders)
    save(store, orders[0].advanced(clock.now).advanced(clock.now), orders[1].failed(clock.now))
    save(store, orders[2].renamed("x", "y", now=clock.now, by=BOB), orders[3].advanced(clock.now))
    save(store, orders[0].renamed("x", "y", now=clock.now, by=BOB), orders[3].renamed("z", None, now=clock.now, by=ANN))
    with store._engines.read.connect() as connection:
        kind = (work_orders.c.space_id, work_orders.c.action, work_orders.c.status, work_orders.c.updated_by)
        counted = Counter(tuple(row) for row in connection.execute(sa.select(*kind)))
        tallied = connection.execute(sa.select(work_order_tallies)).all()
    assert {tuple(row[:4]): row[4] for row in tallied if row[4]} == counted
