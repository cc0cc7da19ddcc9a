"""What plugs a format into the common suite: a table under test, and what the format cannot do."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import Engine, Evidence, Forgotten, Marker, PurgePolicy, Selector, Target, Wanted
from lethe.engines.verify.verifier import ByteVerifier

LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""A now at which every grace has passed."""

BY_ID = PrimaryIdentity(("id",), "CRM")

VERIFIER = ByteVerifier(InlineExecutor(), full=True)

Hook = Callable[[str, str], None]
"""Told of a call of the storage, and of its path, before it is made."""


class Trait(StrEnum):
    """What only some formats can do or hold. A case that needs one is made for those alone."""

    PARTITIONS = "rows lie apart by the values of a column"
    DROPS = "a column leaves the table, and stays in the files"
    RENAMES = "a column has another name in the table than in the files"
    BYTES = "columns of bytes"
    UUIDS = "columns of uuids"
    STORES = "files in a storage, where others may act between a forget's copies and its commit"


class Table(ABC):
    """One table under test, and what other writers do to it."""

    format = TableFormat.PARQUET

    def __init__(self, engine: Engine, location: str) -> None:
        self.engine = engine
        self.location = location

    @abstractmethod
    def append(self, *files: pa.Table) -> None:
        """Add files, in one commit where there are commits."""

    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """Live rows by `seq`, as plain Python values, read by another reader than the engine's."""

    @abstractmethod
    def delete(self, *ids: str) -> None:
        """Another writer deletes the rows whose `id` is one of these."""

    @abstractmethod
    def compact(self) -> None:
        """Another writer puts all rows into one file."""

    def schema(self) -> Any:
        """The physical schema of the live table, to be compared before and after."""
        return None

    def drop_column(self, name: str) -> None:
        """The table forgets a column; files keep it."""
        raise NotImplementedError

    def rename_column(self, old: str, new: str) -> None:
        """The table calls a column otherwise; files do not."""
        raise NotImplementedError

    def watched(self, before: Hook) -> Engine:
        """An engine whose every call of the storage is told of before."""
        raise NotImplementedError

    def is_commit(self, call: str, path: str) -> bool:
        """Whether this call of the storage begins to put a forget's copies in place."""
        raise NotImplementedError

    def target(self, selector: Selector = BY_ID) -> Target:
        return Target(DatasetId("ds"), TableReference(self.format, location=self.location), selector)

    def erase(
        self, wanted: Wanted, selector: Selector = BY_ID, marker: str = "bundle-1/forget"
    ) -> tuple[Forgotten, Evidence]:
        """The whole way of an order."""
        target = self.target(selector)
        finding = self.engine.find(target, wanted)
        outcome = self.engine.forget(target, wanted, finding.plan, Marker(marker))
        assert isinstance(outcome, Forgotten), outcome
        return outcome, self.proved(wanted, selector)

    def proved(self, wanted: Wanted, selector: Selector = BY_ID) -> Evidence:
        """What follows a forget: a purge in whose way nothing stands, and the proof."""
        report = self.engine.purge(self.target(selector), PurgePolicy(), LATER)
        assert report.clean, report
        return self.engine.verify(self.target(selector), wanted)


class Make(Protocol):
    """Makes a table, in a directory of its own."""

    def __call__(
        self, directory: Path, files: Sequence[pa.Table], schema: pa.Schema, partition_by: Sequence[str], /
    ) -> Table: ...


@dataclass(frozen=True)
class Plug:
    """A format in the suite, or one way to have it."""

    name: str
    make: Make
    lacks: Mapping[Trait, str] = field(default_factory=dict)
    """What it cannot do or hold, and why."""
    same_as: str = ""
    """A plug from which it differs in nothing but who does the work: what is asked of a format is asked of that one."""

    def __str__(self) -> str:
        return self.name


def by_seq(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["seq"])
