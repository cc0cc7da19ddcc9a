"""Products behind a customer's HTTP service: the suite, and what a service may do wrong."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any

import pytest

from lethe.clock import system_now
from lethe.domain.identity import Identities
from lethe.products.http.breaker import CircuitBreaker
from lethe.products.http.callbacks import CALLBACK_BYTES_MAX, verified_callback
from lethe.products.http.service import HttpService
from lethe.products.http.signature import BadSignature, Signer
from lethe.products.interface import Done, ProductUnavailable, Refused, RequestKey, Waiting
from products.http_service import SECRET, HttpWorld, LoopbackServer, http_product
from products.suite import HERE, KEY, ORDERS, ProductSuite, speaks_of
from support.clock import Clock
from support.values import EMAIL

SECRET_ID = "ann.secret@example.com"
ANN = Identities({EMAIL: (SECRET_ID,)})
NOT_BEGUN = Waiting("the service has not begun yet", timedelta(seconds=15))


class TestHttpProduct(ProductSuite):
    @pytest.fixture(params=[0, 2], ids=["at once", "after two polls"])
    def world(self, request: pytest.FixtureRequest) -> Iterator[HttpWorld]:
        made = HttpWorld(request.param)
        yield made
        made.close()


class Scripted(LoopbackServer):
    """Knows no key; answers every POST as it is told."""

    def __init__(self) -> None:
        self.script: Callable[[BaseHTTPRequestHandler], None] = lambda handler: self.json(handler, {})
        self.bodies: list[bytes] = []
        self.released = Event()
        super().__init__()

    def close(self) -> None:
        self.released.set()
        super().close()

    def handle(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self.seen.append((handler.command, handler.path))
        if handler.command == "GET" and handler.path != "/elsewhere":
            self.send(handler, 404, b"")
        else:
            self.bodies.append(body)
            self.script(handler)

    def json(self, handler: BaseHTTPRequestHandler, answer: Any, status: int = 200) -> None:
        self.send(handler, status, json.dumps(answer).encode())

    def says(self, answer: Any, status: int = 200) -> None:
        self.script = lambda handler: self.json(handler, answer, status)


@pytest.fixture
def service() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.close()


def failure_of(url: str, **parts: Any) -> str:
    product = http_product(url, **parts)
    try:
        with pytest.raises(ProductUnavailable) as failure:
            product.forget(HERE, ANN, KEY)
        assert not speaks_of(failure.value)
        return str(failure.value)
    finally:
        product.close()


def answer_of(url: str, **parts: Any) -> object:
    product = http_product(url, **parts)
    try:
        return product.forget(HERE, ANN, KEY)
    finally:
        product.close()


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ({"status": "completed", "removed": 7}, Done(7)),
        ({"status": "completed"}, Done(None)),
        ({"status": "pending"}, NOT_BEGUN),
        ({"status": "in_progress", "retry_after_seconds": 90}, Waiting("the service is at it", timedelta(seconds=90))),
        ({"status": "pending", "retry_after_seconds": 10**9}, replace(NOT_BEGUN, again_after=timedelta(hours=1))),
        ({"status": "pending", "retry_after_seconds": -1}, NOT_BEGUN),
        ({"status": "pending", "retry_after_seconds": "x"}, NOT_BEGUN),
        ({"status": "refused", "reason": "legal_hold"}, Refused("the records are under a legal hold")),
        ({"status": "refused", "reason": SECRET_ID}, Refused("the service refuses, for a reason of its own")),
        ({"status": "refused"}, Refused("the service refuses, for a reason of its own")),
    ],
)  # fmt: skip
def test_what_it_says(service: Scripted, said: object, heard: object) -> None:
    service.says(said)
    assert answer_of(service.url) == heard


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        "completed",
        {},
        {"status": None},
        {"status": "COMPLETED"},
        {"status": "gone", "why": SECRET_ID},
        {"status": "completed", "removed": -1},
        {"status": "completed", "removed": True},
        {"status": "completed", "removed": "1"},
        {"status": "completed", "removed": 2**63},
        {"status": ["completed"]},
    ],
)
def test_what_says_nothing_is_no_answer(service: Scripted, said: object) -> None:
    service.says(said)
    assert "profile: the service answers" in failure_of(service.url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(service: Scripted, status: int) -> None:
    service.script = lambda handler: service.send(handler, status, b"", location="/elsewhere")
    assert f"{status}, and redirects are not followed" in failure_of(service.url)
    assert "/elsewhere" not in [path for _, path in service.seen]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 429, 500, 503])
def test_an_error_is_no_answer(service: Scripted, status: int) -> None:
    service.says({"status": "completed", "detail": SECRET_ID}, status)
    assert f"the service answers {status}" in failure_of(service.url)


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"\xff\xfe", b"[" * 50_000, b'{"status": "completed"', b"9" * 5_000]
)
def test_garbage(service: Scripted, content: bytes) -> None:
    service.script = lambda handler: service.send(handler, 200, content)
    assert "something else than JSON" in failure_of(service.url)


def test_a_huge_answer(service: Scripted) -> None:
    service.script = lambda handler: service.send(handler, 200, b'{"status": "completed", "x": "' + b"x" * 10_000)
    assert "over 5000 bytes" in failure_of(service.url, response_bytes_max=5_000)


def test_an_answer_that_unpacks_into_more(service: Scripted) -> None:
    content = gzip.compress(b'{"status": "completed"}')
    service.script = lambda handler: service.send(handler, 200, content, content_encoding="gzip")
    assert "compressed" in failure_of(service.url)


def test_no_answer_in_time(service: Scripted) -> None:
    def keep_silent(_: BaseHTTPRequestHandler) -> None:
        service.released.wait(30)

    service.script = keep_silent
    assert "cannot be reached (ReadTimeout)" in failure_of(service.url, timeout_seconds=0.2)


def test_an_answer_that_drips(service: Scripted) -> None:
    """Every wait is short, and all together are too long."""
    times = iter(range(10_000))
    service.says({"status": "completed"})
    failure = failure_of(service.url, timeout_seconds=0.9, monotonic=lambda: float(next(times)))
    assert "takes over 0.9 s" in failure


def test_an_answer_that_breaks_off(service: Scripted) -> None:
    def break_off(handler: BaseHTTPRequestHandler) -> None:
        service.send(handler, 200, b'{"stat', content_length="100")
        handler.close_connection = True

    service.script = break_off
    assert "cannot be reached (RemoteProtocolError)" in failure_of(service.url)


def test_nobody_there(service: Scripted) -> None:
    service.server.server_close()
    assert "cannot be reached (Connect" in failure_of(service.url)


def test_a_known_request_is_not_sent_its_identities_again() -> None:
    world = HttpWorld(polls=3)
    try:
        for _ in range(3):
            assert isinstance(world.product.forget(HERE, ANN, KEY), Waiting)
        assert world.product.forget(HERE, ANN, KEY) == Done(0)
        assert [method for method, _ in world.service.seen].count("POST") == 1
    finally:
        world.close()


def test_a_key_with_signs_in_it_stays_one_path_segment() -> None:
    world = HttpWorld(polls=0)
    try:
        assert world.product.forget_dataset(HERE, ORDERS, RequestKey("a/../b?c#d%")) == Done(0)
        assert world.service.seen[0] == ("GET", "/hygiene/a%2F..%2Fb%3Fc%23d%25")
    finally:
        world.close()


def test_another_secret_is_refused_by_the_service() -> None:
    world = HttpWorld(polls=0)
    try:
        assert "cannot be reached" in failure_of(world.service.url, secret="whsec_b3RoZXI=")
        assert world.service.requests == {}
    finally:
        world.close()


def test_a_service_that_cannot_verify_is_not_asked(service: Scripted) -> None:
    product = http_product(service.url, can_verify=False)
    assert product.remaining(HERE, ANN) is None
    assert product.remaining_of_dataset(HERE, ORDERS) is None
    assert service.seen == []
    product.close()


def test_each_verification_is_a_new_question(service: Scripted) -> None:
    service.says({"remaining": 2})
    product = http_product(service.url)
    assert product.remaining(HERE, ANN) == product.remaining(HERE, ANN) == 2
    keys = [json.loads(body)["request_key"] for body in service.bodies]
    assert len(set(keys)) == 2
    service.says({"remaining": None})
    with pytest.raises(ProductUnavailable):
        product.remaining(HERE, ANN)
    product.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "ftp://127.0.0.1",
        "https://",
        "",
        "//example.com",
        "https://me:pw@example.com",
        "https://example.com/?a=b",
        "http://127.0.0.1.example.com",
        "https://[::1",
    ],
)
def test_unsafe_urls(url: str) -> None:
    with pytest.raises(ValueError, match="URL") as error:
        HttpService(base_url=url, secret=SECRET)
    assert "pw" not in str(error.value)


@pytest.mark.parametrize("url", ["https://example.com/hygiene/", "http://localhost:1", "http://[::1]:1/x"])
def test_safe_urls(url: str) -> None:
    service = HttpService(base_url=url, secret=SECRET)
    assert service.url("verify").count("//") == 1
    assert "whsec" not in repr(service)


@pytest.mark.parametrize("secret", ["", "whsec_", "no base64 \u2028"])
def test_an_unreadable_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        Signer(secret, system_now)


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fail() -> None:
    raise ProductUnavailable("down")


def test_the_breaker_opens_half_opens_and_closes() -> None:
    seconds = Seconds()
    breaker = CircuitBreaker(seconds, failures_max=2, open_seconds=10)
    calls: list[str] = []
    for _ in range(2):
        with pytest.raises(ProductUnavailable, match="down"):
            breaker.call(fail)
    with pytest.raises(ProductUnavailable, match="left alone"):
        breaker.call(lambda: calls.append("while open"))
    seconds.now = 10
    with pytest.raises(ProductUnavailable, match="down"):
        breaker.call(fail)
    seconds.now = 19
    with pytest.raises(ProductUnavailable, match="left alone"):
        breaker.call(lambda: calls.append("while open again"))
    seconds.now = 20

    def try_it() -> None:
        calls.append("trial")
        with pytest.raises(ProductUnavailable, match="being tried"):
            breaker.call(lambda: calls.append("beside the trial"))

    breaker.call(try_it)
    breaker.call(lambda: calls.append("closed"))
    with pytest.raises(ProductUnavailable, match="down"):
        breaker.call(fail)
    breaker.call(lambda: calls.append("one failure is not two"))
    assert calls == ["trial", "closed", "one failure is not two"]


def test_another_error_neither_opens_nor_closes_the_breaker() -> None:
    seconds = Seconds()
    breaker = CircuitBreaker(seconds, failures_max=1, open_seconds=10)

    def stop() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        breaker.call(stop)
    with pytest.raises(ProductUnavailable):
        breaker.call(fail)
    seconds.now = 10
    with pytest.raises(KeyError):
        breaker.call(stop)
    assert breaker.call(lambda: "tried again") == "tried again"


def test_a_failing_service_is_left_alone(service: Scripted) -> None:
    service.says({}, 500)
    seconds = Seconds()
    breaker = CircuitBreaker(seconds, failures_max=3, open_seconds=60)
    product = http_product(service.url, breaker=breaker)
    for _ in range(10):
        with pytest.raises(ProductUnavailable, match=r"^profile: "):
            product.forget(HERE, ANN, KEY)
    assert [method for method, _ in service.seen].count("POST") == 3
    seconds.now = 61
    service.says({"status": "completed", "removed": 1})
    assert product.forget(HERE, ANN, KEY) == Done(1)
    product.close()


def signed(body: bytes, *, secret: str = SECRET, clock: Clock) -> dict[str, str]:
    return Signer(secret, clock).headers("message-1", body)


def test_a_callback(clock: Clock) -> None:
    body = json.dumps({"request_key": "order-1.profile.1", "status": "completed", "removed": 3}).encode()
    headers = {name.title(): value for name, value in signed(body, clock=clock).items()}
    callback = verified_callback(Signer(SECRET, clock), headers, body, poll_seconds=15)
    assert (callback.message_id, callback.key, callback.answer) == ("message-1", "order-1.profile.1", Done(3))
    headers["Webhook-Signature"] = f"v1,bm90IHRoaXM= v2,x {headers['Webhook-Signature']}"
    assert verified_callback(Signer(SECRET, clock), headers, body, poll_seconds=15) == callback


SIGNED_NONSENSE = (
    b"{}",
    b"[]",
    b"null",
    b"x",
    b'{"request_key": 1, "status": "pending"}',
    b'{"request_key": "order-1", "status": "?"}',
)


def test_callbacks_that_are_not_believed(clock: Clock) -> None:
    body = json.dumps({"request_key": "order-1", "status": "completed"}).encode()
    good = signed(body, clock=clock)
    signer = Signer(SECRET, clock)
    forged = [
        ({}, body),
        (good, body + b" "),
        (good | {"webhook-id": "message-2"}, body),
        (good | {"webhook-id": "\ud800"}, body),
        (good | {"webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)}, body),
        (good | {"webhook-timestamp": "soon"}, body),
        (good | {"webhook-timestamp": "9" * 400}, body),
        (good | {"webhook-signature": ""}, body),
        (good | {"webhook-signature": "v1,\udcff"}, body),
        (good, b"\xff"),
        (signed(body, clock=clock, secret="whsec_b3RoZXI="), body),
        *((signed(said, clock=clock), said) for said in SIGNED_NONSENSE),
        (signed(b" " * CALLBACK_BYTES_MAX + body, clock=clock), b" " * CALLBACK_BYTES_MAX + body),
    ]
    for headers, said in forged:
        with pytest.raises(BadSignature):
            verified_callback(signer, headers, said, poll_seconds=15)
    clock.advance(timedelta(minutes=6))
    with pytest.raises(BadSignature, match="old"):
        verified_callback(signer, good, body, poll_seconds=15)
    clock.advance(timedelta(minutes=-12))
    with pytest.raises(BadSignature, match="ahead"):
        verified_callback(signer, good, body, poll_seconds=15)
