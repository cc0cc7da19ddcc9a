"""The gate: who calls, for which org and sandbox, and whether they may.

Checked in the order of the contract's table of headers; the first thing missing or wrong is answered.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

from fastapi import Request

from lethe.api.refusals import GatewayRefusal
from lethe.api.services import Services
from lethe.auth.interface import InvalidToken
from lethe.contract.error_codes import (
    API_KEY_INVALID,
    API_KEY_MISSING,
    HEADER_MISSING,
    ORG_INVALID,
    SANDBOX_INVALID,
    TOKEN_INVALID,
    TOKEN_MISSING,
)
from lethe.domain.caller import Caller, Permission
from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.organization import Organization, Sandbox
from lethe.operations.call import Call

AUTHORIZATION: Final = "authorization"
API_KEY: Final = "x-api-key"
ORG: Final = "x-gw-ims-org-id"
SANDBOX: Final = "x-sandbox-name"


class SandboxUse(StrEnum):
    """What a route does with the sandbox header."""

    REQUIRED = "required"
    """The header names the sandbox; an org may be configured to do without, which means its default sandbox."""
    OPTIONAL = "optional"
    """Without the header, the org's default sandbox."""
    DEFAULT = "default"
    """The route is always about the org's default sandbox, which the caller must be able to see; no header counts."""
    IGNORED = "ignored"
    """The route is org-wide."""


def services_of(request: Request) -> Services:
    """Return the services that the application was built with."""
    services: Services = request.app.state.services
    return services


def gate(permissions: Sequence[Permission], sandbox_use: SandboxUse) -> Callable[[Request], Call]:
    """Make the dependency that admits a request of a caller with one of the permissions, or refuses it."""

    def admit(request: Request) -> Call:
        services = services_of(request)
        caller = _caller(request, services)
        org = _org(request, services, caller)
        call = Call(caller, org, _sandbox(request, caller, org, sandbox_use))
        request.state.call = call
        caller.require_one_of(permissions)
        return call

    return admit


def _caller(request: Request, services: Services) -> Caller:
    scheme, _, token = request.headers.get(AUTHORIZATION, "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise GatewayRefusal(TOKEN_MISSING)
    api_key = request.headers.get(API_KEY, "")
    if not api_key:
        raise GatewayRefusal(API_KEY_MISSING)
    try:
        caller = services.authenticator.authenticate(token)
    except InvalidToken as error:
        raise GatewayRefusal(TOKEN_INVALID) from error
    if api_key != caller.client_id:
        raise GatewayRefusal(API_KEY_INVALID)
    return caller


def _org(request: Request, services: Services, caller: Caller) -> Organization:
    org_id = OrgId(request.headers.get(ORG, ""))
    if not org_id:
        raise GatewayRefusal(HEADER_MISSING, ORG)
    org = services.organizations.find(org_id) if org_id in caller.org_ids else None
    if org is None:
        raise GatewayRefusal(ORG_INVALID)
    return org


def _sandbox(request: Request, caller: Caller, org: Organization, use: SandboxUse) -> Sandbox:
    if use is SandboxUse.IGNORED:
        return org.default_sandbox
    name = SandboxName("" if use is SandboxUse.DEFAULT else request.headers.get(SANDBOX, ""))
    if not name:
        if use is SandboxUse.REQUIRED and org.sandbox_header_required:
            raise GatewayRefusal(HEADER_MISSING, SANDBOX)
        name = org.default_sandbox.name
    sandbox = org.sandbox(name)
    if sandbox is None or not caller.sees(name):
        raise GatewayRefusal(SANDBOX_INVALID)
    return sandbox
