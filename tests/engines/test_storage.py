"""One contract, every storage: a local directory, memory, and S3."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from errno import ENOSPC
from pathlib import Path
from threading import Barrier, Thread
from typing import IO, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import boto3
import httpx2
import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import ThreadedMotoServer
from obstore import exceptions
from obstore.store import MemoryStore

from engines.asking import CRM, asked, order
from engines.plug import BY_ID, LATER, VERIFIER
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.directory.purge import drop_everything
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.executors.pool import PoolExecutor
from lethe.engines.interface import Forgotten, Marker, PurgePolicy, TableRefused, Target, unwatched
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.storage import multipart
from lethe.engines.storage.interface import (
    FileExists,
    FileMissing,
    Keeping,
    RemovalForbidden,
    Storage,
    StorageFailed,
)
from lethe.engines.storage.local import LocalStorage
from lethe.engines.storage.objects import ObjectStorage
from lethe.engines.storage.opening import storage_opener
from lethe.engines.storage.versions import BucketVersions
from lethe.engines.superseded import UNSEEN, superseded

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


@pytest.fixture(params=["local", "memory", "s3", "s3 without boto3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    match request.param:
        case "local":
            return LocalStorage(str(tmp_path))
        case "memory":
            return ObjectStorage("memory://x", MemoryStore())
        case name:
            monkeypatch.setattr(multipart, "_can_copy", name == "s3")
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


def test_of_two_writers_of_one_name_one_wins_with_what_it_wrote(storage: Storage) -> None:
    """A commit log rests on this."""
    for number in range(20):
        name, won = f"dir/{number}", list[bytes]()
        barrier = Barrier(2)

        def write(content: bytes, name: str = name, won: list[bytes] = won, barrier: Barrier = barrier) -> None:
            barrier.wait()
            with suppress(FileExists):
                storage.put(name, content, if_absent=True)
                won.append(content)

        writers = [Thread(target=write, args=(content * 10_000,)) for content in (b"a", b"bc")]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert won == [storage.read(name)]
    assert len(list(storage.list())) == 20


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


def test_files_are_created_under_any_name(storage: Storage) -> None:
    for name in NAMES:
        with storage.create(name) as sink:
            sink.write(name.encode())
        assert storage.read(name) == name.encode()
    assert [stat.path for stat in storage.list()] == sorted(NAMES)


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


def test_what_the_disk_refuses_while_a_file_is_open_is_the_storage_s_failure(tmp_path: Path) -> None:
    """`/proc/self/mem` can be opened by everybody, and its first page be read by nobody."""
    with pytest.raises(StorageFailed, match="EIO"), LocalStorage("/proc/self").open("mem") as file:
        file.read(8)
    with pytest.raises(StorageFailed, match="ENOSPC"), LocalStorage(str(tmp_path)).create("a") as sink:
        _write_to_a_full_disk(sink)
    assert not list(tmp_path.iterdir())


def _write_to_a_full_disk(sink: IO[bytes]) -> None:
    sink.write(b"x")
    raise OSError(ENOSPC, "full", "/a/name/that/speaks")


def test_what_arrow_cannot_decode_is_no_failure_of_the_disk(tmp_path: Path) -> None:
    storage = LocalStorage(str(tmp_path))
    storage.put("a", b"x")
    with pytest.raises(OSError, match="not decoded"), storage.open("a"):
        raise OSError("not decoded")


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


@pytest.fixture(scope="module")
def bucket(s3: dict[str, Any]) -> Any:
    """A client of a bucket that keeps versions."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=s3["endpoint"], **keys)
    client.create_bucket(Bucket="kept")
    client.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    return client


def let_expire(client: Any, prefix: str) -> None:
    """As a lifecycle rule would."""
    found = client.list_object_versions(Bucket="kept", Prefix=prefix)
    for version in found.get("Versions", []):
        if not version["IsLatest"]:
            client.delete_object(Bucket="kept", Key=version["Key"], VersionId=version["VersionId"])


