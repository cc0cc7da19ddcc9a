"""The built-in issuer: who gets a token, and what it says."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.support import AUDIENCE, ISSUER, SECRET, START, Clock, credentials
from lethe.auth.interface import InvalidClient, Issuer
from lethe.auth.issuer import BuiltInIssuer, ClientCredentials
from lethe.auth.key_sets import BuiltInKeys
from lethe.auth.roles import Role
from lethe.auth.signing_keys import SigningKeys
from lethe.auth.tokens import TokenVerifier, TrustedIssuer
from lethe.domain.actor import Actor
from lethe.domain.caller import Permission
from lethe.domain.ids import SandboxName


@pytest.fixture
def signing_keys(tmp_path: Path) -> SigningKeys:
    return SigningKeys(tmp_path / "keys")


def make(signing_keys: SigningKeys, *clients: ClientCredentials, **changes: Any) -> BuiltInIssuer:
    ids = iter(range(1000))
    values: dict[str, Any] = {
        "clients": clients or (credentials(),),
        "signing_keys": signing_keys,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "now": Clock(),
        "new_id": lambda: UUID(int=next(ids)),
    }
    return BuiltInIssuer(**{**values, **changes})


def part(token: str, index: int) -> dict[str, Any]:
    segment = token.split(".")[index]
    content: dict[str, Any] = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return content


def test_the_claims_are_these_and_no_others(signing_keys: SigningKeys) -> None:
    token = make(signing_keys).issue("robot", SECRET, ["openid"])
    assert part(token.value, 1) == {
        "iss": ISSUER,
        "sub": "ACC1@tech",
        "aud": AUDIENCE,
        "client_id": "robot",
        "name": "Rob Ot",
        "email": "robot@example.test",
        "orgs": ["A@Org", "B@Org"],
        "roles": ["record-delete-manager"],
        "iat": int(START.timestamp()),
        "exp": int(START.timestamp()) + 86_400,
        "jti": "00000000-0000-0000-0000-000000000000",
    }
    assert token.expires_in_seconds == 86_400
    assert part(token.value, 0) == {"alg": "EdDSA", "kid": signing_keys.signing_key().kid, "typ": "at+jwt"}


def test_each_token_has_its_own_id(signing_keys: SigningKeys) -> None:
    issuer: Issuer = make(signing_keys)
    ids = [part(issuer.issue("robot", SECRET, []).value, 1)["jti"] for _ in range(3)]
    assert ids == [str(UUID(int=n)) for n in range(3)]


def test_the_caller_is_the_configured_client(signing_keys: SigningKeys) -> None:
    client = credentials(sandbox_names=frozenset({SandboxName("prod")}), roles=frozenset({Role.VIEWER, Role.SERVICE}))
    token = make(signing_keys, client).issue("robot", SECRET, []).value
    caller = TokenVerifier([TrustedIssuer(ISSUER, AUDIENCE, BuiltInKeys(signing_keys))], Clock()).authenticate(token)
    assert caller.client_id == client.client_id
    assert caller.actor == Actor("Rob Ot", "robot@example.test", "ACC1@tech")
    assert caller.org_ids == client.org_ids
    assert caller.sandbox_names == client.sandbox_names
    assert caller.permissions == {
        Permission.VIEW,
        Permission.MANAGE_EXPIRATIONS,
        Permission.MANAGE_RECORD_DELETES,
        Permission.SERVICE,
    }


def test_no_sandbox_at_all_is_not_the_same_as_all(signing_keys: SigningKeys) -> None:
    token = make(signing_keys, credentials(sandbox_names=frozenset())).issue("robot", SECRET, []).value
    caller = TokenVerifier([TrustedIssuer(ISSUER, AUDIENCE, BuiltInKeys(signing_keys))], Clock()).authenticate(token)
    assert caller.sandbox_names == frozenset()
    assert not caller.sees(SandboxName("prod"))


def test_scopes_grant_nothing(signing_keys: SigningKeys) -> None:
    token = make(signing_keys, credentials(roles=frozenset())).issue("robot", SECRET, ["administrator", "service"])
    assert part(token.value, 1)["roles"] == []


@given(st.text(st.characters(codec=None)))
def test_no_other_secret_opens(tmp_path_factory: pytest.TempPathFactory, guess: str) -> None:
    issuer = make(SigningKeys(tmp_path_factory.getbasetemp() / "guessed-keys"))
    if guess == SECRET:
        return
    with pytest.raises(InvalidClient):
        issuer.issue("robot", guess, [])


@pytest.mark.parametrize("guess", ["", SECRET + " ", SECRET.upper(), SECRET[:-1], "\ud800"])
def test_unknown_client_and_wrong_secret_are_refused_alike(signing_keys: SigningKeys, guess: str) -> None:
    issuer = make(signing_keys)
    refusals = []
    for client_id, secret in (("robot", guess), ("nobody", guess), ("nobody", SECRET), ("", "")):
        with pytest.raises(InvalidClient) as refusal:
            issuer.issue(client_id, secret, [])
        refusals.append(str(refusal.value))
    assert len(set(refusals)) == 1


def test_secrets_are_compared_in_constant_time_for_unknown_clients_too(
    signing_keys: SigningKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def watched(given: bytes, expected: bytes) -> bool:
        compared.append((given, expected))
        return compare(given, expected)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    issuer = make(signing_keys)
    for client_id in ("robot", "nobody"):
        with pytest.raises(InvalidClient):
            issuer.issue(client_id, "wrong", [])
    wrong = hashlib.sha256(b"wrong").digest()
    assert [given for given, _ in compared] == [wrong, wrong]
    assert {len(expected) for _, expected in compared} == {32}


@pytest.mark.parametrize("seconds", [0, -1, 499, 500])
def test_a_lifetime_too_short_for_a_known_client_is_refused(signing_keys: SigningKeys, seconds: int) -> None:
    with pytest.raises(ValueError, match="over 500 seconds"):
        make(signing_keys, lifetime=timedelta(seconds=seconds))


def test_the_shortest_lifetime_is_honoured(signing_keys: SigningKeys) -> None:
    token = make(signing_keys, lifetime=timedelta(seconds=501)).issue("robot", SECRET, [])
    assert token.expires_in_seconds == 501
    assert part(token.value, 1)["exp"] - part(token.value, 1)["iat"] == 501


@pytest.mark.parametrize("digest", ["", "abc", "g" * 64, "a" * 63, "a" * 65, hashlib.sha256(b"").hexdigest()])
def test_a_hash_that_protects_nothing_is_refused(digest: str) -> None:
    with pytest.raises(ValueError, match="client robot: secret_sha256") as refusal:
        credentials(secret_sha256=digest)
    assert digest not in str(refusal.value) or not digest


def test_a_hash_in_capitals_is_the_same_hash(signing_keys: SigningKeys) -> None:
    client = credentials(secret_sha256=hashlib.sha256(SECRET.encode()).hexdigest().upper())
    assert make(signing_keys, client).issue("robot", SECRET, []).value


def test_credentials_do_not_show_their_hash() -> None:
    assert credentials().secret_sha256 not in repr(credentials())


def test_one_client_configured_twice_is_refused(signing_keys: SigningKeys) -> None:
    with pytest.raises(ValueError, match="robot is configured twice"):
        make(signing_keys, credentials(), credentials())


def test_the_published_keys_verify_and_tell_no_secret(signing_keys: SigningKeys) -> None:
    issuer = make(signing_keys)
    old = issuer.issue("robot", SECRET, []).value
    signing_keys.rotate()
    new = issuer.issue("robot", SECRET, []).value
    published = issuer.public_keys()
    json.dumps(published)
    assert {key["kid"] for key in published["keys"]} == {part(old, 0)["kid"], part(new, 0)["kid"]}
    assert len(published["keys"]) == 2
    assert not any("d" in key for key in published["keys"])


def test_tokens_from_before_a_rotation_stay_valid(signing_keys: SigningKeys) -> None:
    issuer = make(signing_keys)
    verifier = TokenVerifier([TrustedIssuer(ISSUER, AUDIENCE, BuiltInKeys(signing_keys))], Clock())
    old = issuer.issue("robot", SECRET, []).value
    signing_keys.rotate()
    new = issuer.issue("robot", SECRET, []).value
    assert part(old, 0)["kid"] != part(new, 0)["kid"]
    assert verifier.authenticate(old) == verifier.authenticate(new)
