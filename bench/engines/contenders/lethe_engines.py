"""Lethe's engines: find, forget, purge and verify, as a worker calls them."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from bench.engines.asking import selector, wanted
from bench.engines.contenders import Ended
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.executors.interface import Executor
from lethe.engines.executors.pool import PoolExecutor
from lethe.engines.interface import Engine, Forgotten, Marker, PurgePolicy, Target, Wanted
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.rewrite.interface import Rewriter
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter
from lethe.engines.storage.local import LocalStorage
from lethe.engines.storage.opening import storage_opener
from lethe.engines.verify.verifier import ByteVerifier

LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""A now at which every grace has passed."""
POOL_MEMORY_BYTES = 2 << 30


def parquet(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    _erase(*_directory(root, InlineExecutor(), best_rewriter()), wanted(values), layout, ended)


def parquet_pyarrow(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    _erase(*_directory(root, InlineExecutor(), PyarrowRewriter()), wanted(values), layout, ended)


def parquet_bundle(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    _erase(*_directory(root, InlineExecutor(), best_rewriter()), wanted(values, orders=10), layout, ended)


def parquet_pool(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    executor = PoolExecutor(2, POOL_MEMORY_BYTES)
    _erase(*_directory(root, executor, best_rewriter()), wanted(values), layout, ended)


def iceberg(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    _erase(*_iceberg(root, best_rewriter()), wanted(values), layout, ended)


def iceberg_pyarrow(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    _erase(*_iceberg(root, PyarrowRewriter()), wanted(values), layout, ended)


def delta(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    from lethe.engines.delta.engine import DeltaEngine

    executor = InlineExecutor()
    engine = DeltaEngine(
        storage_opener(),
        executor,
        best_rewriter(),
        ByteVerifier(executor),
        new_name=lambda: str(uuid4()),
        clock=lambda: datetime.now(UTC),
    )
    _erase(engine, TableReference(TableFormat.DELTA, str(root)), wanted(values), layout, ended)


def _directory(root: Path, executor: Executor, rewriter: Rewriter) -> tuple[Engine, TableReference]:
    from lethe.engines.directory.engine import DirectoryEngine
    from lethe.engines.parquet.format import ParquetFormat

    engine = DirectoryEngine(ParquetFormat(rewriter), LocalStorage, executor, ByteVerifier(executor))
    return engine, TableReference(TableFormat.PARQUET, str(root))


def _iceberg(root: Path, rewriter: Rewriter) -> tuple[Engine, TableReference]:
    from lethe.engines.iceberg.engine import IcebergEngine

    executor = InlineExecutor()
    engine = IcebergEngine(
        {"bench": {"type": "sql", "uri": f"sqlite:///{root}/catalog.db"}},
        open_storage=storage_opener(),
        executor=executor,
        rewriter=rewriter,
        verifier=ByteVerifier(executor),
        new_name=lambda: str(uuid4()),
        clock=lambda: datetime.now(UTC),
    )
    return engine, TableReference(TableFormat.ICEBERG, None, "bench", "db.events")


def _erase(engine: Engine, table: TableReference, asked: Wanted, layout: str, ended: Ended) -> None:
    target = Target(DatasetId("bench"), table, selector(layout))
    ended("start")
    finding = engine.find(target, asked)
    ended("find")
    outcome = engine.forget(target, asked, finding.plan, Marker("bench/forget"))
    _require(isinstance(outcome, Forgotten), outcome)
    ended("forget")
    report = engine.purge(target, PurgePolicy(), LATER)
    _require(report.clean, report)
    ended("purge")
    evidence = engine.verify(target, asked)
    _require(evidence.gone, evidence)
    ended("verify")


def _require(done: bool, answer: object) -> None:
    if not done:
        raise RuntimeError(f"not done: {answer}")
