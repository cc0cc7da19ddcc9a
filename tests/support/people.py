"""Tables of people for tests that call a real server: registered through the client, looked into directly."""

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lethe.client import Dataset, Lethe

MakeTable = Callable[[Sequence[str | None]], Dataset]


def table_maker(lethe: Lethe, directory: Path) -> MakeTable:
    """Make what registers a Parquet table whose rows are these people's, in two files."""
    numbers = count()

    def make(people: Sequence[str | None]) -> Dataset:
        root = directory / f"table-{next(numbers)}"
        root.mkdir()
        half = len(people) // 2
        for number, part in enumerate((people[:half], people[half:])):
            columns = {"email": pa.array(part, pa.string()), "n": list(range(len(part)))}
            pq.write_table(pa.table(columns), root / f"part-{number}.parquet")
        return lethe.datasets.register(
            "People", format="parquet", location=str(root), identity="email", namespace="Email"
        )

    return make


def people_of(dataset: Dataset) -> list[str | None]:
    """Who is left in a table, by the order of its files and rows."""
    assert dataset.table.location is not None
    files = sorted(Path(dataset.table.location).rglob("*.parquet"))
    return [row["email"] for path in files for row in pq.read_table(path).to_pylist()]
