"""The verification of a whole location."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lethe.engines.executors.interface import Executor, Job
from lethe.engines.interface import Evidence, Phase, Residue, ResidueKind, Selector, Wanted, Watcher, unwatched
from lethe.engines.progress import Meter
from lethe.engines.storage.interface import FileStat, Storage
from lethe.engines.verify import delta_log
from lethe.engines.verify.file import Examining, Explaining
from lethe.engines.verify.findings import Explained, Findings
from lethe.engines.verify.interface import KeyT, Surroundings, Suspects
from lethe.engines.verify.needles import Needles, needles_of
from lethe.engines.verify.text import identities_in

_MEMORY: Final = 3
"""Expected memory of an examination, as a multiple of the file's size."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is found."""

    evidence: Evidence
    """Under the files' own paths."""
    numbers: Mapping[str, int]
    """Of each path in the listing."""
    described: frozenset[str]
    """See `Suspects`."""


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
        seen = self._look(storage, selector, needles, around, watch)
        residues = [_discreet(residue, needles, seen.numbers[residue.path]) for residue in seen.evidence.residues]
        return replace(seen.evidence, residues=residues)

    def suspects(
        self,
        storage: Storage,
        selector: Selector,
        wanted: Wanted,
        around: Surroundings,
        *,
        watch: Watcher = unwatched,
    ) -> Suspects:
        """Examine, and name the files."""
        seen = self._look(storage, selector, needles_of(selector, wanted), around, watch)
        return Suspects(frozenset(residue.path for residue in seen.evidence.residues), seen.described)

    def speaking(self, selector: Selector, wanted: Wanted, parts: Mapping[KeyT, bytes]) -> frozenset[KeyT]:
        """Search them as text and as bytes, and as actions of a log."""
        needles = needles_of(selector, wanted)
        return frozenset(
            key
            for key, part in parts.items()
            if identities_in(part, needles)
            or (needles.in_bytes(part) and needles.in_names(part))
            or any(delta_log.cut_bounds_in(part, needles))
        )

    def _look(
        self, storage: Storage, selector: Selector, needles: Needles, around: Surroundings, watch: Watcher
    ) -> _Seen:
        files = list(storage.list())
        selectors = dict(around.physical_selectors)
        task = Examining(storage, selector, needles, around.live, selectors, self.full, around.numbering)
        findings = self._examine(task, files, watch)
        asked = _asked(findings)
        explained = self._explain(storage, needles, asked, [f for f in files if f.path in around.live])
        described: set[str] = set()
        numbers = {stat.path: number for number, stat in enumerate(files)}
        residues: list[Residue] = []
        finds_explained = 0
        for one in findings:
            residues.extend(one.residues)
            left = {number: where for number, where in one.elsewhere.items() if number not in explained.numbers}
            bounds = [bound for bound in one.bounds if not explained.explains(bound)]
            described.update(bound.about for bound in bounds if bound.about is not None)
            finds_explained += one.explained + len(one.elsewhere) - len(left) + len(one.bounds) - len(bounds)
            places = Counter(place for where in left.values() for place in where)
            places.update(bound.where for bound in bounds)
            residues += [Residue(one.path, ResidueKind.VALUE, place, places[place]) for place in sorted(places)]
        seen = Evidence(
            snapshot=around.snapshot,
            files_examined=len(findings),
            bytes_examined=sum(one.bytes_examined for one in findings),
            rows_examined=sum(one.rows for one in findings),
            finds_explained=finds_explained,
            residues=residues,
        )
        return _Seen(seen, numbers, frozenset(described))

    def _examine(self, task: Examining, files: Sequence[FileStat], watch: Watcher) -> Sequence[Findings]:
        meter = Meter(watch, Phase.VERIFY, len(files), sum(stat.size_bytes for stat in files))
        sizes = {stat.path: stat.size_bytes for stat in files}
        findings = []
        for path, one in self.executor.map(task, [Job(path, size * _MEMORY) for path, size in sizes.items()]):
            meter.step(sizes[path])
            if one is not None:
                findings.append(one)
        return sorted(findings, key=lambda one: one.path)

    def _explain(self, storage: Storage, needles: Needles, asked: Explained, files: Sequence[FileStat]) -> Explained:
        """What of all that is asked stands in surviving rows."""
        explained = Explained()
        if explained.covers(asked):
            return explained
        task = Explaining(storage, needles.subset(asked.numbers), asked.beginnings)
        for _, found in self.executor.map(task, [Job(f.path, f.size_bytes * _MEMORY) for f in files]):
            explained |= found
            if explained.covers(asked):
                break
        return explained


def _asked(findings: Sequence[Findings]) -> Explained:
    """All that surviving rows may have to explain."""
    numbers = {number for one in findings for number in one.elsewhere}
    numbers |= {bound.number for one in findings for bound in one.bounds if bound.number is not None}
    beginnings = {beginning for one in findings for bound in one.bounds for beginning in bound.beginnings}
    return Explained(frozenset(numbers), frozenset(beginnings))


def _discreet(residue: Residue, needles: Needles, number: int) -> Residue:
    """A path that speaks is named by its number in the listing."""
    speaks = needles.in_path(residue.path) or needles.in_text(residue.where)
    return replace(residue, path=f"file {number}") if speaks else residue
