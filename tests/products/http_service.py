"""A customer's service on a loopback port: it checks signatures with the library, and keeps its traces in memory."""

import json
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

from standardwebhooks import Webhook

from lethe.clock import SystemIds, monotonic_seconds, system_now
from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId, NamespaceId, OrgId, SandboxName
from lethe.domain.namespace import Namespace
from lethe.domain.product import Product
from lethe.products.http.product import HttpProduct
from lethe.products.http.service import HttpService
from lethe.products.interface import Done, RequestKey, Space
from lethe.products.memory import MemoryProduct, Trace
from products.suite import CHUNK

SECRET = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cywgbG9uZyBlbm91Z2g="


class LoopbackServer:
    """Calls `answer(method, path, headers, body)` for each request: it gives the status and the JSON body."""

    def __init__(self) -> None:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.handle(self, b"")

            def do_POST(self) -> None:
                owner.handle(self, self.rfile.read(int(self.headers["content-length"])))

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hygiene"
        self.seen: list[tuple[str, str]] = []
        self._thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def handle(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self.seen.append((handler.command, handler.path))
        status, answer = self.answer(handler.command, handler.path, dict(handler.headers), body)
        self.send(handler, status, json.dumps(answer).encode())

    def send(self, handler: BaseHTTPRequestHandler, status: int, content: bytes, **headers: str) -> None:
        handler.send_response(status)
        for name, value in ({"content-length": str(len(content))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        raise NotImplementedError


class ErasureService(LoopbackServer):
    """What a customer would build: idempotent by key; it may take some polls until it says that it is done."""

    def __init__(self, polls: int = 0) -> None:
        self.memory = MemoryProduct(Product.PROFILE, chunk=10**9)
        self.polls = polls
        self.fails_after: int | None = None
        self.requests: dict[str, dict[str, Any]] = {}
        super().__init__()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        Webhook(SECRET).verify(body, headers, json_parse=False)
        key = headers["idempotency-key"]
        assert key == headers["webhook-id"]
        if method == "GET":
            assert path == f"/hygiene/{path.rpartition('/')[2]}"
            assert key == unquote(path.rpartition("/")[2])
            return self._progress(key) if key in self.requests else (404, {"error": "unknown"})
        message = json.loads(body)
        assert message["request_key"] == key
        space = Space(OrgId(message["org"]), SandboxName(message["sandbox"]))
        if path.endswith("/verify"):
            assert message["request_type"] == "verification"
            return 200, {"remaining": self._remaining(space, message)}
        assert message["request_type"] == "erasure"
        if self.fails_after == 0:
            return 500, {"error": body.decode()}
        if self.fails_after is not None:
            self.fails_after -= 1
        if key not in self.requests:
            self.requests[key] = {"polls": self.polls, "removed": self._forget(space, message)}
        return self._progress(key)

    def _progress(self, key: str) -> tuple[int, dict[str, Any]]:
        request = self.requests[key]
        if request["polls"] == 0:
            return 200, {"status": "completed", "removed": request["removed"]}
        request["polls"] -= 1
        return 202, {"status": "in_progress" if request["polls"] else "pending"}

    def _forget(self, space: Space, message: dict[str, Any]) -> int:
        key = RequestKey(message["request_key"])
        if "dataset_id" in message:
            answer = self.memory.forget_dataset(space, DatasetId(message["dataset_id"]), key)
        else:
            answer = self.memory.forget(space, _identities(message), key)
        assert isinstance(answer, Done)
        return answer.removed

    def _remaining(self, space: Space, message: dict[str, Any]) -> int:
        if "dataset_id" in message:
            return self.memory.remaining_of_dataset(space, DatasetId(message["dataset_id"]))
        return self.memory.remaining(space, _identities(message))


def _identities(message: dict[str, Any]) -> Identities:
    return Identities(
        {
            Namespace(
                NamespaceId(group["namespace_id"]),
                group["namespace"],
                group["namespace"],
                "CUSTOM",
                case_insensitive=group["case_insensitive"],
            ): tuple(group["ids"])
            for group in message["identities"]
        }
    )


def http_product(url: str, **parts: Any) -> HttpProduct:
    values: dict[str, Any] = {"can_verify": True, "ids_per_request": CHUNK, "secret": SECRET} | parts
    clocks: dict[str, Any] = {name: values.pop(name) for name in ("now", "monotonic", "breaker") if name in values}
    clocks = {"now": system_now, "monotonic": monotonic_seconds} | clocks
    return HttpProduct(Product.PROFILE, HttpService(base_url=url, **values), new_id=SystemIds().uuid, **clocks)


class HttpWorld:
    has_edges = True

    def __init__(self, polls: int) -> None:
        self.service = ErasureService(polls)
        self.product = http_product(self.service.url)

    def close(self) -> None:
        self.product.close()
        self.service.close()

    def put(self, traces: Iterable[Trace]) -> None:
        self.service.memory.put(traces)

    def names(self) -> set[str]:
        return {trace.name for trace in self.service.memory.traces}

    def fail_after(self, chunks: int | None) -> None:
        self.service.fails_after = chunks
