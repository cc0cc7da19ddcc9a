"""The catalog's datasets and their schemas."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from lethe.domain.dataset import (
    Dataset,
    DatasetSchema,
    DatasetState,
    PrimaryIdentity,
    TableFormat,
    TableReference,
)
from lethe.domain.errors import DatasetExists, TableTaken
from lethe.domain.ids import DatasetId, OrgId, SandboxName, SchemaId
from lethe.domain.table_place import TablePlace, place_of
from lethe.storage.folding import storable
from lethe.storage.schema import datasets, schemas
from lethe.storage.session import Row, Session

_STORED: Final = sa.select(
    datasets, schemas.c.title, schemas.c.primary_identity, schemas.c.has_identity_map, schemas.c.properties
).join(schemas)


class SqlDatasets:
    """Implements `work_interface.WorkableDatasets`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, dataset: Dataset, place: TablePlace | None = None) -> None:
        """Register a dataset, and its schema unless known. Raises DatasetExists, TableTaken, InvalidField."""
        place = place or place_of(dataset.table)
        # Two that register at once wait for each other: which tables there are must still hold when it is done.
        self._session.lock("dataset places")
        if self._session.value(_others_that_meet(place, dataset).limit(1)) is not None:
            raise TableTaken(field="table")
        schema = self._session.insert(schemas).values(org_id=dataset.org_id, **_schema_values(dataset.schema))
        self._session.run(schema.on_conflict_do_nothing())
        added = self._session.insert(datasets).values(
            org_id=dataset.org_id,
            sandbox_name=dataset.sandbox_name,
            dataset_id=dataset.dataset_id,
            name=dataset.name,
            schema_id=dataset.schema.schema_id,
            format=dataset.table.format,
            location=dataset.table.location,
            catalog=dataset.table.catalog,
            identifier=dataset.table.identifier,
            place_root=place.root,
            place_name=place.name,
            created_at=dataset.created_at,
            updated_at=dataset.updated_at,
            description=dataset.description,
            state=dataset.state,
            classification=dataset.classification,
            tags={name: list(values) for name, values in dataset.tags.items()},
        )
        if self._session.run(added.on_conflict_do_nothing()) == 0:
            raise DatasetExists(datasetId=dataset.dataset_id)

    def mark_deleting(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> None:
        """Say that the dataset is being destroyed. One that was destroyed before stays so."""
        self._turn(org_id, sandbox_name, dataset_id, DatasetState.DELETING)

    def enable(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> None:
        """Say that the dataset stays after all. One that was destroyed does not come back."""
        self._turn(org_id, sandbox_name, dataset_id, DatasetState.ENABLED)

    def remove(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> None:
        """Take a destroyed dataset out of the catalog. Its id stays taken, so that no settings file brings it back."""
        self._turn(org_id, sandbox_name, dataset_id, DatasetState.DELETED)

    def _turn(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId, state: DatasetState) -> None:
        """Change the state of a dataset that is still in the catalog.

        The place of a destroyed table may be somebody else's by now: whoever woke the dataset would destroy that.
        """
        update = datasets.update().where(*_named(org_id, sandbox_name, dataset_id))
        update = update.where(datasets.c.state != DatasetState.DELETED)
        self._session.run(update.values(state=state, updated_at=self._session.now))

    def find(self, org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> Dataset | None:
        """The dataset."""
        if not storable(dataset_id):
            return None
        row = self._session.row(_in(org_id, sandbox_name).where(datasets.c.dataset_id == dataset_id))
        return None if row is None else _dataset(row)

    def all(self, org_id: OrgId, sandbox_name: SandboxName) -> Sequence[Dataset]:
        """Every dataset of the sandbox, by name."""
        query = _in(org_id, sandbox_name).order_by(datasets.c.name, datasets.c.dataset_id)
        return [_dataset(row) for row in self._session.rows(query)]

    def page(self, org_id: OrgId, sandbox_name: SandboxName, start: int, limit: int) -> Sequence[Dataset]:
        """Datasets `start` to `start + limit`, by creation."""
        query = _in(org_id, sandbox_name).order_by(datasets.c.created_at, datasets.c.dataset_id)
        return [_dataset(row) for row in self._session.rows(query.offset(start).limit(limit))]

    def schema(self, org_id: OrgId, schema_id: SchemaId) -> DatasetSchema | None:
        """A schema by its `$id`."""
        if not storable(schema_id):
            return None
        query = sa.select(schemas).where(schemas.c.org_id == org_id, schemas.c.schema_id == schema_id)
        row = self._session.row(query)
        return None if row is None else _schema(row)


def _in(org_id: OrgId, sandbox_name: SandboxName) -> sa.Select[Any]:
    return _STORED.where(
        datasets.c.org_id == org_id,
        datasets.c.sandbox_name == sandbox_name,
        datasets.c.state != DatasetState.DELETED,
    )


def _others_that_meet(place: TablePlace, dataset: Dataset) -> sa.Select[Any]:
    """The other datasets of the installation, whosever they are, whose table is, contains or lies inside this place.

    A destroyed one has no table any more.
    """
    meeting = [
        sa.or_(sa.func.substr(column, 1, len(key)) == key, sa.func.substr(key, 1, sa.func.length(column)) == column)
        for column, key in ((datasets.c.place_root, place.root), (datasets.c.place_name, place.name))
        if key is not None
    ]
    itself = sa.and_(*_named(dataset.org_id, dataset.sandbox_name, dataset.dataset_id))
    query = sa.select(datasets.c.dataset_id)
    return query.where(datasets.c.state != DatasetState.DELETED, ~itself, sa.or_(sa.false(), *meeting))


def _schema_values(schema: DatasetSchema) -> Mapping[str, Any]:
    primary = schema.primary_identity
    return {
        "schema_id": schema.schema_id,
        "title": schema.title,
        "primary_identity": None if primary is None else [list(primary.path), primary.namespace_code],
        "has_identity_map": schema.has_identity_map,
        "properties": dict(schema.properties),
    }


def _schema(row: Row) -> DatasetSchema:
    primary = None
    if row["primary_identity"] is not None:
        path, namespace_code = row["primary_identity"]
        primary = PrimaryIdentity(tuple(path), namespace_code)
    return DatasetSchema(SchemaId(row["schema_id"]), row["title"], primary, row["has_identity_map"], row["properties"])


def _dataset(row: Row) -> Dataset:
    return Dataset(
        dataset_id=DatasetId(row["dataset_id"]),
        org_id=OrgId(row["org_id"]),
        sandbox_name=SandboxName(row["sandbox_name"]),
        name=row["name"],
        schema=_schema(row),
        table=TableReference(TableFormat(row["format"]), row["location"], row["catalog"], row["identifier"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        description=row["description"],
        state=DatasetState(row["state"]),
        classification=row["classification"],
        tags={name: tuple(values) for name, values in row["tags"].items()},
    )


def _named(org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> tuple[sa.ColumnElement[bool], ...]:
    column = datasets.c
    return column.org_id == org_id, column.sandbox_name == sandbox_name, column.dataset_id == dataset_id
