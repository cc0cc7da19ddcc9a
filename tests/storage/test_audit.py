"""The audit trail: a chain that shows every change, kept by a database that refuses them."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from lethe.domain.audit import GENESIS, ChainBreak, first_break
from lethe.storage.interface import Store
from lethe.storage.schema import audit_head, audit_records
from lethe.storage.store import SqlStore
from support.clock import Clock
from support.values import an_event

DETAILS = {"count": 2, "ratio": 0.1, "names": ("a", "ä"), "none": None, "nested": {"2": 1, "10": 2}}


def append(store: Store, clock: Clock, count: int) -> None:
    for number in range(count):
        clock.advance(timedelta(microseconds=1))
        with store.write() as transaction:
            transaction.audit.append(an_event(f"DI-{number}", **DETAILS))


def broken(store: Store) -> ChainBreak | None:
    with store.read() as transaction:
        return first_break(transaction.audit.records(), transaction.audit.head())


def test_records_follow_each_other(store: Store, clock: Clock) -> None:
    with store.read() as transaction:
        assert transaction.audit.head() == (0, GENESIS)
        assert list(transaction.audit.records()) == []
    append(store, clock, 3)
    with store.write() as transaction:
        transaction.audit.append(an_event(keys={10: "a", 2: "b"}))
    with store.read() as transaction:
        records = list(transaction.audit.records())
        assert list(transaction.audit.records(after_sequence=2)) == records[2:]
        assert transaction.audit.head() == (4, records[-1].hash)
    assert [record.sequence for record in records] == [1, 2, 3, 4]
    assert records[-1].event == an_event(keys={"10": "a", "2": "b"})
    assert records[0].at == clock.now - timedelta(microseconds=2)
    assert broken(store) is None


def test_a_failed_request_leaves_no_gap(store: Store, clock: Clock) -> None:
    append(store, clock, 1)
    with pytest.raises(ZeroDivisionError):
        _append_and_fail(store)
    append(store, clock, 1)
    assert broken(store) is None


def _append_and_fail(store: Store) -> None:
    with store.write() as transaction:
        transaction.audit.append(an_event())
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "change",
    [
        audit_records.update().values(actor="nobody"),
        audit_records.delete(),
        audit_records.delete().where(audit_records.c.sequence == 2),
        audit_head.delete(),
    ],
    ids=["update", "delete all", "delete one", "behead"],
)
def test_the_database_refuses_to_change_records(store: SqlStore, clock: Clock, change: sa.Executable) -> None:
    append(store, clock, 3)
    with pytest.raises(sa.exc.DBAPIError, match=r"append-only|stays"), store._engines.write.begin() as connection:
        connection.execute(change)
    assert broken(store) is None


def test_postgres_refuses_to_truncate_records(store: SqlStore, clock: Clock) -> None:
    append(store, clock, 1)
    if not store._engines.is_postgres:
        return  # SQLite has no TRUNCATE
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store._engines.write.begin() as connection:
        connection.execute(sa.text("TRUNCATE audit_records"))


def without_guards(store: SqlStore, *statements: sa.Executable) -> None:
    """What somebody does who has the database and wants to hide something."""
    with store._engines.write.begin() as connection:
        if store._engines.is_postgres:
            connection.execute(sa.text("ALTER TABLE audit_records DISABLE TRIGGER USER"))
        else:
            connection.execute(sa.text("DROP TRIGGER audit_records_no_update"))
            connection.execute(sa.text("DROP TRIGGER audit_records_no_delete"))
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("tampering", "expected"),
    [
        (
            audit_records.update().where(audit_records.c.sequence == 2).values(actor="x"),
            ChainBreak(2, "the record was changed"),
        ),
        (
            audit_records.update().where(audit_records.c.sequence == 2).values(details="{}"),
            ChainBreak(2, "the record was changed"),
        ),
        (audit_records.delete().where(audit_records.c.sequence == 1), ChainBreak(1, "a record is missing")),
        (audit_records.delete().where(audit_records.c.sequence == 2), ChainBreak(2, "a record is missing")),
        (audit_records.delete().where(audit_records.c.sequence == 3), ChainBreak(3, "records at the end are missing")),
    ],
    ids=["actor", "details", "first", "middle", "last"],
)
def test_tampering_shows(store: SqlStore, clock: Clock, tampering: sa.Executable, expected: ChainBreak) -> None:
    append(store, clock, 3)
    without_guards(store, tampering)
    assert broken(store) == expected


def test_records_stream(store: Store, clock: Clock) -> None:
    with store.write() as transaction:
        for _ in range(2_500):
            transaction.audit.append(an_event())
    with store.read() as transaction:
        records = transaction.audit.records()
        assert next(records).sequence == 1
        assert sum(1 for _ in records) == 2_499
    assert broken(store) is None
