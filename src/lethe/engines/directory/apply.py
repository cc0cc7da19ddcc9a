"""Carrying out a decided round.

Order for each file: its checksum file goes first (without one, readers check nothing; with a stale one, they fail),
then the new content takes the file's name in one rename, or the file is removed. A crash between any two leaves files
that are either old or new, each whole, and the journal that says which remain; carried out again, the round skips what
is done: new content that waits no longer has taken its place.
"""

from collections.abc import Sequence
from contextlib import suppress
from enum import Enum, auto

from lethe.engines.directory.journal import Change
from lethe.engines.directory.listing import checksum_of
from lethe.engines.storage.interface import FileMissing, RemovalForbidden, Storage

_BLOCK = 1 << 22


class Applied(Enum):
    """What became of a decided change."""

    DONE = auto()
    OVERTAKEN = auto()
    """Another writer replaced or removed the file after the decision; its new rows must be searched again."""


def apply(storage: Storage, changes: Sequence[Change]) -> dict[str, Applied]:
    """Carry out every change; the answer is by path."""
    return {
        change.path: _remove(storage, change) if change.new is None else _replace(storage, change, change.new)
        for change in changes
    }


def _remove(storage: Storage, change: Change) -> Applied:
    version = _version(storage, change.path)
    if version is None:
        return Applied.DONE
    if version != change.version:
        return Applied.OVERTAKEN
    storage.remove(checksum_of(change.path))
    storage.remove(change.path)
    return Applied.DONE


def _replace(storage: Storage, change: Change, new: str) -> Applied:
    if _version(storage, new) is None:
        return Applied.DONE
    version = _version(storage, change.path)
    if version == change.version:
        storage.remove(checksum_of(change.path))
        storage.replace(new, change.path)
        return Applied.DONE
    # On an object store a replacement is a copy and a removal: a crash between them leaves both, alike.
    outcome = Applied.DONE if version is not None and _same_content(storage, new, change.path) else Applied.OVERTAKEN
    with suppress(RemovalForbidden):
        storage.remove(new)
    return outcome


def _version(storage: Storage, path: str) -> str | None:
    try:
        return storage.stat(path).version
    except FileMissing:
        return None


def _same_content(storage: Storage, one: str, other: str) -> bool:
    if storage.stat(one).size_bytes != storage.stat(other).size_bytes:
        return False
    with storage.open(one) as a, storage.open(other) as b:
        while block := a.read(_BLOCK):
            if block != b.read(_BLOCK):
                return False
    return True
