"""Removing a whole table: data first, the log last.

Order of effects: every file outside of `_delta_log`, then the log. As long as one file of the log is there, the place
is known to be this table, so a repeat after a crash goes on; a place without a log is never emptied, so a wrong
location costs nothing. Readers of a half-dropped table miss files and fail; with the log first, and half of it gone,
they would have seen an older version as if it were the table. When a data file cannot be removed, the log stays for
the repeat.
"""

from collections.abc import Callable, Sequence
from typing import Final

from lethe.engines.delta.log_files import LOG
from lethe.engines.delta.purge import Removal, tables_below
from lethe.engines.interface import PurgeReport
from lethe.engines.progress import Meter
from lethe.engines.storage.interface import FileStat, Storage

_ROUNDS: Final = 5
"""A writer that does not know of the drop may add files while it runs."""


def drop_table(storage: Storage, removal: Removal, meter: Callable[[Sequence[FileStat]], Meter]) -> PurgeReport:
    """Remove every file of the table. Raises StorageFailed when the location cannot be listed."""
    for _ in range(_ROUNDS):
        files = list(storage.list())
        log = [stat for stat in files if stat.path.startswith(f"{LOG}/")]
        nested = tables_below(files)
        theirs = [stat for stat in files if any(stat.path.startswith(root) for root in nested)]
        data = [stat for stat in files if stat not in log and stat not in theirs]
        for stat in theirs:
            removal.hold(stat.path, "it belongs to another Delta table inside this one")
        if not log:
            for stat in data:
                removal.hold(stat.path, "there is no Delta log here that would name it as this table's")
            break
        progress = meter([*data, *log])
        for stat in data:
            removal.remove(stat)
            progress.step(stat.size_bytes)
        if removal.failed or removal.forbidden:
            break
        for stat in log:
            removal.remove(stat)
            progress.step(stat.size_bytes)
        if removal.failed or removal.forbidden:
            break
    storage.remove_empty_directories()
    return removal.report()
