"""One exchange with the service: signed, bounded in time and size, never redirected."""

import json
from collections.abc import Callable
from typing import Any, Final

import httpx2

from lethe.products.http.service import HttpService, is_loopback
from lethe.products.http.signature import Signer
from lethe.products.interface import ProductUnavailable

JsonObject = dict[str, Any]


class Exchange:
    """Sends requests to one service. Safe to share between threads."""

    def __init__(self, service: HttpService, signer: Signer, monotonic: Callable[[], float]) -> None:
        """`monotonic` measures how long an exchange takes, in seconds."""
        self._service = service
        self._signer = signer
        self._monotonic = monotonic
        self._client: Final = httpx2.Client(
            timeout=service.timeout_seconds,
            follow_redirects=False,  # identities go to the one place that was configured
            trust_env=not is_loopback(httpx2.URL(service.base_url).host),  # a proxy cannot reach our own loopback
        )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def post(self, url: str, message_id: str, body: JsonObject) -> JsonObject:
        """The answer to this body. Raises ProductUnavailable."""
        answer = self._send("POST", url, message_id, json.dumps(body).encode())
        if answer is None:
            raise ProductUnavailable("the service answers 404")
        return answer

    def get(self, url: str, message_id: str) -> JsonObject | None:
        """What is there; None when the service knows nothing of it. Raises ProductUnavailable."""
        return self._send("GET", url, message_id, b"")

    def _send(self, method: str, url: str, message_id: str, body: bytes) -> JsonObject | None:
        """The answer, or None for 404. An error is raised outside of its handler: it may hold the request."""
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",  # a small compressed answer can unpack into more than memory holds
            "idempotency-key": message_id,
            **self._signer.headers(message_id, body),
        }
        if body:
            headers["content-type"] = "application/json"
        try:
            return self._receive(method, url, headers, body)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            failure = f"the service cannot be reached ({type(error).__name__})"
        except (ValueError, RecursionError):
            failure = "the service answers with something else than JSON"
        raise ProductUnavailable(failure)

    def _receive(self, method: str, url: str, headers: dict[str, str], body: bytes) -> JsonObject | None:
        ends_at = self._monotonic() + self._service.timeout_seconds
        content = bytearray()
        with self._client.stream(method, url, headers=headers, content=body or None) as response:
            status = response.status_code
            if status == httpx2.codes.NOT_FOUND:
                return None
            if not response.is_success:
                hint = ", and redirects are not followed" if response.is_redirect else ""
                raise ProductUnavailable(f"the service answers {status}{hint}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ProductUnavailable("the service answers with compressed content")
            for part in response.iter_raw():
                content += part
                if len(content) > self._service.response_bytes_max:
                    raise ProductUnavailable(f"the service answers with over {self._service.response_bytes_max} bytes")
                if self._monotonic() > ends_at:
                    raise ProductUnavailable(f"the service takes over {self._service.timeout_seconds} s to answer")
        answer = json.loads(content.decode())
        if not isinstance(answer, dict):
            raise ProductUnavailable("the service answers with JSON that is no object")
        return answer
