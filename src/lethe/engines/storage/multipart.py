"""An upload to S3 in parts, some of which are ranges of objects that are there: S3 copies those by itself.

obstore has no call for such a part. boto3 has one; it is optional, and without it every byte is read and written here.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, Final, NamedTuple

from obstore.store import S3Store

from lethe.engines.storage.client_options import is_here, proxy, verifies
from lethe.engines.storage.interface import StorageFailed
from lethe.engines.storage.ranges import ObjectFile, Source

try:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    _can_copy = False
else:
    _can_copy = True

PART_BYTES_MIN: Final = 5 << 20
"""S3 takes smaller parts at the end alone."""
_PART_BYTES: Final = 8 << 20
_COPY_BYTES_MAX: Final = 512 << 20
"""S3 takes ten times that, and would not answer for a while."""
_AT_ONCE: Final = 4
"""So many parts are on their way at a time, and in memory."""
_CHANGED, _FAILED_FROM, _NOT_IMPLEMENTED = 412, 500, 501
_CREDENTIALS: Final = {
    "access_key_id": "aws_access_key_id",
    "secret_access_key": "aws_secret_access_key",
    "session_token": "aws_session_token",
    "region": "region_name",
    "endpoint": "endpoint_url",
}
_UNDERSTOOD: Final = frozenset({*_CREDENTIALS, "bucket", "virtual_hosted_style_request"})
_OPTIONS_UNDERSTOOD: Final = frozenset({"allow_http", "allow_invalid_certificates", "proxy_url"})


class _Range(NamedTuple):
    """A part of an object."""

    source: Source
    start: int
    end: int


class MultipartUpload:
    """A stream into an object, which appears when the upload is completed."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self._where = {"Bucket": bucket, "Key": key}
        self._id: str | None = None
        self._parts: list[Future[str]] = []
        self._pending = bytearray()
        self._waiting: _Range | None = None
        self._position = 0
        self._copies = True
        self._senders = ThreadPoolExecutor(_AT_ONCE)
        self.closed = False

    def write(self, data: Any) -> int:
        """Append bytes."""
        self._settle()
        self._append(data)
        self._position += len(data)
        return len(data)

    def take(self, source: Any, start: int, size: int) -> bool:
        """Append a range of a file that is an object of the same bucket."""
        if not isinstance(source, ObjectFile) or not self._is_beside(source.source):
            return False
        waiting = self._waiting
        if waiting is not None and (waiting.source, waiting.end) == (source.source, start):
            self._waiting = waiting._replace(end=start + size)
        else:
            self._settle()
            self._waiting = _Range(source.source, start, start + size)
        self._position += size
        return True

    def _settle(self) -> None:
        """Append the range that waits: by a copy, if it is large enough, and by its bytes otherwise.

        Before a copy there must be a whole part: so its first bytes may be read after all.
        """
        if self._waiting is None:
            return
        source, start, end = self._waiting
        self._waiting = None
        lacking = max(0, PART_BYTES_MIN - len(self._pending)) if self._pending else 0
        if self._copies and end - start - lacking >= PART_BYTES_MIN:
            if lacking:
                self._append(source.read(start, start + lacking))
            if self._pending:
                self._send(len(self._pending))
            start = self._copied(source, start + lacking, end)
        while start < end:
            block = source.read(start, min(start + _PART_BYTES, end))
            self._append(block)
            start += len(block)

    def _copied(self, source: Source, start: int, end: int) -> int:
        """How far the store has copied a range, in pieces of about one size: no part may be small."""
        for left in range(-(-(end - start) // _COPY_BYTES_MAX), 0, -1):
            some = (end - start) // left
            if not self._copy(source, start, start + some):
                break
            start += some
        return start

    def _append(self, data: Any) -> None:
        self._pending += data
        while len(self._pending) >= _PART_BYTES:
            self._send(_PART_BYTES)

    def tell(self) -> int:
        """How many bytes it has."""
        return self._position

    def flush(self) -> None:
        """Parts go when they are full."""

    def close(self) -> None:
        """The upload is ended by its owner."""
        self.closed = True

    def complete(self) -> None:
        """Let the object appear. Raises StorageFailed."""
        self._settle()
        if not self._parts:
            self._ask("put_object", Body=bytes(self._pending))
            return
        if self._pending:
            self._send(len(self._pending))
        parts = [{"PartNumber": number, "ETag": part.result()} for number, part in enumerate(self._parts, 1)]
        self._ask("complete_multipart_upload", UploadId=self._id, MultipartUpload={"Parts": parts})

    def give_up(self) -> None:
        """Leave nothing behind, where the store answers."""
        for part in self._parts:
            part.cancel()
        self.end()
        if self._id is not None:
            with suppress(StorageFailed):
                self._ask("abort_multipart_upload", UploadId=self._id)

    def end(self) -> None:
        """Let the senders go."""
        self._senders.shutdown()

    def _is_beside(self, source: Source) -> bool:
        """Whether the same bucket of the same store has it, and says which version it is."""
        store = source.store
        return (
            isinstance(store, S3Store)
            and store.config["bucket"] == self._where["Bucket"]
            and client_of(store) is self._client
            and source.stat.version.startswith('"')
        )

    def _send(self, size: int) -> None:
        body = bytes(memoryview(self._pending)[:size])
        del self._pending[:size]
        self._add(self._senders.submit(self._sent, self._begun(), len(self._parts) + 1, body))

    def _sent(self, upload: str, number: int, body: bytes) -> str:
        tag: str = self._ask("upload_part", UploadId=upload, PartNumber=number, Body=body)["ETag"]
        return tag

    def _add(self, part: Future[str]) -> None:
        """Take note of a part on its way, and wait for an earlier one. Raises StorageFailed."""
        self._parts.append(part)
        if len(self._parts) > _AT_ONCE:
            self._parts[-_AT_ONCE - 1].result()

    def _copy(self, source: Source, start: int, end: int) -> bool:
        """Whether the store has copied a range of this very version. Raises StorageFailed."""
        try:
            answer = self._client.upload_part_copy(
                **self._where,
                UploadId=self._begun(),
                PartNumber=len(self._parts) + 1,
                CopySource={"Bucket": self._where["Bucket"], "Key": _key(source.store, source.stat.path)},
                CopySourceRange=f"bytes={start}-{end - 1}",
                CopySourceIfMatch=source.stat.version,
            )
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == _CHANGED or (status >= _FAILED_FROM and status != _NOT_IMPLEMENTED):
                raise StorageFailed(f"copy a range: {type(error).__name__}") from None
            # Stores refuse in many words what they do not offer, or do not allow.
            self._copies = False
            return False
        except BotoCoreError as error:
            raise StorageFailed(f"copy a range: {type(error).__name__}") from None
        copied: Future[str] = Future()
        copied.set_result(answer["CopyPartResult"]["ETag"])
        self._add(copied)
        return True

    def _begun(self) -> str:
        if self._id is None:
            begun: str = self._ask("create_multipart_upload")["UploadId"]
            self._id = begun
        return self._id

    def _ask(self, call: str, **words: Any) -> Any:
        try:
            return getattr(self._client, call)(**self._where, **words)
        except (ClientError, BotoCoreError) as error:
            raise StorageFailed(f"{call.replace('_', ' ')}: {type(error).__name__}") from None


@contextmanager
def upload(client: Any, store: Any, path: str) -> Iterator[MultipartUpload]:
    """An upload that is completed when the context ends well, and given up after an exception. Raises StorageFailed."""
    under_way = MultipartUpload(client, store.config["bucket"], _key(store, path))
    try:
        yield under_way
        under_way.complete()
    except BaseException:
        under_way.give_up()
        raise
    under_way.end()


def client_of(store: Any) -> Any:
    """A boto3 client for the same bucket; None without boto3, and where it would not know how the store is set up."""
    if not _can_copy or not isinstance(store, S3Store) or store.credential_provider is not None:
        return None
    options = store.client_options or {}
    if store.config.keys() - _UNDERSTOOD or options.keys() - _OPTIONS_UNDERSTOOD:
        return None
    return _client(frozenset(store.config.items()), frozenset(options.items()))


@lru_cache(maxsize=16)
def _client(config: frozenset[tuple[str, Any]], options: frozenset[tuple[str, Any]]) -> Any:
    given, asked = dict(config), dict(options)
    named = {theirs: given[ours] for ours, theirs in _CREDENTIALS.items() if ours in given}
    hosted = str(given.get("virtual_hosted_style_request", "")).lower() == "true"
    return Session().client(
        "s3",
        **named,
        verify=verifies(asked),
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 6},
            max_pool_connections=_AT_ONCE + 1,
            proxies=_proxies(str(given.get("endpoint", "")), asked),
            s3={"addressing_style": "virtual" if hosted else "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _proxies(endpoint: str, options: Mapping[str, Any]) -> Mapping[str, str] | None:
    """None leaves them to the environment."""
    if chosen := proxy(options):
        return dict.fromkeys(("http", "https"), chosen)
    return {} if is_here(endpoint) else None


def _key(store: Any, path: str) -> str:
    prefix = (store.prefix or "").strip("/")
    return f"{prefix}/{path}" if prefix else path
