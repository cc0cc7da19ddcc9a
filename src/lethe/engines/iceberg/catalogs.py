"""Catalogs by name, and the tables in them."""

from collections.abc import Mapping
from typing import Final

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
from pyiceberg.table import Table

from lethe.domain.dataset import TableReference
from lethe.engines.interface import TableMissing, TableRefused, TableUnavailable

_OPENING: Final = (
    "py-io-impl",
    "write.py-location-provider.impl",
    "s3.",
    "gcs.",
    "adls.",
    "hdfs.",
    "hf.",
    "oss.",
    "client.",
)
"""Properties by which pyiceberg opens files; it lets those of a table override the settings'."""


class Catalogs:
    """The catalogs of the settings: each a loaded catalog, or the properties from which pyiceberg loads one."""

    def __init__(self, catalogs: Mapping[str, Catalog | Mapping[str, str]]) -> None:
        self._known = dict(catalogs)

    def table(self, reference: TableReference) -> Table:
        """Load a table as it is now. Raises TableMissing, TableRefused, TableUnavailable."""
        catalog, identifier = self._find(reference)
        try:
            table = catalog.load_table(identifier)
        except (NoSuchTableError, NoSuchNamespaceError) as error:
            raise TableMissing("the catalog has no such table") from error
        except Exception as error:  # every catalog fails in its own way
            raise TableUnavailable(f"the catalog did not load the table: {type(error).__name__}") from error
        if any(key.startswith(_OPENING) for key in table.properties):
            raise TableRefused("the table's properties say how files are opened; only the settings may")
        return table

    def remove(self, reference: TableReference) -> None:
        """Remove a table's entry, and nothing else. An entry that is not there is removed. Raises TableUnavailable."""
        catalog, identifier = self._find(reference)
        try:
            catalog.drop_table(identifier)
        except (NoSuchTableError, NoSuchNamespaceError):
            return
        except Exception as error:  # every catalog fails in its own way
            raise TableUnavailable(f"the catalog did not drop the table: {type(error).__name__}") from error

    def open(self, name: str) -> Catalog:
        """A catalog by its name. Raises TableRefused, TableUnavailable."""
        known = self._known.get(name)
        if known is None:
            raise TableRefused(f"the settings have no catalog named {name}")
        if not isinstance(known, Catalog):
            try:
                known = self._known[name] = load_catalog(name, **known)
            except Exception as error:  # every catalog fails in its own way
                raise TableUnavailable(f"the catalog did not load: {type(error).__name__}") from error
        return known

    def _find(self, reference: TableReference) -> tuple[Catalog, str]:
        if reference.catalog is None or reference.identifier is None:
            raise TableRefused("an Iceberg table is named by a catalog and an identifier")
        return self.open(reference.catalog), reference.identifier
