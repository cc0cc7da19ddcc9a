"""What a customer's columns may be: other types, other comparisons, NULL, namespaces that stand nowhere."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from lethe.domain.identity import Identities
from lethe.domain.ids import OrgId, SandboxName
from lethe.products.interface import Done, Space
from lethe.products.sql.mapping import FixedNamespace, IdentityColumns, NamespaceColumn, NamespaceForm
from products.own_store import Store, people
from products.suite import HERE, KEY
from support.postgres import Postgres
from support.values import EMAIL, HANDLE, LOYALTY, ORG, OTHER_ORG, PROD

ANN = "ann.secret@example.com"


def test_a_table_of_one_namespace(store: Store) -> None:
    store.run("CREATE TABLE people (name TEXT PRIMARY KEY, id VARCHAR(100))")
    store.put("people", [{"name": "ann", "id": ANN}, {"name": "bob", "id": "bob"}, {"name": "nobody", "id": None}])
    product = store.product(people())
    assert product.forget(HERE, Identities({LOYALTY: (ANN,)}), KEY) == Done(0)
    assert product.forget(HERE, Identities({LOYALTY: ("bob",), EMAIL: (ANN,)}), KEY) == Done(1)
    assert store.names() == ["bob", "nobody"]
    assert product.remaining_of_dataset(HERE, "events") is None  # type: ignore[arg-type]


def test_null_never_matches(store: Store) -> None:
    store.run("CREATE TABLE people (name TEXT PRIMARY KEY, org TEXT, box TEXT, ds TEXT, ns INTEGER, id TEXT)")
    whole = {"name": "whole", "org": ORG, "box": PROD, "ds": "events", "ns": EMAIL.id, "id": ANN}
    holed = [whole | {"name": f"no {column}", column: None} for column in ("org", "box", "ns", "id")]
    store.put("people", [whole, *holed, whole | {"name": "no ds", "ds": None, "id": "else"}])
    identity = IdentityColumns("id", NamespaceColumn("ns"))
    product = store.product(people(identities=(identity,), org_column="org", sandbox_column="box", dataset_column="ds"))
    for text in ("", "None", "NULL", "null"):
        assert product.forget(HERE, Identities({EMAIL: (text,)}), KEY) == Done(0)
        assert product.forget_dataset(HERE, text, KEY) == Done(0)  # type: ignore[arg-type]
    assert product.forget(HERE, Identities({EMAIL: (ANN,)}), KEY) == Done(1)
    assert product.remaining(HERE, Identities({EMAIL: (ANN,)})) == 0
    assert store.names() == ["no box", "no ds", "no id", "no ns", "no org"]
    assert product.forget_dataset(HERE, "events", KEY) == Done(2)  # type: ignore[arg-type]
    assert store.names() == ["no box", "no ds", "no org"]


@pytest.mark.parametrize("column", ["SMALLINT", "INTEGER", "BIGINT"])
def test_ids_in_an_integer_column(store: Store, column: str) -> None:
    store.run(f"CREATE TABLE people (name TEXT PRIMARY KEY, id {column})")
    store.put("people", [{"name": f"number {n}", "id": n} for n in (-7, 0, 7, 8, 70)])
    product = store.product(people())
    others = ("007", "+8", " 8", "8 ", "8.0", "8e0", "٨", "-0", "", "x", "9" * 30, str(2**40), str(2**63))
    assert product.forget(HERE, Identities({EMAIL: others}), KEY) == Done(0)
    assert product.remaining(HERE, Identities({EMAIL: others})) == 0
    wanted = Identities({EMAIL: ("7", "-7", *others)})
    assert product.remaining(HERE, wanted) == 2
    assert product.forget(HERE, wanted, KEY) == Done(2)
    assert store.names() == ["number 0", "number 70", "number 8"]


def test_ids_in_a_uuid_column(postgres_store: Store) -> None:
    postgres_store.run("CREATE TABLE people (name TEXT PRIMARY KEY, id UUID)")
    rows = [{"name": f"person {n}", "id": UUID(int=0xABC << 100 | n)} for n in range(4)]
    postgres_store.put("people", rows)
    wanted = Identities({EMAIL: (str(rows[0]["id"]), str(rows[1]["id"]).upper(), rows[2]["id"].hex, "x")})  # type: ignore[attr-defined]
    product = postgres_store.product(people())
    assert product.remaining(HERE, wanted) == 2
    assert product.forget(HERE, wanted, KEY) == Done(2)
    assert postgres_store.names() == ["person 2", "person 3"]


def test_numbers_of_namespaces_in_a_text_column(store: Store) -> None:
    store.run("CREATE TABLE people (name TEXT PRIMARY KEY, ns VARCHAR(20), id TEXT)")
    store.put("people", [{"name": f"in {ns}", "ns": ns, "id": ANN} for ns in ("6", "06", "Email", "66", "411")])
    product = store.product(people(identities=(IdentityColumns("id", NamespaceColumn("ns")),)))
    assert product.remaining(HERE, Identities({EMAIL: (ANN,)})) == 1
    assert product.forget(HERE, Identities({EMAIL: (ANN,)}), KEY) == Done(1)
    assert store.names() == ["in 06", "in 411", "in 66", "in Email"]


def test_a_table_of_one_org(store: Store) -> None:
    store.run("CREATE TABLE people (name TEXT PRIMARY KEY, id TEXT)")
    store.put("people", [{"name": "ann", "id": ANN}])
    product = store.product(people(org_id=ORG, sandbox_name=PROD))
    ann = Identities({EMAIL: (ANN,)})
    for elsewhere in (Space(OTHER_ORG, PROD), Space(ORG, SandboxName("dev")), Space(OrgId(""), SandboxName(""))):
        assert product.forget(elsewhere, ann, KEY) == Done(0)
        assert product.remaining(elsewhere, ann) == 0
    assert product.forget(HERE, ann, KEY) == Done(1)


def test_a_column_that_pads_with_blanks(postgres_store: Store) -> None:
    postgres_store.run("CREATE TABLE people (name TEXT PRIMARY KEY, id CHAR(10))")
    postgres_store.put("people", [{"name": "ann", "id": "ann"}, {"name": "anna", "id": "anna"}])
    product = postgres_store.product(people())
    assert product.forget(HERE, Identities({EMAIL: ("ann", "x")}), KEY) == Done(1)
    assert postgres_store.names() == ["anna"]


@pytest.mark.parametrize("form", list(NamespaceForm))
def test_folding_is_unicodes(store: Store, form: NamespaceForm) -> None:
    """Neither database folds like this by itself: ß, final sigma, dotted and dotless i, ligatures."""
    kind = "TEXT" if form is NamespaceForm.CODE else "INTEGER"
    store.run(f"CREATE TABLE people (name TEXT PRIMARY KEY, ns {kind}, id TEXT)")
    namespace = HANDLE.code.upper() if form is NamespaceForm.CODE else HANDLE.id
    same = ["STRASSE", "strasse", "Straße", "ΣΊΣΥΦΟΣ", "σίσυφος", "σίσυφοσ", "ﬁsh", "FISH"]
    other = ["Strasze", "Strase", "sisyphos", "f ish", "i", "ı", "İ"]  # noqa: RUF001
    store.put("people", [{"name": name, "ns": namespace, "id": name} for name in (*same, *other)])
    product = store.product(people(identities=(IdentityColumns("id", NamespaceColumn("ns", form)),)), chunk=2)
    wanted = Identities({HANDLE: ("straße", "Σίσυφος", "Fish")})
    assert product.remaining(HERE, wanted) == len(same)
    assert product.forget(HERE, wanted, KEY) == Done(len(same))
    assert product.remaining(HERE, wanted) == 0
    assert set(store.names()) == set(other)


def test_many_rows_of_one_person_go_in_chunks(store: Store) -> None:
    store.run("CREATE TABLE people (name TEXT, part INTEGER, id TEXT, PRIMARY KEY (name, part))")
    with store.engine.begin() as connection:
        rows = [{"part": n, "id": ANN if n % 10 else "else"} for n in range(1_000)]
        connection.execute(sa.text("INSERT INTO people VALUES ('row', :part, :id)"), rows)
    beats: list[int] = []

    def beat() -> None:
        with store.engine.connect() as connection:
            beats.append(connection.execute(sa.text("SELECT count(*) FROM people")).scalar_one())

    product = store.product(people(key=("name", "part")), chunk=100)
    assert product.forget(HERE, Identities({EMAIL: (ANN,)}), KEY, beat=beat) == Done(900)
    assert beats[:9] == [900, 800, 700, 600, 500, 400, 300, 200, 100]
    assert store.names() == ["row"] * 100


def test_a_key_that_is_not_unique_deletes_nobody_else(store: Store) -> None:
    store.run("CREATE TABLE people (name TEXT, part TEXT, id TEXT)")
    store.put("people", [{"name": f"{n:02}", "part": "same", "id": ANN if n % 2 else "else"} for n in range(20)])
    store.put("people", [{"name": "no part", "part": None, "id": ANN}])
    product = store.product(people(key=("part",)), chunk=3)
    assert product.forget(HERE, Identities({EMAIL: (ANN,)}), KEY) == Done(11)
    assert store.names() == [f"{n:02}" for n in range(0, 20, 2)]


def test_a_store_in_another_schema(postgres_store: Store, postgres: Postgres) -> None:
    postgres_store.run(
        'CREATE SCHEMA "Crm"',
        'CREATE TABLE "Crm"."100% People" (name TEXT PRIMARY KEY, "the id" TEXT)',
    )
    postgres_store.run('INSERT INTO "Crm"."100% People" VALUES (:n, :n)', n=ANN)
    product = postgres_store.product(
        people(name="Crm.100% People", identities=(IdentityColumns("the id", FixedNamespace("Email")),))
    )
    assert product.misfits() == []
    assert product.unindexed() == ["Crm.100% People(the id)"]
    assert product.forget(HERE, Identities({EMAIL: (ANN, "x")}), KEY) == Done(1)
