"""From what went wrong to what the caller is told: the only map to HTTP."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from lethe.api.refusals import BodyTooLarge, GatewayRefusal, InvalidHeader, InvalidParameter, NotJsonBody
from lethe.clock import system_now
from lethe.contract import error_codes as codes
from lethe.contract.error_codes import GatewayCode, ProblemCode
from lethe.contract.json_body import speakable
from lethe.contract.problem import ErrorChainLink, GatewayError, Problem, Report, TenantInfo
from lethe.contract.spelling import QUOTA_FIGURES
from lethe.contract.times import format_instant
from lethe.domain import errors
from lethe.domain.errors import Refusal
from lethe.storage.interface import CommitUnknown, StoreUnavailable

CODE_OF: Final[Mapping[type[Refusal], ProblemCode]] = {
    NotJsonBody: codes.NOT_JSON,
    BodyTooLarge: codes.BODY_TOO_LARGE,
    InvalidParameter: codes.INVALID_PARAMETER,
    InvalidHeader: codes.INVALID_HEADER,
    errors.InvalidField: codes.INVALID_FIELD,
    errors.PermissionDenied: codes.PERMISSION_DENIED,
    errors.IdempotencyConflict: codes.IDEMPOTENCY_CONFLICT,
    errors.QuotaExceeded: codes.QUOTA_EXCEEDED,
    errors.RateLimited: codes.RATE_LIMITED,
    errors.UnknownExpiration: codes.EXPIRATION_UNKNOWN,
    errors.ExpiryTooSoon: codes.EXPIRY_TOO_SOON,
    errors.ExpirationExists: codes.EXPIRATION_EXISTS,
    errors.ExpirationNotEditable: codes.EXPIRATION_NOT_EDITABLE,
    errors.ExpirationNotCancellable: codes.EXPIRATION_NOT_CANCELLABLE,
    errors.ProductStatusNotAvailable: codes.PRODUCT_STATUS_NOT_AVAILABLE,
    errors.UnknownWorkOrder: codes.WORK_ORDER_UNKNOWN,
    errors.NoIdentities: codes.IDENTITIES_EMPTY,
    errors.MixedIdentityForms: codes.IDENTITIES_MIXED,
    errors.TooManyIdentities: codes.IDENTITIES_TOO_MANY,
    errors.UnknownNamespace: codes.NAMESPACE_UNKNOWN,
    errors.NamespaceDoesNotFit: codes.NAMESPACE_UNFIT,
    errors.DatasetHasNoIdentity: codes.DATASET_WITHOUT_IDENTITY,
    errors.TableNotDeletable: codes.TABLE_NOT_DELETABLE,
    errors.TableNotReadable: codes.TABLE_NOT_READABLE,
    errors.NoPlanYet: codes.PLAN_UNKNOWN,
    errors.WorkOrderNotFailed: codes.WORK_ORDER_NOT_FAILED,
    errors.IdentitiesDestroyed: codes.IDENTITIES_DESTROYED,
    errors.ExpirationNotStuck: codes.EXPIRATION_NOT_STUCK,
    errors.ExpirationNotRestorable: codes.EXPIRATION_NOT_RESTORABLE,
    errors.NoCertificateYet: codes.CERTIFICATE_UNKNOWN,
    errors.UnknownDataset: codes.DATASET_UNKNOWN,
    errors.DatasetExists: codes.DATASET_EXISTS,
    errors.TableTaken: codes.TABLE_TAKEN,
    errors.UnknownSchema: codes.SCHEMA_UNKNOWN,
    errors.NamespaceExists: codes.NAMESPACE_EXISTS,
    errors.UnknownSandbox: codes.SANDBOX_UNKNOWN,
    errors.UnknownWebhook: codes.WEBHOOK_UNKNOWN,
    errors.TooManyWebhooks: codes.WEBHOOKS_TOO_MANY,
    errors.UnknownDelivery: codes.DELIVERY_UNKNOWN,
    errors.CallbackNotVerified: codes.CALLBACK_NOT_VERIFIED,
    errors.UnknownCallback: codes.CALLBACK_UNKNOWN,
}
"""Every refusal and its code; a refusal without one is a defect that a test finds."""

_SERVICE_ID: Final = "HYGN"
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def install(app: FastAPI) -> None:
    """Answer every kind of failure of this application in its own shape."""
    app.add_exception_handler(GatewayRefusal, _gateway_refusal)
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(StoreUnavailable, _store_failure)
    app.add_exception_handler(CommitUnknown, _store_failure)


def internal_error(request: Request) -> Response:
    """Answer a failure that nobody foresaw."""
    return _problem(request, codes.INTERNAL, codes.INTERNAL.remedy, {})


def body_refusal(error: ValidationError) -> Refusal:
    """Refuse a body that is not of its shape, by its first error; what the client sent is not repeated."""
    field, message = _first_error(error.errors(include_url=False, include_input=False, include_context=False))
    return errors.InvalidField(message, field=field or None)


def _gateway_refusal(_: Request, error: Exception) -> Response:
    if not isinstance(error, GatewayRefusal):
        raise error
    return _gateway(error.code, error.message, error.headers)


def _refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    words = QUOTA_FIGURES if isinstance(error, errors.QuotaExceeded) else {}
    context = {words.get(name, name): _plain(value) for name, value in error.context.items()}
    if error.field is not None:
        context["field"] = error.field
    headers = {"Retry-After": str(context["retryAfter"])} if isinstance(error, errors.RateLimited) else {}
    return _problem(request, CODE_OF[type(error)], error.detail, context, headers)


def _invalid_request(request: Request, error: Exception) -> Response:
    """Answer parameters that are not of their shape."""
    if not isinstance(error, RequestValidationError):
        raise error
    field, message = _first_error(error.errors(), skip=1)
    return _refusal(request, InvalidParameter(message, field=field or None))


def _http_exception(request: Request, error: Exception) -> Response:
    """Answer what the router found: an unknown path or method."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == codes.METHOD_UNKNOWN.status:
        return _gateway(codes.METHOD_UNKNOWN, codes.METHOD_UNKNOWN.message, {"Allow": ", ".join(_allowed(request))})
    return _gateway(codes.PATH_UNKNOWN, codes.PATH_UNKNOWN.message)


