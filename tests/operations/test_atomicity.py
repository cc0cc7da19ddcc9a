"""All or nothing: whichever call on the store fails, nothing at all of the request is stored."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from lethe.clock import SystemIds
from lethe.domain.expiration import Edit
from lethe.domain.ids import DatasetId
from lethe.operations.call import Call
from lethe.operations.expirations import cancel_expiration, create_expiration, put_expiration, update_expiration
from lethe.operations.jobs import JobUser, UserId, accept_jobs, prepare_jobs, seal_jobs
from lethe.operations.namespaces import NamespaceDraft, create_namespace
from lethe.operations.work_orders import accept, rename_work_order
from lethe.storage.interface import Transaction
from lethe.storage.schema import metadata
from lethe.storage.store import SqlStore
from support.calls import a_call, a_draft, all_orders, register, sealed_order
from support.clock import NOON
from support.values import LEAD, ORG

IDS = SystemIds()
EDIT = Edit(NOON + 2 * LEAD)


class Broken(Exception):
    """The call on the store that this time fails."""


@dataclass
class Fault:
    """Which call on the store fails, counting from 0, and whether before or after its work was done."""

    at: int | None = None
    after: bool = False
    calls: list[str] = field(default_factory=list)

    def through(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def tried(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            failing = len(self.calls) - 1 == self.at
            if failing and not self.after:
                raise Broken
            done = call(*args, **kwargs)
            if failing:
                raise Broken
            return done

        return tried


class Faulty:
    """A transaction, or a repository of one, whose calls pass the fault."""

    def __init__(self, real: object, fault: Fault, name: str = "") -> None:
        self._real, self._fault, self._name = real, fault, name

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if callable(value):
            return self._fault.through(f"{self._name}.{name}", value)
        return value if name == "now" else Faulty(value, self._fault, name)


Act = Callable[[Transaction, Call, SqlStore], object]


def accepting(tx: Transaction, call: Call, store: SqlStore) -> object:
    return accept(tx, call, sealed_order(store, call, a_draft("a@example.com", "b@example.com")), ids=IDS)


def three_jobs(tx: Transaction, call: Call, store: SqlStore) -> object:
    users = [JobUser(name, [UserId("Email", f"{name}@example.com", custom=False)]) for name in "abc"]
    with store.read() as reading:
        prepared = prepare_jobs(reading, call, users)
    return accept_jobs(tx, call, seal_jobs(store, call, prepared, ids=IDS), ids=IDS)


def renaming(tx: Transaction, call: Call, store: SqlStore) -> object:
    return rename_work_order(tx, call, all_orders(tx, ORG)[0].work_order_id, "Other", None)


ACTS: dict[str, Act] = {
    "accept": accepting,
    "jobs": three_jobs,
    "rename": renaming,
    "create": lambda tx, call, _: create_expiration(tx, call, DatasetId("ds-2"), EDIT, ids=IDS),
    "put": lambda tx, call, _: put_expiration(tx, call, DatasetId("ds-2"), EDIT, ids=IDS),
    "update": lambda tx, call, _: update_expiration(tx, call, DatasetId("ds-1"), EDIT),
    "cancel": lambda tx, call, _: cancel_expiration(tx, call, DatasetId("ds-1")),
    "namespace": lambda tx, call, _: create_namespace(tx, call, NamespaceDraft("Card", "Card", "CUSTOM")),
}
EXPECTED = {
    "accept": {
        "datasets.find", "quotas.lock", "quotas.spend", "bundles.find_open", "bundles.save", "work_orders.add",
        "identities.keep", "tasks.add", "audit.append",
    },
}  # fmt: skip


def test_whichever_call_fails_nothing_is_stored(store: SqlStore) -> None:
    call = a_call()
    register(store, call, "ds-1", "ds-2")
    with store.write() as tx:
        accepting(tx, call, store)
        create_expiration(tx, call, DatasetId("ds-1"), EDIT, ids=IDS)
    before = everything(store)

    for name, act in ACTS.items():
        calls = attempt(store, call, act, Fault(at=-1))
        assert set(calls) >= EXPECTED.get(name, {"audit.append"})
        for at in range(len(calls)):
            for after in (False, True):
                attempt(store, call, act, Fault(at, after))
        assert everything(store) == before, name

    for act in ACTS.values():
        with store.write() as tx:
            act(tx, call, store)
        now = everything(store)
        assert now != before
        before = now


def attempt(store: SqlStore, call: Call, act: Act, fault: Fault) -> list[str]:
    """Do it with this fault; where no call fails, the block does, after all of them."""
    with pytest.raises(Broken):
        broken_off(store, call, act, fault)
    return fault.calls


def broken_off(store: SqlStore, call: Call, act: Act, fault: Fault) -> None:
    with store.write() as tx:
        act(Faulty(tx, fault), call, store)
        raise Broken


def everything(store: SqlStore) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with store._engines.read.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in metadata.sorted_tables
        }
