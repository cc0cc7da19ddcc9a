"""How a write ends when the database goes away: what is said is what happened."""

import re
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from lethe.storage.interface import CommitUnknown, Store, StoreUnavailable
from lethe.storage.store import SqlStore
from support.postgres import Postgres
from support.proxy import Cut, Proxy
from support.values import ORG, an_event

WAIT_SECONDS_MAX = 30


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    between = Proxy(postgres.port)
    yield between
    between.close()


@pytest.fixture
def straight(postgres: Postgres, postgres_database: str, open_store: Callable[..., SqlStore]) -> SqlStore:
    """A store on the same database, past the proxy."""
    return open_store(postgres.url(postgres_database))


@pytest.fixture
def cuttable(proxy: Proxy, straight: SqlStore, postgres_database: str, open_store: Callable[..., SqlStore]) -> SqlStore:
    store = open_store(f"postgresql://lethe@127.0.0.1:{proxy.port}/{postgres_database}")
    write(store)  # so that it is connected
    return store


def write(store: Store) -> None:
    with store.write() as transaction:
        transaction.audit.append(an_event())


def stored(store: Store) -> int:
    with store.read() as transaction:
        return transaction.audit.head()[0]


def test_a_commit_that_never_arrived_stored_nothing(cuttable: SqlStore, straight: SqlStore, proxy: Proxy) -> None:
    proxy.cut = Cut.BEFORE_COMMIT
    with pytest.raises(StoreUnavailable):
        write(cuttable)
    assert stored(straight) == 1
    write(cuttable)
    assert stored(straight) == 2


def test_a_commit_whose_answer_was_lost_is_a_success(cuttable: SqlStore, straight: SqlStore, proxy: Proxy) -> None:
    proxy.cut = Cut.AFTER_COMMIT
    write(cuttable)
    assert stored(straight) == 2
    write(cuttable)
    assert stored(straight) == 3


@pytest.mark.parametrize("cut", [Cut.BEFORE_COMMIT, Cut.AFTER_COMMIT])
def test_nobody_to_ask_is_said_so(cuttable: SqlStore, straight: SqlStore, proxy: Proxy, cut: Cut) -> None:
    proxy.cut = cut
    proxy.then_refuse = True
    with pytest.raises(CommitUnknown):
        write(cuttable)
    assert stored(straight) == (2 if cut is Cut.AFTER_COMMIT else 1)


def test_a_server_process_killed_before_the_commit_stored_nothing(
    straight: SqlStore, postgres: Postgres, postgres_database: str
) -> None:
    with pytest.raises(StoreUnavailable):
        _write_and_kill(straight, postgres, postgres_database)
    assert stored(straight) == 0


def _write_and_kill(store: SqlStore, postgres: Postgres, database: str) -> None:
    with store.write() as transaction:
        transaction.audit.append(an_event())
        pid = transaction._session.value(sa.select(sa.func.pg_backend_pid()))
        postgres.execute(f"SELECT pg_terminate_backend({pid}, 10000)", database)


def test_a_server_process_killed_inside_the_commit_is_asked_about(
    straight: SqlStore, postgres: Postgres, postgres_database: str
) -> None:
    """The commit waits for a standby that does not exist: it has happened, and has not been answered."""
    assert stored(straight) == 0
    try:
        set_standby(postgres, "nobody")
        with ThreadPoolExecutor(1) as pool, psycopg.connect(postgres.url(postgres_database), autocommit=True) as other:
            writing = pool.submit(write, straight)
            waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'"
            other.execute("SELECT pg_terminate_backend(%s)", until(lambda: other.execute(waiting).fetchone()))
            writing.result(WAIT_SECONDS_MAX)
    finally:
        set_standby(postgres, "")
    assert stored(straight) == 1


def set_standby(postgres: Postgres, name: str) -> None:
    postgres.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    postgres.execute("SELECT pg_reload_conf()")

    def shown() -> bool | None:
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            return connection.execute("SHOW synchronous_standby_names").fetchone() == (name,) or None

    until(shown)


def until(look: Callable[[], object]) -> object:
    give_up_at = monotonic() + WAIT_SECONDS_MAX
    while monotonic() < give_up_at:
        if (seen := look()) is not None:
            return seen
    raise TimeoutError


def test_a_store_without_a_server_is_unavailable_and_says_nothing_of_where(open_store: Callable[..., SqlStore]) -> None:
    store = open_store("postgresql://somebody:hunter2@127.0.0.1:1/secretdb")
    for attempt in (lambda: write(store), lambda: stored(store), store.migrate):
        with pytest.raises(StoreUnavailable) as caught:
            attempt()
        told = "".join(traceback.format_exception(caught.value))
        assert not re.search("hunter2|somebody|secretdb", told)
    health = store.health()
    assert not health.reachable
    assert health.problem is not None
    assert not re.search("hunter2|somebody|secretdb|127", health.problem)
    assert "hunter2" not in repr(store)


@pytest.mark.parametrize(
    "url",
    ["", "no url hunter2", "mysql://u:hunter2@h/d", "sqlite://", "sqlite:///:memory:", "postgresql://u:hunter2@h:x/d"],
)
def test_another_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="database") as caught:
        SqlStore(url, None)  # type: ignore[arg-type]
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_restarted_server_is_found_again(straight: SqlStore, postgres: Postgres) -> None:
    write(straight)
    postgres.restart()
    write(straight)
    postgres.kill()
    with pytest.raises(StoreUnavailable):
        write(straight)
    postgres.start()
    write(straight)
    assert stored(straight) == 3


def test_a_failed_commit_on_sqlite_stored_nothing(sqlite_url: str, open_store: Callable[..., SqlStore]) -> None:
    store = open_store(sqlite_url)
    with store._engines.write.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # as a full disk would: no page more
    with pytest.raises(StoreUnavailable):
        _write_much(store)
    with store._engines.write.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert stored(store) == 0
    write(store)
    assert stored(store) == 1


def _write_much(store: Store) -> None:
    with store.write() as transaction:
        for _ in range(1_000):
            transaction.audit.append(an_event(filler="x" * 1_000))


def test_readers_see_one_moment_and_change_nothing(store: Store, tmp_path: Path) -> None:
    with store.read() as reading:
        assert reading.audit.head()[0] == 0
        write(store)
        assert reading.audit.head()[0] == 0
    assert stored(store) == 1
    with pytest.raises(RuntimeError), store.read() as reading:
        reading.audit.append(an_event())
    with pytest.raises((StoreUnavailable, sa.exc.DBAPIError)), store.read() as reading:
        reading.certificates.add(ORG, {uuid4(): "{}"})
    assert stored(store) == 1
