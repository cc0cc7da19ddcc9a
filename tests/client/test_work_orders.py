"""Record deletes through the client, against a real server and real tables."""

import pickle
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from client.conftest import ORDER, Script, problem
from lethe.auth.documents import check_document
from lethe.client import (
    ALL_DATASETS,
    Invalid,
    InvalidArgument,
    Lethe,
    NotFound,
    PartlySubmitted,
    Quota,
    QuotaExceeded,
    StillWorking,
    WorkFailed,
    WorkOrder,
)
from lethe.client import identities as identities_module
from support.people import MakeTable, people_of

WAIT_SECONDS_MAX = 90
ANN, BEN, CAL, DEE = "ann@example.com", "ben@example.com", "cal@example.com", "dee@example.com"


def test_people_are_deleted_and_the_others_stay(lethe: Lethe, make_table: MakeTable) -> None:
    dataset = make_table([ANN, BEN, CAL, None, DEE, ANN])
    preview = lethe.work_orders.preview(dataset.dataset_id, {"Email": [ANN, DEE, "nobody@example.com"]})
    assert (preview.rows_matched, preview.operation_count, preview.identities_not_found) == (3, 3, 1)
    assert people_of(dataset) == [ANN, BEN, CAL, None, DEE, ANN]

    order = lethe.work_orders.create(
        dataset.dataset_id, {"Email": [ANN, DEE, "nobody@example.com", ANN]}, display_name="Unsubscribed"
    )
    assert (order.status, order.operation_count, order.display_name) == ("received", 3, "Unsubscribed")
    assert order.created_at.tzinfo is UTC or order.created_at.utcoffset() == timedelta(0)
    seen: list[WorkOrder] = []
    done = order.wait(WAIT_SECONDS_MAX, seen.append)
    assert people_of(dataset) == [BEN, CAL, None]
    assert done.status == "completed" == seen[-1].status
    assert [each.product_status for each in done.product_status_details] == ["success"] * 4
    assert len({each.status for each in seen}) <= len(seen)
    assert order.refresh() == done == lethe.work_orders.get(order.workorder_id.removeprefix("DI-"))

    [planned] = lethe.work_orders.plan(order.workorder_id).datasets
    assert sum(file.rows_matched for file in planned.touched_files) == 3
    results = lethe.work_orders.results(order.workorder_id)
    assert (results.rows_deleted, results.total) == (3, 3)
    assert sorted((each.status, each.rows) for each in results) == [("deleted", 1), ("deleted", 2), ("notFound", 0)]
    asked = lethe.work_orders.lookup(order.workorder_id, "Email", ANN)
    assert asked.requested
    assert asked.result is not None
    assert asked.result.rows == 2
    assert not lethe.work_orders.lookup(order.workorder_id, "Email", BEN).requested
    certificate = done.certificate()
    assert order.workorder_id in check_document(certificate.jws).content.decode()


def test_the_same_key_does_nothing_twice(lethe: Lethe, make_table: MakeTable) -> None:
    dataset = make_table([ANN, BEN]).dataset_id
    first = lethe.work_orders.create(dataset, {"Email": [ANN]}, idempotency_key="once")
    again = lethe.work_orders.create(dataset, {"Email": [ANN]}, idempotency_key="once")
    other = lethe.work_orders.create(dataset, {"Email": [ANN]})
    assert first.workorder_id == again.workorder_id != other.workorder_id
    with pytest.raises(Invalid) as refused:
        lethe.work_orders.create(dataset, {"Email": [BEN]}, idempotency_key="once")
    assert refused.value.document.code == "HYGN-1007-422"


