"""Which identities can match rows of which dataset: refused when named, passed by under `ALL`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.domain.dataset import Dataset, DatasetSchema, PrimaryIdentity, require_fit, why_skipped
from lethe.domain.errors import DatasetHasNoIdentity, NamespaceDoesNotFit, Refusal
from lethe.domain.ids import SchemaId
from lethe.domain.namespace import STANDARD, Namespace
from support.properties import quickly
from support.values import EMAIL, HANDLE, LOYALTY, a_dataset

NAMESPACES = [*STANDARD, LOYALTY, HANDLE]


def dataset(primary: str | None, *, identity_map: bool = False) -> Dataset:
    identity = None if primary is None else PrimaryIdentity(("person", "id"), primary)
    return a_dataset(schema=DatasetSchema(SchemaId("https://ns.example.com/1"), "Events", identity, identity_map))


@quickly
@given(
    st.none() | st.sampled_from(NAMESPACES),
    st.booleans(),
    st.lists(st.sampled_from(NAMESPACES), min_size=1, unique_by=lambda namespace: namespace.id),
)
def test_a_named_dataset_fits_exactly_when_its_rows_can_match_every_namespace(
    primary: Namespace | None, identity_map: bool, namespaces: list[Namespace]
) -> None:
    one = dataset(None if primary is None else primary.code.upper(), identity_map=identity_map)
    if primary is None:
        fits, matches = identity_map, identity_map
    else:
        fits, matches = namespaces == [primary], primary in namespaces
    assert (refusal_of(one, namespaces) is None) == fits
    assert (why_skipped(one, namespaces) is None) == matches


def test_a_dataset_without_any_identity() -> None:
    one = dataset(None)
    refused = refusal_of(one, [EMAIL])
    assert isinstance(refused, DatasetHasNoIdentity)
    assert refused.detail == "datasetId: dataset ds-1 has neither a primary identity nor an identity map"
    assert refused.context == {"datasetId": "ds-1"}
    assert why_skipped(one, [EMAIL]) == "it has neither a primary identity nor an identity map"


def test_a_namespace_that_does_not_fit() -> None:
    one = dataset("ECID", identity_map=True)
    refused = refusal_of(one, [EMAIL])
    assert isinstance(refused, NamespaceDoesNotFit)
    assert refused.detail == "namespace: the primary identity of dataset ds-1 is in namespace ECID, not Email"
    assert why_skipped(one, [EMAIL]) == "its primary identity is in namespace ECID, which the order does not hold"


def refusal_of(one: Dataset, namespaces: list[Namespace]) -> Refusal | None:
    try:
        require_fit(one, namespaces)
    except (DatasetHasNoIdentity, NamespaceDoesNotFit) as refused:
        return refused
    return None


def test_the_standard_namespaces_have_the_published_numbers() -> None:
    assert {namespace.code: namespace.id for namespace in STANDARD} == {
        "CORE": 0, "ECID": 4, "Email": 6, "Phone": 7, "WAID": 8, "TNTID": 9, "AdCloud": 411, "GAID": 20914,
        "IDFA": 20915,
    }  # fmt: skip
    with pytest.raises(AttributeError):
        EMAIL.code = "Post"  # type: ignore[misc]
