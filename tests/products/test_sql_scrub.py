"""That the database lets go of deleted rows, and that the answer is Waiting for as long as it does not."""

from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from lethe.domain.identity import Identities
from lethe.domain.product import Product
from lethe.products.interface import Beat, Done, Request, RequestKey, Waiting
from lethe.products.sql.product import SqlProduct
from products.own_store import Store, people
from products.suite import HERE, KEY
from support.postgres import Postgres
from support.values import EMAIL

ANN = "ann.secret@example.com"
WANTED = Identities({EMAIL: (ANN,)})


@pytest.fixture
def filled(postgres_store: Store) -> Store:
    """A table with rows of Ann among others, one of them too long for a page."""
    postgres_store.run(
        "CREATE TABLE people (name TEXT PRIMARY KEY, id TEXT NOT NULL, payload TEXT)",
        "CREATE INDEX people_id ON people (id)",
        "ALTER TABLE people ALTER payload SET STORAGE EXTERNAL",
    )
    rows = [{"name": str(n), "id": ANN if n % 2 else "else", "payload": ANN if n % 2 else "-"} for n in range(200)]
    rows += [{"name": "long", "id": ANN, "payload": ANN * 1_000}]
    with postgres_store.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO people VALUES (:name, :id, :payload)"), rows)
    return postgres_store


def dead_rows(store: Store) -> int:
    """Rows that VACUUM would still have to remove, as it reports them itself."""
    notices: list[str] = []
    url = store.url.replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.add_notice_handler(lambda notice: notices.append(f"{notice.message_primary}"))
        connection.execute("VACUUM (VERBOSE) people")
    told = next(notice for notice in notices if "tuples:" in notice)
    removed, _remain, not_yet = (int(part.split()[0]) for part in told.partition("tuples:")[2].split(",")[:3])
    return removed + not_yet


def test_no_dead_row_is_left_on_postgres(filled: Store) -> None:
    assert filled.product(people()).forget(HERE, WANTED, KEY) == Done(101)
    assert dead_rows(filled) == 0


