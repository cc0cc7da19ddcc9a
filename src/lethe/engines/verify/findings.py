"""What the examination of one file answers."""

from dataclasses import dataclass, field

from lethe.engines.interface import Residue, ResidueKind


@dataclass(frozen=True, slots=True)
class Bound:
    """What metadata repeats of a column's values, where it may speak of an identity."""

    where: str
    about: str | None = field(repr=False)
    """The location of the file that is described, as it is spelled there."""
    number: int | None = None
    """The identity, when a surviving row explains this that holds it anywhere."""
    beginnings: tuple[bytes, ...] = field(default=(), repr=False)
    """It may have been cut short: then a surviving value explains it that begins with any of these."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What surviving rows explain."""

    numbers: frozenset[int] = frozenset()
    beginnings: frozenset[bytes] = field(default=frozenset(), repr=False)

    def __or__(self, other: "Explained") -> "Explained":
        return Explained(self.numbers | other.numbers, self.beginnings | other.beginnings)

    def covers(self, asked: "Explained") -> bool:
        """Whether nothing is left to ask."""
        return asked.numbers <= self.numbers and asked.beginnings <= self.beginnings

    def explains(self, bound: Bound) -> bool:
        """Whether a surviving row is what the bound speaks of."""
        return bound.number in self.numbers or not self.beginnings.isdisjoint(bound.beginnings)


@dataclass(slots=True)
class Findings:
    """Gathered while a file is examined. Identities appear by number."""

    path: str
    bytes_examined: int = 0
    rows: int = 0
    explained: int = 0
    residues: list[Residue] = field(default_factory=list)
    elsewhere: dict[int, set[str]] = field(default_factory=dict)
    """Identity → places in this file that may speak of a surviving row of another file."""
    bounds: list[Bound] = field(default_factory=list)

    def residue(self, kind: ResidueKind, where: str, count: int = 1) -> None:
        """Nothing explains this."""
        self.residues.append(Residue(self.path, kind, where, count))

    def ask_elsewhere(self, numbers: set[int], where: str) -> None:
        """Only rows of other files can explain these."""
        for number in numbers:
            self.elsewhere.setdefault(number, set()).add(where)


class Unreadable(Exception):
    """The file could not be examined to its last byte."""
