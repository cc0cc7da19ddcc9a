"""What the engines ask of the independent reader."""

from dataclasses import dataclass, field
from typing import Protocol

from lethe.engines.interface import Evidence, Selector, Wanted, Watcher, unwatched
from lethe.engines.storage.interface import Storage


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a table's own metadata says about the files under its location; the reader believes it only for words."""

    snapshot: str
    """The version of the table that is being verified."""
    live: frozenset[str] = frozenset()
    """Paths whose rows readers of the table see; a match elsewhere is as bad, and called a stored row."""
    physical_selectors: dict[str, Selector] = field(default_factory=dict)
    """For files that know the identity's column by another name or path: what to look at there."""


class Verifier(Protocol):
    """Looks for identities in every file under a location."""

    def verify(
        self,
        storage: Storage,
        selector: Selector,
        wanted: Wanted,
        around: Surroundings,
        *,
        watch: Watcher = unwatched,
    ) -> Evidence:
        """Examine every file. Raises StorageFailed; a file that cannot be examined is a residue."""
        ...
