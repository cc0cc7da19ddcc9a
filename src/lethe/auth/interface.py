"""What the edge asks of whoever knows the callers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lethe.domain.caller import Caller


class InvalidToken(Exception):
    """The token is malformed, expired, not yet valid, signed by no trusted key, or meant for another audience."""


class InvalidClient(Exception):
    """The client is unknown, or its secret is wrong."""


class Authenticator(Protocol):
    """Turns a bearer token into its caller."""

    def authenticate(self, token: str) -> Caller:
        """Verify the token. Raises InvalidToken; the reason is for the log, never for the caller."""
        ...


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a client gets for its credentials."""

    value: str = field(repr=False)
    expires_in_seconds: int


class Issuer(Protocol):
    """Issues tokens to configured clients (client credentials)."""

    def issue(self, client_id: str, client_secret: str, scopes: Sequence[str]) -> AccessToken:
        """A token for this client. Raises InvalidClient."""
        ...

    def public_keys(self) -> Mapping[str, Any]:
        """The JSON Web Key Set by which others verify these tokens."""
        ...


class Signer(Protocol):
    """Signs documents that others check offline."""

    def sign(self, content: bytes) -> str:
        """The compact JSON Web Signature over the content."""
        ...

    def public_keys(self) -> Mapping[str, Any]:
        """The JSON Web Key Set of all keys that have signed."""
        ...
