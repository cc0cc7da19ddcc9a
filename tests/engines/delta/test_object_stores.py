"""Delta on S3, erased in a pool of processes."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pyarrow as pa
import pytest
from moto.server import ThreadedMotoServer

from engines.asking import CRM, asked, order
from engines.byte_search import residue
from engines.delta.lake import MARKER, NOW, VERIFIER, numbers, people, target, write
from lethe.engines.delta.engine import DeltaEngine
from lethe.engines.executors.pool import PoolExecutor
from lethe.engines.interface import Forgotten, PurgePolicy
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.storage.interface import Storage
from lethe.engines.storage.opening import storage_opener

KEYS = {"access_key_id": "test", "secret_access_key": "test", "region": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=url, **keys).create_bucket(Bucket="lake")
    yield url
    server.stop()


def upload(root: Path, storage: Storage) -> None:
    for path in sorted(root.rglob("*")):
        if path.is_file():
            storage.put(str(path.relative_to(root)), path.read_bytes())


def download(storage: Storage, root: Path) -> Path:
    for stat in storage.list():
        (root / stat.path).parent.mkdir(parents=True, exist_ok=True)
        (root / stat.path).write_bytes(storage.read(stat.path))
    return root


@pytest.mark.parametrize("partition_by", [["land"], ["id"]], ids=["another column", "the identity"])
def test_a_whole_erasure(endpoint: str, tmp_path: Path, partition_by: list[str]) -> None:
    """Tables go there and back by the storage: deltalake and a server in this process would wait for each other."""
    location = f"s3://lake/tables/{partition_by[0]}"
    opener = storage_opener({"s3": {**KEYS, "endpoint": endpoint, "client_options": {"allow_http": True}}})

    def table(*ids: str | None, first: int) -> pa.Table:
        made = people(*ids, first=first)
        return made.append_column("land", made["id"])

    source = write(tmp_path / "source", table("annegret/ü %", "bob", None, first=0), partition_by=partition_by)
    upload(write(source, table("annegret/ü %", "cy", first=10), partition_by=partition_by), opener(location))
    engine = DeltaEngine(
        opener, PoolExecutor(2, 1 << 30), best_rewriter(), VERIFIER, new_name=lambda: str(uuid4()), clock=lambda: NOW
    )
    wanted, where = asked(order(CRM, "annegret/ü %")), target(location)
    outcome = engine.forget(where, wanted, engine.find(where, wanted).plan, MARKER)
    assert isinstance(outcome, Forgotten), outcome
    assert outcome.tally.orders[0].rows_by_identity == (2,)
    assert numbers(download(opener(location), tmp_path / "forgotten")) == [1, 2, 11]
    assert not engine.verify(where, wanted).gone
    assert engine.purge(where, PurgePolicy(), NOW).clean
    evidence = engine.verify(where, wanted)
    assert evidence.gone, evidence.residues
    back = download(opener(location), tmp_path / "purged")
    assert numbers(back) == [1, 2, 11]
    assert residue(back, "annegret") == set()
    assert engine.drop(where, NOW).clean
    assert list(opener(location).list()) == []
