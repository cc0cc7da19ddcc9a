"""An Iceberg REST catalog over HTTP, as small as it can be: any catalog of pyiceberg behind the REST protocol.

Bodies are those of pyiceberg's own models, in both directions, so that the client under test speaks to what it expects
of the specification. Answers can be lost after their effect, which no in-process catalog can show.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.table import CommitTableRequest, Table
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER

_STATUS: dict[type[Exception], int] = {
    NoSuchTableError: 404,
    NoSuchNamespaceError: 404,
    CommitFailedException: 409,
    NamespaceAlreadyExistsError: 409,
    TableAlreadyExistsError: 409,
}


@dataclass
class RestServer:
    """Where the catalog is, and how it misbehaves."""

    uri: str
    after_commit: Callable[[], int | None] = lambda: None
    """Asked once a commit is carried out: the status that is answered instead, if any."""
    asked: list[str] = field(default_factory=list)
    """Method and route of every request."""


@contextmanager
def rest_catalog(behind: Catalog) -> Iterator[RestServer]:
    """Serve a catalog on a free loopback port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    shown = RestServer(f"http://127.0.0.1:{server.server_port}")
    server.behind, server.shown = behind, shown  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield shown
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")][1:]
        self.server.shown.asked.append(f"{self.command} {'/'.join(parts[::2])}")  # type: ignore[attr-defined]
        try:
            status, answer = self._route(parts, body)
        except tuple(_STATUS) as error:
            kind = type(error)
            status = _STATUS[kind]
            answer = {"error": {"message": str(error), "type": kind.__name__, "code": status}}
        data = json.dumps(answer).encode() if status != 204 else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _route(self, parts: list[str], body: bytes) -> tuple[int, Any]:  # noqa: PLR0911 - one return a route
        behind: Catalog = self.server.behind  # type: ignore[attr-defined]
        match self.command, parts:
            case "GET", ["config"]:
                return 200, {"defaults": {}, "overrides": {}}
            case "POST", ["namespaces"]:
                asked = json.loads(body)
                behind.create_namespace(tuple(asked["namespace"]))
                return 200, {"namespace": asked["namespace"], "properties": {}}
            case "POST", ["namespaces", namespace, "tables"]:
                return 200, _loaded(_created(behind, namespace, json.loads(body)))
            case "GET" | "HEAD", ["namespaces", namespace, "tables", name]:
                return 200, _loaded(behind.load_table((namespace, name)))
            case "DELETE", ["namespaces", namespace, "tables", name]:
                behind.drop_table((namespace, name))
                return 204, None
            case "POST", ["namespaces", namespace, "tables", name]:
                change = CommitTableRequest.model_validate_json(body)
                table = behind.load_table((namespace, name))
                done = behind.commit_table(table, change.requirements, change.updates)
                lost = self.server.shown.after_commit()  # type: ignore[attr-defined]
                if lost is not None:
                    return lost, {"error": {"message": "lost", "type": "Lost", "code": lost}}
                return 200, {"metadata-location": done.metadata_location, "metadata": _json(done.metadata)}
        return 400, {"error": {"message": "no such route", "type": "BadRequestException", "code": 400}}


def _created(behind: Catalog, namespace: str, body: dict[str, Any]) -> Table:
    asked = CreateTableRequest.model_validate({"location": None, "partition-spec": None, "write-order": None} | body)
    return behind.create_table(
        (namespace, asked.name),
        asked.table_schema,
        asked.location,
        asked.partition_spec or UNPARTITIONED_PARTITION_SPEC,
        asked.write_order or UNSORTED_SORT_ORDER,
        asked.properties,
    )


def _loaded(table: Table) -> dict[str, Any]:
    return {"metadata-location": table.metadata_location, "metadata": _json(table.metadata), "config": {}}


def _json(metadata: Any) -> Any:
    return json.loads(metadata.model_dump_json())
