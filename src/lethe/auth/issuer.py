"""The built-in issuer: tokens for the clients of the configuration, without an identity provider.

Its tokens are signed by the keys of `signing_keys` and verified like anybody else's, through `tokens`.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from joserfc import jwt

from lethe.auth.algorithms import BUILT_IN_ALGORITHM, AllowList
from lethe.auth.interface import AccessToken, InvalidClient
from lethe.auth.roles import Role
from lethe.auth.signing_keys import SigningKeys
from lethe.domain.ids import ClientId, OrgId, SandboxName

LIFETIME_SECONDS_OVER: Final = 500
"""A lifetime must be longer: a client in wide use renews its token 500 seconds before it ends, thus never otherwise."""

_SHA256_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")
_NO_SECRET: Final = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """A configured client: how it proves who it is, and what its tokens say."""

    client_id: ClientId
    secret_sha256: str = field(repr=False)
    """SHA-256 of the secret, in hex. The secret must be long and random: the hash is fast and has no salt."""
    name: str
    email: str
    account_id: str
    """The technical account: the token's subject, and the last word of `createdBy`."""
    org_ids: frozenset[OrgId]
    roles: frozenset[Role]
    sandbox_names: frozenset[SandboxName] | None = None
    """The sandboxes that it may see; None is all of its orgs'."""

    def __post_init__(self) -> None:
        """Refuse what can never match, or always would. Raises ValueError, which shows no part of the hash."""
        if _SHA256_HEX.fullmatch(self.secret_sha256) is None:
            raise ValueError(f"client {self.client_id}: secret_sha256 must be 64 hexadecimal digits")
        if bytes.fromhex(self.secret_sha256) == _NO_SECRET:
            raise ValueError(f"client {self.client_id}: secret_sha256 is the hash of an empty secret")


class BuiltInIssuer:
    """Issues signed tokens for client credentials; implements `Issuer`."""

    def __init__(
        self,
        *,
        clients: Iterable[ClientCredentials],
        signing_keys: SigningKeys,
        issuer: str,
        audience: str,
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
        lifetime: timedelta = timedelta(hours=24),
    ) -> None:
        """`issuer` and `audience` become `iss` and `aud`. Raises ValueError for a short lifetime or a double client."""
        self._lifetime_seconds = int(lifetime.total_seconds())
        if self._lifetime_seconds <= LIFETIME_SECONDS_OVER:
            raise ValueError(f"the lifetime of tokens must be over {LIFETIME_SECONDS_OVER} seconds")
        self._clients: dict[str, ClientCredentials] = {}
        for client in clients:
            if client.client_id in self._clients:
                raise ValueError(f"client {client.client_id} is configured twice")
            self._clients[client.client_id] = client
        self._signing_keys = signing_keys
        self._issuer = issuer
        self._audience = audience
        self._now = now
        self._new_id = new_id
        self._registry = AllowList({BUILT_IN_ALGORITHM})

    def issue(self, client_id: str, client_secret: str, scopes: Sequence[str]) -> AccessToken:  # noqa: ARG002
        """A token for this client. Raises InvalidClient, in the same words and time for a wrong id or secret.

        `scopes` change nothing: what a client may do is decided by its configured roles.
        """
        client = self._clients.get(client_id)
        # The comparison runs for an unknown client too, so that timing does not tell which clients exist.
        expected = bytes.fromhex(client.secret_sha256) if client else _NO_SECRET
        given = hashlib.sha256(client_secret.encode("utf-8", "surrogatepass")).digest()
        matches = hmac.compare_digest(given, expected)
        if client is None or not matches:
            raise InvalidClient("the client is unknown, or its secret is wrong")
        key = self._signing_keys.signing_key()
        header = {"alg": BUILT_IN_ALGORITHM, "kid": key.kid, "typ": "at+jwt"}
        value = jwt.encode(header, self._claims(client), key, registry=self._registry)
        return AccessToken(value, self._lifetime_seconds)

    def public_keys(self) -> Mapping[str, Any]:
        """The JSON Web Key Set by which others verify these tokens."""
        return {"keys": [key.as_dict(private=False) for key in self._signing_keys.verifying_keys()]}

    def _claims(self, client: ClientCredentials) -> dict[str, Any]:
        issued_at = int(self._now().timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "sub": client.account_id,
            "aud": self._audience,
            "client_id": client.client_id,
            "name": client.name,
            "email": client.email,
            "orgs": sorted(client.org_ids),
            "roles": sorted(client.roles),
            "iat": issued_at,
            "exp": issued_at + self._lifetime_seconds,
            "jti": str(self._new_id()),
        }
        if client.sandbox_names is not None:
            claims["sandboxes"] = sorted(client.sandbox_names)
        return claims
