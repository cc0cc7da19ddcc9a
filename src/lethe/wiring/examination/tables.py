"""The catalogs of the settings, and every registered table: whether its location may be read, written, removed from."""

from collections.abc import Iterator, Sequence
from uuid import uuid4

from lethe.domain.dataset import Dataset, TableFormat
from lethe.domain.ids import OrgId, SandboxName
from lethe.engines.access import NoAccess, probe
from lethe.engines.iceberg.catalogs import Catalogs
from lethe.engines.iceberg.discovery import identifiers_of
from lethe.engines.interface import TableRefused, TableUnavailable
from lethe.engines.storage.interface import Keeping, Storage, StorageFailed
from lethe.settings import Settings
from lethe.storage.interface import StoreUnavailable
from lethe.wiring.examination.finding import Finding, failed, ok, warning
from lethe.wiring.examination.installation import is_started
from lethe.wiring.store import open_store
from lethe.wiring.work import catalog_properties, opener

_CATALOG_REMEDY = "check its properties in [catalogs], and that it runs"


def examine_catalogs(settings: Settings) -> Iterator[Finding]:
    """Look whether each catalog opens and lists its tables."""
    catalogs = Catalogs(catalog_properties(settings))
    for name in settings.catalogs:
        try:
            yield ok("catalog", name, f"lists {len(identifiers_of(catalogs, name))} tables")
        except (TableRefused, TableUnavailable) as error:
            yield failed("catalog", name, str(error), _CATALOG_REMEDY)


def examine_tables(settings: Settings, *, read_only: bool) -> Iterator[Finding]:
    """Look whether each registered table is there, and whether its location allows what a deletion does."""
    catalogs = Catalogs(catalog_properties(settings))
    open_storage = opener(settings)
    for dataset in _datasets(settings):
        subject = f"{dataset.org_id}/{dataset.sandbox_name}/{dataset.dataset_id}"
        try:
            storage = open_storage(_location(dataset, catalogs))
            probe(storage, None if read_only else uuid4().hex)
            kept = list(_kept(subject, storage))
        except NoAccess as error:
            yield failed("table", subject, str(error), error.remedy)
        except (TableRefused, TableUnavailable) as error:
            yield failed("table", subject, str(error), "check the table that the dataset names: `lethe dataset show`")
        except (StorageFailed, ValueError) as error:
            yield failed("table", subject, str(error), "check the location and [object_stores]")
        else:
            yield ok("table", subject, "can be read" if read_only else "can be read, written and removed from")
            yield from kept


def _kept(subject: str, storage: Storage) -> Iterator[Finding]:
    """Whether what a deletion replaces and removes would still be kept."""
    match storage.keeping():
        case Keeping.NOTHING:
            return
        case Keeping.VERSIONS:
            detail = "the bucket keeps old versions of files: a deletion waits until those from before it have gone"
            remedy = "let a lifecycle rule expire noncurrent versions soon, or delete them"
            yield warning("table", subject, detail, remedy)
        case Keeping.UNSEEN:
            detail = "whether the bucket keeps old versions of files cannot be seen, so every deletion waits"
            yield failed("table", subject, detail, "allow s3:GetBucketVersioning and s3:ListBucketVersions")
        case Keeping.UNKNOWN:
            detail = "whether the store keeps old versions or deleted objects cannot be asked here, nor is it verified"
            yield warning("table", subject, detail, "switch versioning and soft delete off, or let them end soon")


def _location(dataset: Dataset, catalogs: Catalogs) -> str:
    """Where the files are. Raises TableRefused, TableUnavailable."""
    if dataset.table.format is TableFormat.ICEBERG:
        return str(catalogs.table(dataset.table).location())
    return dataset.table.location or ""


def _datasets(settings: Settings) -> Sequence[Dataset]:
    """Every registered dataset; none while the database cannot be read, which is a finding of its own."""
    if not is_started(settings):
        return ()
    store = open_store(settings)
    try:
        with store.read() as tx:
            return [
                dataset
                for org in settings.orgs
                for sandbox in org.sandboxes
                for dataset in tx.datasets.all(OrgId(org.id), SandboxName(sandbox.name))
            ]
    except StoreUnavailable:
        return ()
    finally:
        store.close()
