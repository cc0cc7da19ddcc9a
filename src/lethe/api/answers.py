"""Answers, rendered inside the transaction that they speak of.

An answer is bytes before the transaction commits: nothing can fail between storing and answering, so a 5xx means that
nothing was stored. With an `Idempotency-Key` the answer is stored beside what it speaks of, and given again.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Annotated, Final, Protocol

from fastapi import Header, Request, Response

from lethe.api.gate import services_of
from lethe.api.refusals import InvalidHeader
from lethe.operations.call import Call
from lethe.storage.interface import StoredAnswer, Transaction

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        json_schema_extra={"pattern": f"^{_KEY.pattern}$"},
        description="A key of the client's choice: within 24 hours, the same key with the same request is answered as "
        "the first time, and does nothing again.",
    ),
]


class Rendered(Protocol):
    """A shape of the contract, ready to be sent."""

    def to_json(self) -> bytes:
        """The body."""
        ...


def call_of(request: Request) -> Call:
    """Return the call that the gate admitted."""
    call: Call = request.state.call
    return call


def answer(rendered: Rendered, status: int = 200) -> Response:
    """Send a shape of the contract."""
    return Response(rendered.to_json(), status, media_type="application/json")


def write_once(
    request: Request, key: str | None, body: bytes, act: Callable[[Transaction], tuple[int, Rendered]]
) -> Response:
    """Do it in one transaction and answer; under a known key, answer as before and do nothing.

    Raises InvalidHeader for a key that is none, IdempotencyConflict for one used with another request.
    """
    services = services_of(request)
    if key is None:
        with services.store.write() as tx:
            status, rendered = act(tx)
            content = rendered.to_json()
        return Response(content, status, media_type="application/json")
    if not _KEY.fullmatch(key):
        raise InvalidHeader("takes 1 to 255 visible ASCII characters", field="Idempotency-Key")
    call = call_of(request)
    digest = _digest(request, call, body)
    with services.store.write() as tx:
        kept = tx.idempotency.claim(
            call.org_id, call.caller.client_id, key, digest, services.limits.idempotency_lifetime
        )
        if kept is None:
            status, rendered = act(tx)
            kept = StoredAnswer(status, rendered.to_json())
            tx.idempotency.keep(call.org_id, call.caller.client_id, key, kept)
    return Response(kept.body, kept.status_code, media_type="application/json")


def _digest(request: Request, call: Call, body: bytes) -> bytes:
    """What makes two requests the same: method, path, sandbox and body."""
    digest = hashlib.sha256()
    for part in (request.method.encode(), request.url.path.encode(), call.sandbox_name.encode(), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
