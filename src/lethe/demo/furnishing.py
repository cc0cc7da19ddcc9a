"""Makes the demo's datasets and namespace known to a Lethe, and fills its embedded products."""

from pathlib import Path

from lethe.catalog.interface import Organizations
from lethe.clock import Ids
from lethe.demo.datasets import DATASETS, DemoDataset, Stored
from lethe.demo.people import CUSTOMER
from lethe.demo.traces import fill
from lethe.demo.world import ORG, SANDBOX, World
from lethe.demo.writing import CATALOG, identifier
from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import DatasetId, NamespaceId, OrgId, SandboxName
from lethe.operations.catalog import DatasetDraft, SchemaDraft, register_dataset
from lethe.operations.namespaces import NamespaceDraft, all_namespaces, create_namespace
from lethe.operations.own_call import own_call
from lethe.storage.interface import Store


def furnish(world: World, store: Store, organizations: Organizations, ids: Ids, data_dir: Path) -> None:
    """Register everything in one transaction, and fill the products; doing it again changes nothing."""
    org = organizations.find(OrgId(ORG))
    sandbox = org.sandbox(SandboxName(SANDBOX)) if org else None
    if org is None or sandbox is None:
        raise ValueError(f"the settings have no organization {ORG} with a sandbox {SANDBOX}")
    call = own_call(org, sandbox)
    with store.write() as tx:
        known = [each for each in all_namespaces(tx, call.org_id) if each.code == CUSTOMER]
        if known:
            return
        number = create_namespace(
            tx, call, NamespaceDraft(CUSTOMER, "Customer id", "CROSS_DEVICE", case_insensitive=True)
        ).id
        for dataset in DATASETS:
            register_dataset(tx, call, _draft(dataset, world), ids=ids)
        # Within the transaction: when filling fails, nothing is registered, and the next start does it all.
        fill(data_dir, call.org_id, call.sandbox_name, NamespaceId(number))


def _draft(dataset: DemoDataset, world: World) -> DatasetDraft:
    primary = None if dataset.namespace is None else PrimaryIdentity(dataset.identity, dataset.namespace)
    stored = TableFormat(dataset.stored.value)
    table = (
        TableReference(stored, catalog=CATALOG, identifier=identifier(dataset))
        if dataset.stored is Stored.ICEBERG
        else TableReference(stored, str(world.lake / dataset.slug))
    )
    return DatasetDraft(
        name=dataset.name,
        description="",
        table=table,
        schema_id=None,
        schema=SchemaDraft(dataset.name, primary, dataset.identity_map),
        dataset_id=DatasetId(dataset.dataset_id),
    )
