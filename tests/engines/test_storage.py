"""One contract, every storage: a local directory, memory, and S3."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import MemoryStore

from engines.asking import CRM, asked, order
from engines.plugs import BY_ID, LATER, VERIFIER
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.pool import PoolExecutor
from lethe.engines.interface import Forgotten, Marker, PurgePolicy, TableRefused, Target
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.storage.interface import FileExists, FileMissing, Storage, StorageFailed
from lethe.engines.storage.local import LocalStorage
from lethe.engines.storage.objects import ObjectStorage
from lethe.engines.storage.opening import storage_opener

NAMES = ["a", "dir/b c", "dir/d=1%2F2/ü#?*&+.x", "dir/deeper/'\";$(x)"]


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, Any]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    options = {
        "endpoint": f"http://{host}:{port}",
        "access_key_id": "test",
        "secret_access_key": "test",
        "region": "us-east-1",
        "client_options": {"allow_http": True},
    }
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=options["endpoint"], **keys).create_bucket(Bucket="lake")
    yield options
    server.stop()


@pytest.fixture(params=["local", "memory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    match request.param:
        case "local":
            return LocalStorage(str(tmp_path))
        case "memory":
            return ObjectStorage("memory://x", MemoryStore())
        case _:
            location = f"s3://lake/{tmp_path.name} ü"
            return storage_opener({"s3": request.getfixturevalue("s3")})(location)


def test_what_is_put_is_listed_read_and_removed(storage: Storage) -> None:
    for name in NAMES:
        storage.put(name, name.encode())
    assert [stat.path for stat in storage.list()] == sorted(NAMES)
    assert [stat.path for stat in storage.list("dir")] == sorted(NAMES[1:])
    assert list(storage.list("nowhere")) == []
    for name in NAMES:
        assert storage.read(name) == name.encode()
        assert storage.stat(name).size_bytes == len(name.encode())
    storage.remove(NAMES[0])
    storage.remove(NAMES[0])
    storage.remove("never/was")
    assert [stat.path for stat in storage.list()] == sorted(NAMES[1:])


def test_put_if_absent(storage: Storage) -> None:
    storage.put("x", b"1", if_absent=True)
    with pytest.raises(FileExists):
        storage.put("x", b"2", if_absent=True)
    assert storage.read("x") == b"1"
    first = storage.stat("x").version
    storage.put("x", b"3")
    assert storage.read("x") == b"3"
    assert storage.stat("x").version != first
    assert [stat.path for stat in storage.list()] == ["x"]


def test_replace(storage: Storage) -> None:
    storage.put("old", b"old")
    storage.put("d/new", b"new")
    storage.replace("d/new", "old")
    assert storage.read("old") == b"new"
    assert [stat.path for stat in storage.list()] == ["old"]
    with pytest.raises(FileMissing):
        storage.replace("d/new", "old")


def test_create_streams_and_an_exception_leaves_no_file(storage: Storage) -> None:
    block = os.urandom(1 << 20)
    with storage.create("d/big") as sink:
        for _ in range(12):
            sink.write(block)
    assert storage.stat("d/big").size_bytes == 12 << 20
    with storage.open("d/big") as source:
        source.seek((11 << 20) + 5)
        assert source.read(10) == block[5:15]
        assert source.size() == 12 << 20
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(storage, block)
    assert [stat.path for stat in storage.list()] == ["d/big"]


def _write_and_fail(storage: Storage, block: bytes) -> None:
    with storage.create("d/half") as sink:
        sink.write(block)
        raise ZeroDivisionError


def test_what_is_missing_is_said_to_be(storage: Storage) -> None:
    for call in (storage.read, storage.stat):
        with pytest.raises(FileMissing) as missing:
            call("secret-name")
        assert "secret-name" not in str(missing.value)
    with pytest.raises(FileMissing), storage.open("secret-name"):
        pass


def test_paths_cannot_lead_out(tmp_path: Path) -> None:
    for path in ("../x", "a/../../x", "/etc/passwd"):
        with pytest.raises(StorageFailed):
            LocalStorage(str(tmp_path)).read(path)


def test_locations_are_opened_and_may_not_carry_secrets(tmp_path: Path, s3: dict[str, Any]) -> None:
    opened = storage_opener({"s3": s3})
    assert isinstance(opened(str(tmp_path)), LocalStorage)
    assert isinstance(opened(f"file://{tmp_path}"), LocalStorage)
    assert isinstance(opened("s3a://lake/x"), ObjectStorage)
    for location in ("s3://user:secret@lake/x", "s3://lake/x?token=secret"):
        with pytest.raises(TableRefused) as refused:
            opened(location)
        assert "secret" not in str(refused.value)
    assert "test" not in repr(opened("s3://lake/x"))


def test_a_whole_erasure_on_s3_in_a_pool(s3: dict[str, Any]) -> None:
    opener = storage_opener({"s3": s3})
    storage = opener("s3://lake/tables/t ü")
    for number in range(4):
        sink = pa.BufferOutputStream()
        table = pa.table({"id": ["annegret", f"keep-{number}", None], "x": [1, 2, 3]})
        pq.write_table(table, sink)
        storage.put(f"d={number}/p.parquet", sink.getvalue().to_pybytes())
    engine = DirectoryEngine(ParquetFormat(), opener, PoolExecutor(2, 1 << 30), VERIFIER)
    target = Target(DatasetId("ds"), TableReference(TableFormat.PARQUET, "s3://lake/tables/t ü"), BY_ID)
    wanted = asked(order(CRM, "annegret"))
    outcome = engine.forget(target, wanted, engine.find(target, wanted).plan, Marker("b/1"))
    assert isinstance(outcome, Forgotten), outcome
    assert engine.purge(target, PurgePolicy(), LATER).clean
    assert engine.verify(target, wanted).gone
    left = [pq.read_table(pa.BufferReader(storage.read(stat.path)))["id"].to_pylist() for stat in storage.list()]
    assert left == [[f"keep-{number}", None] for number in range(4)]
    assert engine.drop(target, LATER).clean
    assert list(storage.list()) == []
