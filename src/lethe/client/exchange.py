"""One call over the wire: headers, token, repetition, and what the answer means."""

from collections.abc import Mapping
from typing import TypeVar

import httpx2
import msgspec

from lethe.client.answers import Repeat, again_or_never, document_of, read, send
from lethe.client.connection import Connection
from lethe.client.errors import refusal
from lethe.client.retrying import Again, Patience, persist
from lethe.client.surroundings import Surroundings
from lethe.client.tokens import Tokens
from lethe.contract import error_codes as codes

T = TypeVar("T")
Parameters = Mapping[str, str | int | None]


class Exchange:
    """Makes calls of one connection. Threads may share it."""

    def __init__(
        self, connection: Connection, http: httpx2.Client, tokens: Tokens, patience: Patience, around: Surroundings
    ) -> None:
        self._connection = connection
        self._http = http
        self._tokens = tokens
        self._patience = patience
        self.around = around

    def get(self, path: str, answer: type[T], parameters: Parameters | None = None) -> T:
        """Look something up."""
        return self.call("GET", path, answer, parameters=parameters)

    def create(self, path: str, answer: type[T], body: object = None, key: str | None = None) -> T:
        """Store something, once: every attempt carries the same Idempotency-Key."""
        return self.call("POST", path, answer, body=body, key=key or self.around.new_key())

    def call(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        parameters: Parameters | None = None,
        body: object = None,
        key: str | None = None,
        repeat: Repeat = Repeat.ALWAYS,
        timeout: float | None = None,
    ) -> T:
        """Call, and read the answer. `timeout` is in seconds, the connection's when absent. Raises LetheError."""
        content = None if body is None else msgspec.json.encode(body)
        given = {name: value for name, value in (parameters or {}).items() if value is not None}

        limit = httpx2.USE_CLIENT_DEFAULT if timeout is None else httpx2.Timeout(timeout)
        refused: list[str] = []

        def attempt() -> httpx2.Response:
            token = self._tokens.current()
            headers = {"Authorization": f"Bearer {token}", **self._headers(content is not None, key)}
            response = send(
                lambda: self._http.request(method, path, params=given, content=content, headers=headers, timeout=limit),
                f"{method} {path}",
                repeat,
            )
            if response.is_success:
                return response
            document = document_of(response)
            error = refusal(document)
            # A token may expire on its way. One that is refused right after it was issued would be refused again.
            if document.code == codes.TOKEN_INVALID.code and not refused and self._tokens.renew(token):
                refused.append(token)
                raise Again(error)
            raise again_or_never(error, document, repeat, response)

        return read(persist(attempt, self._patience, self.around), answer)

    def _headers(self, has_body: bool, key: str | None) -> dict[str, str]:
        headers = {"x-api-key": self._connection.api_key, "x-gw-ims-org-id": self._connection.org}
        if self._connection.sandbox is not None:
            headers["x-sandbox-name"] = self._connection.sandbox
        if has_body:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        return headers
