"""The names under which plans speak of files: where people name directories, without the directories."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyiceberg.table.metadata import TableMetadata
from pyiceberg.transforms import IdentityTransform, TruncateTransform

from lethe.domain.plan import FileAction, PlannedFile, TablePlan


@dataclass(frozen=True, slots=True)
class PublicNames:
    """How files of a table are named to whoever reads a plan."""

    hides_directories: bool

    @classmethod
    def of_table(cls, metadata: TableMetadata, field_id: int) -> "PublicNames":
        """The names for a table whose identity is this field: a partition by it, or by its beginning, is in paths."""
        parts = [part for spec in metadata.partition_specs for part in spec.fields if part.source_id == field_id]
        return cls(any(isinstance(part.transform, IdentityTransform | TruncateTransform) for part in parts))

    def of(self, location: str) -> str:
        """The name of one file."""
        return f"…/{location.rpartition('/')[2]}" if self.hides_directories else location

    def meant(self, plan: TablePlan, version: str, locations: Sequence[str]) -> Mapping[str, PlannedFile]:
        """What a plan says of the files at these locations of a version of the table.

        A whole location names one file for ever. A name may be another file's in another version, or that of several:
        of those nothing is said, but that all are suspect when one is.
        """
        said: dict[str, list[PlannedFile]] = {}
        for file in plan.files:
            said.setdefault(file.path, []).append(file)
        bearers = Counter(map(self.of, locations))
        is_exact = not self.hides_directories or plan.snapshot == version
        found: dict[str, PlannedFile] = {}
        for location in locations:
            name = self.of(location)
            files = said.get(name, [])
            suspects = [file for file in files if file.action is FileAction.SCRUB]
            if suspects:
                found[location] = suspects[0]
            elif is_exact and len(files) == bearers[name] == 1:
                found[location] = files[0]
        return found
