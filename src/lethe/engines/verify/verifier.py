"""The verification of a whole location."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lethe.engines.executors.interface import Executor, Job
from lethe.engines.interface import Evidence, Phase, Residue, ResidueKind, Selector, Wanted, Watcher, unwatched
from lethe.engines.progress import Meter
from lethe.engines.storage.interface import FileStat, Storage
from lethe.engines.verify.file import Examining, Explaining
from lethe.engines.verify.findings import Findings
from lethe.engines.verify.interface import KeyT, Surroundings
from lethe.engines.verify.needles import Needles, needles_of
from lethe.engines.verify.text import identities_in

_MEMORY: Final = 3
"""Expected memory of an examination, as a multiple of the file's size."""


@dataclass(frozen=True, slots=True)
class ByteVerifier:
    """Examines every file under a location, whoever refers to it.

    `full` also searches the data pages of columns that do not name the person. What stands there belongs to rows, and
    the rows were looked at; so this finds nothing more, and counts what is explained.
    """

    executor: Executor
    full: bool = False

    def verify(
        self,
        storage: Storage,
        selector: Selector,
        wanted: Wanted,
        around: Surroundings,
        *,
        watch: Watcher = unwatched,
    ) -> Evidence:
        """Examine, then explain what asks for rows elsewhere."""
        needles = needles_of(selector, wanted)
        evidence, numbers = self._look(storage, selector, needles, around, watch)
        residues = [_discreet(residue, needles, numbers[residue.path]) for residue in evidence.residues]
        return replace(evidence, residues=residues)

    def suspects(
        self,
        storage: Storage,
        selector: Selector,
        wanted: Wanted,
        around: Surroundings,
        *,
        watch: Watcher = unwatched,
    ) -> frozenset[str]:
        """Examine, and name the files."""
        evidence, _ = self._look(storage, selector, needles_of(selector, wanted), around, watch)
        return frozenset(residue.path for residue in evidence.residues)

    def speaking(self, selector: Selector, wanted: Wanted, parts: Mapping[KeyT, bytes]) -> frozenset[KeyT]:
        """Search them as text and as bytes."""
        needles = needles_of(selector, wanted)
        return frozenset(
            key
            for key, part in parts.items()
            if identities_in(part, needles) or (needles.in_bytes(part) and needles.in_names(part))
        )

    def _look(
        self, storage: Storage, selector: Selector, needles: Needles, around: Surroundings, watch: Watcher
    ) -> tuple[Evidence, Mapping[str, int]]:
        """What is found, under the files' own paths, and the number of each path in the listing."""
        files = list(storage.list())
        task = Examining(storage, selector, needles, around.live, dict(around.physical_selectors), self.full)
        findings = self._examine(task, files, watch)
        asked = {number for one in findings for number in one.elsewhere}
        explained = self._explain(storage, needles, asked, [f for f in files if f.path in around.live])
        numbers = {stat.path: number for number, stat in enumerate(files)}
        residues: list[Residue] = []
        finds_explained = 0
        for one in findings:
            residues.extend(one.residues)
            finds_explained += one.explained + sum(number in explained for number in one.elsewhere)
            for place in sorted({w for n, where in one.elsewhere.items() if n not in explained for w in where}):
                count = sum(place in where for n, where in one.elsewhere.items() if n not in explained)
                residues.append(Residue(one.path, ResidueKind.VALUE, place, count))
        seen = Evidence(
            snapshot=around.snapshot,
            files_examined=len(findings),
            bytes_examined=sum(one.bytes_examined for one in findings),
            rows_examined=sum(one.rows for one in findings),
            finds_explained=finds_explained,
            residues=residues,
        )
        return seen, numbers

    def _examine(self, task: Examining, files: Sequence[FileStat], watch: Watcher) -> Sequence[Findings]:
        meter = Meter(watch, Phase.VERIFY, len(files), sum(stat.size_bytes for stat in files))
        sizes = {stat.path: stat.size_bytes for stat in files}
        findings = []
        for path, one in self.executor.map(task, [Job(path, size * _MEMORY) for path, size in sizes.items()]):
            meter.step(sizes[path])
            if one is not None:
                findings.append(one)
        return sorted(findings, key=lambda one: one.path)

    def _explain(self, storage: Storage, needles: Needles, asked: set[int], files: Sequence[FileStat]) -> set[int]:
        """Which of the identities stand in surviving rows."""
        if not asked:
            return set()
        explained: set[int] = set()
        task = Explaining(storage, needles.subset(asked))
        for _, found in self.executor.map(task, [Job(f.path, f.size_bytes * _MEMORY) for f in files]):
            explained |= found
            if explained >= asked:
                break
        return explained


def _discreet(residue: Residue, needles: Needles, number: int) -> Residue:
    """A path that speaks is named by its number in the listing."""
    speaks = needles.in_text(residue.path) or needles.in_text(residue.where)
    return replace(residue, path=f"file {number}") if speaks else residue
