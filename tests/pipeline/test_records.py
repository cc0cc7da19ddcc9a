"""A database that does not answer when a worker wants to record what it did."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lethe.domain.product import Product
from lethe.pipeline import worker
from lethe.storage.interface import StoreUnavailable
from lethe.storage.store import SqlStore, SqlTransaction
from support.workshop import Workshop


@pytest.fixture
def order_id(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> str:
    """An order whose next record is that a service has forgotten."""
    monkeypatch.setattr(worker, "RECORDS_AGAIN_SECONDS", 0.01)
    workshop.table("people", ["ann", "bob"])
    workshop.services[Product.PROFILE].traces = {("Email", "ann", "people"), ("Email", "bob", "people")}
    return workshop.delete("people", "ann")


def fail(workshop: Workshop, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """The first writes behind the service's answer fail so often."""
    store: SqlStore = workshop.world.store
    service, write, left = workshop.services[Product.PROFILE], store.write, [times]

    @contextmanager
    def written() -> Iterator[SqlTransaction]:
        with write() as tx:
            yield tx
            if service.asked and left[0]:
                left[0] -= 1
                raise StoreUnavailable("no answer")

    monkeypatch.setattr(store, "write", written)


def test_it_is_recorded_when_the_database_answers_again(
    workshop: Workshop, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(workshop, monkeypatch, 3)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    assert len(workshop.services[Product.PROFILE].asked) == 1
    assert workshop.services[Product.PROFILE].traces == {("Email", "bob", "people")}
    assert workshop.people("people") == ["bob"]


def test_what_could_not_be_recorded_is_done_once_more(
    workshop: Workshop, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "RECORDS_FOR", worker.RECORDS_FOR * 0)
    fail(workshop, monkeypatch, 1)
    with pytest.raises(StoreUnavailable):
        workshop.work()
    workshop.world.later(minutes=10)
    workshop.work()
    assert workshop.order(order_id)["status"] == "completed"
    first, *again = workshop.services[Product.PROFILE].asked
    assert again == [first]
    assert workshop.people("people") == ["bob"]
