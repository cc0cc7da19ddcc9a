"""What can go wrong when Lethe is called, as exceptions.

None carries an identity: a refusal names the field and, in a list, the index.

    LetheError
      Refused                 the request was answered, and not accepted (4xx); `document` says why
        Invalid               400, 413, 422: the request is not of its form
        NotAuthenticated      no token, or one that is not valid
        PermissionDenied      the caller may not do this, or not here
        NotFound
        Conflict
        QuotaExceeded
        RateLimited
      Unavailable             no answer, or a 5xx; nothing was stored
      OutcomeUnknown          the answer was lost: look before you send it again
      UnexpectedAnswer        whoever answered is no Lethe
      InvalidArgument         an argument cannot be sent; also a ValueError
      NotConfigured           what the client needs to know is missing
      WorkFailed              the work order or expiration ended in `failed`
      StillWorking            it did not end within the time given; also a TimeoutError
      PartlySubmitted         some of several orders were accepted, then one was not
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from lethe.contract import error_codes as codes
from lethe.contract.times import parse_instant

if TYPE_CHECKING:
    from lethe.client.expiration import Expiration
    from lethe.client.work_order import WorkOrder

SERVICE_CODE_PREFIX: Final = "HYGN-"


@dataclass(frozen=True, slots=True)
class ErrorDocument:
    """What the server said about a request that failed."""

    status: int
    code: str
    """A code of docs/reference/errors.md; empty when whoever answered gave none."""
    title: str
    detail: str
    context: Mapping[str, object] = field(default_factory=dict)
    """The field, the index, the figures."""
    request_id: str = ""
    """By which the server's log speaks of the request."""

    @property
    def is_of_the_service(self) -> bool:
        """Whether the hygiene service itself said it, not something before it."""
        return self.code.startswith(SERVICE_CODE_PREFIX)


class LetheError(Exception):
    """Everything that this client raises about its work."""


class Refused(LetheError):
    """The server did not accept the request."""

    def __init__(self, document: ErrorDocument) -> None:
        self.document = document
        super().__init__(_told(document))

    @property
    def field(self) -> str | None:
        """The field that is wrong, if one is."""
        name = self.document.context.get("field")
        return name if isinstance(name, str) else None


class Invalid(Refused):
    """The request is not of its form, or too large."""


class NotAuthenticated(Refused):
    """The token is missing or not valid, or the client's credentials are not."""


class PermissionDenied(Refused):
    """The caller may not do this, or not in this organization or sandbox."""


class NotFound(Refused):
    """There is no such thing, or not in this sandbox."""


class Conflict(Refused):
    """What is asked for is at odds with what is there."""


class QuotaExceeded(Refused):
    """The request would exceed a quota; nothing was stored and nothing consumed."""

    @property
    def quota_name(self) -> str:
        """Which quota."""
        return str(self.document.context.get("name", ""))

    @property
    def resets_at(self) -> datetime | None:
        """When it starts anew, if it does."""
        text = self.document.context.get("resetsAt")
        return parse_instant(text) if isinstance(text, str) else None


class RateLimited(Refused):
    """Too many small requests at once, for longer than this client waits."""


class Unavailable(LetheError):
    """The server cannot be reached, or cannot answer now; nothing was stored."""

    def __init__(self, message: str, document: ErrorDocument | None = None) -> None:
        self.document = document
        super().__init__(message)


class OutcomeUnknown(LetheError):
    """The answer was lost, and the request may have had its effect: look before you send it again."""

    def __init__(self, message: str, document: ErrorDocument | None = None) -> None:
        self.document = document
        super().__init__(message)


class UnexpectedAnswer(LetheError):
    """The answer is not of the contract: a proxy, another service, or a version that does not fit."""


class InvalidArgument(LetheError, ValueError):
    """An argument cannot be sent; nothing was. No identity is repeated."""


class NotConfigured(LetheError):
    """A variable or an argument that says where and as whom to call is missing."""


class WorkFailed(LetheError):
    """The work ended without proof; `subject` is what it ended as."""

    def __init__(self, subject: "WorkOrder | Expiration", name: str) -> None:
        self.subject = subject
        super().__init__(f"{name} failed")


class StillWorking(LetheError, TimeoutError):
    """The work did not end within the time given; it goes on. `subject` is how far it was."""

    def __init__(self, subject: "WorkOrder | Expiration", name: str) -> None:
        self.subject = subject
        super().__init__(f"{name} is still {subject.status}")


class PartlySubmitted(LetheError):
    """Some of several orders were accepted before one was not.

    Sending all of them again under the same `idempotency_key` within 24 hours accepts only those that are missing.
    """

    def __init__(self, orders: "Sequence[WorkOrder]", parts: int, idempotency_key: str) -> None:
        self.orders = tuple(orders)
        self.idempotency_key = idempotency_key
        super().__init__(f"{len(self.orders)} of {parts} work orders were accepted before one was not")


def refusal(document: ErrorDocument) -> LetheError:
    """The error that a document of a status of 400 or more stands for."""
    by_code: Mapping[str, type[Refused]] = {
        codes.QUOTA_EXCEEDED.code: QuotaExceeded,
        codes.TOKEN_MISSING.code: NotAuthenticated,
        codes.API_KEY_MISSING.code: NotAuthenticated,
        codes.API_KEY_INVALID.code: NotAuthenticated,
    }
    by_status: Mapping[int, type[Refused]] = {
        400: Invalid,
        401: NotAuthenticated,
        403: PermissionDenied,
        404: NotFound,
        409: Conflict,
        413: Invalid,
        422: Invalid,
        429: RateLimited,
    }
    if document.code == codes.OUTCOME_UNKNOWN.code:
        return OutcomeUnknown(_told(document), document)
    if document.status >= 500:  # noqa: PLR2004 - the server's own failures
        return Unavailable(_told(document), document)
    return by_code.get(document.code, by_status.get(document.status, Refused))(document)


def _told(document: ErrorDocument) -> str:
    where = document.context.get("field")
    place = f"{where}: " if isinstance(where, str) and where not in document.detail else ""
    code = document.code or str(document.status)
    title = f"{document.title}: " if document.title and document.title != document.detail else ""
    return f"{title}{place}{document.detail} ({code})"