def test_many_identities_become_several_orders(
    lethe: Lethe, make_table: MakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_table([ANN, BEN, CAL, DEE, None])
    asked = {"Email": [ANN, BEN, ANN, CAL]}
    _at_most(monkeypatch, 2)
    with pytest.raises(ValueError, match="create_all makes several"):
        lethe.work_orders.create(dataset.dataset_id, asked)
    told: list[tuple[int, int, str]] = []
    orders = lethe.work_orders.create_all(
        dataset.dataset_id,
        asked,
        display_name="Left",
        idempotency_key="left",
        on_accepted=lambda number, of, order: told.append((number, of, order.workorder_id)),
    )
    assert [(order.operation_count, order.display_name) for order in orders] == [
        (2, "Left (1 of 2)"),
        (1, "Left (2 of 2)"),
    ]
    assert told == [(1, 2, orders[0].workorder_id), (2, 2, orders[1].workorder_id)]
    again = lethe.work_orders.create_all(dataset.dataset_id, asked, display_name="Left", idempotency_key="left")
    assert [each.workorder_id for each in again] == [each.workorder_id for each in orders]
    for order in orders:
        order.wait(WAIT_SECONDS_MAX)
    assert people_of(dataset) == [DEE, None]


def _at_most(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let a work order take so few identities."""
    parts_of = identities_module.parts_of
    few = lambda identities: parts_of(identities, count_max=count)  # noqa: E731
    monkeypatch.setattr("lethe.client.work_orders.parts_of", few)
    monkeypatch.setattr(identities_module, "parts_of", few)


def test_a_refusal_says_which_orders_were_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {
        "name": "dailyConsumerDeleteIdentitiesQuota",
        "consumed": 2,
        "quota": 3,
        "resetsAt": "2030-01-01T00:00:00Z",
    }
    over = problem("HYGN-2001-403", 403, figures)
    script = Script(httpx2.Response(201, json=ORDER), over, over)
    _at_most(monkeypatch, 2)
    with pytest.raises(PartlySubmitted) as partly:
        script.client().work_orders.create_all(ALL_DATASETS, {"Email": [ANN, BEN, CAL]}, idempotency_key="k")
    assert [order.workorder_id for order in partly.value.orders] == [ORDER["workorderId"]]
    assert partly.value.idempotency_key == "k"
    assert [request.headers["Idempotency-Key"] for request in script.requests] == ["k-1", "k-2"]
    cause = partly.value.__cause__
    assert isinstance(cause, QuotaExceeded)
    assert (cause.quota_name, cause.resets_at) == (figures["name"], datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(QuotaExceeded):
        script.client().work_orders.create_all(ALL_DATASETS, {"Email": [ANN]})


def test_quotas_count_what_was_accepted(lethe: Lethe, make_table: MakeTable) -> None:
    def daily() -> Quota:
        [quota] = lethe.quota("dailyConsumerDeleteIdentitiesQuota")
        return quota

    dataset, before = make_table([ANN]).dataset_id, daily()
    lethe.work_orders.create(dataset, {"Email": [BEN, CAL]})
    assert (daily().consumed, daily().left) == (before.consumed + 2, before.left - 2)
    assert len(lethe.quota()) == 4


def test_a_list_gives_every_order_once(lethe: Lethe, make_table: MakeTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lethe.client.work_orders.PAGE_SIZE", 5)
    dataset = make_table([ANN]).dataset_id
    made = [
        lethe.work_orders.create(
            dataset, {"Email": [f"{number}@example.com"]}, display_name=f"Bulk {number}"
        ).workorder_id
        for number in range(11)
    ]
    listed = [order.workorder_id for order in lethe.work_orders.list(display_name="bulk ")]
    assert listed == made[::-1]
    assert [order.workorder_id for order in lethe.work_orders.list(display_name="bulk ", order_by="createdAt")] == made
    assert list(lethe.work_orders.list(display_name="bulk ", status=["failed"])) == []
    assert list(lethe.work_orders.list(display_name="bulk ", created_to=date(2000, 1, 1))) == []
    later = datetime.now(UTC) + timedelta(days=1)
    assert (
        len(list(lethe.work_orders.list(display_name="bulk ", created_from=date(2000, 1, 1), created_to=later))) == 11
    )
    assert list(lethe.work_orders.list(display_name="bulk ", sandbox="dev")) == []


def test_a_dataset_is_destroyed(lethe: Lethe, make_table: MakeTable) -> None:
    dataset = make_table([ANN, BEN])
    order = lethe.work_orders.delete_dataset(dataset.dataset_id, display_name="Contract ended")
    assert order.deletes_dataset
    order.wait(WAIT_SECONDS_MAX)
    assert people_of(dataset) == []


def test_waiting_ends_with_the_time_and_with_failure(lethe: Lethe, make_table: MakeTable) -> None:
    dataset = make_table([ANN, BEN])
    order = lethe.work_orders.create(dataset.dataset_id, {"Email": [ANN]})
    with pytest.raises(StillWorking) as still:
        order.wait(timeout=0)
    assert isinstance(still.value, TimeoutError)
    assert order.wait(WAIT_SECONDS_MAX).has_ended
    lost = make_table([ANN])
    for path in Path(lost.table.location or "").iterdir():
        path.write_bytes(b"not Parquet")
    with pytest.raises(WorkFailed) as failed:
        lethe.work_orders.create(lost.dataset_id, {"Email": [ANN]}).wait(WAIT_SECONDS_MAX)
    assert failed.value.subject.status == "failed"


def test_names_can_be_changed(lethe: Lethe, make_table: MakeTable) -> None:
    order = lethe.work_orders.create(make_table([ANN]).dataset_id, {"Email": [BEN]}, description="old")
    changed = lethe.work_orders.update(order.workorder_id, display_name="New")
    assert (changed.display_name, changed.description) == ("New", "old")


def test_what_is_not_there_and_what_is_not_valid(lethe: Lethe, make_table: MakeTable) -> None:
    with pytest.raises(NotFound) as unknown:
        lethe.work_orders.get("DI-00000000-0000-4000-8000-000000000000")
    assert unknown.value.document.code == "HYGN-4001-404"
    assert unknown.value.document.request_id
    dataset = make_table([ANN]).dataset_id
    with pytest.raises(Invalid) as unfit:
        lethe.work_orders.create(dataset, {"ECID": ["secret-value"]})
    assert unfit.value.document.code == "HYGN-4006-400"
    for wrong in ({}, {"Email": []}):
        with pytest.raises(ValueError, match="there are no identities"):
            lethe.work_orders.create(dataset, wrong)
    with pytest.raises(ValueError, match=r"Email\[1\]: the id is empty or no text") as blank:
        lethe.work_orders.create(dataset, {"Email": ["secret-value", " "]})
    with pytest.raises(InvalidArgument, match="Email: takes a list of ids"):
        lethe.work_orders.create(dataset, {"Email": "secret-value"})
    assert "secret-value" not in str(unfit.value) + repr(unfit.value) + repr(blank.value)


def test_a_copy_is_facts_alone(lethe: Lethe, make_table: MakeTable) -> None:
    order = lethe.work_orders.create(make_table([ANN]).dataset_id, {"Email": [BEN]})
    copy = pickle.loads(pickle.dumps(order))
    assert copy.to_wire() == order.to_wire()
    with pytest.raises(ValueError, match="no connection"):
        copy.refresh()
