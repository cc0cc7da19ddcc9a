"""The engine of memory under the common suite."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from engines.plug import Plug, Table, Trait, by_seq
from lethe.engines.memory import MemoryEngine, MemoryTable


class InMemory(Table):
    """Files are Arrow tables."""

    def __init__(self, files: Sequence[pa.Table]) -> None:
        self._table = MemoryTable({})
        super().__init__(MemoryEngine({"memory": self._table}), "memory")
        self.append(*files)

    def append(self, *files: pa.Table) -> None:
        first = len(self._table.files) + len(self._table.history) * 10_000
        self._table.files.update({f"f{first + number:05}": data for number, data in enumerate(files)})
        self._table.version += 1

    def rows(self) -> list[dict[str, Any]]:
        return by_seq([row for data in self._table.files.values() for row in data.to_pylist()])

    def delete(self, *ids: str) -> None:
        self._change(
            {
                name: data.filter(pa.array([value not in ids for value in data["id"].to_pylist()]))
                for name, data in self._table.files.items()
            }
        )

    def compact(self) -> None:
        self._change({"whole": pa.concat_tables(self._table.files.values())})

    def _change(self, files: dict[str, pa.Table]) -> None:
        self._table.history.append(self._table.files)
        self._table.files = files
        self._table.version += 1


def _make(_: Path, files: Sequence[pa.Table], schema: pa.Schema, partition_by: Sequence[str], /) -> Table:
    return InMemory(files or [schema.empty_table()])


MEMORY = [
    Plug(
        "memory",
        _make,
        {
            Trait.PARTITIONS: "files of memory bear no values",
            Trait.DROPS: "there is no schema beside those of the files",
            Trait.RENAMES: "there is no schema beside those of the files",
            Trait.STORES: "a forget is one assignment, and there is no storage",
        },
    )
]
