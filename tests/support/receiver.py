"""A webhook's receiver on a loopback port: it verifies every message with the library, and answers as it is told."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from time import monotonic
from typing import Any, Self

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Message:
    """What was posted, and what was answered."""

    message_id: str
    event: dict[str, Any]
    headers: dict[str, str]
    status: int


Answer = Callable[[Message], int]


@dataclass
class Receiver:
    """Keeps what it received, by the order in which it came."""

    secret: str | None = None
    answer: Answer = lambda _: 204
    messages: list[Message] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    """What was posted and not signed as it should be."""

    def __enter__(self) -> Self:
        owner = self
        self._changed = Condition()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                status = owner.receive(dict(self.headers), self.rfile.read(int(self.headers["content-length"])))
                self.send_response(status)
                self.send_header("content-length", "0")
                if 300 <= status < 400:
                    self.send_header("location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks?token=sesame"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        lowered = {name.lower(): value for name, value in headers.items()}
        try:
            assert self.secret is not None
            Webhook(self.secret).verify(body, headers, json_parse=False)
        except Exception as error:  # noqa: BLE001 - the library has no common class
            self.bad.append(f"{type(error).__name__}: {error}")
            return 401
        event = json.loads(body)
        message = Message(lowered["webhook-id"], event, lowered, 0)
        status = self.answer(message)
        with self._changed:
            self.messages.append(Message(message.message_id, event, lowered, status))
            self._changed.notify_all()
        return status

    def wait_for(self, condition: Callable[[Sequence[Message]], bool], seconds: float = 60) -> None:
        """Wait until what was received is so."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.messages), seconds), self.summary()

    def accepted(self, subject: str | None = None) -> list[dict[str, Any]]:
        """The distinct events that were answered 2xx, by their first arrival."""
        by_id: dict[str, dict[str, Any]] = {}
        for message in self.messages:
            if message.status < 300 and subject in (None, message.event["subject"]):
                by_id.setdefault(message.message_id, message.event)
        return list(by_id.values())

    def types(self, subject: str | None = None) -> list[str]:
        """The last words of the types of these events."""
        return [event["type"].rpartition(".")[2] for event in self.accepted(subject)]

    def summary(self) -> str:
        return f"{[(each.event['type'], each.status) for each in self.messages]} {self.bad}"


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Ask until it is so."""
    give_up_at = monotonic() + seconds
    gate = Condition()
    while not condition():
        assert monotonic() < give_up_at, what
        with gate:
            gate.wait(0.02)
