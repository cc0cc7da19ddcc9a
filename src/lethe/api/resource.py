"""How a route is declared: who may call it, what it takes, what it answers, how it can fail.

A route without a permission cannot be declared: the argument is required, so its module does not even import. What a
route says here is what the gate enforces, what OpenAPI documents and what the permission matrix lists.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from lethe.api.gate import SandboxUse, gate
from lethe.contract import error_codes as codes
from lethe.contract.error_codes import GatewayCode, ProblemCode
from lethe.contract.problem import GatewayError, Problem
from lethe.contract.shape import Answer
from lethe.domain.caller import Permission

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

ROOT: Final = "/data/core/hygiene"


class Public(Enum):
    """Marks a route that is called without a token, which must be said as plainly as a permission."""

    PUBLIC = "public"
    """Anybody may."""
    SIGNED = "signed"
    """Whoever signs the body with the secret that is shared with them; the route's handler verifies it first."""


PUBLIC: Final = Public.PUBLIC
SIGNED: Final = Public.SIGNED

_GATE: Final = (
    codes.TOKEN_MISSING,
    codes.TOKEN_INVALID,
    codes.API_KEY_MISSING,
    codes.API_KEY_INVALID,
    codes.HEADER_MISSING,
    codes.ORG_INVALID,
)
_BODY: Final = (codes.NOT_JSON, codes.INVALID_FIELD, codes.BODY_TOO_LARGE)
_IDEMPOTENT: Final = (codes.INVALID_HEADER, codes.IDEMPOTENCY_CONFLICT)
_STORED: Final = (codes.OUTCOME_UNKNOWN,)
_ALWAYS: Final = (codes.INTERNAL, codes.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """What a route was declared with, for the matrix and the docs."""

    method: str
    path: str
    permissions: Sequence[Permission] | Public
    """Any of these admits; what a body needs in particular is the operation's to check."""
    sandbox_use: SandboxUse
    errors: Sequence[GatewayCode | ProblemCode]
    body: type[Any] | None
    """The shape of the JSON body."""
    form: type[BaseModel] | None
    """The shape of the form body."""
    operation_id: str


@dataclass(slots=True)
class Resource:
    """One resource of the API: its routes, under a prefix and a heading of the docs."""

    prefix: str
    heading: str
    router: APIRouter = field(init=False)
    routes: list[RouteFacts] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.router = APIRouter(prefix=self.prefix, tags=[self.heading])

    def route(
        self,
        method: str,
        path: str,
        *,
        permission: Permission | Sequence[Permission] | Public,
        answer: type[BaseModel],
        sandbox_use: SandboxUse = SandboxUse.REQUIRED,
        status: int = 200,
        also_answers: Sequence[int] = (),
        errors: Sequence[GatewayCode | ProblemCode] = (),
        body: type[Any] | None = None,
        form: type[BaseModel] | None = None,
        gateway_error: type[Answer] = GatewayError,
        idempotent: bool = False,
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a route, for callers with the permission or one of several.

        The decorated function's docstring is its documentation, its name the operation's id. `gateway_error` is the
        shape in which errors with a gateway's code are answered.
        """
        permissions = (permission,) if isinstance(permission, Permission) else permission
        possible = _possible(
            permissions, sandbox_use, errors, has_body=body is not None, idempotent=idempotent, writes=method != "GET"
        )

        def declare(endpoint: Endpoint) -> Endpoint:
            operation_id = endpoint.__name__
            self.routes.append(
                RouteFacts(method, self.prefix + path, permissions, sandbox_use, possible, body, form, operation_id)
            )
            gates = [] if isinstance(permissions, Public) else [Depends(gate(permissions, sandbox_use))]
            responses = _error_responses(possible, gateway_error)
            for code in also_answers:
                # Beside the errors of that status, if it has any.
                responses[code] = {"description": "Success", **responses.get(code, {}), "model": answer}
            self.router.add_api_route(
                path,
                endpoint,
                methods=[method],
                dependencies=gates,
                response_model=answer,
                status_code=status,
                operation_id=operation_id,
                summary=(endpoint.__doc__ or "").strip().splitlines()[0].rstrip("."),
                description="\n".join(line.strip() for line in (endpoint.__doc__ or "").strip().splitlines()),
                responses=responses,
            )
            return endpoint

        return declare


def _possible(
    permissions: Sequence[Permission] | Public,
    sandbox_use: SandboxUse,
    errors: Sequence[GatewayCode | ProblemCode],
    *,
    has_body: bool,
    idempotent: bool,
    writes: bool,
) -> list[GatewayCode | ProblemCode]:
    """Everything that can go wrong with a route."""
    possible: list[GatewayCode | ProblemCode] = []
    if not isinstance(permissions, Public):
        possible += [*_GATE, codes.PERMISSION_DENIED]
        if sandbox_use is not SandboxUse.IGNORED:
            possible.append(codes.SANDBOX_INVALID)
    possible += _BODY if has_body else ()
    possible += _IDEMPOTENT if idempotent else ()
    possible += _STORED if writes and permissions is not PUBLIC else ()
    possible += [*errors, *_ALWAYS]
    return list(dict.fromkeys(possible))


def _error_responses(
    possible: Sequence[GatewayCode | ProblemCode], gateway_error: type[Answer]
) -> dict[int | str, dict[str, Any]]:
    """Each status with the shapes and the codes that it can come with."""
    responses: dict[int | str, dict[str, Any]] = {}
    for status in sorted({code.status for code in possible}):
        here = [code for code in possible if code.status == status]
        content: dict[str, Any] = {}
        gateways = [code.code for code in here if isinstance(code, GatewayCode)]
        problems = [code.code for code in here if isinstance(code, ProblemCode)]
        if gateways:
            content["application/json"] = {"schema": _with_codes(gateway_error, gateways)}
        if problems:
            content["application/problem+json"] = {"schema": _with_codes(Problem, problems)}
        lines = [
            f"- `{code.code}` {code.title if isinstance(code, ProblemCode) else code.message.rstrip('.')}"
            for code in here
        ]
        response: dict[str, Any] = {"description": "\n".join(lines), "content": content}
        if status == codes.RATE_LIMITED.status:
            response["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
        responses[status] = response
    return responses


def _with_codes(shape: type[Answer], error_codes: Sequence[str]) -> dict[str, Any]:
    """The shape of an error, with the codes that it can carry here."""
    reference = {"$ref": f"#/components/schemas/{shape.__name__}"}
    return {"allOf": [reference], "properties": {"error_code": {"enum": [*error_codes]}}}
