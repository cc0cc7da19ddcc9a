"""Parts of an upload that S3 copies by itself: the bytes are the same, and they do not pass here."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from engines.asking import CRM, asked, order
from engines.byte_search import residue
from engines.plug import BY_ID, LATER, VERIFIER
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import Forgotten, Marker, PurgePolicy, Target
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter
from lethe.engines.storage.interface import StorageFailed, Taking
from lethe.engines.storage.multipart import PART_BYTES_MIN, client_of
from lethe.engines.storage.objects import ObjectStorage
from lethe.engines.storage.opening import storage_opener

KEYS = {"access_key_id": "test", "secret_access_key": "test", "region": "us-east-1"}
CONTENT = os.urandom(4 * PART_BYTES_MIN)
SIZES = st.sampled_from([0, 1, 1000, PART_BYTES_MIN - 1, PART_BYTES_MIN, PART_BYTES_MIN + 1, 2 * PART_BYTES_MIN])


@pytest.fixture(scope="module")
def options() -> Iterator[dict[str, Any]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield {**KEYS, "endpoint": f"http://{host}:{port}", "client_options": {"allow_http": True}}
    server.stop()


@pytest.fixture(scope="module")
def bucket(options: dict[str, Any]) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=options["endpoint"], **keys)
    client.create_bucket(Bucket="lake")
    return client


@pytest.fixture(scope="module")
def storage(options: dict[str, Any], bucket: Any) -> ObjectStorage:
    assert bucket
    opened = storage_opener({"s3": options})("s3://lake/t ü")
    assert isinstance(opened, ObjectStorage)
    opened.put("source", CONTENT)
    return opened


class Calls:
    """What is asked of S3, and how many bytes are sent with it."""

    def __init__(self, client: Any) -> None:
        self._calls: list[tuple[str, int]] = []
        self._client = client

    @property
    def count(self) -> Counter[str]:
        return Counter(name for name, _ in self._calls)

    @property
    def sent(self) -> int:
        return sum(size for _, size in self._calls)

    def __enter__(self) -> "Calls":
        self._client.meta.events.register("before-call.s3", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.meta.events.unregister("before-call.s3", self._note)

    def _note(self, model: Any, params: Any, **_: Any) -> None:
        body = params["body"]
        self._calls.append((model.name, len(body if isinstance(body, bytes) else body.getvalue())))


def compose(storage: ObjectStorage, path: str, pieces: Sequence[tuple[bool, int]]) -> bytes:
    """An object of pieces that are written, and of ranges that it is to take; what it should hold."""
    expected = b""
    with storage.open("source") as source, storage.create(path) as sink:
        for takes, size in pieces:
            start = len(expected) % (len(CONTENT) - size + 1)
            piece = CONTENT[start : start + size]
            if takes:
                assert isinstance(sink, Taking)
                assert sink.take(source, start, size)
            else:
                sink.write(piece)
            expected += piece
            assert sink.tell() == len(expected)
    return expected


@given(st.lists(st.tuples(st.booleans(), SIZES), max_size=6))
@example([(True, 2 * PART_BYTES_MIN), (False, 1), (True, PART_BYTES_MIN), (True, PART_BYTES_MIN), (False, 9)])
@example([(False, 1), (True, 2 * PART_BYTES_MIN)])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_written_and_taken_bytes_stand_in_their_order(storage: ObjectStorage, pieces: list[tuple[bool, int]]) -> None:
    expected = compose(storage, "composed", pieces)
    assert storage.read("composed") == expected


def test_a_large_range_is_copied_and_a_small_one_is_not(storage: ObjectStorage) -> None:
    with Calls(client_of(storage.store)) as calls:
        compose(storage, "large", [(True, 2 * PART_BYTES_MIN), (False, 10), (True, 2 * PART_BYTES_MIN)])
    assert calls.count["UploadPartCopy"] == 2
    assert calls.sent < PART_BYTES_MIN + 2000
    with Calls(client_of(storage.store)) as calls:
        compose(storage, "small", [(True, PART_BYTES_MIN - 1), (False, 10), (True, PART_BYTES_MIN - 10)])
    assert not calls.count["UploadPartCopy"]


def test_ranges_that_follow_each_other_are_one(storage: ObjectStorage) -> None:
    half = PART_BYTES_MIN // 2
    with Calls(client_of(storage.store)) as calls:
        expected = compose(storage, "following", [(True, half)] * 5)
    assert calls.count["UploadPartCopy"] == 1
    assert calls.sent < 2000
    assert storage.read("following") == expected


def test_a_file_of_another_bucket_or_place_is_not_taken(
    storage: ObjectStorage, options: dict[str, Any], bucket: Any
) -> None:
    bucket.create_bucket(Bucket="pond")
    other = storage_opener({"s3": options})("s3://pond/t")
    other.put("x", CONTENT)
    with other.open("x") as source, storage.create("beside") as sink:
        assert isinstance(sink, Taking)
        assert not sink.take(source, 0, len(CONTENT))
        assert not sink.take(pa.BufferReader(CONTENT), 0, len(CONTENT))
        sink.write(b"1")
    assert storage.read("beside") == b"1"


def test_a_range_larger_than_a_part_may_be_is_several(storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lethe.engines.storage.multipart._COPY_BYTES_MAX", PART_BYTES_MIN + 5)
    with Calls(client_of(storage.store)) as calls:
        expected = compose(storage, "several", [(True, 3 * PART_BYTES_MIN + 1), (False, 1)])
    assert calls.count["UploadPartCopy"] == 3
    assert storage.read("several") == expected


def refused(status: int) -> ClientError:
    return ClientError({"ResponseMetadata": {"HTTPStatusCode": status}, "Error": {"Code": "secret-name"}}, "Any")


def test_another_version_of_the_source_is_not_copied(
    storage: ObjectStorage, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(storage.store)
    copy = client.upload_part_copy

    def as_s3_does(**words: Any) -> Any:
        """The server of the tests looks at no condition."""
        if bucket.head_object(**words["CopySource"])["ETag"] != words["CopySourceIfMatch"]:
            raise refused(412)
        return copy(**words)

    monkeypatch.setattr(client, "upload_part_copy", as_s3_does)
    storage.put("moving", CONTENT)
    with pytest.raises(StorageFailed) as failed:
        _taken_while_it_changes(storage)
    assert str(failed.value) == "copy a range: ClientError"
    assert "gone" not in [stat.path for stat in storage.list()]
    assert not bucket.list_multipart_uploads(Bucket="lake").get("Uploads")


def _taken_while_it_changes(storage: ObjectStorage) -> None:
    with storage.open("moving") as source, storage.create("gone") as sink:
        assert isinstance(sink, Taking)
        assert sink.take(source, 0, 2 * PART_BYTES_MIN)
        sink.write(b"1")
        storage.put("moving", CONTENT[::-1])
        assert sink.take(source, 0, 2 * PART_BYTES_MIN)


@pytest.mark.parametrize("status", [400, 403, 405, 501])
def test_a_store_that_copies_no_parts_is_given_all_bytes(
    storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    refusals = Counter[str]()

    def refuse(**words: Any) -> None:
        refusals[words["Key"]] += 1
        raise refused(status)

    monkeypatch.setattr(client_of(storage.store), "upload_part_copy", refuse)
    pieces = [(False, 1), (True, 2 * PART_BYTES_MIN), (False, 5), (True, 2 * PART_BYTES_MIN)]
    expected = compose(storage, "streamed", pieces)
    assert storage.read("streamed") == expected
    assert list(refusals.values()) == [1]


def test_a_store_that_fails_to_copy_is_a_failure(storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise refused(503)

    monkeypatch.setattr(client_of(storage.store), "upload_part_copy", fail)
    with pytest.raises(StorageFailed, match="copy a range"):
        compose(storage, "failed", [(True, PART_BYTES_MIN), (False, 1)])
    assert "failed" not in [stat.path for stat in storage.list()]


def test_what_the_store_refuses_names_no_key(storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise refused(403)

    monkeypatch.setattr(client_of(storage.store), "put_object", refuse)
    with pytest.raises(StorageFailed) as failed, storage.create("secret-name") as sink:
        sink.write(b"1")
    assert str(failed.value) == "put object: ClientError"
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


def test_a_store_that_is_set_up_in_another_way_gets_no_second_client(options: dict[str, Any]) -> None:
    for more in ({"sse_kms_key_id": "k"}, {"client_options": {"allow_http": True, "user_agent": "x"}}):
        opened = storage_opener({"s3": {**options, **more}})("s3://lake/t")
        assert isinstance(opened, ObjectStorage)
        assert client_of(opened.store) is None


def test_rows_go_out_of_a_large_object_of_which_little_is_sent(
    storage: ObjectStorage, options: dict[str, Any], tmp_path: Path
) -> None:
    """Nothing but the row group of one person passes here, and the object is what the same file becomes on a disk."""
    rows = 400_000
    noise = np.random.default_rng(1).integers(0, 1 << 62, (8, rows))
    people = [f"person-{number // 100:06d}" for number in range(rows)]
    table = pa.table({"id": people, **{f"c{number}": column for number, column in enumerate(noise)}})
    local = tmp_path / "table"
    local.mkdir()
    pq.write_table(table, local / "p.parquet", row_group_size=100_000, compression="zstd")
    size = (local / "p.parquet").stat().st_size
    storage.put("large/p.parquet", (local / "p.parquet").read_bytes())
    gone = "person-002500"
    wanted = asked(order(CRM, gone))
    for location in ("s3://lake/t ü/large", str(local)):
        opener = storage_opener({"s3": options})
        engine = DirectoryEngine(ParquetFormat(best_rewriter()), opener, InlineExecutor(), VERIFIER)
        target = Target(DatasetId("ds"), TableReference(TableFormat.PARQUET, location), BY_ID)
        plan = engine.find(target, wanted).plan
        with Calls(client_of(storage.store)) as calls:
            outcome = engine.forget(target, wanted, plan, Marker("b/1"))
        assert isinstance(outcome, Forgotten), outcome
        assert outcome.tally.orders[0].rows_by_identity == (100,)
        assert engine.purge(target, PurgePolicy(), LATER).clean
        assert engine.verify(target, wanted).gone
        if location.startswith("s3:"):
            # Without the native module nothing is copied.
            assert calls.count["UploadPartCopy"] == (0 if isinstance(best_rewriter(), PyarrowRewriter) else 2)
            assert calls.sent < size / 2 or not calls.count["UploadPartCopy"]
    on_s3 = storage.read("large/p.parquet")
    assert on_s3 == (local / "p.parquet").read_bytes()
    left = pq.read_table(pa.BufferReader(on_s3))
    assert left.equals(table.filter(pa.array([person != gone for person in people])))
    assert residue(local, gone) == set()
    metadata = pq.read_metadata(pa.BufferReader(on_s3))
    assert [metadata.row_group(number).num_rows for number in range(4)] == [100_000, 100_000, 99_900, 100_000]
