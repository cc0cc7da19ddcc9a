"""What runs in the benchmark: Lethe's engine, and what users would pick instead. Each in a process of its own."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId, NamespaceId, WorkOrderId
from lethe.domain.namespace import Namespace
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.executors.pool import PoolExecutor
from lethe.engines.interface import Forgotten, IdentityMap, Marker, Order, PurgePolicy, Target, Wanted
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.storage.local import LocalStorage
from lethe.engines.verify.verifier import ByteVerifier

EMAIL = Namespace(NamespaceId(6), "Email", "Email", "Email")
Clock = Callable[[str], None]
"""Called with the name of a phase when it ends."""


def wanted(values: list[str], orders: int) -> Wanted:
    size = -(-len(values) // orders)
    return Wanted(
        tuple(
            Order(WorkOrderId(UUID(int=n)), Identities({EMAIL: tuple(values[n * size : (n + 1) * size])}))
            for n in range(orders)
        )
    )


def lethe(root: Path, values: list[str], layout: str, ended: Clock, *, workers: int = 1, orders: int = 1) -> None:
    executor = InlineExecutor() if workers == 1 else PoolExecutor(workers, 700 << 20)
    engine = DirectoryEngine(ParquetFormat(), LocalStorage, executor, ByteVerifier(executor))
    selector = IdentityMap() if layout == "identityMap" else PrimaryIdentity(("email",), "Email")
    target = Target(DatasetId("bench"), TableReference(TableFormat.PARQUET, str(root)), selector)
    asked = wanted(values, orders)
    finding = engine.find(target, asked)
    ended("find")
    outcome = engine.forget(target, asked, finding.plan, Marker("bench/forget"))
    assert isinstance(outcome, Forgotten), outcome
    ended("forget")
    assert engine.purge(target, PurgePolicy(), datetime(2100, 1, 1, tzinfo=UTC)).clean
    ended("purge")
    evidence = engine.verify(target, asked)
    assert evidence.gone, evidence.residues
    ended("verify")


def bundle(root: Path, values: list[str], layout: str, ended: Clock) -> None:
    lethe(root, values, layout, ended, orders=10)


def pooled(root: Path, values: list[str], layout: str, ended: Clock) -> None:
    lethe(root, values, layout, ended, workers=2)


def duckdb_anti_join(root: Path, values: list[str], layout: str, ended: Clock) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET memory_limit = '2GB'; SET preserve_insertion_order = true")
    connection.register("gone", pa.table({"email": values}))
    for path in sorted(root.glob("*.parquet")):
        new = path.with_suffix(".new")
        connection.execute(
            f"COPY (SELECT * FROM read_parquet('{path}') t"
            " WHERE NOT EXISTS (SELECT 1 FROM gone g WHERE g.email = t.email))"
            f" TO '{new}' (FORMAT parquet, COMPRESSION zstd)"
        )
        new.rename(path)
    ended("forget")


def polars_anti_join(root: Path, values: list[str], layout: str, ended: Clock) -> None:
    import polars as pl

    gone = pl.DataFrame({"email": values}).lazy()
    for path in sorted(root.glob("*.parquet")):
        new = path.with_suffix(".new")
        pl.scan_parquet(path).join(gone, on="email", how="anti", maintain_order="left").sink_parquet(
            new, compression="zstd"
        )
        new.rename(path)
    ended("forget")


def deltalake_delete(root: Path, values: list[str], layout: str, ended: Clock) -> None:
    from deltalake import DeltaTable

    listed = ",".join(f"'{value}'" for value in values)
    DeltaTable(str(root)).delete(f"email IN ({listed})")
    ended("forget")
    DeltaTable(str(root)).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    ended("purge")


def deltalake_merge(root: Path, values: list[str], layout: str, ended: Clock) -> None:
    from deltalake import DeltaTable

    (
        DeltaTable(str(root))
        .merge(pa.table({"email": values}), "t.email = s.email", source_alias="s", target_alias="t")
        .when_matched_delete()
        .execute()
    )
    ended("forget")
    DeltaTable(str(root)).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    ended("purge")


def pyiceberg_delete(root: Path, values: list[str], layout: str, ended: Clock) -> None:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.expressions import In

    catalog = SqlCatalog("bench", uri=f"sqlite:///{root}/catalog.db", warehouse=f"file://{root}")
    table = catalog.load_table("db.events")
    table.delete(In("email", set(values)))
    ended("forget")
    current = table.refresh().current_snapshot()
    old = [s.snapshot_id for s in table.metadata.snapshots if current and s.snapshot_id != current.snapshot_id]
    table.maintenance.expire_snapshots().by_ids(old).commit()
    ended("purge")


CONTENDERS = {
    "lethe": lethe,
    "lethe, 10 orders": bundle,
    "lethe, 2 processes": pooled,
    "duckdb anti-join": duckdb_anti_join,
    "polars anti-join": polars_anti_join,
    "deltalake delete": deltalake_delete,
    "deltalake merge": deltalake_merge,
    "pyiceberg delete": pyiceberg_delete,
}
"""`spark sql` needs a Java runtime and PySpark; it is run where both are installed."""


def prepare(name: str, plain: Path, root: Path) -> None:
    """The contender's own table with the same rows and the same files."""
    import shutil

    if name.startswith("deltalake"):
        from deltalake import write_deltalake

        write_deltalake(
            str(root), ds.dataset(plain).scanner(batch_size=500_000).to_reader(), target_file_size=128 << 20
        )
    elif name.startswith("pyiceberg"):
        from pyiceberg.catalog.sql import SqlCatalog

        root.mkdir()
        catalog = SqlCatalog("bench", uri=f"sqlite:///{root}/catalog.db", warehouse=f"file://{root}")
        catalog.create_namespace("db")
        files = sorted(plain.glob("*.parquet"))
        table = catalog.create_table("db.events", pq.read_schema(files[0]))
        for path in files:
            table.append(pq.read_table(path))
    else:
        shutil.copytree(plain, root)


def live_rows(name: str, root: Path) -> pa.Table:
    """What a reader of the table sees, only the columns that show which rows survived."""
    columns = ["event_id"]
    if name.startswith("deltalake"):
        from deltalake import DeltaTable

        return DeltaTable(str(root)).to_pyarrow_table(columns=columns)
    if name.startswith("pyiceberg"):
        from pyiceberg.catalog.sql import SqlCatalog

        catalog = SqlCatalog("bench", uri=f"sqlite:///{root}/catalog.db", warehouse=f"file://{root}")
        return catalog.load_table("db.events").scan(selected_fields=tuple(columns)).to_arrow()
    return ds.dataset(root).to_table(columns=columns)
