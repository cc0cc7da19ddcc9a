"""deltalake: delete by a list of values, or merge with a table of them; then vacuum."""

from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, WriterProperties

from bench.engines.contenders import Ended

_ALIKE = WriterProperties(compression="ZSTD", compression_level=1)


def delete(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    table = DeltaTable(str(root))
    ended("start")
    listed = ",".join(f"'{value}'" for value in values)
    table.delete(f"email IN ({listed})", writer_properties=_ALIKE)
    ended("forget")
    _vacuum(root)
    ended("purge")


def merge(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    table = DeltaTable(str(root))
    ended("start")
    source = pa.table({"email": values})
    merging = table.merge(source, "t.email = s.email", source_alias="s", target_alias="t", writer_properties=_ALIKE)
    merging.when_matched_delete().execute()
    ended("forget")
    _vacuum(root)
    ended("purge")


def _vacuum(root: Path) -> None:
    DeltaTable(str(root)).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
