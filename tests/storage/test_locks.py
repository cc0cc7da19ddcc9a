"""Who waits for whom in PostgreSQL: SQLite has one writer at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from lethe.domain.ids import DatasetId
from lethe.storage.result_interface import DatasetResult
from lethe.storage.store import SqlStore
from support.postgres import Postgres
from support.values import a_bundle, an_order

SECONDS_MAX = 30


def test_those_who_record_results_of_the_same_orders_do_not_wait_for_each_other_in_a_circle(
    postgres: Postgres, postgres_database: str, open_store: Callable[..., SqlStore]
) -> None:
    """Two datasets of a bundle are done at once: each inserts what refers to the orders, and then locks these."""
    store = open_store(postgres.url(postgres_database))
    bundle = a_bundle()
    orders = [an_order(bundle), an_order(bundle)]
    with store.write() as tx:
        tx.bundles.save(bundle)
        for order in orders:
            tx.work_orders.add(order)
    both_have_inserted = Barrier(2, timeout=SECONDS_MAX)

    def record(dataset_id: str) -> int:
        with store.write() as tx:
            result = DatasetResult(DatasetId(dataset_id), "1", "hash", 1, (1,))
            tx.plans.save_results(0, {order.work_order_id: result for order in orders})
            both_have_inserted.wait()
            assert tx.bundles.find(bundle.bundle_id) is not None
            return len(tx.work_orders.of_bundle(bundle.bundle_id))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(record, ["ds-1", "ds-2"], timeout=SECONDS_MAX)) == [2, 2]
    with store.read() as tx:
        assert [len(tx.plans.results(order.work_order_id)) for order in orders] == [2, 2]
