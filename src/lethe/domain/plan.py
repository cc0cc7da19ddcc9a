"""The plan of a deletion, as a value: what the preview shows, the run does and the certificate speaks of.

A plan is made by a find, holds for one snapshot of one table, and is named by its hash. It holds counts, paths and
reasons, never an identity value.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lethe.domain.ids import DatasetId


class FileAction(StrEnum):
    """What happens to one data file."""

    KEEP = "keep"
    REWRITE = "rewrite"
    SCRUB = "scrub"
    """Rewritten with every page encoded anew, whether or not a row matches: a trace that no row explains is in it."""
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One data file of the table and its fate."""

    path: str
    action: FileAction
    rows: int
    """Live rows in the file."""
    rows_matched: int
    size_bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What a deletion does to one table, decided from the facts of one snapshot."""

    dataset_id: DatasetId
    snapshot: str
    """The table version for which the plan holds: a snapshot id, a log version, or a digest of the listing."""
    files: Sequence[PlannedFile]

    @property
    def hash(self) -> str:
        """SHA-256 (hex) over everything that the plan decides; equal plans have equal hashes."""
        facts = [
            self.dataset_id,
            self.snapshot,
            sorted(
                [f.path, f.action.value, f.rows, f.rows_matched, f.size_bytes]
                for f in self.files
                if f.action is not FileAction.KEEP
            ),
        ]
        return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()

    @property
    def rows_matched(self) -> int:
        """Rows that will go."""
        return sum(f.rows_matched for f in self.files)

    @property
    def touched(self) -> Sequence[PlannedFile]:
        """Files that are not simply kept."""
        return [f for f in self.files if f.action is not FileAction.KEEP]
