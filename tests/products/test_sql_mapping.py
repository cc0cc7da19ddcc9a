"""Mappings that cannot work, databases that do not do it, and what is said of either."""

from pathlib import Path
from typing import Any

import pytest

from lethe.domain.identity import Identities
from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.product import Product
from lethe.products.interface import Done, ProductUnavailable, Refused
from lethe.products.sql.mapping import IdentityColumns, NamespaceColumn, TableMapping
from lethe.products.sql.product import SqlProduct
from products.own_store import FIXED, Store, people
from products.sql_world import SqlWorld, mappings
from products.suite import HERE, KEY, speaks_of
from support.values import EMAIL

ANN = "ann.secret@example.com"
WANTED = Identities({EMAIL: (ANN, "x")})


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"name": ""}, "a name"),
        ({"name": "a..b"}, "a name"),
        ({"key": ()}, "key"),
        ({"identities": ()}, "one identity"),
        ({"identities": FIXED * 3}, "one identity"),
        ({"org_column": "org", "org_id": OrgId("one")}, "either"),
        ({"sandbox_column": "box", "sandbox_name": SandboxName("one")}, "either"),
    ],
)
def test_contradictions(parts: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        people(**parts)


@pytest.mark.parametrize("url", ["mysql://u:hidden@host/db", "no url: hidden", "", "oracle+oracledb://u:hidden@h"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="SQLite or PostgreSQL") as error:
        SqlProduct(Product.PROFILE, url, [people()])
    assert not speaks_of(error.value, "hidden")


def test_nothing_to_delete_from(tmp_path: Path) -> None:
    for tables, chunk in (([], 1), ([people()], 0)):
        with pytest.raises(ValueError, match="at least one"):
            SqlProduct(Product.PROFILE, f"sqlite:///{tmp_path / 'x.db'}", tables, chunk=chunk)


@pytest.mark.parametrize(
    ("table", "mapping", "why"),
    [
        ("nobody (name TEXT PRIMARY KEY, id TEXT)", people(), "there is no table people"),
        ("people (name TEXT PRIMARY KEY)", people(), "table people has no column id"),
        ("people (name TEXT PRIMARY KEY, id FLOAT)", people(), "column people.id is neither"),
        ("people (name TEXT PRIMARY KEY, id TEXT, org DATE)", people(org_column="org"), "column people.org is neither"),
    ],
)
def test_a_mapping_that_does_not_fit(store: Store, table: str, mapping: TableMapping, why: str) -> None:
    store.run(f"CREATE TABLE {table}")
    product = store.product(mapping)
    assert [why in misfit for misfit in product.misfits()] == [True]
    for ask in (lambda: product.forget(HERE, WANTED, KEY), lambda: product.remaining(HERE, WANTED), product.unindexed):
        with pytest.raises(ProductUnavailable, match=why) as failure:
            ask()
        assert not speaks_of(failure.value)
    store.run("DROP TABLE IF EXISTS people", "CREATE TABLE people (name TEXT PRIMARY KEY, id TEXT, org TEXT)")
    assert product.forget(HERE, WANTED, KEY) == Done(0), "it is looked at again, once it is mended"


def test_a_key_without_an_index(store: Store) -> None:
    store.run("CREATE TABLE people (name TEXT, id TEXT)")
    assert store.product(people()).misfits() == ["the key of people has no unique index"]
    store.run("CREATE UNIQUE INDEX people_name ON people (name)")
    assert store.product(people()).misfits() == []


def test_indexes_that_serve(tmp_path: Path) -> None:
    world = SqlWorld(f"sqlite:///{tmp_path / 'own.db'}")
    assert world.product.unindexed() == []
    assert world.product.misfits() == []
    world.close()


@pytest.mark.parametrize(
    ("index", "slow"),
    [
        (None, ["people(ns, id)", "people(ds)"]),
        ("people (id)", ["people(ds)"]),
        ("people (ns, id)", ["people(ds)"]),
        ("people (box, org, ns, id, ds)", ["people(ds)"]),
        ("people (name, id)", ["people(ns, id)", "people(ds)"]),
        ("people (ds, id)", ["people(ns, id)"]),
        ("people (org, ds)", ["people(ns, id)"]),
        ("people (lower(id))", ["people(ns, id)", "people(ds)"]),
        ("people (id) WHERE ds IS NULL", ["people(ns, id)", "people(ds)"]),
    ],
)
def test_indexes_that_do_not(store: Store, index: str | None, slow: list[str]) -> None:
    store.run("CREATE TABLE people (name TEXT PRIMARY KEY, org TEXT, box TEXT, ds TEXT, ns INTEGER, id TEXT)")
    if index is not None:
        store.run(f"CREATE INDEX people_index ON {index}")
    mapping = people(
        identities=(IdentityColumns("id", NamespaceColumn("ns")),),
        org_column="org",
        sandbox_column="box",
        dataset_column="ds",
    )
    assert store.product(mapping).unindexed() == slow


def test_rows_that_are_referred_to_are_refused(store: Store) -> None:
    store.run(
        "CREATE TABLE people (name TEXT PRIMARY KEY, id TEXT UNIQUE)",
        "CREATE TABLE orders (name TEXT PRIMARY KEY, id TEXT REFERENCES people (id))",
    )
    for table in ("people", "orders"):
        store.put(table, [{"name": "ann", "id": ANN}])
    answer = store.product(people()).forget(HERE, WANTED, KEY)
    assert isinstance(answer, Refused)
    assert "referred to" in answer.reason
    assert ANN not in answer.reason
    both = store.product(people(name="orders"), people())
    assert both.forget(HERE, WANTED, KEY) == Done(2)


def test_rows_that_a_trigger_keeps_are_no_success(store: Store) -> None:
    store.run("CREATE TABLE people (name TEXT PRIMARY KEY, id TEXT)")
    if store.url.startswith("sqlite"):
        store.run("CREATE TRIGGER keep BEFORE DELETE ON people BEGIN SELECT RAISE(IGNORE); END")
    else:
        store.run(
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "CREATE TRIGGER keep BEFORE DELETE ON people FOR EACH ROW EXECUTE FUNCTION keep()",
        )
    store.put("people", [{"name": "ann", "id": ANN}])
    with pytest.raises(ProductUnavailable, match="people that match are not deleted") as failure:
        store.product(people()).forget(HERE, WANTED, KEY)
    assert not speaks_of(failure.value)


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_bytes(b"ann.secret@example.com is no database" * 100)
    for url in (f"sqlite:///{tmp_path / 'no.db'}", "postgresql://u:hidden.secret@127.0.0.1:1/db"):
        product = SqlProduct(Product.PROFILE, url, mappings(), wait_seconds=2)
        with pytest.raises(ProductUnavailable, match=r"^profile: the database failed: \w+Error") as failure:
            product.forget(HERE, WANTED, KEY)
        assert not speaks_of(failure.value)
        assert "hidden" not in repr(product)
        product.close()


def test_a_rival_that_holds_the_lock(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'own.db'}")
    store.run("CREATE TABLE people (name TEXT PRIMARY KEY, id TEXT)")
    store.put("people", [{"name": "ann", "id": ANN}])
    product = store.product(people(), wait_seconds=0.05)
    with store.engine.connect() as rival:
        rival.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(ProductUnavailable, match="SQLITE_BUSY"):
            product.forget(HERE, WANTED, KEY)
        rival.rollback()
    assert product.forget(HERE, WANTED, KEY) == Done(1)
    store.close()
