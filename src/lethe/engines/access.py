"""Whether a table's location allows what a deletion does: list, read, write, remove.

Order of effects: a probe file of its own name is written, read and removed. It is hidden, so no reader takes it for
rows; a crash before its removal leaves a file that the next purge of the table removes.
"""

from typing import Final

from lethe.engines.storage.interface import Storage, StorageFailed

PROBE_PREFIX: Final = "_lethe-probe-"


class NoAccess(Exception):
    """The location does not allow it; `remedy` says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(message)


def probe(storage: Storage, name: str | None) -> None:
    """List and read; with a name for the probe file also write and remove. Raises NoAccess, TableRefused."""
    try:
        first = next(iter(storage.list()), None)
    except StorageFailed as error:
        raise NoAccess(f"cannot be listed: {error}", "allow this user to list the table's location") from error
    if first is None:
        raise NoAccess("there are no files at its location", "check the location; is it the table's root?")
    try:
        with storage.open(first.path) as source:
            source.read(1)
    except StorageFailed as error:
        raise NoAccess(f"cannot be read: {error}", "allow this user to read the table's files") from error
    if name is not None:
        _write(storage, PROBE_PREFIX + name)


def _write(storage: Storage, path: str) -> None:
    try:
        storage.put(path, b"lethe", if_absent=True)
    except StorageFailed as error:
        raise NoAccess(f"cannot be written: {error}", "allow this user to write to the table's location") from error
    try:
        storage.remove(path)
    except StorageFailed as error:
        raise NoAccess(
            f"cannot be removed from: {error}", f"allow this user to remove files there, and remove {path}"
        ) from error
