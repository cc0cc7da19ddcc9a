"""What the engines ask of the independent reader."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from lethe.engines.interface import Evidence, Selector, Wanted, Watcher, unwatched
from lethe.engines.storage.interface import Storage

KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class PartitionField:
    """One field of a partition spec."""

    source: int
    """The field id of its column."""
    transform: str


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the manifests of an Iceberg table speak of its columns."""

    identity: int | None
    """The field id of the identity's column; None when nobody knows, or when it is an identity map."""
    kinds: Mapping[int, str]
    """Type of each column that is or was the table's, by field id."""
    specs: Mapping[int, tuple[PartitionField, ...]]
    widths: frozenset[int]
    """To how many characters the table's properties let bounds be cut."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """Files that must be written anew, or go, before the table is clean."""

    paths: frozenset[str] = field(default=frozenset(), repr=False)
    """Of those with a residue in themselves, as they are."""
    described: frozenset[str] = field(default=frozenset(), repr=False)
    """Locations, as a manifest spells them, of those with a residue in what the manifest says of them."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a table's own metadata says about the files under its location; the reader believes it only for words."""

    snapshot: str
    """The version of the table that is being verified."""
    live: frozenset[str] = frozenset()
    """Paths whose rows readers of the table see; a match elsewhere is as bad, and called a stored row."""
    physical_selectors: dict[str, Selector] = field(default_factory=dict)
    """For files that know the identity's column by another name or path: what to look at there."""
    numbering: Numbering | None = None
    """For tables with manifests."""


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

    def suspects(
        self,
        storage: Storage,
        selector: Selector,
        wanted: Wanted,
        around: Surroundings,
        *,
        watch: Watcher = unwatched,
    ) -> Suspects:
        """The files with a residue: for the engines alone, for a path may speak."""
        ...

    def speaking(self, selector: Selector, wanted: Wanted, parts: Mapping[KeyT, bytes]) -> frozenset[KeyT]:
        """Which pieces of a table's metadata hold an identity; the engines ask it of those that describe live files."""
        ...
