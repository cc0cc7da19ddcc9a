"""Puts rows into tables, as any user of the usual libraries would.

Parquet pages stay uncompressed, so that whoever wants to can look for a person with `grep` before and after.
"""

import gzip
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, assert_never

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog

from lethe.demo.datasets import DemoDataset, Stored
from lethe.demo.rows import COUNTRIES

CATALOG: Final = "lake"
FILES: Final = 4
_DELTA_TYPES: Final = {"int64": "long", "string": "string", "decimal128(10, 2)": "decimal(10,2)"}


def open_catalog(lake: Path) -> SqlCatalog:
    """The Iceberg catalog of the world."""
    return SqlCatalog(CATALOG, uri=catalog_uri(lake), warehouse=(lake / "iceberg").as_uri())


def catalog_uri(lake: Path) -> str:
    """Where the catalog is kept."""
    return f"sqlite:///{lake}/catalog.db"


def identifier(dataset: DemoDataset) -> str:
    """The dataset's name in the Iceberg catalog."""
    return f"demo.{dataset.slug}"


def write(dataset: DemoDataset, rows: pa.Table, lake: Path) -> None:
    """Write a dataset's rows into its own folder below `lake`, which holds no such folder yet."""
    root = lake / dataset.slug
    root.mkdir(parents=True)
    match dataset.stored:
        case Stored.PARQUET:
            for number, part in enumerate(_parts(rows)):
                pq.write_table(part, root / f"part-{number}.parquet", compression="none")
        case Stored.ICEBERG:
            _write_iceberg(dataset, rows, lake, root)
        case Stored.DELTA:
            _write_delta(rows, root)
        case Stored.NDJSON:
            for number, part in enumerate(_parts(rows)):
                lines = "".join(json.dumps(row, default=_text) + "\n" for row in part.to_pylist())
                (root / f"part-{number}.json.gz").write_bytes(gzip.compress(lines.encode(), compresslevel=1))
        case _:
            assert_never(dataset.stored)


def _parts(rows: pa.Table) -> list[pa.Table]:
    size = -(-rows.num_rows // FILES)
    return [rows.slice(begin, size) for begin in range(0, rows.num_rows, size)]


def _write_iceberg(dataset: DemoDataset, rows: pa.Table, lake: Path, root: Path) -> None:
    catalog = open_catalog(lake)
    catalog.create_namespace_if_not_exists("demo")
    plain = {"write.parquet.compression-codec": "uncompressed"}
    table = catalog.create_table(identifier(dataset), rows.schema, location=root.as_uri(), properties=plain)
    for part in _parts(rows):
        table.append(part)


def _write_delta(rows: pa.Table, root: Path) -> None:
    """A table partitioned by country, its log written by hand: the protocol's first commit is three kinds of lines."""
    fields = [
        {"name": field.name, "type": _DELTA_TYPES[str(field.type)], "nullable": True, "metadata": {}}
        for field in rows.schema
    ]
    actions: list[dict[str, Any]] = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {
            "metaData": {
                "id": "5f7c1d52-0f4e-4f5a-9c55-0d3f4a1b2c3d",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": ["country"],
                "configuration": {},
                "createdTime": 0,
            }
        },
    ]
    for country in COUNTRIES:
        path = root / f"country={country}" / "part-0.parquet"
        path.parent.mkdir()
        part = rows.filter(pc.equal(rows["country"], country)).drop_columns(["country"])
        pq.write_table(part, path, compression="none")
        added = {
            "path": path.relative_to(root).as_posix(),
            "partitionValues": {"country": country},
            "size": path.stat().st_size,
            "modificationTime": int(path.stat().st_mtime * 1000),
            "dataChange": True,
        }
        actions.append({"add": added})
    log = root / "_delta_log"
    log.mkdir()
    (log / f"{0:020}.json").write_text("".join(json.dumps(action) + "\n" for action in actions))


def _text(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value))