def _allowed(request: Request) -> list[str]:
    """The methods of the path: the router names only those of the first route that has it.

    A path spelled out, such as `/workorder/preview`, has its own methods only, although `/workorder/{id}` matches it.
    """
    path = request.scope["route"].path
    offered = {
        method
        for context in iter_route_contexts(request.app.routes)
        if context.path == path
        for method in context.methods or ()
    }
    return [method for method in _METHODS if method in offered]


def _store_failure(request: Request, error: Exception) -> Response:
    code = codes.OUTCOME_UNKNOWN if isinstance(error, CommitUnknown) else codes.UNAVAILABLE
    return _problem(request, code, code.remedy, {})


def _gateway(code: GatewayCode, message: str, headers: Mapping[str, str] | None = None) -> Response:
    body = GatewayError(error_code=code.code, message=message).to_json()
    return Response(body, code.status, headers=dict(headers or {}), media_type="application/json")


def _problem(
    request: Request,
    code: ProblemCode,
    detail: str,
    context: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> Response:
    call = getattr(request.state, "call", None)
    tenant = TenantInfo(
        sandbox_name=call.sandbox.name if call else None,
        sandbox_id=call.sandbox.sandbox_id if call else None,
        ims_org_id=call.org_id if call else None,
    )
    link = ErrorChainLink(
        service_id=_SERVICE_ID,
        error_code=code.code,
        invoking_service_id=_SERVICE_ID,
        unix_time_stamp_ms=int(system_now().timestamp() * 1000),
    )
    problem = Problem(
        type=code.type,
        title=code.title,
        status=code.status,
        detail=detail,
        error_code=code.code,
        message=detail,
        report=Report(tenant_info=tenant, additional_context=dict(context)),
        error_chain=[link],
    )
    return Response(problem.to_json(), code.status, headers=dict(headers or {}), media_type="application/problem+json")


def _first_error(found: Iterable[Any], skip: int = 0) -> tuple[str, str]:
    """The path of the first error without its first `skip` parts, and its message."""
    first = next(iter(found))
    path = ""
    for part in first["loc"][skip:]:
        path += f"[{part}]" if isinstance(part, int) else f"{'.' if path else ''}{speakable(str(part))}"
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "is not a field of this request"
    return path, message[:1].lower() + message[1:]


def _plain(value: object) -> object:
    return format_instant(value) if isinstance(value, datetime) else value
