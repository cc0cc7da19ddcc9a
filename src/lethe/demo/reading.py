"""Reads the demo's tables back with the usual libraries, which know nothing of Lethe."""

import gzip
import json
from pathlib import Path
from typing import Any, assert_never

import pyarrow.parquet as pq

from lethe.demo.datasets import DemoDataset, Stored
from lethe.demo.people import EMAIL
from lethe.demo.writing import identifier, open_catalog

Row = dict[str, Any]


def read(dataset: DemoDataset, lake: Path) -> list[Row]:
    """Every row of the live table, by its number; none when the dataset is gone."""
    root = lake / dataset.slug
    rows: list[Row]
    match dataset.stored:
        case Stored.PARQUET:
            rows = [row for path in root.glob("*.parquet") for row in pq.read_table(path).to_pylist()]
        case Stored.ICEBERG:
            rows = open_catalog(lake).load_table(identifier(dataset)).scan().to_arrow().to_pylist()
        case Stored.DELTA:
            rows = [row for path in _live_files(root) for row in _of_country(root, path)]
        case Stored.NDJSON:
            rows = [
                json.loads(line)
                for path in root.glob("*.json.gz")
                for line in gzip.decompress(path.read_bytes()).splitlines()
            ]
        case _:
            assert_never(dataset.stored)
    return sorted(rows, key=lambda row: row["row"])


def whose(dataset: DemoDataset, row: Row) -> str | None:
    """The primary identity of a row."""
    if dataset.identity_map:
        entries = dict(row["identityMap"] or ()).get(EMAIL, ())
        return next((entry["id"] for entry in entries if entry["primary"]), None)
    value: Any = row if dataset.identity else None
    for name in dataset.identity:
        value = value and value[name]
    return value if isinstance(value, str) else None


def _live_files(root: Path) -> set[str]:
    """The files that the Delta log names: a checkpoint where there is one, then the commits after it."""
    log = root / "_delta_log"
    live: set[str] = set()
    version = -1
    for checkpoint in sorted(log.glob("*.checkpoint.parquet"))[-1:]:
        version = int(checkpoint.name.partition(".")[0])
        live = {added["path"] for added in pq.read_table(checkpoint, columns=["add"])["add"].to_pylist() if added}
    for commit in sorted(log.glob("*.json")):
        if int(commit.stem) > version:
            for action in map(json.loads, commit.read_text().splitlines()):
                live -= {action["remove"]["path"]} if "remove" in action else set()
                live |= {action["add"]["path"]} if "add" in action else set()
    return live


def _of_country(root: Path, path: str) -> list[Row]:
    country = path.partition("/")[0].removeprefix("country=")
    return [row | {"country": country} for row in pq.ParquetFile(root / path).read().to_pylist()]
