"""The datasets of the settings, registered at start."""

import os
from contextlib import suppress

from lethe.catalog.interface import Organizations
from lethe.clock import Ids
from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.errors import DatasetExists, Refusal
from lethe.domain.ids import DatasetId, OrgId, SandboxName, SchemaId
from lethe.domain.table_place import place_of
from lethe.operations.catalog import DatasetDraft, SchemaDraft, register_dataset
from lethe.operations.own_call import own_call
from lethe.settings import DatasetSettings
from lethe.storage.interface import Store


class DatasetUnfit(ValueError):
    """A dataset of the settings cannot be registered."""


def register_datasets(
    store: Store, organizations: Organizations, datasets: tuple[DatasetSettings, ...], ids: Ids
) -> None:
    """Register the datasets of the settings that were never registered; one that was destroyed does not come back.

    Raises DatasetUnfit.
    """
    for dataset in datasets:
        org = organizations.find(OrgId(dataset.org))
        sandbox = org.sandbox(SandboxName(dataset.sandbox)) if org else None
        if org is None or sandbox is None:
            raise DatasetUnfit(f"datasets: {dataset.id} is in a sandbox that is not configured")
        call = own_call(org, sandbox)
        try:
            draft = _draft(dataset)
            with suppress(DatasetExists), store.write() as tx:
                if tx.datasets.find(call.org_id, call.sandbox_name, DatasetId(dataset.id)) is None:
                    register_dataset(tx, call, draft, ids=ids)
        except Refusal as error:
            raise DatasetUnfit(f"datasets: {dataset.id}: {error.detail.rstrip('.')}") from error


def _draft(dataset: DatasetSettings) -> DatasetDraft:
    primary = None
    if dataset.primary_identity_path is not None and dataset.primary_identity_namespace is not None:
        primary = PrimaryIdentity(dataset.primary_identity_path, dataset.primary_identity_namespace)
    table = TableReference(TableFormat(dataset.format), dataset.location, dataset.catalog, dataset.identifier)
    return DatasetDraft(
        name=dataset.name,
        description=dataset.description,
        table=table,
        schema_id=None if dataset.schema_id is None else SchemaId(dataset.schema_id),
        schema=SchemaDraft(dataset.name, primary, dataset.identity_map),
        dataset_id=DatasetId(dataset.id),
        place=place_of(table, os.path.realpath),
    )
