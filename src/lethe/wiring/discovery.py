"""Finding tables with the catalogs and credentials of the settings."""

from collections.abc import Sequence

from lethe.engines.discovery.location import FoundTable, tables_at
from lethe.engines.iceberg.catalogs import Catalogs
from lethe.engines.iceberg.discovery import tables_of
from lethe.engines.interface import TableRefused, TableUnavailable
from lethe.engines.storage.interface import StorageFailed
from lethe.settings import Settings
from lethe.wiring.work import catalog_properties, opener


class NothingFound(Exception):
    """The place cannot be looked into; the message says why."""


def tables_under(settings: Settings, location: str) -> Sequence[FoundTable]:
    """The tables under a location. Raises NothingFound."""
    try:
        return tables_at(location, opener(settings))
    except (StorageFailed, TableRefused, ValueError) as error:
        # The location is not repeated: one that is refused may hold a password.
        raise NothingFound(f"the location cannot be looked into: {error}") from error


def tables_in(settings: Settings, catalog: str) -> Sequence[FoundTable]:
    """The tables of a catalog of the settings. Raises NothingFound."""
    try:
        return tables_of(Catalogs(catalog_properties(settings)), catalog)
    except (TableRefused, TableUnavailable) as error:
        raise NothingFound(f"the catalog cannot be looked into: {error}") from error
