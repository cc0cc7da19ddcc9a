"""From the claims of a verified token to its caller. Nothing here decides whether the signature is good."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lethe.auth.interface import InvalidToken
from lethe.auth.roles import permissions_of
from lethe.domain.actor import Actor
from lethe.domain.caller import Caller
from lethe.domain.ids import ClientId, OrgId, SandboxName

TEXT_LENGTH_MAX: Final = 160
"""Characters in one claim's text: name, address and id together fit into the 500 that a record's author may have."""


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Under which names an issuer writes what Lethe needs to know. The defaults are the built-in issuer's."""

    client_id: tuple[str, ...] = ("client_id", "azp")
    """The first of these that is present counts."""
    orgs: str = "orgs"
    roles: str = "roles"
    sandboxes: str = "sandboxes"
    name: str = "name"
    email: str = "email"
    subject: str = "sub"


@dataclass(frozen=True, slots=True)
class Validity:
    """When a token may be used: from `starts_at` on, and before `ends_at`; both in seconds since the epoch."""

    starts_at: float
    ends_at: float

    def require(self, now: datetime) -> None:
        """Refuse a token outside of its time. Raises InvalidToken."""
        seconds = now.timestamp()
        if seconds >= self.ends_at:
            raise InvalidToken("the token has expired")
        if seconds < self.starts_at:
            raise InvalidToken("the token is not valid yet")


def validity_of(claims: Mapping[str, Any], leeway_seconds: int) -> Validity:
    """The time of a token, widened by the leeway for clocks that differ. Raises InvalidToken.

    `exp` is required; `nbf` and `iat` are not, yet neither may lie in the future (RFC 7519, section 4.1).
    """
    starts_at = max((_instant(claims, name) for name in ("nbf", "iat") if name in claims), default=-math.inf)
    return Validity(starts_at - leeway_seconds, _instant(claims, "exp") + leeway_seconds)


def require_audience(claims: Mapping[str, Any], audience: str) -> None:
    """Refuse a token that is meant for others. Raises InvalidToken."""
    meant_for = claims.get("aud")
    if meant_for == audience or (isinstance(meant_for, list) and audience in meant_for):
        return
    raise InvalidToken("the token is meant for another audience")


def caller_of(claims: Mapping[str, Any], names: ClaimNames) -> Caller:
    """The bearer of these claims. Raises InvalidToken when one is missing or of the wrong type.

    Client, subject and orgs are required. A technical account of another issuer often has neither name nor e-mail
    address: the client id stands for the name, and the address is empty. No roles permit nothing. Only when the
    sandboxes claim is absent are all sandboxes visible; a null or malformed one is refused, never widened.
    """
    client_id = _text(claims, next((name for name in names.client_id if name in claims), names.client_id[0]))
    return Caller(
        client_id=ClientId(client_id),
        actor=Actor(
            name=_text(claims, names.name) if names.name in claims else client_id,
            email=_text(claims, names.email) if names.email in claims else "",
            id=_text(claims, names.subject),
        ),
        org_ids=frozenset(map(OrgId, _texts(claims, names.orgs))),
        permissions=permissions_of(_texts(claims, names.roles) if names.roles in claims else ()),
        sandbox_names=(
            frozenset(map(SandboxName, _texts(claims, names.sandboxes))) if names.sandboxes in claims else None
        ),
    )


def _instant(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(f"the claim {name!r} must be a number")
    try:
        seconds = float(value)
    except OverflowError as error:
        raise InvalidToken(f"the claim {name!r} is no instant") from error
    # JSON as Python reads it has NaN and Infinity, which would make a token that never expires.
    if not math.isfinite(seconds):
        raise InvalidToken(f"the claim {name!r} is no instant")
    return seconds


def _text(claims: Mapping[str, Any], name: str) -> str:
    return _checked_text(claims.get(name), name)


def _texts(claims: Mapping[str, Any], name: str) -> list[str]:
    values = claims.get(name)
    if not isinstance(values, list):
        raise InvalidToken(f"the claim {name!r} must be a list of strings")
    return [_checked_text(value, name) for value in values]


def _checked_text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidToken(f"the claim {name!r} must hold text")
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON can spell half a character, which no database stores. The cause is left out: it carries the value.
        raise InvalidToken(f"the claim {name!r} holds broken text") from None
    if "\0" in value or len(value) > TEXT_LENGTH_MAX:
        raise InvalidToken(f"the claim {name!r} has a NUL character, or more than {TEXT_LENGTH_MAX} characters")
    return value
