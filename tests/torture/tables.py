"""Tables of every format, made and read with the formats' own libraries. A row is a person and a number."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.sql import SqlCatalog

CATALOG: Final = "lake"
FILES: Final = 3
"""Files of a table."""


@dataclass(frozen=True, slots=True)
class Lake:
    """A directory of tables, and the catalog of those that are Iceberg."""

    directory: Path

    @property
    def catalog_uri(self) -> str:
        return f"sqlite:///{self.directory / 'catalog.db'}"

    @property
    def catalog_properties(self) -> Mapping[str, str]:
        return {"type": "sql", "uri": self.catalog_uri, "warehouse": str(self.directory / "warehouse")}

    def catalog(self) -> SqlCatalog:
        return SqlCatalog(CATALOG, uri=self.catalog_uri, warehouse=str(self.directory / "warehouse"))

    def path(self, dataset_id: str) -> Path:
        return self.directory / dataset_id


@dataclass(frozen=True, slots=True)
class Kind:
    """A format: how a table of it is made, and who is left in it."""

    name: str
    make: Callable[[Lake, str, Sequence[pa.Table]], None]
    people: Callable[[Lake, str], list[str]]

    def settings(self, lake: Lake, dataset_id: str) -> dict[str, Any]:
        """Where its table is, as the settings say it."""
        if self.name == "iceberg":
            return {"format": self.name, "catalog": CATALOG, "identifier": f"db.{_identifier(dataset_id)}"}
        return {"format": self.name, "location": str(lake.path(dataset_id))}


def rows_of(people: Sequence[str], rows_each: int) -> list[pa.Table]:
    """A table's files: every person has a row in each, or in as many as there are rows."""
    rows = [person for _ in range(rows_each) for person in people]
    parts = [rows[number::FILES] for number in range(FILES)]
    return [pa.table({"id": part, "n": list(range(len(part)))}) for part in parts]


def people_of(kind: Kind, lake: Lake, dataset_id: str) -> Counter[str]:
    """How many rows each person has."""
    return Counter(kind.people(lake, dataset_id))


def is_in_catalog(lake: Lake, dataset_id: str) -> bool:
    catalog = lake.catalog()
    try:
        return catalog.table_exists(f"db.{_identifier(dataset_id)}")
    finally:
        catalog.engine.dispose()


def _identifier(dataset_id: str) -> str:
    return dataset_id.replace("-", "_")


def _make_iceberg(lake: Lake, dataset_id: str, files: Sequence[pa.Table]) -> None:
    catalog = lake.catalog()
    catalog.create_namespace_if_not_exists("db")
    location = lake.path(dataset_id).as_uri()
    table = catalog.create_table(f"db.{_identifier(dataset_id)}", files[0].schema, location=location)
    for each in files:
        table.append(each)
    catalog.engine.dispose()


def _iceberg_people(lake: Lake, dataset_id: str) -> list[str]:
    catalog = lake.catalog()
    rows: list[str] = catalog.load_table(f"db.{_identifier(dataset_id)}").scan().to_arrow()["id"].to_pylist()
    catalog.engine.dispose()
    return rows


def _make_delta(lake: Lake, dataset_id: str, files: Sequence[pa.Table]) -> None:
    for each in files:
        write_deltalake(lake.path(dataset_id), each, mode="append")


def _delta_people(lake: Lake, dataset_id: str) -> list[str]:
    rows: list[str] = DeltaTable(lake.path(dataset_id)).to_pyarrow_table()["id"].to_pylist()
    return rows


def _make_parquet(lake: Lake, dataset_id: str, files: Sequence[pa.Table]) -> None:
    lake.path(dataset_id).mkdir(parents=True)
    for number, each in enumerate(files):
        pq.write_table(each, lake.path(dataset_id) / f"part-{number}.parquet", row_group_size=20)


def _parquet_people(lake: Lake, dataset_id: str) -> list[str]:
    files = sorted(lake.path(dataset_id).glob("part-*.parquet"))
    return [value for path in files for value in pq.read_table(path)["id"].to_pylist()]


def _make_ndjson(lake: Lake, dataset_id: str, files: Sequence[pa.Table]) -> None:
    lake.path(dataset_id).mkdir(parents=True)
    for number, each in enumerate(files):
        lines = [json.dumps(row) + "\n" for row in each.to_pylist()]
        (lake.path(dataset_id) / f"part-{number}.json").write_text("".join(lines))


def _ndjson_people(lake: Lake, dataset_id: str) -> list[str]:
    files = sorted(lake.path(dataset_id).glob("part-*.json"))
    return [json.loads(line)["id"] for path in files for line in path.read_text().splitlines()]


KINDS: Final = (
    Kind("iceberg", _make_iceberg, _iceberg_people),
    Kind("delta", _make_delta, _delta_people),
    Kind("parquet", _make_parquet, _parquet_people),
    Kind("ndjson", _make_ndjson, _ndjson_people),
)
