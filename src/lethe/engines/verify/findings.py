"""What the examination of one file answers."""

from dataclasses import dataclass, field

from lethe.engines.interface import Residue, ResidueKind


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

    def residue(self, kind: ResidueKind, where: str, count: int = 1) -> None:
        """Nothing explains this."""
        self.residues.append(Residue(self.path, kind, where, count))

    def ask_elsewhere(self, numbers: set[int], where: str) -> None:
        """Only rows of other files can explain these."""
        for number in numbers:
            self.elsewhere.setdefault(number, set()).add(where)


class Unreadable(Exception):
    """The file could not be examined to its last byte."""