def test_what_keeps_nothing_has_no_old_versions(storage: Storage) -> None:
    storage.put("x", b"1")
    storage.put("x", b"2")
    assert storage.keeping() is Keeping.NOTHING
    assert not superseded([storage])


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_old_versions_are_seen_page_by_page(
    s3: dict[str, Any], bucket: Any, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for = BucketVersions._ask
    monkeypatch.setattr(BucketVersions, "_ask", lambda self, question: asked_for(self, {**question, "max-keys": "2"}))
    storage = storage_opener({"s3": s3})(f"s3://kept/{status} ü")
    for name in ("a", "b&c+ %2F", "d ü", "e"):
        storage.put(name, b"1")
    assert (storage.keeping(), storage.old_versions()) == (Keeping.VERSIONS, 0)
    storage.put("e", b"2")
    storage.remove("e")
    bucket.put_object(Bucket="kept", Key=f"{status} üx", Body=b"another's")
    bucket.delete_object(Bucket="kept", Key=f"{status} üx")
    bucket.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": status})
    assert storage.keeping() is Keeping.VERSIONS
    assert storage.old_versions()
    assert storage.old_versions(datetime.now(UTC) + timedelta(minutes=1))
    assert storage.old_versions(datetime.now(UTC) - timedelta(minutes=1)) == 0
    assert [held.path for held in superseded([storage, storage])] == [f"s3://kept/{status} ü"]
    bucket.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    let_expire(bucket, f"{status} ü/")
    assert not superseded([storage])


def test_the_question_is_signed_as_s3_wants_it(s3: dict[str, Any]) -> None:
    """By botocore's own reckoning; the server of the tests does not look."""
    for virtual in (False, True):
        options = {**s3, "virtual_hosted_style_request": virtual, "token": "a+/=token"}
        storage = storage_opener({"s3": options})("s3://kept/t ü")
        assert isinstance(storage, ObjectStorage)
        address = BucketVersions(storage.store)._address({"versions": "", "prefix": "t ü/&+", "key-marker": "a b"})
        parts = urlsplit(address)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        assert (query["versions"], query["prefix"], query["key-marker"]) == ("", "t ü/&+", "a b")
        signature = query.pop("X-Amz-Signature")
        unsigned = parts._replace(query=urlencode(query, quote_via=quote)).geturl()
        signer = S3SigV4QueryAuth(Credentials("test", "test", "a+/=token"), "s3", "us-east-1")
        request = AWSRequest("GET", unsigned)
        request.context["timestamp"] = query["X-Amz-Date"]
        to_sign = signer.string_to_sign(request, signer.canonical_request(request))
        assert signer.signature(to_sign, request) == signature
        assert parts.path == ("/" if virtual else "/kept")


@pytest.mark.parametrize(
    ("status", "expected"), [(403, Keeping.UNSEEN), (501, Keeping.NOTHING), (404, Keeping.NOTHING), (503, None)]
)
def test_what_a_bucket_does_not_tell(
    s3: dict[str, Any], monkeypatch: pytest.MonkeyPatch, status: int, expected: Keeping | None
) -> None:
    storage = storage_opener({"s3": s3})("s3://kept/t")
    answer = httpx2.Response(status, content=b"<Error/>")
    monkeypatch.setattr(httpx2.Client, "get", lambda *_: answer)
    if expected is None:
        with pytest.raises(StorageFailed) as failed:
            storage.keeping()
        assert "X-Amz" not in str(failed.value)
        return
    assert storage.keeping() is expected
    assert [held.reason for held in superseded([storage])] == ([UNSEEN] if expected is Keeping.UNSEEN else [])


def test_a_directory_bucket_is_not_asked() -> None:
    options = {"access_key_id": "k", "secret_access_key": "s", "region": "us-east-1"}
    assert storage_opener({"s3": options})("s3://lake--use1-az4--x-s3/t").keeping() is Keeping.NOTHING


def test_a_bucket_that_cannot_be_reached_is_a_failure_without_the_address() -> None:
    options = {"endpoint": "http://127.0.0.1:1", "access_key_id": "k", "secret_access_key": "s", "region": "x"}
    storage = storage_opener({"s3": {**options, "client_options": {"allow_http": True}}})("s3://kept/t")
    with pytest.raises(StorageFailed) as failed:
        storage.keeping()
    assert str(failed.value) == "ask for versions: ConnectError"


def test_a_versioned_bucket_is_never_clean_while_it_keeps_old_versions(s3: dict[str, Any], bucket: Any) -> None:
    opener = storage_opener({"s3": s3})
    storage = opener("s3://kept/table")
    for number in range(2):
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({"id": ["annegret", f"keep-{number}"][: number + 1]}), sink)
        storage.put(f"p{number}.parquet", sink.getvalue().to_pybytes())
    engine = DirectoryEngine(ParquetFormat(), opener, InlineExecutor(), VERIFIER)
    target = Target(DatasetId("ds"), TableReference(TableFormat.PARQUET, "s3://kept/table"), BY_ID)
    wanted = asked(order(CRM, "annegret"))
    outcome = engine.forget(target, wanted, engine.find(target, wanted).plan, Marker("b/1"))
    assert isinstance(outcome, Forgotten), outcome
    policy = PurgePolicy(forgotten_at=datetime.now(UTC) + timedelta(minutes=1))
    for _ in range(2):
        report = engine.purge(target, policy, LATER)
        assert not report.clean
        assert "old versions" in report.held[0].reason
    let_expire(bucket, "table/")
    storage.put("later", b"1")
    storage.remove("later")
    assert engine.purge(target, replace(policy, forgotten_at=datetime.now(UTC) - timedelta(minutes=1)), LATER).clean
    dropped = engine.drop(target, LATER)
    assert dropped.files_removed
    assert not dropped.clean
    assert not engine.drop(target, LATER).clean
    let_expire(bucket, "table/")
    assert engine.drop(target, LATER).clean


