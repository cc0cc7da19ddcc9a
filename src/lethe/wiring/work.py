"""What workers work with: engines, their processes and storages, and the services."""

import os
import socket
from collections.abc import Mapping
from datetime import timedelta
from random import SystemRandom
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from lethe.clock import system_now
from lethe.domain.dataset import TableFormat
from lethe.domain.product import Product
from lethe.engines.delta.engine import DeltaEngine
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.pool import PoolExecutor
from lethe.engines.iceberg.engine import IcebergEngine
from lethe.engines.interface import Engine, PurgePolicy
from lethe.engines.ndjson.format import NdjsonFormat
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.storage.opening import StorageOpener, storage_opener
from lethe.engines.verify.verifier import ByteVerifier
from lethe.pipeline.shop import Aftercare, Shop
from lethe.pipeline.worker import Worker
from lethe.products.interface import ForgettingProduct
from lethe.settings import AftercareSettings, Settings
from lethe.storage.store import SqlStore


def worker(
    settings: Settings,
    store: SqlStore,
    products: Mapping[Product, ForgettingProduct],
) -> Worker:
    """Make a worker whose claims name this machine and process."""
    shop = Shop(
        store=store,
        engines=engines(settings),
        products=products,
        purge_policy=PurgePolicy(
            readers_grace=timedelta(seconds=settings.work.readers_grace_seconds),
            writers_grace=timedelta(seconds=settings.work.writers_grace_seconds),
        ),
        trash=timedelta(days=settings.work.trash_days),
        aftercare=_aftercare(settings.aftercare),
    )
    return Worker(shop, owner_name(), SystemRandom().random, lease=timedelta(seconds=settings.work.lease_seconds))


def owner_name() -> str:
    """Name this machine and process in a claim."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"


def _aftercare(settings: AftercareSettings) -> Aftercare:
    return Aftercare(
        reverify_after=sorted(timedelta(days=days) for days in settings.reverify_days),
        failed_identities=timedelta(days=settings.failed_identities_days),
        history=timedelta(days=settings.history_days) or None,
    )


def engines(settings: Settings) -> Mapping[TableFormat, Engine]:
    """Make the engine of every format."""
    executor = PoolExecutor(settings.work.processes, settings.work.memory_bytes)
    open_storage, verifier, rewriter = opener(settings), ByteVerifier(executor), best_rewriter()
    return {
        TableFormat.ICEBERG: IcebergEngine(
            catalog_properties(settings),
            open_storage=open_storage,
            executor=executor,
            rewriter=rewriter,
            verifier=verifier,
            new_name=lambda: str(uuid4()),
            clock=system_now,
        ),
        TableFormat.DELTA: DeltaEngine(
            open_storage, executor, rewriter, verifier, new_name=lambda: str(uuid4()), clock=system_now
        ),
        TableFormat.PARQUET: DirectoryEngine(ParquetFormat(), open_storage, executor, verifier),
        TableFormat.NDJSON: DirectoryEngine(NdjsonFormat(), open_storage, executor, verifier),
    }


def opener(settings: Settings) -> StorageOpener:
    """What opens locations, with the settings' options and credentials."""
    return storage_opener({name: _revealed(each) for name, each in settings.object_stores.items()})


def catalog_properties(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    """The table catalogs by name, as pyiceberg takes them."""
    return {name: _revealed(each) for name, each in settings.catalogs.items()}


def _revealed(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with their secrets, for the library that needs them."""
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in options.items()
    }