def test_requests_share_one_scrub_and_pass_by_a_table_that_holds_nobody(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.run("CREATE TABLE strangers (name TEXT PRIMARY KEY, id TEXT NOT NULL, payload TEXT)")
    filled.put("strangers", [{"name": "a", "id": "else"}])
    product = filled.product(people(), people(name="strangers"))
    heard: list[str] = []
    sa.event.listen(product._database.read, "before_cursor_execute", lambda *told: heard.append(told[2]))
    scrub = product._database.scrub

    def counted(tables: Sequence[sa.Table], *, beat: Beat) -> Waiting | None:
        heard.append(f"scrub {', '.join(table.name for table in tables)}")
        return scrub(tables, beat=beat)

    monkeypatch.setattr(product._database, "scrub", counted)
    wanted = [Identities({EMAIL: (ANN,)}), Identities({EMAIL: ("nobody",)})]
    requests = [Request(RequestKey(f"order-{at}"), each) for at, each in enumerate(wanted)]
    assert list(product.forget_each(HERE, requests)) == [Done(101), Done(0)]
    assert [each for each in heard if each.startswith("scrub")] == ["scrub people, strangers"]
    assert [each for each in heard if each.startswith("DELETE FROM strangers")] == []
    assert len([each for each in heard if each.startswith("DELETE FROM people")]) == 1
    assert filled.names("strangers") == ["a"]
    assert dead_rows(filled) == 0


def test_an_older_transaction_makes_it_wait(filled: Store) -> None:
    product = filled.product(people())
    with filled.engine.connect().execution_options(isolation_level="REPEATABLE READ") as older:
        assert older.execute(sa.text("SELECT count(*) FROM people")).scalar_one() == 201
        answer = product.forget(HERE, WANTED, KEY)
        assert isinstance(answer, Waiting)
        assert answer.reason == "an older transaction may still see the deleted rows of people"
        assert product.remaining(HERE, WANTED) == 0
        assert older.execute(sa.text("SELECT count(*) FROM people")).scalar_one() == 201
    assert product.forget(HERE, WANTED, KEY) == Done(0)
    assert dead_rows(filled) == 0


def test_a_transaction_that_began_later_does_not(filled: Store) -> None:
    product = filled.product(people())
    assert product.forget(HERE, WANTED, KEY) == Done(101)
    with filled.engine.connect().execution_options(isolation_level="REPEATABLE READ") as later:
        later.execute(sa.text("SELECT count(*) FROM people"))
        assert product.forget(HERE, WANTED, KEY) == Done(0)


def test_without_the_right_to_vacuum_it_waits_and_says_so(filled: Store, postgres: Postgres) -> None:
    filled.run(
        "DROP ROLE IF EXISTS eraser", "CREATE ROLE eraser LOGIN", "GRANT SELECT, DELETE, UPDATE ON people TO eraser"
    )
    product = SqlProduct(Product.PROFILE, filled.url.replace("lethe@", "eraser@"), [people()])
    try:
        answer = product.forget(HERE, WANTED, KEY)
        assert isinstance(answer, Waiting)
        assert "may not vacuum people" in answer.reason
        assert product.misfits() == ["this login may not vacuum people, or it is no table"]
        filled.run("GRANT MAINTAIN ON people TO eraser")
        assert product.forget(HERE, WANTED, KEY) == Done(0)
        assert product.misfits() == []
    finally:
        product.close()
        filled.run("DROP OWNED BY eraser", "DROP ROLE eraser")


def test_partitions_are_vacuumed_too(postgres_store: Store) -> None:
    postgres_store.run(
        "CREATE TABLE people (name TEXT, id TEXT) PARTITION BY HASH (id)",
        *(f'CREATE TABLE "part %{n}" PARTITION OF people FOR VALUES WITH (MODULUS 2, REMAINDER {n})' for n in (0, 1)),
    )
    postgres_store.put("people", [{"name": str(n), "id": f"{n}{ANN}"} for n in range(20)])
    product = postgres_store.product(people())
    wanted = Identities({EMAIL: tuple(f"{n}{ANN}" for n in range(15))})
    with postgres_store.engine.connect().execution_options(isolation_level="REPEATABLE READ") as older:
        older.execute(sa.text("SELECT count(*) FROM people"))
        assert isinstance(product.forget(HERE, wanted, KEY), Waiting)
    assert product.forget(HERE, wanted, KEY) == Done(0)
    assert len(postgres_store.names()) == 5


@pytest.mark.parametrize("rewrite", [False, True])
def test_bytes_in_the_files_of_postgres(filled: Store, postgres: Postgres, rewrite: bool) -> None:
    """A rewrite leaves no byte in the table, its indexes and its long values; a vacuum leaves some in freed room."""
    product = filled.product(people(), rewrite=rewrite)
    assert product.forget(HERE, WANTED, KEY) == Done(101)
    product.close()
    filled.run("CHECKPOINT")
    name = filled.url.rpartition("/")[2]
    with filled.engine.connect() as connection:
        oid = connection.execute(sa.text("SELECT oid FROM pg_database WHERE datname = :name"), {"name": name}).scalar()
    files = [file for file in Path(postgres._data, "base", str(oid)).iterdir() if file.is_file()]
    found = [file.name for file in files if ANN.encode() in file.read_bytes()]
    assert bool(found) is not rewrite


def test_a_rollback_journal_of_somebody_else_is_gone_too(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    store = Store(f"sqlite:///{path}")
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = PERSIST")
        connection.exec_driver_sql("CREATE TABLE people (name TEXT PRIMARY KEY, id TEXT)")
        connection.exec_driver_sql(f"INSERT INTO people VALUES ('ann', '{ANN}'), ('bob', 'bob')")
        connection.commit()
        connection.exec_driver_sql("UPDATE people SET id = 'bobby' WHERE name = 'bob'")
        connection.commit()
    journal = path.with_name("own.db-journal")
    assert ANN.encode() in journal.read_bytes()
    product = store.product(people())
    assert product.forget(HERE, WANTED, KEY) == Done(1)
    assert [file.name for file in tmp_path.iterdir() if ANN.encode() in file.read_bytes()] == []
    store.close()
