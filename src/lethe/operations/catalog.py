"""The catalog: register datasets, look them up, with the expiry of those that have one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lethe.clock import Ids
from lethe.domain.dataset import Dataset, DatasetSchema, DatasetState, PrimaryIdentity, TableReference
from lethe.domain.errors import InvalidField, UnknownDataset, UnknownSchema
from lethe.domain.ids import DatasetId, SchemaId
from lethe.domain.table_place import TablePlace
from lethe.operations.call import Call
from lethe.operations.namespaces import NamespaceRef, namespace_book
from lethe.storage.interface import Transaction

SCHEMA_ID_ROOT = "https://ns.adobe.com/lethe/schemas/"
"""What the `$id` of a schema registered without one begins with."""


@dataclass(frozen=True, slots=True)
class SchemaDraft:
    """A schema given with its dataset. Either a primary identity, or an identity map, or neither."""

    title: str
    primary_identity: PrimaryIdentity | None
    has_identity_map: bool
    properties: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatasetDraft:
    """A dataset to register; `schema` is a new schema, or the id of a known one, or both for a new one by that id."""

    name: str
    description: str
    table: TableReference
    schema_id: SchemaId | None
    schema: SchemaDraft | None
    dataset_id: DatasetId | None = None
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    place: TablePlace | None = None
    """Where the table is, when its location was followed there."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A dataset and the expiry that is set for it."""

    dataset: Dataset
    expiry_at: datetime | None


def register_dataset(tx: Transaction, call: Call, draft: DatasetDraft, *, ids: Ids) -> Dataset:
    """Add a dataset to the sandbox's catalog.

    Raises DatasetExists, TableTaken, UnknownSchema, UnknownNamespace, InvalidField.
    """
    dataset = Dataset(
        dataset_id=draft.dataset_id or DatasetId(ids.hex(24)),
        org_id=call.org_id,
        sandbox_name=call.sandbox_name,
        name=draft.name,
        description=draft.description,
        schema=_schema(tx, call, draft, ids),
        table=draft.table,
        state=DatasetState.ENABLED,
        tags=draft.tags,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.datasets.add(dataset, draft.place)
    tx.audit.append(call.event("dataset.registered", dataset.dataset_id, format=dataset.table.format.value))
    return dataset


def find_dataset(tx: Transaction, call: Call, dataset_id: DatasetId) -> CatalogEntry:
    """One dataset. Raises UnknownDataset."""
    dataset = tx.datasets.find(call.org_id, call.sandbox_name, dataset_id)
    if dataset is None:
        raise UnknownDataset
    return _entries(tx, call, [dataset])[0]


def list_datasets(tx: Transaction, call: Call, start: int, limit: int) -> Sequence[CatalogEntry]:
    """Datasets `start` to `start + limit` of the sandbox, by creation."""
    return _entries(tx, call, tx.datasets.page(call.org_id, call.sandbox_name, start, limit))


def find_schema(tx: Transaction, call: Call, schema_id: SchemaId) -> DatasetSchema:
    """One schema. Raises UnknownSchema."""
    schema = tx.datasets.schema(call.org_id, schema_id)
    if schema is None:
        raise UnknownSchema
    return schema


def _entries(tx: Transaction, call: Call, datasets: Sequence[Dataset]) -> list[CatalogEntry]:
    """The datasets, each with the expiry of its expiration."""
    ids = [dataset.dataset_id for dataset in datasets]
    expiries = tx.expirations.active_expiries(call.org_id, call.sandbox_name, ids)
    return [CatalogEntry(dataset, expiries.get(dataset.dataset_id)) for dataset in datasets]


def _schema(tx: Transaction, call: Call, draft: DatasetDraft, ids: Ids) -> DatasetSchema:
    known = tx.datasets.schema(call.org_id, draft.schema_id) if draft.schema_id else None
    if draft.schema is None:
        if known is None:
            raise UnknownSchema(field="schemaRef.id")
        return known
    primary = draft.schema.primary_identity
    if primary is not None:
        ref = NamespaceRef("schema.primaryIdentity.namespace", primary.namespace_code)
        code = namespace_book(tx, call.org_id).resolve(ref).code
        primary = PrimaryIdentity(primary.path, code)
    schema = DatasetSchema(
        schema_id=draft.schema_id or SchemaId(SCHEMA_ID_ROOT + ids.hex(40)),
        title=draft.schema.title,
        primary_identity=primary,
        has_identity_map=draft.schema.has_identity_map,
        properties=draft.schema.properties,
    )
    if known is not None and known != schema:
        raise InvalidField("a schema of this id is known, and differs from the one given", field="schemaRef.id")
    return schema
