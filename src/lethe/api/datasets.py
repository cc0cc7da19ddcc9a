"""The catalog's data sets."""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response

from lethe.api.answers import IdempotencyKey, call_of, write_once
from lethe.api.bodies import JsonBytes, body_of
from lethe.api.gate import SandboxUse, services_of
from lethe.api.resource import Resource
from lethe.contract import error_codes as codes
from lethe.contract.datasets import (
    EXPIRY_TAG,
    ClassificationOut,
    DatasetCreate,
    DatasetCreated,
    DatasetOut,
    DatasetsOut,
    DatasetsQuery,
    SchemaRef,
    TableOut,
)
from lethe.domain.caller import Permission
from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import DatasetId, SchemaId
from lethe.domain.table_place import place_of
from lethe.operations.call import Call
from lethe.operations.catalog import (
    CatalogEntry,
    DatasetDraft,
    SchemaDraft,
    find_dataset,
    list_datasets,
    register_dataset,
)
from lethe.storage.interface import Transaction

datasets = Resource("/data/foundation/catalog/dataSets", "Data sets")

_ENABLED = {"unifiedIdentity": ["enabled:true"], "unifiedProfile": ["enabled:true"]}


@datasets.route(
    "GET",
    "",
    permission=Permission.VIEW,
    sandbox_use=SandboxUse.OPTIONAL,
    answer=DatasetsOut,
    errors=[codes.INVALID_PARAMETER],
)
def list_data_sets(request: Request, query: Annotated[DatasetsQuery, Query()]) -> Response:
    """List data sets, keyed by their ids."""
    call = call_of(request)
    only = None if query.properties is None else frozenset(query.properties.split(","))
    with services_of(request).store.read() as tx:
        entries = list_datasets(tx, call, query.start, query.limit)
    return _answer(entries, call, only)


@datasets.route(
    "GET",
    "/{dataset_id}",
    permission=Permission.VIEW,
    sandbox_use=SandboxUse.OPTIONAL,
    answer=DatasetsOut,
    errors=[codes.DATASET_UNKNOWN, codes.INVALID_PARAMETER],
)
def get_data_set(request: Request, dataset_id: Annotated[str, Path(max_length=255)]) -> Response:
    """Look one data set up; it is keyed by its id."""
    call = call_of(request)
    with services_of(request).store.read() as tx:
        entry = find_dataset(tx, call, DatasetId(dataset_id))
    return _answer([entry], call, None)


@datasets.route(
    "POST",
    "",
    permission=Permission.ADMINISTER,
    sandbox_use=SandboxUse.OPTIONAL,
    answer=DatasetCreated,
    status=201,
    body=DatasetCreate,
    idempotent=True,
    errors=[codes.DATASET_EXISTS, codes.TABLE_TAKEN, codes.SCHEMA_UNKNOWN, codes.NAMESPACE_UNKNOWN],
)
def create_data_set(
    request: Request,
    body: JsonBytes,
    asked: Annotated[DatasetCreate, Depends(body_of(DatasetCreate))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Register a data set: its name, its schema with the identity of its rows, and where the rows are."""
    services, call = services_of(request), call_of(request)
    draft = _draft_of(asked, services.real_path)

    def act(tx: Transaction) -> tuple[int, DatasetCreated]:
        return 201, DatasetCreated([f"@/dataSets/{register_dataset(tx, call, draft, ids=services.ids).dataset_id}"])

    return write_once(request, idempotency_key, body, act)


def _answer(entries: Sequence[CatalogEntry], call: Call, only: frozenset[str] | None) -> Response:
    rendered = DatasetsOut({entry.dataset.dataset_id: _dataset_out(entry, call, only) for entry in entries})
    return Response(rendered.to_json(), media_type="application/json")


def _dataset_out(entry: CatalogEntry, call: Call, only: frozenset[str] | None) -> DatasetOut:
    dataset = entry.dataset
    has_identity = dataset.schema.primary_identity is not None or dataset.schema.has_identity_map
    tags = (_ENABLED if has_identity else {}) | {name: list(values) for name, values in dataset.tags.items()}
    if entry.expiry_at is not None:
        tags[EXPIRY_TAG] = [str(_millis(entry.expiry_at.timestamp()))]
    whole = DatasetOut(
        name=dataset.name,
        description=dataset.description,
        tags=tags,
        schema_ref=SchemaRef(id=dataset.schema.schema_id),
        classification=ClassificationOut(data_behavior="record", managed_by="CUSTOMER"),
        state=dataset.state.value,
        ims_org=dataset.org_id,
        sandbox_id=call.sandbox.sandbox_id,
        created=_millis(dataset.created_at.timestamp()),
        updated=_millis(dataset.updated_at.timestamp()),
        table=TableOut(
            format=dataset.table.format.value,
            location=dataset.table.location,
            catalog=dataset.table.catalog,
            identifier=dataset.table.identifier,
        ),
    )
    if only is None:
        return whole
    fields = type(whole).model_fields
    hidden = {name: None for name, field in fields.items() if (field.alias or name) not in only}
    return whole.model_copy(update=hidden)


def _draft_of(asked: DatasetCreate, real_path: Callable[[str], str]) -> DatasetDraft:
    schema = None
    if asked.schema_ is not None:
        primary = asked.schema_.primary_identity
        schema = SchemaDraft(
            title=asked.schema_.title or asked.name,
            primary_identity=None if primary is None else PrimaryIdentity(tuple(primary.path), primary.namespace),
            has_identity_map=asked.schema_.identity_map,
            properties=asked.schema_.properties,
        )
    table = TableReference(
        TableFormat(asked.table.format), asked.table.location, asked.table.catalog, asked.table.identifier
    )
    return DatasetDraft(
        name=asked.name,
        description=asked.description,
        table=table,
        schema_id=None if asked.schema_ref is None else SchemaId(asked.schema_ref.id),
        schema=schema,
        dataset_id=None if asked.id is None else DatasetId(asked.id),
        tags=asked.tags,
        place=place_of(table, real_path),
    )


def _millis(seconds: float) -> int:
    return round(seconds * 1000)
