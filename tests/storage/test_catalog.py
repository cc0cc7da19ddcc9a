"""Datasets, schemas and custom namespaces."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lethe.domain.errors import DatasetExists, NamespaceExists
from lethe.domain.ids import DatasetId, SchemaId
from lethe.domain.namespace import CUSTOM_ID_MIN
from lethe.storage.interface import Store
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
