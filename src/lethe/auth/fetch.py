"""Fetching a small JSON document from another host, within bounds of time and size."""

import ipaddress
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import httpx2

DOCUMENT_BYTES_MAX: Final = 1_000_000


class FetchFailed(Exception):
    """The document could not be had; the text says which and why."""


def fetch_object(url: str, timeout_seconds: float, now: Callable[[], datetime]) -> dict[str, Any]:
    """The JSON object at this URL. Raises FetchFailed.

    `timeout_seconds` bounds each wait for the network, and all of them together once the answer has begun, so that
    a host that sends a byte at a time ends too. Redirects are not followed: they could lead to an unprotected place.
    """
    refuse_unprotected(url)
    ends_at = now() + timedelta(seconds=timeout_seconds)
    content = bytearray()
    # Compressed answers are refused, because a small one can unpack into more than memory holds.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    # A proxy of the environment cannot reach this machine's own loopback.
    trust_env = not _is_loopback(httpx2.URL(url).host)
    try:
        with (
            httpx2.Client(timeout=timeout_seconds, follow_redirects=False, trust_env=trust_env) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            if response.status_code != httpx2.codes.OK:
                raise FetchFailed(f"{url} answers {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise FetchFailed(f"{url} answers with compressed content")
            for chunk in response.iter_raw():
                content += chunk
                if len(content) > DOCUMENT_BYTES_MAX:
                    raise FetchFailed(f"{url} answers with more than {DOCUMENT_BYTES_MAX} bytes")
                if now() > ends_at:
                    raise FetchFailed(f"{url} did not answer within {timeout_seconds} seconds")
        document = json.loads(content.decode())
    except (httpx2.HTTPError, OSError) as error:
        raise FetchFailed(f"{url} cannot be reached ({type(error).__name__})") from error
    except (ValueError, RecursionError) as error:
        raise FetchFailed(f"{url} answers with something else than JSON") from error
    if not isinstance(document, dict):
        raise FetchFailed(f"{url} answers with JSON that is no object")
    return document


def refuse_unprotected(url: str) -> None:
    """Refuse a URL over which keys could be replaced on their way. Raises FetchFailed."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise FetchFailed("the URL of the keys is not valid") from error
    if not parsed.host or not (parsed.scheme == "https" or (parsed.scheme == "http" and _is_loopback(parsed.host))):
        raise FetchFailed(f"{url} must begin with https:// (http:// only for this machine's loopback address)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
