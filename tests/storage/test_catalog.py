"""Datasets, schemas and custom namespaces."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.errors import DatasetExists, NamespaceExists, TableTaken
from lethe.domain.ids import DatasetId, SchemaId
from lethe.domain.namespace import CUSTOM_ID_MIN
from lethe.domain.table_place import place_of
from lethe.storage.interface import Store
from support.processes import at_once, register_table
from support.values import DEV, HANDLE, LOYALTY, NOON, ORG, OTHER_ORG, PROD, a_dataset, a_schema


def test_a_dataset_comes_back_as_it_was_registered(store: Store) -> None:
    first = a_dataset("ds-1", tags={"a": ("1", "2"), "b": ()})
    second = a_dataset("ds-2", schema=a_schema("https://ns.example.com/schemas/2", None))
    with store.write() as transaction:
        transaction.datasets.add(first)
        transaction.datasets.add(second)
    with store.read() as transaction:
        assert transaction.datasets.find(ORG, PROD, first.dataset_id) == first
        assert transaction.datasets.find(ORG, PROD, second.dataset_id) == second
        assert transaction.datasets.schema(ORG, second.schema.schema_id) == second.schema
        assert transaction.datasets.find(ORG, DEV, first.dataset_id) is None
        assert transaction.datasets.find(OTHER_ORG, PROD, first.dataset_id) is None
        assert transaction.datasets.find(ORG, PROD, DatasetId("ds\0")) is None
        assert transaction.datasets.schema(ORG, SchemaId("\ud800")) is None


def test_a_dataset_is_registered_once(store: Store) -> None:
    with store.write() as transaction:
        transaction.datasets.add(a_dataset("ds-1"))
        with pytest.raises(DatasetExists):
            transaction.datasets.add(a_dataset("ds-1", "Other"))
        transaction.datasets.add(a_dataset("ds-2"))  # the refusal left the transaction usable
    with store.read() as transaction:
        assert [dataset.name for dataset in transaction.datasets.all(ORG, PROD)] == ["Events", "Events"]


def test_a_known_schema_stays_as_it_is(store: Store) -> None:
    schema = a_schema()
    with store.write() as transaction:
        transaction.datasets.add(a_dataset("ds-1", schema=schema))
        transaction.datasets.add(a_dataset("ds-2", schema=replace(schema, title="Other")))
    with store.read() as transaction:
        assert transaction.datasets.schema(ORG, schema.schema_id) == schema


def test_what_was_destroyed_stays_destroyed(store: Store) -> None:
    with store.write() as transaction:
        transaction.datasets.add(a_dataset("ds-1"))
        transaction.datasets.remove(ORG, PROD, DatasetId("ds-1"))
        transaction.datasets.mark_deleting(ORG, PROD, DatasetId("ds-1"))
        assert transaction.datasets.find(ORG, PROD, DatasetId("ds-1")) is None
        transaction.datasets.enable(ORG, PROD, DatasetId("ds-1"))
        assert transaction.datasets.find(ORG, PROD, DatasetId("ds-1")) is None


def test_datasets_are_listed_by_name_and_paged_by_creation(store: Store) -> None:
    datasets = [
        a_dataset(f"ds-{number}", name, created_at=NOON + timedelta(days=days))
        for number, (name, days) in enumerate([("b", 3), ("a", 2), ("B", 1), ("ä", 0)])
    ]
    with store.write() as transaction:
        for dataset in datasets:
            transaction.datasets.add(dataset)
    with store.read() as transaction:
        assert [dataset.name for dataset in transaction.datasets.all(ORG, PROD)] == ["B", "a", "b", "ä"]
        pages = [transaction.datasets.page(ORG, PROD, start, 2) for start in (0, 2, 4)]
    assert [[dataset.name for dataset in page] for page in pages] == [["ä", "B"], ["a", "b"], []]


@pytest.mark.parametrize(
    ("location", "identifier", "taken"),
    [
        ("/lake/a/b", None, True),
        ("/lake/a/b/c/", None, True),
        ("/lake", None, True),
        ("/lake/a_b", None, False),
        ("/lake/a/bb", None, False),
        ("/lake/a/%", None, False),
        ("s3://lake/a/b", None, False),
        (None, "db.T", True),
        (None, "db.t.u", True),
        (None, "db.tt", False),
    ],
)
def test_a_table_is_in_one_dataset_of_the_whole_installation(
    store: Store, location: str | None, identifier: str | None, taken: bool
) -> None:
    first = replace(a_dataset("ds-1"), table=TableReference(TableFormat.ICEBERG, "/lake/a/b", "main", "db.t"))
    catalog = None if identifier is None else "main"
    table = TableReference(TableFormat.ICEBERG, location, catalog, identifier)
    second = replace(a_dataset("ds-2"), org_id=OTHER_ORG, sandbox_name=DEV, table=table)
    assert place_of(first.table).meets(place_of(table)) is taken, "the rule and the query disagree"
    with store.write() as transaction:
        transaction.datasets.add(first)
    with nullcontext() if not taken else pytest.raises(TableTaken) as refusal, store.write() as transaction:
        transaction.datasets.add(second)
    with store.read() as transaction:
        found = transaction.datasets.find(OTHER_ORG, DEV, second.dataset_id)
    assert (found is None) is taken
    if refusal is not None:
        assert "ds-1" not in str(refusal.value)
        assert ORG not in str(refusal.value)
    with store.write() as transaction:
        transaction.datasets.remove(ORG, PROD, first.dataset_id)
        if taken:
            transaction.datasets.add(second)  # what was destroyed has no table any more


def test_a_dataset_that_is_known_is_known_before_its_table_is_taken(store: Store) -> None:
    with store.write() as transaction:
        transaction.datasets.add(a_dataset("ds-1"))
        with pytest.raises(DatasetExists):
            transaction.datasets.add(a_dataset("ds-1"))


def test_a_followed_link_counts_where_it_leads(store: Store) -> None:
    linked = replace(a_dataset("ds-2"), table=TableReference(TableFormat.PARQUET, "/link"))
    with store.write() as transaction:
        transaction.datasets.add(replace(a_dataset("ds-1"), table=TableReference(TableFormat.PARQUET, "/lake/a")))
        with pytest.raises(TableTaken):
            transaction.datasets.add(linked, place_of(linked.table, lambda _: "/lake/a"))


def test_of_processes_that_register_one_table_at_once_one_does(store: Store, store_url: str) -> None:
    tables = ["/lake/a", "/lake/a/b", "/lake", "/lake/a/b/c"] * 2
    registered = at_once(register_table, [(store_url, f"ds-{number}", path) for number, path in enumerate(tables)])
    assert registered.count(True) == 1
    with store.read() as transaction:
        assert len(transaction.datasets.all(ORG, PROD)) == 1


def test_namespaces_are_numbered_and_their_codes_unique_whatever_their_case(store: Store) -> None:
    with store.write() as transaction:
        assert transaction.namespaces.next_id(ORG) == CUSTOM_ID_MIN
        transaction.namespaces.add(ORG, HANDLE)
        transaction.namespaces.add(ORG, LOYALTY)
        transaction.namespaces.add(OTHER_ORG, LOYALTY)
        with pytest.raises(NamespaceExists):
            transaction.namespaces.add(ORG, replace(LOYALTY, code="LOYALTY", id=transaction.namespaces.next_id(ORG)))
        assert transaction.namespaces.next_id(ORG) == HANDLE.id + 1
    with store.read() as transaction:
        assert transaction.namespaces.all(ORG) == [LOYALTY, HANDLE]
        assert transaction.namespaces.all(OTHER_ORG) == [LOYALTY]
