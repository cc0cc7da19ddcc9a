"""Datasets and their schemas, and which identities can match rows of which dataset."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from lethe.domain.errors import DatasetHasNoIdentity, NamespaceDoesNotFit
from lethe.domain.ids import DatasetId, OrgId, SandboxName, SchemaId
from lethe.domain.namespace import Namespace


class TableFormat(StrEnum):
    """How the dataset's rows are stored."""

    ICEBERG = "iceberg"
    DELTA = "delta"
    PARQUET = "parquet"
    NDJSON = "ndjson"


class DatasetState(StrEnum):
    """`DRAFT` and `ENABLED` are the catalog's; destroying it makes it `DELETING`, then `DELETED`, which nobody sees."""

    DRAFT = "DRAFT"
    ENABLED = "ENABLED"
    DELETING = "DELETING"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class PrimaryIdentity:
    """The field whose value names the person of a row."""

    path: tuple[str, ...]
    """Field names from the root; one entry may itself contain dots."""
    namespace_code: str


@dataclass(frozen=True, slots=True)
class DatasetSchema:
    """What the rows look like, as far as deleting needs to know."""

    schema_id: SchemaId
    title: str
    primary_identity: PrimaryIdentity | None
    has_identity_map: bool
    properties: Mapping[str, Any] = field(default_factory=dict)
    """JSON-schema properties for the schema registry's answer; no rule reads them."""


@dataclass(frozen=True, slots=True)
class TableReference:
    """Where the rows are: a location, or a name in a table catalog, or both."""

    format: TableFormat
    location: str | None = None
    """A path or URL of the table's root."""
    catalog: str | None = None
    """The name of a catalog from the settings."""
    identifier: str | None = None
    """The table's name in that catalog, such as `db.events`."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset of the catalog."""

    dataset_id: DatasetId
    org_id: OrgId
    sandbox_name: SandboxName
    name: str
    schema: DatasetSchema
    table: TableReference
    created_at: datetime
    updated_at: datetime
    description: str = ""
    state: DatasetState = DatasetState.ENABLED
    classification: str = "Dataset Type"
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)


def require_fit(
    dataset: Dataset, namespaces: Collection[Namespace], fields: Mapping[Namespace, str] = MappingProxyType({})
) -> None:
    """Refuse a record delete that names this dataset but could never match a row of it.

    A primary identity admits its own namespace alone; an identity map admits any. `fields` says where the request
    names each namespace.
    Raises DatasetHasNoIdentity, NamespaceDoesNotFit (contract, Record deletes, `datasetId`).
    """
    primary = dataset.schema.primary_identity
    if primary is None:
        if not dataset.schema.has_identity_map:
            raise DatasetHasNoIdentity(
                f"dataset {dataset.dataset_id} has neither a primary identity nor an identity map",
                field="datasetId",
                datasetId=dataset.dataset_id,
            )
        return
    wanted = primary.namespace_code.casefold()
    for namespace in namespaces:
        if namespace.folded_code != wanted:
            raise NamespaceDoesNotFit(
                f"the primary identity of dataset {dataset.dataset_id} is in namespace {primary.namespace_code}, "
                f"not {namespace.code}",
                field=fields.get(namespace, "namespace"),
                datasetId=dataset.dataset_id,
            )


def why_skipped(dataset: Dataset, namespaces: Collection[Namespace]) -> str | None:
    """Why an order over `ALL` passes this dataset by, or None when rows of it may match."""
    primary = dataset.schema.primary_identity
    if primary is not None:
        if any(namespace.folded_code == primary.namespace_code.casefold() for namespace in namespaces):
            return None
        return f"its primary identity is in namespace {primary.namespace_code}, which the order does not hold"
    if dataset.schema.has_identity_map:
        return None
    return "it has neither a primary identity nor an identity map"
