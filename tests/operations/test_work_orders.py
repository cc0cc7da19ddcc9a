"""Whatever is ordered, in whatever order: the quotas are a recount of it, and a refusal costs nothing."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lethe.clock import SystemIds
from lethe.domain.audit import first_break
from lethe.domain.bundle import BundleLimits
from lethe.domain.caller import Permission
from lethe.domain.errors import (
    InvalidField,
    NamespaceDoesNotFit,
    PermissionDenied,
    QuotaExceeded,
    Refusal,
    UnknownDataset,
    UnknownNamespace,
    UnknownWorkOrder,
)
from lethe.domain.ids import DatasetId, OrgId, WorkOrderId
from lethe.domain.product import ALL_PRODUCTS
from lethe.domain.quota import PERIODS, Allowances, QuotaName, period_start
from lethe.domain.work_order import Action, AllDatasets, NamedDatasets, OpenStatus, WorkOrder
from lethe.operations.quota import quota_states
from lethe.operations.work_orders import OrderDraft, accept, find_work_order, prepare, rename_work_order
from lethe.storage.store import SqlStore
from support.calls import ANN, a_call, a_draft, all_orders, register, sealed_order
from support.clock import NOON, Clock
from support.properties import on_a_database

IDS = SystemIds()
DAILY, MONTHLY = 10, 25
people = st.lists(st.sampled_from([f"{letter}@example.com" for letter in "abcdefghijkl"]), min_size=1, max_size=14)
DROP_ONE = OrderDraft(Action.DELETE_DATASET, NamedDatasets((DatasetId("ds-1"),)), (), ALL_PRODUCTS)


class WorkOrders(RuleBasedStateMachine):
    """Accepting beside a plain list of what was accepted; each example has an org of its own."""

    store: SqlStore
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.clock.now = NOON.replace(month=2, day=26)
        self.call = a_call(
            OrgId(f"org-{uuid4()}"),
            allowances=Allowances(daily_deletes=DAILY, monthly_deletes=MONTHLY),
            bundle_limits=BundleLimits(timedelta(hours=3), orders_max=3, identities_max=12),
        )
        register(self.store, self.call, "ds-1", "ds-2")
        self.accepted: dict[WorkOrderId, tuple[WorkOrder, frozenset[str]]] = {}
        self.audited = self.sequence()

    def sequence(self) -> int:
        with self.store.read() as tx:
            return tx.audit.head()[0]

    def recount(self, name: QuotaName) -> int:
        start = period_start(PERIODS[name], self.clock.now)
        return sum(order.operation_count for order, _ in self.accepted.values() if order.created_at >= start)

    def order(self, draft: OrderDraft, ids: frozenset[str]) -> None:
        room = all(
            not ids or self.recount(name) + len(ids) <= self.call.org.allowances.of(name)
            for name in (QuotaName.DAILY_DELETES, QuotaName.MONTHLY_DELETES)
        )
        sealed = sealed_order(self.store, self.call, draft)
        try:
            with self.store.write() as tx:
                order = accept(tx, self.call, sealed, ids=IDS)
        except QuotaExceeded:
            assert not room
        else:
            assert room
            assert (order.operation_count, order.status) == (len(ids), OpenStatus.RECEIVED)
            assert (order.created_at, order.created_by) == (self.clock.now, ANN.author)
            self.accepted[order.work_order_id] = order, ids
            self.audited += 1

    @rule(ids=people)
    def delete_people(self, ids: list[str]) -> None:
        self.order(a_draft(*ids), frozenset(ids))

    @rule()
    def delete_a_dataset(self) -> None:
        self.order(DROP_ONE, frozenset())

    @rule(ids=people, wrong=st.sampled_from(["dataset", "namespace", "unfit", "blank"]))
    def ask_for_what_is_refused(self, ids: list[str], wrong: str) -> None:
        draft, reason = {
            "dataset": (a_draft(*ids, dataset_id="ds-9"), UnknownDataset),
            "namespace": (a_draft(*ids, code="Nobody"), UnknownNamespace),
            "unfit": (a_draft(*ids, code="ECID"), NamespaceDoesNotFit),
            "blank": (a_draft(*ids, " "), InvalidField),
        }[wrong]
        with pytest.raises(reason), self.store.write() as tx:
            accept(tx, self.call, sealed_order(self.store, self.call, draft), ids=IDS)

    @rule(data=st.data(), name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5))
    def rename(self, data: st.DataObject, name: str) -> None:
        if not self.accepted:
            return
        work_order_id = data.draw(st.sampled_from(list(self.accepted)))
        with self.store.write() as tx:
            renamed = rename_work_order(tx, self.call, work_order_id, name, None)
        assert renamed.display_name == name
        self.accepted[work_order_id] = renamed, self.accepted[work_order_id][1]
        self.audited += 1

    @rule(hours=st.sampled_from([1, 4, 12, 24, 72]))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))

    @rule()
    def midnight_strikes(self) -> None:
        """To the last instant of the day, whatever there is to order then comes before and after it."""
        at = self.clock.now
        self.clock.now = at.replace(hour=23, minute=59, second=59, microsecond=999_999)
        self.delete_people(["a@example.com", "z@example.com"])
        self.clock.advance(timedelta(microseconds=1))

    @invariant()
    def quotas_are_a_recount_of_the_stored_orders(self) -> None:
        with self.store.read() as tx:
            stored = all_orders(tx, self.call.org_id)
            states = {state.name: state for state in quota_states(tx, self.call)}
        assert {order.work_order_id: order for order in stored} == {
            work_order_id: order for work_order_id, (order, _) in self.accepted.items()
        }
        for name in (QuotaName.DAILY_DELETES, QuotaName.MONTHLY_DELETES):
            assert states[name].consumed == self.recount(name) <= self.call.org.allowances.of(name)
        assert states[QuotaName.MONTHLY_UPDATES].consumed == 0

    @invariant()
    def each_change_left_one_audit_record_and_no_refusal_did(self) -> None:
        assert self.sequence() == self.audited

    def teardown(self) -> None:
        with self.store.read() as tx:
            assert first_break(tx.audit.records(), tx.audit.head()) is None
            bundles: dict[object, list[WorkOrder]] = {}
            for order, ids in self.accepted.values():
                bundles.setdefault(order.bundle_id, []).append(order)
                found = {value for _, value in tx.identities.open(order.work_order_id)}
                assert found == ids
        for orders in bundles.values():
            assert len(orders) <= 3
            assert len(orders) == 1 or sum(order.operation_count for order in orders) <= 12


def test_every_sequence(store: SqlStore, clock: Clock) -> None:
    machine = type("OnThisStore", (WorkOrders,), {"store": store, "clock": clock})
    run_state_machine_as_test(machine, settings=on_a_database)


def refused(store: SqlStore, draft: OrderDraft, *permissions: Permission) -> Refusal:
    call = a_call()
    limited = replace(call, caller=replace(call.caller, permissions=frozenset(permissions)))
    with store.read() as tx, pytest.raises(Refusal) as refusal:
        prepare(tx, limited, draft)
    return refusal.value


def test_deleting_records_and_deleting_datasets_are_two_permissions(store: SqlStore) -> None:
    assert isinstance(refused(store, a_draft("a"), Permission.DELETE_DATASETS, Permission.VIEW), PermissionDenied)
    assert isinstance(refused(store, DROP_ONE, Permission.MANAGE_RECORD_DELETES), PermissionDenied)


def test_a_dataset_is_deleted_alone_and_by_name(store: SqlStore) -> None:
    runs, two = a_draft("a").runs, NamedDatasets((DatasetId("ds-1"), DatasetId("ds-2")))
    for draft, field in (
        (replace(DROP_ONE, runs=runs), "identities"),
        (replace(DROP_ONE, scope=AllDatasets()), "datasetId"),
        (replace(DROP_ONE, scope=two), "datasetId"),
    ):
        refusal = refused(store, draft, *Permission)
        assert isinstance(refusal, InvalidField)
        assert refusal.field == field


def test_an_order_over_all_says_which_datasets_it_passes_by(store: SqlStore) -> None:
    call = a_call()
    register(store, call, "ds-1")
    draft = OrderDraft(Action.DELETE_IDENTITY, AllDatasets(), a_draft("1", code="ECID").runs, ALL_PRODUCTS)
    with store.write() as tx:
        order = accept(tx, call, sealed_order(store, call, draft), ids=IDS)
    assert [(each.dataset_id, each.reason) for each in order.skipped] == [
        ("ds-1", "its primary identity is in namespace Email, which the order does not hold")
    ]
    with store.read() as tx:
        assert find_work_order(tx, call, order.work_order_id) == order


def test_nobody_finds_what_is_in_another_org(store: SqlStore) -> None:
    mine, other = a_call(), a_call(OrgId("other@LetheOrg"))
    register(store, mine, "ds-1")
    with store.write() as tx:
        order = accept(tx, mine, sealed_order(store, mine, a_draft("a@example.com")), ids=IDS)
    with store.write() as tx, pytest.raises(UnknownWorkOrder):
        find_work_order(tx, other, order.work_order_id)
    with store.write() as tx, pytest.raises(UnknownWorkOrder):
        rename_work_order(tx, other, order.work_order_id, "x", None)
    with store.write() as tx, pytest.raises(UnknownDataset):
        accept(tx, other, sealed_order(store, other, a_draft("a@example.com")), ids=IDS)
