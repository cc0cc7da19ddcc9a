"""Callbacks: the service says by itself how far it is, signed with the same secret.

A callback is a nudge to ask again: whoever waits asks the service at once, and believes that answer.
"""

import json
from collections.abc import Mapping
from typing import Final

from lethe.products.http.answers import progress_of
from lethe.products.http.signature import BadSignature, Signer
from lethe.products.interface import Callback, ProductUnavailable, RequestKey

CALLBACK_BYTES_MAX: Final = 65_536


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
