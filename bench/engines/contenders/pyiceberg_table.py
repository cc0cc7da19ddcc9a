"""pyiceberg: delete by a set of values, then expire the older snapshots."""

from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import In

from bench.engines.contenders import Ended
from bench.engines.forms import IDENTIFIER


def delete(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    table = SqlCatalog("bench", uri=f"sqlite:///{root}/catalog.db").load_table(IDENTIFIER)
    ended("start")
    table.delete(In("email", set(values)))
    ended("forget")
    current = table.refresh().current_snapshot()
    old = [each.snapshot_id for each in table.metadata.snapshots if current and each.snapshot_id != current.snapshot_id]
    table.maintenance.expire_snapshots().by_ids(old).commit()
    ended("purge")
