"""Work orders: one line of statuses, and what may still be changed."""

from dataclasses import fields
from datetime import timedelta

import pytest

from lethe.domain.work_order import NEXT, PRODUCTS_KNOW, EndStatus, OpenStatus, Status, WorkOrder, status_of, statuses
from support.clock import NOON
from support.values import BOB, a_bundle, an_order

LATER = NOON + timedelta(hours=1)


def in_status(status: Status) -> WorkOrder:
    return an_order(a_bundle(), status=status)


def test_the_way_is_one_line_from_received_to_completed() -> None:
    order, way = in_status(OpenStatus.RECEIVED), ["received"]
    while isinstance(order.status, OpenStatus):
        order = order.advanced(LATER)
        way.append(order.status.value)
    assert way == ["received", "validated", "submitted", "ingested", "completed"]
    assert order.updated_at == LATER
    assert set(NEXT) == set(OpenStatus)


@pytest.mark.parametrize("status", statuses())
def test_an_open_order_advances_or_fails_and_an_ended_one_does_neither(status: Status) -> None:
    order = in_status(status)
    if isinstance(status, OpenStatus):
        assert order.advanced(LATER).status is NEXT[status]
        assert order.failed(LATER).status is EndStatus.FAILED
        assert untouched(order, order.advanced(LATER)) == untouched(order, order.failed(LATER)) == set()
        return
    with pytest.raises(ValueError, match="goes no further"):
        order.advanced(LATER)
    with pytest.raises(ValueError, match="cannot fail any more"):
        order.failed(LATER)


def untouched(before: WorkOrder, after: WorkOrder) -> set[str]:
    """What changed beyond status and instant."""
    return {each.name for each in fields(WorkOrder) if getattr(before, each.name) != getattr(after, each.name)} - {
        "status",
        "updated_at",
    }


@pytest.mark.parametrize("status", statuses())
@pytest.mark.parametrize("display_name", [None, "", "Other"])
@pytest.mark.parametrize("description", [None, "", "Other"])
def test_a_name_can_be_changed_in_every_status(
    status: Status, display_name: str | None, description: str | None
) -> None:
    order = in_status(status)
    renamed = order.renamed(display_name, description, now=LATER, by=BOB)
    assert renamed.display_name == ("Forget two" if display_name is None else display_name)
    assert renamed.description == ("" if description is None else description)
    assert (renamed.status, renamed.updated_at, renamed.updated_by) == (status, LATER, BOB)
    assert (renamed.created_at, renamed.created_by) == (order.created_at, order.created_by)


def test_every_status_is_found_by_its_word() -> None:
    assert [status_of(status.value) for status in statuses()] == list(statuses())
    assert len(statuses()) == len(OpenStatus) + len(EndStatus)
    with pytest.raises(KeyError):
        status_of("cancelled")


def test_products_are_shown_from_submitted_on() -> None:
    assert {status.value for status in PRODUCTS_KNOW} == {"submitted", "ingested", "completed", "failed"}


@pytest.mark.parametrize("status", statuses())
def test_only_a_failed_order_can_be_retried(status: Status) -> None:
    order = in_status(status)
    failed = order.found_failed()
    if status is not EndStatus.FAILED:
        assert failed is None
        return
    assert failed is not None
    for goal in OpenStatus:
        retried = failed.retried(goal, order.bundle_id, now=LATER, by=BOB)
        assert (retried.status, retried.updated_by) == (goal, BOB)
        assert untouched(order, retried) == {"updated_by"}
