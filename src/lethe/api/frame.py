"""The frame around every request: its id, its log line, its measure, and the answer to what nobody foresaw."""

import re
from collections.abc import Callable
from typing import Final

import structlog
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lethe.api.metrics import EdgeMetrics
from lethe.api.problems import internal_error
from lethe.clock import Ids
from lethe.logs import places_of

REQUEST_ID: Final = "x-request-id"
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:@/+=-]{1,128}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger("lethe.api")


class RequestFrame:
    """Outermost layer of the application (pure ASGI).

    A trailing slash is taken off the path, so that both spellings are one route. The request id is the client's, if it
    is a plain word, or a new one; it is in the answer and in every log line. An exception that gets here is logged by
    its type and places, without its message, which might hold what a client sent.
    """

    def __init__(self, app: ASGIApp, *, ids: Ids, metrics: EdgeMetrics, monotonic_seconds: Callable[[], float]) -> None:
        self._app = app
        self._ids = ids
        self._metrics = metrics
        self._seconds = monotonic_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._request_id(scope)
        scope["path"] = scope["path"].rstrip("/") or "/"
        started, status = self._seconds(), 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID.encode(), request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_framed)
            except Exception as error:  # noqa: BLE001 - the last place that can answer
                log.error(  # noqa: TRY400 - an exception's message is not for the log
                    "request_failed", error=type(error).__name__, places=places_of(error)
                )
                if status == 0:
                    await internal_error(Request(scope))(scope, receive, send_framed)
            finally:
                self._note(scope, status, self._seconds() - started)

    def _request_id(self, scope: Scope) -> str:
        given = next((value for name, value in scope["headers"] if name == REQUEST_ID.encode()), b"")
        return given.decode() if _REQUEST_ID.fullmatch(given) else str(self._ids.uuid())

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.answered(method, route, status, seconds)
        call = scope.get("state", {}).get("call")
        log.info(
            "request_answered",
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 2),
            client=call.caller.client_id if call else None,
            org=call.org_id if call else None,
        )
