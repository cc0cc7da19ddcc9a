"""Removing a whole table.

The order of effects, and why a crash between any two is safe:
1. The catalog's entry goes: from then on nobody opens the table. Where the caller does not know the location, which
   only the entry tells, the entry goes last instead, and readers meet missing files for a while: a crash must not leave
   files that nobody can find. Of the last metadata file alone, which holds no rows, it then can.
2. Files go: data and delete files first, also those outside of the location of which the metadata speaks; then
   manifests, lists and metadata files. Who names others goes after them, so that a repeated drop finds the rest.
A failed removal is reported. A table that is missing is removed, and what lies at its location goes.
"""

from collections.abc import Sequence
from dataclasses import replace
from posixpath import dirname

from lethe.domain.dataset import TableReference
from lethe.engines.iceberg.catalogs import Catalogs
from lethe.engines.iceberg.file_io import StorageFileIO
from lethe.engines.iceberg.places import Places, below, canonical
from lethe.engines.iceberg.purge import SHARED, Garbage, listed_files, remove_in_order, stray
from lethe.engines.iceberg.references import References, formerly
from lethe.engines.interface import NotRemoved, Phase, PurgeReport, TableMissing, TableRefused, Watcher
from lethe.engines.storage.opening import StorageOpener
from lethe.engines.superseded import superseded


def drop_table(
    catalogs: Catalogs, reference: TableReference, open_storage: StorageOpener, watch: Watcher
) -> PurgeReport:
    """Drop, in the order that this module states. Raises TableRefused, TableUnavailable, StorageFailed."""
    try:
        table = catalogs.table(reference)
    except TableMissing:
        if reference.location is None:
            return PurgeReport()
        places = Places(reference.location, open_storage)
        garbage, past = _everything(places, ())
        return _remove(places, garbage, past, watch)
    if table.properties.get("gc.enabled", "true").lower() == "false":
        return PurgeReport(held=(NotRemoved(canonical(table.location()), SHARED),))
    places = Places(table.location(), open_storage)
    garbage, past = _everything(places, [canonical(table.metadata_location)])
    if reference.location is not None and canonical(reference.location) == places.root:
        catalogs.remove(reference)
        return _remove(places, garbage, past, watch)
    last = [one for one in garbage if one.location == canonical(table.metadata_location)]
    report = _remove(places, [one for one in garbage if one not in last], past, watch)
    if not report.clean:
        return report
    catalogs.remove(reference)
    end = _remove(places, last, past, watch)
    return PurgeReport(
        report.files_removed + end.files_removed, report.bytes_removed + end.bytes_removed, end.failed, end.held
    )


def _everything(places: Places, metadata: Sequence[str]) -> tuple[list[Garbage], References]:
    """Every file under the location, and those elsewhere of which its metadata files speak.

    Raises TableRefused when another table lies inside.
    """
    listed = listed_files(places)
    files = {location for location in listed if location.endswith(".metadata.json")}
    if len({dirname(location) for location in files}) > 1:
        raise TableRefused("the location of another table lies inside that of this one")
    past = formerly(places, StorageFileIO(places), sorted({*files, *metadata}), References())
    garbage = [Garbage(location, stat.size_bytes) for location, stat in listed.items()]
    return garbage + stray(places, [p for p in past if below(places.root, p) is None]), past


def _remove(places: Places, garbage: Sequence[Garbage], past: References, watch: Watcher) -> PurgeReport:
    report = remove_in_order(garbage, past, places, watch, Phase.DROP)
    places.storage.remove_empty_directories()
    return replace(report, held=(*report.held, *superseded(places.opened)))
