"""What the tests of auth share: a settable clock, a key set server on the loopback, clients and tokens."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import Key, OKPKey

from lethe.auth.algorithms import POSSIBLE_ALGORITHMS, AllowList
from lethe.auth.issuer import ClientCredentials
from lethe.auth.roles import Role
from lethe.domain.ids import ClientId, OrgId

START = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
ISSUER = "https://issuer.test"
AUDIENCE = "lethe"
SECRET = "correct horse battery staple 0123456789"


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def credentials(client_id: str = "robot", **changes: Any) -> ClientCredentials:
    values: dict[str, Any] = {
        "client_id": ClientId(client_id),
        "secret_sha256": hashlib.sha256(SECRET.encode()).hexdigest(),
        "name": "Rob Ot",
        "email": "robot@example.test",
        "account_id": "ACC1@tech",
        "org_ids": frozenset({OrgId("B@Org"), OrgId("A@Org")}),
        "roles": frozenset({Role.RECORD_DELETE_MANAGER}),
    }
    return ClientCredentials(**{**values, **changes})


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, with these changes; a change to `...` removes the claim."""
    now = int(START.timestamp())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ACC1@tech",
        "client_id": "robot",
        "name": "Rob Ot",
        "email": "robot@example.test",
        "orgs": ["A@Org"],
        "roles": ["viewer"],
        "iat": now,
        "exp": now + 3600,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


def signing_key(kid: str = "k1") -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": kid})


def signed(key: Key, payload: dict[str, Any], alg: str = "EdDSA", **header: Any) -> str:
    """A token of this payload; a header of `...` is left out."""
    full = {"alg": alg, "kid": key.kid, **header}
    present = {name: value for name, value in full.items() if value is not ...}
    return jwt.encode(present, payload, key, registry=AllowList(POSSIBLE_ALGORITHMS))


def key_set(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


class KeyServer:
    """An issuer's web server, whose answers a test sets; it counts what it is asked."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.pause_seconds = 0.0
        """How long it waits before each byte of an answer."""
        self.gate = threading.Event()
        """Closed, it holds every answer back."""
        self.gate.set()
        self.asked: list[str] = []
        self.url = ""

    def publish(self, path: str, document: Any) -> None:
        self.documents[path] = json.dumps(document).encode()


@contextmanager
def key_server() -> Iterator[KeyServer]:
    """A key server on a free port of 127.0.0.1."""
    state = KeyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            state.gate.wait(10)
            body = state.documents.get(self.path, b"")
            self.send_response(state.status if self.path in state.documents else 404)
            for name, value in {"content-length": str(len(body)), **state.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                if state.pause_seconds:
                    for byte in body:
                        time.sleep(state.pause_seconds)
                        self.wfile.write(bytes([byte]))
                else:
                    self.wfile.write(body)
            except OSError:
                self.close_connection = True  # the reader has given up, as it should

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
