"""An external issuer's keys: rotation, outage, slowness, nonsense; and how often it is asked."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auth.support import Clock, KeyServer, key_set, signing_key
from lethe.auth.fetch import DOCUMENT_BYTES_MAX
from lethe.auth.key_sets import KeysUnavailable
from lethe.auth.remote_keys import RemoteKeys

PATH = "/jwks"


def source(server: KeyServer, now: Any, **changes: Any) -> RemoteKeys:
    values: dict[str, Any] = {"key_set_url": server.url + PATH, "timeout_seconds": 2.0}
    return RemoteKeys(server.url, now=now, **{**values, **changes})


def kids(keys: RemoteKeys, kid: str | None = None) -> list[str | None]:
    return [key.kid for key in keys.keys(kid)]


def wait_until(condition: Any) -> None:
    ends_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.005)


def test_nothing_is_fetched_before_the_first_token(server: KeyServer, clock: Clock) -> None:
    keys = source(server, clock)
    assert server.asked == []
    server.publish(PATH, key_set(signing_key("k1")))
    assert kids(keys, "k1") == ["k1"]


def test_a_known_key_is_not_fetched_again_before_the_set_is_old(server: KeyServer, clock: Clock) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    keys = source(server, clock, age_max=timedelta(minutes=10))
    first = keys.keys("k1")
    clock.advance(599)
    assert keys.keys("k1") is first
    assert server.asked == [PATH]
    clock.advance(1)
    assert keys.keys("k1") is not first
    assert server.asked == [PATH] * 2


def test_a_rotation_is_noticed_by_the_unknown_name(server: KeyServer, clock: Clock) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    keys = source(server, clock)
    assert kids(keys, "k1") == ["k1"]
    server.publish(PATH, key_set(signing_key("k2"), signing_key("k1")))
    clock.advance(30)
    assert kids(keys, "k2") == ["k2", "k1"]


def test_made_up_names_fetch_once_in_the_interval(server: KeyServer, clock: Clock) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    keys = source(server, clock)
    for n in range(20):
        assert kids(keys, f"made-up-{n}") == ["k1"]
    clock.advance(29.9)
    keys.keys("made-up")
    assert server.asked == [PATH]
    clock.advance(0.1)
    keys.keys("made-up")
    keys.keys("made-up")
    assert server.asked == [PATH] * 2


def test_an_outage_leaves_the_held_set_in_use(server: KeyServer, clock: Clock) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    keys = source(server, clock)
    held = keys.keys("k1")
    server.status = 503
    clock.advance(100_000)
    assert keys.keys("k1") is held
    assert keys.keys("k2") is held
    assert keys.failure == f"{server.url}{PATH} answers 503"
    assert len(server.asked) == 2
    server.status = 200
    clock.advance(30)
    assert keys.keys("k1") is not held
    assert keys.failure is None


def test_an_issuer_that_was_never_reached_is_tried_once_in_the_interval(clock: Clock, server: KeyServer) -> None:
    keys = source(server, clock)
    for _ in range(3):
        with pytest.raises(KeysUnavailable, match="answers 404"):
            keys.keys("k1")
    assert len(server.asked) == 1
    server.publish(PATH, key_set(signing_key("k1")))
    clock.advance(30)
    assert kids(keys, "k1") == ["k1"]


def test_nobody_listening_is_an_outage_too(clock: Clock) -> None:
    keys = RemoteKeys("http://127.0.0.1:1", now=clock, key_set_url="http://127.0.0.1:1/jwks")
    with pytest.raises(KeysUnavailable, match="cannot be reached"):
        keys.keys("k1")


def test_a_clock_set_back_does_not_stop_fetching(server: KeyServer, clock: Clock) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    keys = source(server, clock)
    keys.keys("k1")
    server.publish(PATH, key_set(signing_key("k2")))
    clock.advance(-86_400)
    assert kids(keys, "k2") == ["k2"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>log in first</html>", "something else than JSON"),
        (b"\xff\xfe", "something else than JSON"),
        (b"[" * 100_000, "something else than JSON"),
        (b"", "something else than JSON"),
        (b"[]", "JSON that is no object"),
        (b"{}", "no JSON Web Key Set"),
        (b'{"keys": []}', "holds no key"),
        (b'{"keys": [' + b" " * DOCUMENT_BYTES_MAX + b"]}", "more than 1000000 bytes"),
    ],
)
def test_wrong_content_never_replaces_the_held_set(server: KeyServer, clock: Clock, body: bytes, reason: str) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    keys = source(server, clock)
    held = keys.keys("k1")
    server.documents[PATH] = body
    clock.advance(30)
    assert keys.keys("k2") is held
    assert keys.failure is not None
    assert reason in keys.failure


def test_a_redirect_is_not_followed(server: KeyServer, clock: Clock) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    server.publish("/elsewhere", key_set(signing_key("k1")))
    server.status, server.headers = 302, {"location": "/elsewhere"}
    with pytest.raises(KeysUnavailable, match="answers 302"):
        source(server, clock).keys("k1")
    assert server.asked == [PATH]


def test_compressed_content_is_refused(server: KeyServer, clock: Clock) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    server.headers = {"content-encoding": "gzip"}
    with pytest.raises(KeysUnavailable, match="compressed"):
        source(server, clock).keys("k1")


def test_an_issuer_that_never_answers_costs_the_timeout(server: KeyServer, clock: Clock) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    server.gate.clear()
    with pytest.raises(KeysUnavailable, match="cannot be reached \\(ReadTimeout\\)"):
        source(server, clock, timeout_seconds=0.1).keys("k1")


def test_an_issuer_that_answers_a_byte_at_a_time_is_cut_off(server: KeyServer) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    server.pause_seconds = 0.05
    keys = source(server, lambda: datetime.now(UTC), timeout_seconds=0.3)
    begun_at = time.monotonic()
    with pytest.raises(KeysUnavailable, match=r"did not answer within 0\.3 seconds"):
        keys.keys("k1")
    assert time.monotonic() - begun_at < 3


def test_nobody_waits_for_a_renewal_who_can_do_with_the_held_set(server: KeyServer, clock: Clock) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    keys = source(server, clock, timeout_seconds=10)
    held = keys.keys("k1")
    clock.advance(100_000)
    server.gate.clear()
    renewal = threading.Thread(target=keys.keys, args=("k1",))
    renewal.start()
    wait_until(lambda: len(server.asked) == 2)
    assert keys.keys("k1") is held
    assert renewal.is_alive()
    server.gate.set()
    renewal.join(10)
    assert keys.keys("k1") is not held
    assert len(server.asked) == 2


def test_threads_that_need_the_same_new_key_fetch_it_once(server: KeyServer, clock: Clock) -> None:
    server.publish(PATH, key_set(signing_key("k1")))
    server.gate.clear()
    keys = source(server, clock, timeout_seconds=10)
    found: list[list[str | None]] = []
    threads = [threading.Thread(target=lambda: found.append(kids(keys, "k1"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(server.asked) == 1)
    server.gate.set()
    for thread in threads:
        thread.join(10)
    assert found == [["k1"]] * 8
    assert server.asked == [PATH]


DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.parametrize("slash", ["", "/"])
def test_discovery_finds_the_keys_from_the_issuers_name(server: KeyServer, clock: Clock, slash: str) -> None:
    server.publish(DISCOVERY, {"issuer": server.url + slash, "jwks_uri": server.url + PATH})
    server.publish(PATH, key_set(signing_key("k1")))
    keys = RemoteKeys(server.url + slash, now=clock)
    assert kids(keys, "k1") == ["k1"]
    assert server.asked == [DISCOVERY, PATH]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issuer": "https://other.test"}, "another issuer's"),
        ({"issuer": None}, "another issuer's"),
        ({"jwks_uri": None}, "no jwks_uri"),
        ({"jwks_uri": 7}, "no jwks_uri"),
        ({"jwks_uri": "http://keys.test/jwks"}, "must begin with https://"),
        ({"jwks_uri": "file:///etc/passwd"}, "must begin with https://"),
        ({"jwks_uri": "https://keys.test:port/"}, "not valid"),
    ],
)
def test_a_discovery_document_that_misleads_is_refused(
    server: KeyServer, clock: Clock, changes: dict[str, Any], reason: str
) -> None:
    server.publish(DISCOVERY, {"issuer": server.url, "jwks_uri": server.url + PATH, **changes})
    server.publish(PATH, key_set(signing_key("k1")))
    with pytest.raises(KeysUnavailable, match=reason):
        RemoteKeys(server.url, now=clock).keys("k1")
    assert server.asked == [DISCOVERY]


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.test",
        "http://127.0.0.1.issuer.test",
        "http://127.0.0.1@issuer.test",
        "http://localhost.issuer.test",
        "http://10.0.0.1",
        "ftp://localhost/jwks",
        "issuer.test",
        "https://",
        "",
    ],
)
def test_a_url_that_protects_nothing_is_refused_at_the_start(url: str, clock: Clock) -> None:
    with pytest.raises(ValueError, match="https://"):
        RemoteKeys(url, now=clock)
    with pytest.raises(ValueError, match="https://"):
        RemoteKeys("https://issuer.test", now=clock, key_set_url=url or "http://")


@pytest.mark.parametrize("url", ["https://issuer.test", "http://localhost:1", "http://127.0.0.2", "http://[::1]:8"])
def test_https_and_the_loopback_are_accepted(url: str, clock: Clock) -> None:
    assert RemoteKeys(url, now=clock).failure is None
