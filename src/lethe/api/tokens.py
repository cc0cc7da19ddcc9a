"""The built-in token service: client credentials in, an access token out."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request, Response

from lethe.api.gate import SandboxUse, services_of
from lethe.api.refusals import BodyTooLarge
from lethe.api.resource import PUBLIC, Resource
from lethe.auth.interface import InvalidClient
from lethe.contract import error_codes as codes
from lethe.contract.error_codes import GatewayCode
from lethe.contract.neighbours import KeySetOut, TokenError, TokenForm, TokenOut

tokens = Resource("/ims", "Tokens")

_FORM_BYTES_MAX = 16_384


async def read_form(request: Request) -> dict[str, str]:
    """Read a form body. Of a field that stands twice nothing is taken."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES_MAX:
            raise BodyTooLarge(f"the form may have at most {_FORM_BYTES_MAX} bytes")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items() if len(values) == 1}


@tokens.route(
    "POST",
    "/token/v3",
    permission=PUBLIC,
    sandbox_use=SandboxUse.IGNORED,
    answer=TokenOut,
    form=TokenForm,
    gateway_error=TokenError,
    errors=[codes.GRANT_INVALID, codes.CLIENT_INVALID, codes.BODY_TOO_LARGE],
)
def issue_token(request: Request, form: Annotated[dict[str, str], Depends(read_form)]) -> Response:
    """Issue an access token for client credentials (RFC 6749, section 4.4)."""
    if form.get("grant_type") != "client_credentials":
        return _refused(codes.GRANT_INVALID, "unsupported_grant_type")
    if "client_id" not in form or "client_secret" not in form:
        return _refused(codes.GRANT_INVALID, "invalid_request")
    scopes = form.get("scope", "").replace(",", " ").split()
    try:
        token = services_of(request).issuer.issue(form["client_id"], form["client_secret"], scopes)
    except InvalidClient:
        return _refused(codes.CLIENT_INVALID, "invalid_client")
    issued = TokenOut(access_token=token.value, expires_in=token.expires_in_seconds)
    return Response(issued.to_json(), media_type="application/json", headers={"Cache-Control": "no-store"})


@tokens.route("GET", "/keys", permission=PUBLIC, sandbox_use=SandboxUse.IGNORED, answer=KeySetOut)
def get_keys(request: Request) -> Response:
    """Show the keys by which tokens of the built-in issuer are verified."""
    keys = KeySetOut(keys=list(services_of(request).issuer.public_keys()["keys"]))
    return Response(keys.to_json(), media_type="application/json")


def _refused(code: GatewayCode, error: str) -> Response:
    body = TokenError(error=error, error_description=code.remedy, error_code=code.code, message=code.message)
    return Response(body.to_json(), code.status, media_type="application/json")
