"""The sandboxes of the org."""

from typing import Annotated

from fastapi import Path, Request, Response

from lethe.api.answers import answer, call_of
from lethe.api.gate import SandboxUse
from lethe.api.resource import Resource
from lethe.contract import error_codes as codes
from lethe.contract.neighbours import SandboxesOut, SandboxOut
from lethe.domain.caller import Permission
from lethe.domain.errors import UnknownSandbox
from lethe.domain.ids import SandboxName
from lethe.domain.organization import Sandbox

sandboxes = Resource("/data/foundation/sandbox-management", "Sandboxes")


@sandboxes.route("GET", "", permission=Permission.VIEW, sandbox_use=SandboxUse.IGNORED, answer=SandboxesOut)
def list_visible_sandboxes(request: Request) -> Response:
    """List the sandboxes that the caller may see."""
    return _all(request)


@sandboxes.route("GET", "/sandboxes", permission=Permission.VIEW, sandbox_use=SandboxUse.IGNORED, answer=SandboxesOut)
def list_sandboxes(request: Request) -> Response:
    """List the sandboxes that the caller may see."""
    return _all(request)


@sandboxes.route(
    "GET",
    "/sandboxes/{name}",
    permission=Permission.VIEW,
    sandbox_use=SandboxUse.IGNORED,
    answer=SandboxOut,
    errors=[codes.SANDBOX_UNKNOWN, codes.INVALID_PARAMETER],
)
def get_sandbox(request: Request, name: Annotated[str, Path(max_length=255)]) -> Response:
    """Look one sandbox up."""
    call = call_of(request)
    sandbox = call.org.sandbox(SandboxName(name))
    if sandbox is None or not call.caller.sees(sandbox.name):
        raise UnknownSandbox
    return answer(_sandbox_out(sandbox))


def _all(request: Request) -> Response:
    call = call_of(request)
    return answer(
        SandboxesOut(sandboxes=[_sandbox_out(each) for each in call.org.sandboxes if call.caller.sees(each.name)])
    )


def _sandbox_out(sandbox: Sandbox) -> SandboxOut:
    return SandboxOut(
        name=sandbox.name,
        title=sandbox.title,
        state="active",
        type=sandbox.type.value,
        region=sandbox.region,
        is_default=sandbox.is_default,
        id=sandbox.sandbox_id,
    )
