"""Workers are woken by what is stored, in this process and in others, and look by themselves when nobody wakes them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event, Thread

import pytest

from lethe.pipeline import idling
from lethe.storage.store import SqlStore
from support.postgres import Postgres
from support.receiver import Receiver, wait_until
from support.values import ORG, PROD, a_bundle, a_task

from .conftest import Post, sender_of

ANN, BOB = "ann@example.com", "bob@example.com"


def store_a_task(store: SqlStore) -> None:
    with store.write() as tx:
        tx.tasks.add(a_task(a_bundle()))


@pytest.fixture
def never_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle workers wait for the bell, however long."""
    for name in ("ALONE_SECONDS_MAX", "TOLD_SECONDS_MAX"):
        monkeypatch.setattr(idling, name, 3_600.0)


@contextmanager
def at_work(post: Post) -> Iterator[None]:
    stop = Event()
    runs = (post.workshop.worker.run, sender_of(post.world.store).run)
    threads = [Thread(target=run, args=(stop,), daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        post.world.store.bell.ring()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


@pytest.mark.usefixtures("never_by_itself")
def test_an_order_wakes_the_workers_of_its_process(post: Post, receiver: Receiver) -> None:
    post.workshop.table("ds", [ANN, BOB])
    post.hook(receiver)
    with at_work(post):
        order_id = post.workshop.delete("ds", ANN)
        receiver.wait_for(lambda _: receiver.types(order_id)[-1:] == ["completed"])
    assert post.workshop.people("ds") == [BOB]


def test_what_is_rolled_back_rings_no_bell(store: SqlStore) -> None:
    before = store.bell.rings
    with suppress(ZeroDivisionError), store.write() as tx:
        tx.tasks.add(a_task(a_bundle()))
        raise ZeroDivisionError
    assert store.bell.rings == before
    with store.write() as tx:
        tx.dataset_locks.acquire(ORG, PROD, [], a_bundle().bundle_id)
    assert store.bell.rings == before, "there is nothing to do"
    store_a_task(store)
    assert store.bell.rings == before + 1


def test_another_process_is_heard_on_postgres_also_after_the_connection_broke(
    postgres: Postgres, postgres_database: str, open_store: Callable[..., SqlStore]
) -> None:
    here, there = (open_store(postgres.url(postgres_database)) for _ in range(2))
    bell = here.bell
    assert not bell.hears_others
    with here.listening():
        wait_until(lambda: bell.hears_others, "listening")
        heard = bell.rings
        store_a_task(there)
        bell.wait(heard, 60)
        assert bell.rings > heard
        for _ in range(2):
            heard = bell.rings
            postgres.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lethe listener'"
            )
            bell.wait(heard, 60)
            assert bell.rings > heard, "it is back, and rings for what it missed"
            wait_until(lambda: bell.hears_others, "listening again")
        heard = bell.rings
        store_a_task(there)
        bell.wait(heard, 60)
        assert bell.rings > heard
    assert not bell.hears_others


def test_idle_workers_look_more_often_while_nobody_tells_them(store: SqlStore) -> None:
    now = store._now()  # type: ignore[misc]
    assert idling.idle_seconds(store.bell, now, None) == idling.ALONE_SECONDS_MAX
    store.bell.hears_others = True
    assert idling.idle_seconds(store.bell, now, None) == idling.TOLD_SECONDS_MAX
    assert idling.idle_seconds(store.bell, now, now) == idling.ALONE_SECONDS_MAX, "it could not be begun just now"
    assert idling.idle_seconds(store.bell, now, now + timedelta(seconds=3)) == 3
