"""The commits that a table bears under Lethe's markers, read from its files without Lethe.

A purge takes them away, so every watched worker looks before it changes a table; what was seen at any time is joined.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from torture.tables import Lake


@dataclass(frozen=True, slots=True)
class TableCommit:
    """One commit: under which marker, and which one it is."""

    dataset_id: str
    marker: str
    commit: str


def commits_of(lake: Lake, dataset_id: str, format_name: str) -> set[TableCommit]:
    """The commits that can be seen now; what goes away while it is read was seen before."""
    readers = {"iceberg": _iceberg, "delta": _delta, "parquet": _directory, "ndjson": _directory}
    found = set()
    try:
        for marker, commit in readers[format_name](lake, dataset_id):
            found.add(TableCommit(dataset_id, marker, commit))
    except (FileNotFoundError, json.JSONDecodeError):
        pass
    return found


def _iceberg(lake: Lake, dataset_id: str) -> Iterator[tuple[str, str]]:
    """Snapshots that changed which files are live; those that only write manifests anew bear the marker again."""
    with closing(sqlite3.connect(lake.directory / "catalog.db", timeout=30)) as catalog:
        query = "SELECT metadata_location FROM iceberg_tables WHERE table_name = ?"
        row = catalog.execute(query, [dataset_id.replace("-", "_")]).fetchone()
    if row is None:
        return
    metadata = json.loads(Path(str(row[0]).removeprefix("file://")).read_text())
    for snapshot in metadata["snapshots"]:
        summary = snapshot["summary"]
        if "lethe.marker" in summary and summary["operation"] != "replace":
            yield summary["lethe.marker"], str(snapshot["snapshot-id"])


def _delta(lake: Lake, dataset_id: str) -> Iterator[tuple[str, str]]:
    for path in sorted((lake.path(dataset_id) / "_delta_log").glob("*.json")):
        for line in path.read_text().splitlines():
            app_id = json.loads(line).get("txn", {}).get("appId", "")
            if app_id.startswith("lethe:"):
                yield app_id.removeprefix("lethe:"), path.stem


def _directory(lake: Lake, dataset_id: str) -> Iterator[tuple[str, str]]:
    """What was decided in each round: a round that is decided twice would be two commits. An empty one is over."""
    for path in sorted((lake.path(dataset_id) / "_lethe").glob("*/round-*.json")):
        if text := path.read_bytes():
            yield f"{path.parent.name}/{path.stem}", hashlib.sha256(text).hexdigest()
