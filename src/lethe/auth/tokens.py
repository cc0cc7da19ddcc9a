"""Verifying bearer tokens: signed JSON Web Tokens of the issuers that are trusted here.

The order of checks: size and shape; which trusted issuer it claims to be from; that issuer's algorithms; its key;
the signature; and only then what the claims say. Before the signature holds, the claims choose nothing but which
trusted issuer's rules the token must pass.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from lethe.auth.algorithms import DEFAULT_ALGORITHMS, POSSIBLE_ALGORITHMS, AllowList
from lethe.auth.claims import ClaimNames, caller_of, require_audience, validity_of
from lethe.auth.interface import InvalidToken
from lethe.auth.key_sets import KeySource, KeysUnavailable
from lethe.domain.caller import Caller

TOKEN_CHARACTERS_MAX: Final = 16 * 1024

_ANY_ALLOWED: Final = AllowList(POSSIBLE_ALGORITHMS)
"""Bounds of size for taking a token apart; it decides about no algorithm."""


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer whose tokens count, and how they must look."""

    issuer: str
    """The exact value of `iss`."""
    audience: str
    """What `aud` must be, or contain."""
    keys: KeySource
    algorithms: frozenset[str] = DEFAULT_ALGORITHMS
    leeway_seconds: int = 30
    """How far the issuer's clock may be from ours."""
    claim_names: ClaimNames = field(default_factory=ClaimNames)
    allow_list: AllowList = field(init=False, repr=False, compare=False)
    """`algorithms`, as the verifying library takes them."""

    def __post_init__(self) -> None:
        """Raises ValueError for an algorithm that cannot be trusted, such as `none` or `HS256`."""
        object.__setattr__(self, "allow_list", AllowList(self.algorithms))


class TokenVerifier:
    """Turns tokens of trusted issuers into callers; implements `Authenticator`.

    Safe to share between threads. It may wait for an external issuer's keys, so an event loop must not call it itself.
    """

    def __init__(self, issuers: Iterable[TrustedIssuer], now: Callable[[], datetime]) -> None:
        """Raises ValueError when two issuers have the same name: which rules count would be left to chance."""
        self._now = now
        self._issuers: dict[str, TrustedIssuer] = {}
        for issuer in issuers:
            if issuer.issuer in self._issuers:
                raise ValueError(f"the issuer {issuer.issuer} is configured twice")
            self._issuers[issuer.issuer] = issuer

    def authenticate(self, token: str) -> Caller:
        """The token's caller. Raises InvalidToken, whose text says which check failed and quotes nothing of it."""
        envelope, claims = _opened(token)
        issuer_name = claims.get("iss")
        issuer = self._issuers.get(issuer_name) if isinstance(issuer_name, str) else None
        if issuer is None:
            raise InvalidToken("the token's issuer is not trusted")
        _require_signature(envelope, issuer)
        require_audience(claims, issuer.audience)
        validity_of(claims, issuer.leeway_seconds).require(self._now())
        return caller_of(claims, issuer.claim_names)


def _opened(token: str) -> tuple[jws.CompactSignature, dict[str, Any]]:
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise InvalidToken(f"the token is longer than {TOKEN_CHARACTERS_MAX} characters")
    try:
        encoded = token.encode("ascii")
    except UnicodeEncodeError:
        # The cause is left out: it carries the token.
        raise InvalidToken("the token has characters that no token has") from None
    try:
        envelope = jws.extract_compact(encoded, registry=_ANY_ALLOWED)
        claims = json.loads(envelope.payload)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken("the token is no JSON Web Token") from error
    if not isinstance(envelope.protected, dict) or not isinstance(claims, dict):
        raise InvalidToken("the token is no JSON Web Token")
    return envelope, claims


def _require_signature(envelope: jws.CompactSignature, issuer: TrustedIssuer) -> None:
    header = envelope.protected
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
        raise InvalidToken("the token's algorithm is not allowed for its issuer")
    # No extension is understood here, and RFC 7515 (section 4.1.11) has such tokens refused.
    if "crit" in header or "b64" in header:
        raise InvalidToken("the token asks for an extension that is not known here")
    key = _key(header, algorithm, issuer)
    try:
        holds = jws.validate_compact(envelope, key, registry=issuer.allow_list)
    except (JoseError, ValueError, TypeError) as error:
        raise InvalidToken("the token's signature cannot be checked with the key that it names") from error
    if not holds:
        raise InvalidToken("the token's signature is wrong")


def _key(header: dict[str, Any], algorithm: str, issuer: TrustedIssuer) -> Key:
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise InvalidToken("the token names its key by something else than text")
    try:
        keys = issuer.keys.keys(kid)
    except KeysUnavailable as error:
        raise InvalidToken("the keys of the token's issuer cannot be had") from error
    try:
        return keys.get_by_kid(kid, {"alg": algorithm, "use": "sig"})
    except JoseError:
        # The cause is left out: it quotes the name, which anybody may choose.
        if kid is None:
            raise InvalidToken("the token names no key, and its issuer has several") from None
        raise InvalidToken("the token is signed by a key that its issuer does not have") from None
