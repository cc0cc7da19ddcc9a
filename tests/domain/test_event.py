"""Every change of status has a type of event, and the wire knows them all."""

from lethe.contract.spelling import DELIVERY_STATES, EVENT_TYPES
from lethe.domain.event import EventType, event_id, type_of_expiration, type_of_work_order
from lethe.domain.expiration import HistoryStatus
from lethe.domain.ids import DatasetId
from lethe.domain.product import Product
from lethe.domain.request_key import RequestOf, key_of, request_of
from lethe.domain.webhook import ATTEMPTS_MAX, RETRY_WAITS, DeliveryState, pause_after, retry_after
from lethe.domain.work_order import statuses
from support.values import a_bundle, an_order


def test_every_status_has_its_event() -> None:
    types = {*map(type_of_work_order, statuses()), *map(type_of_expiration, HistoryStatus)}
    others = {EventType.WORK_ORDER_ALARM, EventType.WEBHOOK_DISABLED, EventType.WEBHOOK_PING}
    assert types | others == set(EventType)


def test_the_wire_knows_every_type_and_state() -> None:
    assert set(EVENT_TYPES) == {type_.value for type_ in EventType}
    assert set(DELIVERY_STATES) == {state.value for state in DeliveryState}


def test_the_same_facts_have_the_same_id() -> None:
    order_id = an_order(a_bundle()).work_order_id
    ping = EventType.WEBHOOK_PING
    assert event_id(order_id, ping, "1") == event_id(order_id, ping, "1")
    assert event_id(order_id, ping, "1") != event_id(order_id, ping, "2")


def test_a_key_leads_back_to_what_it_is_about() -> None:
    order = an_order(a_bundle())
    key = key_of(order.work_order_id, Product.PROFILE, 0)
    for text in (key, f"{key}.1", f"{key}.27"):
        assert request_of(text) == RequestOf(order.work_order_id, Product.PROFILE, None)
    again = request_of(key_of(order.work_order_id, Product.PROFILE, 2) + ".1")
    assert again is not None
    assert (again.subject_id, again.product) == (order.work_order_id, Product.PROFILE)
    for round_ in (0, 3):
        by_dataset = key_of(order.bundle_id, Product.IDENTITY, round_, "ds-1")
        assert request_of(by_dataset) == RequestOf(order.bundle_id, Product.IDENTITY, DatasetId("ds-1"))
    for text in ("", "x/profile", f"{order.work_order_id}", f"{order.work_order_id}/nobody"):
        assert request_of(text) is None


def test_waits_grow_and_end() -> None:
    waits = [retry_after(attempts, 0.0) for attempts in range(1, ATTEMPTS_MAX + 1)]
    assert waits == [*RETRY_WAITS, None]
    assert RETRY_WAITS[0] * 0.9 <= retry_after(1, 0.99) <= RETRY_WAITS[0]  # type: ignore[operator]
    pauses = [pause_after(failures, 0.0).total_seconds() for failures in (1, 2, 3, 9, 10, 1_000)]
    assert pauses == [1, 2, 4, 256, 300, 300]
