"""What an answer means, or its absence: a value, an error, or that the request may be sent again."""

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, TypeVar

import httpx2
from pydantic import TypeAdapter, ValidationError

from lethe.client.errors import ErrorDocument, LetheError, OutcomeUnknown, Unavailable, UnexpectedAnswer
from lethe.client.retrying import Again

T = TypeVar("T")

_UNANSWERED: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""Failures before anything was sent."""
_PASSING: Final = frozenset({429, 500, 502, 503, 504})


class Repeat(Enum):
    """Whether a request may be sent twice."""

    ALWAYS = "always"
    """It changes nothing, or sets what it names, or carries an Idempotency-Key."""
    WHEN_NOTHING_HAPPENED = "when nothing happened"
    """Only when the server is known not to have done it."""
    UNLESS_SLOW = "unless slow"
    """It changes nothing, but is much work: an answer that takes too long would take longer when asked for twice."""


def send(request: Callable[[], httpx2.Response], what: str, repeat: Repeat) -> httpx2.Response:
    """Send, and say of a failure whether it may be sent again. Raises Again, OutcomeUnknown, UnexpectedAnswer."""
    try:
        return request()
    except _UNANSWERED as error:
        raise Again(_caused(Unavailable(f"{what}: Lethe cannot be reached ({type(error).__name__})"), error)) from error
    except httpx2.TransportError as error:
        told = f"{what}: the answer was lost ({type(error).__name__})"
        if repeat is Repeat.WHEN_NOTHING_HAPPENED:
            raise OutcomeUnknown(told) from error
        if repeat is Repeat.UNLESS_SLOW and isinstance(error, httpx2.TimeoutException):
            raise Unavailable(told) from error
        raise Again(_caused(Unavailable(told), error)) from error
    except httpx2.HTTPError as error:
        raise UnexpectedAnswer(f"{what}: the answer cannot be read ({type(error).__name__})") from error


def again_or_never(error: LetheError, document: ErrorDocument, repeat: Repeat, response: httpx2.Response) -> Exception:
    """What to raise for an answer that is a refusal: `Again` when the request may be repeated, or the error.

    Lethe answers 5xx only when nothing was stored. Of an answer of somebody before it, such as a proxy that waited
    too long, that is not known.
    """
    after = _retry_after(response)
    if isinstance(error, OutcomeUnknown):
        return error if repeat is Repeat.WHEN_NOTHING_HAPPENED else Again(error)
    if document.status not in _PASSING:
        return error
    if repeat is Repeat.WHEN_NOTHING_HAPPENED and not document.is_of_the_service:
        return OutcomeUnknown(str(error), document)
    return Again(error, after)


def read(response: httpx2.Response, answer: type[T]) -> T:
    """The answer as a value. Raises UnexpectedAnswer; what was answered is not repeated."""
    try:
        return TypeAdapter(answer).validate_json(response.content)
    except ValidationError as error:
        raise _unexpected(error) from None


def validated(answer: type[T], content: object) -> T:
    """What was read, as a value of this type. Raises UnexpectedAnswer."""
    try:
        return TypeAdapter(answer).validate_python(content)
    except ValidationError as error:
        raise _unexpected(error) from None


def document_of(response: httpx2.Response) -> ErrorDocument:
    """What the answer says about the failure; the status alone when it is not of the contract."""
    try:
        said = json.loads(response.content)
    except ValueError:
        said = None
    body: Mapping[str, Any] = said if isinstance(said, dict) else {}
    report = body.get("report")
    context = report.get("additionalContext") if isinstance(report, dict) else None
    detail = body.get("detail") or body.get("message") or response.reason_phrase
    return ErrorDocument(
        status=response.status_code,
        code=str(body.get("error_code") or ""),
        title=str(body.get("title") or ""),
        detail=str(detail),
        context=context if isinstance(context, dict) else {},
        request_id=response.headers.get("x-request-id", ""),
    )


def _unexpected(error: ValidationError) -> UnexpectedAnswer:
    found = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(map(str, found["loc"])) or "body"
    return UnexpectedAnswer(f"the answer is not of the contract: {where}: {found['msg']}")


def _caused(error: LetheError, by: Exception) -> LetheError:
    error.__cause__ = by
    return error


def _retry_after(response: httpx2.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None
