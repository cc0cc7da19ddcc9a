"""Refusals that only the edge makes: about headers, parameters and bodies as such."""

from collections.abc import Mapping

from lethe.contract.error_codes import GatewayCode
from lethe.domain.errors import Refusal


class GatewayRefusal(Exception):
    """The request is turned away before the service is reached."""

    def __init__(self, code: GatewayCode, because: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.code = code
        self.message = f"{code.message}: {because}" if because else code.message
        self.headers = dict(headers or {})
        super().__init__(self.message)


class NotJsonBody(Refusal):
    """The request body is not valid JSON."""


class BodyTooLarge(Refusal):
    """The request body is too large."""


class InvalidParameter(Refusal):
    """The query parameter is not valid."""


class InvalidHeader(Refusal):
    """The header is not valid."""