@pytest.mark.parametrize(
    ("answer", "forbidden"),
    [
        ("Object is WORM protected and cannot be overwritten", True),
        ("Object 'lake/retention/x' is subject to bucket's retention policy or object retention", True),
        ("Access Denied because object protected by object lock.", True),
        ("BlobImmutableDueToPolicy", True),
        ("lake/retention/x: AccessDenied", False),
    ],
)
def test_a_removal_that_a_retention_forbids_is_held(
    s3: dict[str, Any], monkeypatch: pytest.MonkeyPatch, answer: str, forbidden: bool
) -> None:
    storage = storage_opener({"s3": s3})("s3://lake/retention")
    storage.put("x", b"1")

    def refuse(*_: Any) -> None:
        raise exceptions.PermissionDeniedError(answer)

    with monkeypatch.context() as patched:
        patched.setattr("obstore.delete", refuse)
        with pytest.raises(StorageFailed) as failed:
            storage.remove("x")
        report = drop_everything(storage, unwatched)
    assert isinstance(failed.value, RemovalForbidden) == forbidden
    assert (len(report.held), len(report.failed)) == ((1, 0) if forbidden else (0, 1))
    assert "lake" not in str(failed.value)
    storage.remove("x")


def test_what_a_retention_keeps_of_a_forget_is_held_by_its_purge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files may be replaced, and nothing may be removed, as under a retention of what is new."""
    storage = ObjectStorage("memory://t", MemoryStore())
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": ["annegret", "keep"]}), sink)
    storage.put("p.parquet", sink.getvalue().to_pybytes())
    engine = DirectoryEngine(ParquetFormat(), lambda _: storage, InlineExecutor(), VERIFIER)
    target = Target(DatasetId("ds"), TableReference(TableFormat.PARQUET, "memory://t"), BY_ID)
    wanted = asked(order(CRM, "annegret"))
    plan = engine.find(target, wanted).plan
    true, locked = obstore.delete, {"p.parquet"}

    def keep(store: Any, path: str) -> None:
        if ".new" in path or path in locked:
            raise exceptions.PermissionDeniedError("the object is under retention")
        true(store, path)

    with monkeypatch.context() as patched:
        patched.setattr("obstore.delete", keep)
        for _ in range(2):
            outcome = engine.forget(target, wanted, plan, Marker("b/1"))
            assert isinstance(outcome, Forgotten), outcome
        report = engine.purge(target, PurgePolicy(), LATER)
    assert not report.failed
    assert "retention" in report.held[0].reason
    assert engine.purge(target, PurgePolicy(), LATER).clean
    assert engine.verify(target, wanted).gone
