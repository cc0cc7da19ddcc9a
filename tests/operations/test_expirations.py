"""Whatever is asked of expirations, in whatever order: each history is legal, and the quota is a recount."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lethe.clock import SystemIds
from lethe.domain.audit import first_break
from lethe.domain.errors import (
    ExpirationExists,
    ExpirationNotCancellable,
    ExpirationNotEditable,
    ExpiryTooSoon,
    InvalidField,
    QuotaExceeded,
    Refusal,
    UnknownDataset,
    UnknownExpiration,
)
from lethe.domain.expiration import ACTIVE, Edit, Expiration, ExpirationStatus, HistoryEntry, HistoryStatus
from lethe.domain.ids import DatasetId, ExpirationId, OrgId
from lethe.domain.listing import Page
from lethe.domain.product import Product, ProductStatus
from lethe.domain.quota import Allowances, QuotaName
from lethe.operations import expirations as operations
from lethe.operations.quota import quota_states
from lethe.storage.interface import Transaction
from lethe.storage.order_interface import ExpirationFilter
from lethe.storage.store import SqlStore
from operations.histories import status_after
from support.calls import ANN, a_call, register
from support.clock import NOON, Clock
from support.properties import on_a_database
from support.values import LEAD, PROD

IDS = SystemIds()
ALLOWED = 2
DATASETS = [DatasetId(f"ds-{number}") for number in range(4)]
UNKNOWN = DatasetId("never-registered")
datasets = st.sampled_from([*DATASETS, *DATASETS, UNKNOWN])
leads = st.sampled_from([-5, 23, 24, 24, 30, 48]).map(lambda hours: timedelta(hours=hours))
edits = st.builds(Edit, st.none(), st.sampled_from([None, "", "Name"]), st.sampled_from([None, "Because"]))
PENDING, CANCELLED, EXECUTING = ExpirationStatus.PENDING, ExpirationStatus.CANCELLED, ExpirationStatus.EXECUTING


class Expirations(RuleBasedStateMachine):
    """The operations beside a model of them; each example has an org of its own."""

    store: SqlStore
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.clock.now = NOON
        self.call = a_call(OrgId(f"org-{uuid4()}"), allowances=Allowances(expirations=ALLOWED), min_expiry_lead=LEAD)
        register(self.store, self.call, *DATASETS)
        self.rows: dict[DatasetId, Expiration] = {}
        self.histories: dict[DatasetId, list[HistoryEntry]] = {}
        self.audited = self.sequence()

    def sequence(self) -> int:
        with self.store.read() as tx:
            return tx.audit.head()[0]

    @property
    def full(self) -> bool:
        return sum(row.status in ACTIVE for row in self.rows.values()) >= ALLOWED

    def attempt(
        self, dataset: DatasetId, noted: HistoryStatus, refusals: set[type[Refusal]], act: Callable[[Transaction], Any]
    ) -> None:
        """Do it: refused for one of these reasons if there is any, and otherwise noted."""
        try:
            with self.store.write() as tx:
                done: Expiration = act(tx)
        except Refusal as refused:
            assert type(refused) in refusals  # noqa: PT017 - either outcome is right
            assert self.sequence() == self.audited
            return
        assert not refusals
        assert (done.updated_at, done.updated_by) == (self.clock.now, ANN.author)
        self.note(dataset, noted, done)

    def note(self, dataset: DatasetId, noted: HistoryStatus, done: Expiration) -> None:
        self.rows[dataset] = done
        entry = HistoryEntry(noted, done.expiry_at, self.clock.now, done.updated_by)
        self.histories.setdefault(dataset, []).append(entry)
        self.audited += 1
        assert self.sequence() == self.audited

    def why_not_create(self, dataset: DatasetId, lead: timedelta) -> set[type[Refusal]]:
        status = self.rows[dataset].status if dataset in self.rows else None
        if dataset == UNKNOWN:
            return {UnknownDataset}
        if status not in {None, CANCELLED}:
            return {ExpirationExists}
        return ({ExpiryTooSoon} if lead < LEAD else set()) | ({QuotaExceeded} if self.full else set())

    def why_not_update(self, dataset: DatasetId, lead: timedelta | None) -> set[type[Refusal]]:
        if dataset not in self.rows:
            return {UnknownExpiration}
        too_soon: set[type[Refusal]] = {ExpiryTooSoon} if lead is not None and lead < LEAD else set()
        match self.rows[dataset].status:
            case ExpirationStatus.PENDING:
                return too_soon
            case ExpirationStatus.CANCELLED if lead is not None:
                return too_soon | ({QuotaExceeded} if self.full else set())
            case _:
                return {ExpirationNotEditable}

    def key(self, dataset: DatasetId, by_id: bool) -> ExpirationId | DatasetId:
        return self.rows[dataset].expiration_id if by_id and dataset in self.rows else dataset

    def edit(self, texts: Edit, lead: timedelta | None) -> Edit:
        return Edit(None if lead is None else self.clock.now + lead, texts.display_name, texts.description)

    @rule(dataset=datasets, lead=leads, texts=edits)
    def create(self, dataset: DatasetId, lead: timedelta, texts: Edit) -> None:
        noted = HistoryStatus.UPDATED if dataset in self.rows else HistoryStatus.CREATED
        edit = self.edit(texts, lead)
        self.attempt(
            dataset,
            noted,
            self.why_not_create(dataset, lead),
            lambda tx: operations.create_expiration(tx, self.call, dataset, edit, ids=IDS),
        )

    @rule(dataset=datasets, lead=st.none() | leads, texts=edits, by_id=st.booleans())
    def update(self, dataset: DatasetId, lead: timedelta | None, texts: Edit, by_id: bool) -> None:
        edit, key = self.edit(texts, lead), self.key(dataset, by_id)
        self.attempt(
            dataset,
            HistoryStatus.UPDATED,
            self.why_not_update(dataset, lead),
            lambda tx: operations.update_expiration(tx, self.call, key, edit),
        )

    @rule(dataset=datasets, lead=st.none() | leads, texts=edits, by_id=st.booleans())
    def put(self, dataset: DatasetId, lead: timedelta | None, texts: Edit, by_id: bool) -> None:
        edit, key, known = self.edit(texts, lead), self.key(dataset, by_id), dataset in self.rows
        if known:
            refusals = self.why_not_update(dataset, lead)
        elif dataset == UNKNOWN:
            refusals = {UnknownExpiration}
        else:
            refusals = {InvalidField} if lead is None else self.why_not_create(dataset, lead)

        def act(tx: Transaction) -> Expiration:
            done, created = operations.put_expiration(tx, self.call, key, edit, ids=IDS)
            assert created is not known
            return done

        self.attempt(dataset, HistoryStatus.UPDATED if known else HistoryStatus.CREATED, refusals, act)

    @rule(dataset=datasets, by_id=st.booleans())
    def cancel(self, dataset: DatasetId, by_id: bool) -> None:
        pending = dataset in self.rows and self.rows[dataset].status is PENDING
        key = self.key(dataset, by_id)
        self.attempt(
            dataset,
            HistoryStatus.CANCELLED,
            set() if pending else {ExpirationNotCancellable},
            lambda tx: operations.cancel_expiration(tx, self.call, key),
        )

    @rule(dataset=datasets, complete=st.booleans())
    def execute(self, dataset: DatasetId, complete: bool) -> None:
        """A worker looks at it, perhaps for the second time: it does what can be done, and else nothing."""
        row = self.rows.get(dataset)
        expiration_id = row.expiration_id if row else ExpirationId(uuid4())
        step = operations.complete_execution if complete else operations.begin_execution
        with self.store.write() as tx:
            done = step(tx, self.call.org_id, self.call.sandbox_name, expiration_id)
        if complete:
            due = row is not None and row.status is EXECUTING
        else:
            due = row is not None and row.status is PENDING and row.expiry_at <= self.clock.now
        assert (done is not None) == due
        if done is not None:
            self.note(dataset, HistoryStatus.COMPLETED if complete else HistoryStatus.EXECUTING, done)
            with self.store.read() as tx:
                products = operations.expiration_products(tx, done)
            assert [each.product for each in products] == list(Product)
            assert {each.status for each in products} == {ProductStatus.SUCCESS if complete else ProductStatus.WAITING}

    @rule(hours=st.sampled_from([-1, 1, 6, 24, 25, 72]))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))

    @invariant()
    def histories_are_legal_and_rows_are_as_they_end(self) -> None:
        with self.store.read() as tx:
            for dataset, row in self.rows.items():
                found = operations.find_expiration(tx, self.call, dataset)
                assert found == operations.find_expiration(tx, self.call, row.expiration_id) == row
                history = list(operations.expiration_history(tx, found))
                assert history == self.histories[dataset]
                assert status_after(history) == found.status
                assert history[-1].expiry_at == found.expiry_at
                assert history[0].status is HistoryStatus.CREATED

    @invariant()
    def the_quota_is_a_recount(self) -> None:
        with self.store.read() as tx:
            stored = tx.expirations.list(ExpirationFilter(self.call.org_id), [], Page(0, 100)).items
            states = {state.name: state for state in quota_states(tx, self.call)}
        assert {row.dataset_id: row for row in stored} == self.rows
        assert states[QuotaName.EXPIRATIONS].consumed == sum(row.status in ACTIVE for row in stored) <= ALLOWED

    def teardown(self) -> None:
        with self.store.read() as tx:
            assert first_break(tx.audit.records(), tx.audit.head()) is None


def test_every_sequence(store: SqlStore, clock: Clock) -> None:
    machine = type("OnThisStore", (Expirations,), {"store": store, "clock": clock})
    run_state_machine_as_test(machine, settings=on_a_database)


def test_nobody_finds_what_is_in_another_org_or_sandbox(store: SqlStore) -> None:
    mine, other = a_call(), a_call(OrgId("other@LetheOrg"))
    register(store, mine, DATASETS[0])
    with store.write() as tx:
        expiration = operations.create_expiration(tx, mine, DATASETS[0], Edit(NOON + LEAD), ids=IDS)
    for key in (DATASETS[0], expiration.expiration_id):
        with store.write() as tx, pytest.raises(UnknownExpiration):
            operations.find_expiration(tx, other, key)
        with store.write() as tx, pytest.raises(UnknownExpiration):
            operations.put_expiration(tx, other, key, Edit(NOON + LEAD), ids=IDS)
        with store.write() as tx, pytest.raises(ExpirationNotCancellable):
            operations.cancel_expiration(tx, other, key)
    with store.read() as tx:
        assert operations.find_expiration(tx, mine, expiration.expiration_id).sandbox_name == PROD


def test_without_enforcement_expirations_are_counted_and_not_refused(store: SqlStore) -> None:
    call = a_call(allowances=Allowances(expirations=1, enforce=False))
    register(store, call, *DATASETS)
    for dataset in DATASETS:
        with store.write() as tx:
            operations.create_expiration(tx, call, dataset, Edit(NOON + LEAD), ids=IDS)
    with store.read() as tx:
        assert {state.name: state.consumed for state in quota_states(tx, call)}[QuotaName.EXPIRATIONS] == len(DATASETS)
