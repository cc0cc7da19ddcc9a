"""Callbacks: the service says by itself how far it is, signed with the same secret.

A callback is a nudge to ask again, and an answer by itself only to whoever checks that the key is one that is open.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lethe.products.http.answers import progress_of
from lethe.products.http.signature import BadSignature, Signer
from lethe.products.interface import ProductAnswer, ProductUnavailable, RequestKey

CALLBACK_BYTES_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class Callback:
    """What a callback says."""

    message_id: str
    """The same at every delivery of one message."""
    key: RequestKey
    """The key of one request, with the number of its part where there are several: `{request key}.{number}`."""
    answer: ProductAnswer


def verified_callback(signer: Signer, headers: Mapping[str, str], body: bytes, *, poll_seconds: float) -> Callback:
    """Read a callback. Raises BadSignature when it is not the service's, or cannot be read."""
    if len(body) > CALLBACK_BYTES_MAX:
        raise BadSignature("the message is too long")
    message_id = signer.verify(headers, body)
    try:
        message = json.loads(body)
        key = message["request_key"]
        answer = progress_of(message, poll_seconds)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ProductUnavailable):
        key = None
    if not isinstance(key, str):
        raise BadSignature("the message is signed, and says nothing")
    return Callback(message_id, RequestKey(key), answer)
