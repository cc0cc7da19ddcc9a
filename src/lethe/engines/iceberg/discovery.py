"""The tables of an Iceberg catalog of the settings."""

from collections.abc import Iterator, Sequence

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchNamespaceError
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.typedef import Identifier

from lethe.domain.dataset import TableFormat, TableReference
from lethe.engines.discovery import fields as reading
from lethe.engines.discovery.candidates import candidates_of
from lethe.engines.discovery.location import FoundTable
from lethe.engines.iceberg.catalogs import Catalogs
from lethe.engines.interface import TableRefused, TableUnavailable


def tables_of(catalogs: Catalogs, name: str) -> Sequence[FoundTable]:
    """Every table of a catalog. Raises TableRefused, TableUnavailable."""
    return [_found(catalogs, name, ".".join(identifier)) for identifier in identifiers_of(catalogs, name)]


def identifiers_of(catalogs: Catalogs, name: str) -> Sequence[Identifier]:
    """The tables' names in a catalog. Raises TableRefused, TableUnavailable."""
    catalog = catalogs.open(name)
    try:
        return sorted(_identifiers(catalog, ()))
    except Exception as error:  # every catalog fails in its own way
        raise TableUnavailable(f"the catalog did not list its tables: {type(error).__name__}") from error


def _identifiers(catalog: Catalog, namespace: Identifier) -> Iterator[Identifier]:
    if namespace:
        yield from catalog.list_tables(namespace)
    try:
        below = catalog.list_namespaces(namespace)
    except (NoSuchNamespaceError, NotImplementedError):
        return
    for each in below:
        if len(each) > len(namespace):
            yield from _identifiers(catalog, each)


def _found(catalogs: Catalogs, name: str, identifier: str) -> FoundTable:
    try:
        table = catalogs.table(TableReference(TableFormat.ICEBERG, None, name, identifier))
    except (TableRefused, TableUnavailable) as error:
        return FoundTable(TableFormat.ICEBERG, "", 0, 0, catalog=name, identifier=identifier, problem=str(error))
    fields = reading.of_arrow(schema_to_pyarrow(table.schema()))
    snapshot = table.current_snapshot()
    summary = snapshot.summary if snapshot is not None else None
    return FoundTable(
        TableFormat.ICEBERG,
        table.location(),
        int(summary["total-data-files"] or 0) if summary is not None else 0,
        int(summary["total-files-size"] or 0) if summary is not None else 0,
        candidates_of(fields),
        fields.has_identity_map,
        name,
        identifier,
    )
