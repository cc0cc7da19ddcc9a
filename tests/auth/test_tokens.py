"""Verifying tokens: every way to be wrong, and the exact edges of being right."""

import hashlib
import hmac
import json
import traceback
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from auth.support import AUDIENCE, ISSUER, START, Clock, KeyServer, claims, key_set, signed, signing_key
from lethe.auth.interface import Authenticator, InvalidToken
from lethe.auth.key_sets import FixedKeys
from lethe.auth.remote_keys import RemoteKeys
from lethe.auth.tokens import TOKEN_CHARACTERS_MAX, TokenVerifier, TrustedIssuer

KEY = signing_key("k1")
OTHER_KEY = signing_key("k2")
NOW = int(START.timestamp())


def trusting(*keys: Key, **changes: Any) -> TokenVerifier:
    issuer = TrustedIssuer(ISSUER, AUDIENCE, FixedKeys(key_set(*(keys or (KEY,)))), **changes)
    return TokenVerifier([issuer], Clock())


def encoded(content: Any) -> str:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_by_hand(header: Any, payload: Any) -> str:
    """A token that the signing library would refuse to make, with a good Ed25519 signature."""
    content = f"{encoded(header)}.{encoded(payload)}"
    return f"{content}.{encoded(KEY.get_op_key('sign').sign(content.encode()))}"  # type: ignore[union-attr]


def refused(verifier: Authenticator, token: str, reason: str) -> None:
    """The token is refused for this reason, and no text of the error quotes any of its parts."""
    with pytest.raises(InvalidToken, match=reason) as refusal:
        verifier.authenticate(token)
    told = "".join(str(error) for error in chain(refusal.value))
    assert not any(part in told for part in token.split(".") if len(part) > 12)
    assert not (len(token) > 12 and token in "".join(traceback.format_exception(refusal.value)))


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def test_a_good_token_has_its_caller() -> None:
    caller = trusting().authenticate(signed(KEY, claims()))
    assert caller.client_id == "robot"
    assert caller.actor.author == "Rob Ot <robot@example.test> ACC1@tech"
    assert caller.org_ids == {"A@Org"}


# The algorithm


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (KEY, "EdDSA"),
        (KEY, "Ed25519"),
        (ECKey.generate_key("P-256", {"kid": "ec"}), "ES256"),
        (RSAKey.generate_key(2048, {"kid": "rsa"}), "RS256"),
        (RSAKey.generate_key(2048, {"kid": "rsa"}), "PS256"),
    ],
)
def test_each_default_algorithm_verifies(key: Key, alg: str) -> None:
    token = signed(key, claims(), alg)
    assert trusting(key).authenticate(token).client_id == "robot"
    content, _, signature = token.rpartition(".")
    changed = encoded(bytes([urlsafe_b64decode(signature + "==")[0] ^ 1]) + urlsafe_b64decode(signature + "==")[1:])
    refused(trusting(key), f"{content}.{changed}", "signature is wrong")


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "ES256K", "RS1", "dir"])
@pytest.mark.parametrize("kid", ["k1", None])
def test_no_other_algorithm_is_looked_at(alg: str, kid: str | None) -> None:
    header = {"alg": alg} | ({"kid": kid} if kid else {})
    refused(trusting(), f"{encoded(header)}.{encoded(claims())}.", "algorithm is not allowed")
    refused(trusting(), signed_by_hand(header, claims()), "algorithm is not allowed")


@pytest.mark.parametrize("alg", [None, 7, True, ["EdDSA"], {"EdDSA": 1}])
def test_an_algorithm_that_is_no_text_is_refused(alg: Any) -> None:
    refused(trusting(), signed_by_hand({"alg": alg, "kid": "k1"}, claims()), "algorithm is not allowed")


@pytest.mark.parametrize("as_pem", [True, False])
@pytest.mark.parametrize("key", [KEY, RSAKey.generate_key(2048, {"kid": "k1"})])
def test_the_public_key_is_no_shared_secret(key: OKPKey | RSAKey, as_pem: bool) -> None:
    secret = key.as_pem(private=False) if as_pem else json.dumps(key.as_dict(private=False)).encode()
    content = f"{encoded({'alg': 'HS256', 'kid': 'k1'})}.{encoded(claims())}"
    mac = hmac.new(secret, content.encode(), hashlib.sha256).digest()
    refused(trusting(key), f"{content}.{encoded(mac)}", "algorithm is not allowed")


@pytest.mark.parametrize("algorithms", [{"none"}, {"HS256"}, {"EdDSA", "HS512"}, set(), {"ES256K"}])
def test_a_configuration_cannot_allow_what_forges(algorithms: set[str]) -> None:
    with pytest.raises(ValueError, match="algorithms must be one or more of"):
        trusting(algorithms=frozenset(algorithms))


def test_an_issuer_allows_only_its_own_algorithms() -> None:
    refused(trusting(algorithms=frozenset({"ES256"})), signed(KEY, claims()), "algorithm is not allowed")


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256"])
def test_a_key_of_another_kind_does_not_verify(alg: str) -> None:
    refused(trusting(), signed_by_hand({"alg": alg, "kid": "k1"}, claims()), "cannot be checked|does not have")


def test_a_key_published_for_one_algorithm_serves_no_other() -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa", "alg": "PS256"})
    assert trusting(key).authenticate(signed(key, claims(), "PS256"))
    bare = RSAKey.import_key(key.raw_value, {"kid": "rsa"})
    refused(trusting(key), signed(bare, claims(), "RS256"), "does not have")


# The key


def test_the_named_key_verifies_and_no_other() -> None:
    assert trusting(KEY, OTHER_KEY).authenticate(signed(OTHER_KEY, claims()))
    refused(trusting(KEY, OTHER_KEY), signed(KEY, claims(), kid="k2"), "signature is wrong")
    refused(trusting(KEY, OTHER_KEY), signed(KEY, claims(), kid="k3"), "does not have")
    refused(trusting(KEY), signed(KEY, claims(), kid=""), "does not have")


def test_a_stranger_with_the_right_name_is_refused() -> None:
    refused(trusting(KEY), signed(signing_key("k1"), claims()), "signature is wrong")


def test_the_name_may_be_left_out_only_when_there_is_one_key() -> None:
    assert trusting(KEY).authenticate(signed(KEY, claims(), kid=...))
    refused(trusting(KEY, OTHER_KEY), signed(KEY, claims(), kid=...), "names no key")


@pytest.mark.parametrize("kid", [7, True, ["k1"], {"k1": 1}])
def test_a_name_that_is_no_text_is_refused(kid: Any) -> None:
    refused(trusting(), signed_by_hand({"alg": "EdDSA", "kid": kid}, claims()), "something else than text")


def test_a_key_inside_the_token_is_not_trusted() -> None:
    stranger = signing_key("k1")
    token = signed(stranger, claims(), jwk=stranger.as_dict(private=False))
    refused(trusting(KEY), token, "signature is wrong")


@pytest.mark.parametrize("extension", [{"crit": ["b64"], "b64": False}, {"crit": ["exp"]}, {"crit": []}, {"b64": True}])
def test_extensions_are_refused(extension: dict[str, Any]) -> None:
    token = signed_by_hand({"alg": "EdDSA", "kid": "k1", **extension}, claims())
    refused(trusting(), token, "extension|no JSON Web Token")


def test_other_header_parameters_are_ignored() -> None:
    assert trusting().authenticate(signed_by_hand({"alg": "EdDSA", "kid": "k1", "typ": "JWT", "vendor": 1}, claims()))


def test_an_unknown_key_is_found_after_a_rotation(server: KeyServer, clock: Clock) -> None:
    server.publish("/jwks", key_set(KEY))
    keys = RemoteKeys(server.url, now=clock, key_set_url=server.url + "/jwks")
    verifier = TokenVerifier([TrustedIssuer(ISSUER, AUDIENCE, keys)], clock)
    new = signed(OTHER_KEY, claims())
    assert verifier.authenticate(signed(KEY, claims()))
    refused(verifier, new, "does not have")
    server.publish("/jwks", key_set(OTHER_KEY))
    refused(verifier, new, "does not have")  # too soon after the last fetch
    clock.advance(30)
    assert verifier.authenticate(new).client_id == "robot"
    refused(verifier, signed(KEY, claims()), "does not have")


def test_tokens_are_refused_while_the_keys_were_never_had(server: KeyServer, clock: Clock) -> None:
    keys = RemoteKeys(server.url, now=clock, key_set_url=server.url + "/jwks")
    verifier = TokenVerifier([TrustedIssuer(ISSUER, AUDIENCE, keys)], clock)
    refused(verifier, signed(KEY, claims()), "keys of the token's issuer cannot be had")


# The issuer and the audience


@pytest.mark.parametrize("iss", [..., None, "", ISSUER + "/", ISSUER.upper(), "https://other.test", 7, [ISSUER], {}])
def test_another_issuer_is_not_trusted(iss: Any) -> None:
    refused(trusting(), signed(KEY, claims(iss=iss)), "issuer is not trusted")


def test_one_issuers_key_does_not_speak_for_another() -> None:
    issuers = [
        TrustedIssuer(ISSUER, AUDIENCE, FixedKeys(key_set(KEY))),
        TrustedIssuer("https://second.test", "second", FixedKeys(key_set(OTHER_KEY))),
    ]
    verifier = TokenVerifier(issuers, Clock())
    second = claims(iss="https://second.test", aud="second")
    assert verifier.authenticate(signed(OTHER_KEY, second))
    refused(verifier, signed(KEY, second), "does not have")
    refused(verifier, signed(KEY, second, kid="k2"), "signature is wrong")
    refused(verifier, signed(OTHER_KEY, {**second, "aud": AUDIENCE}), "another audience")


def test_two_issuers_of_one_name_are_refused() -> None:
    issuer = TrustedIssuer(ISSUER, AUDIENCE, FixedKeys(key_set(KEY)))
    with pytest.raises(ValueError, match="configured twice"):
        TokenVerifier([issuer, issuer], Clock())


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
def test_the_audience_is_this_or_contains_it(aud: Any) -> None:
    assert trusting().authenticate(signed(KEY, claims(aud=aud)))


@pytest.mark.parametrize(
    "aud", [..., None, "", "lethe2", "LETHE", "leth", [], ["other"], [[AUDIENCE]], {AUDIENCE: 1}, 7]
)
def test_another_audience_is_refused(aud: Any) -> None:
    refused(trusting(), signed(KEY, claims(aud=aud)), "another audience")


# The time


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ({"exp": NOW + 1}, None),
        ({"exp": NOW - 29}, None),
        ({"exp": NOW - 29.999}, None),
        ({"exp": NOW - 30}, "expired"),
        ({"exp": NOW - 31}, "expired"),
        ({"exp": 0}, "expired"),
        ({"exp": -1}, "expired"),
        ({"nbf": NOW}, None),
        ({"nbf": NOW + 30}, None),
        ({"nbf": NOW + 30.001}, "not valid yet"),
        ({"nbf": NOW + 31}, "not valid yet"),
        ({"iat": NOW + 30}, None),
        ({"iat": NOW + 31}, "not valid yet"),
        ({"iat": NOW + 31, "nbf": NOW}, "not valid yet"),
        ({"iat": ...}, None),
        ({"exp": ...}, "'exp' must be a number"),
        ({"exp": 10**400}, "'exp' is no instant"),
        ({"exp": float("inf")}, "'exp' is no instant"),
        ({"exp": float("nan")}, "'exp' is no instant"),
        ({"nbf": float("nan")}, "'nbf' is no instant"),
        ({"nbf": float("-inf")}, "'nbf' is no instant"),
        ({"exp": str(NOW + 60)}, "'exp' must be a number"),
        ({"exp": True}, "'exp' must be a number"),
        ({"exp": None}, "'exp' must be a number"),
        ({"exp": [NOW]}, "'exp' must be a number"),
        ({"nbf": None}, "'nbf' must be a number"),
        ({"iat": "yesterday"}, "'iat' must be a number"),
    ],
)
def test_the_time_to_the_second_with_thirty_of_leeway(times: dict[str, Any], reason: str | None) -> None:
    token = signed(KEY, claims(**times))
    if reason:
        refused(trusting(leeway_seconds=30), token, reason)
    else:
        assert trusting(leeway_seconds=30).authenticate(token)


def test_without_leeway_a_token_ends_at_its_exp() -> None:
    clock = Clock()
    issuer = TrustedIssuer(ISSUER, AUDIENCE, FixedKeys(key_set(KEY)), leeway_seconds=0)
    verifier, token = TokenVerifier([issuer], clock), signed(KEY, claims(exp=NOW + 60))
    clock.advance(59.999)
    assert verifier.authenticate(token)
    clock.advance(0.001)
    refused(verifier, token, "expired")


# Its shape


def test_sixteen_kilobytes_are_the_limit() -> None:
    def padded(length: int) -> str:
        """A good token of about this length, the excess in a claim that nobody reads."""
        empty = len(signed(KEY, claims(padding="")))
        return signed(KEY, claims(padding="x" * ((length - empty) * 3 // 4)))

    at_most = padded(TOKEN_CHARACTERS_MAX)
    assert TOKEN_CHARACTERS_MAX - 4 <= len(at_most) <= TOKEN_CHARACTERS_MAX
    assert trusting().authenticate(at_most)
    refused(trusting(), padded(17 * 1024), "longer than 16384")


NO_TOKENS = [
    "",
    ".",
    "..",
    "a.b.c",
    "....",
    "not a token",
    "Bearer x.y.z",
    signed(KEY, claims()) + ".",
    signed(KEY, claims()) + "=",
    signed(KEY, claims()) + "\n",
    " " + signed(KEY, claims()),
    signed(KEY, claims()).replace(".", ". ", 1),
    signed(KEY, claims()).rpartition(".")[0],
    signed(KEY, claims()).rpartition(".")[0] + ".",
    signed(KEY, claims()) + "é",
    "\ud800" + signed(KEY, claims()),
    f"{encoded([])}.{encoded(claims())}.AAAA",
    f"{encoded(['alg'])}.{encoded(claims())}.AAAA",
    f"{encoded('alg')}.{encoded(claims())}.AAAA",
    f"{encoded(7)}.{encoded(claims())}.AAAA",
    f"{encoded(b'[' * 1500)}.{encoded(claims())}.AAAA",
    signed_by_hand({"alg": "EdDSA", "kid": "k1"}, b"[" * 9000),
    signed_by_hand({"alg": "EdDSA", "kid": "k1"}, [claims()]),
    signed_by_hand({"alg": "EdDSA", "kid": "k1"}, "claims"),
    signed_by_hand({"alg": "EdDSA", "kid": "k1"}, b"\xff"),
    signed_by_hand({"alg": "EdDSA", "kid": "k1"}, b""),
    signed_by_hand({"alg": "EdDSA", "kid": "k1"}, b'{"exp":' + b"9" * 5000 + b"}"),
]


@pytest.mark.parametrize("token", NO_TOKENS, ids=range(len(NO_TOKENS)))
def test_what_is_no_token_is_refused_quietly(token: str) -> None:
    refused(trusting(), token, "no JSON Web Token|characters that no token has|signature is wrong")


@given(st.text(max_size=200))
def test_no_text_is_a_token(token: str) -> None:
    with pytest.raises(InvalidToken):
        trusting().authenticate(token)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
header_names = st.sampled_from(
    ["alg", "kid", "crit", "b64", "typ", "jku", "jwk", "x5c", "x5t#S256", "cty", "zip", "enc"]
)


@given(st.dictionaries(header_names, json_values | st.sampled_from(["EdDSA", "k1", "RS256"])) | json_values)
def test_no_header_causes_another_error(header: Any) -> None:
    try:
        trusting().authenticate(signed_by_hand(header, claims()))
    except InvalidToken:
        return
    assert header["alg"] in {"EdDSA", "Ed25519"}
    assert header.get("kid", "k1") in {"k1", None}


@given(st.data())
def test_every_changed_character_is_noticed(data: st.DataObject) -> None:
    token = signed(KEY, claims())
    position = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from("ABCXYZabcxyz0189-_.=+/ ").filter(lambda new: new != token[position]))
    with pytest.raises(InvalidToken):
        trusting().authenticate(token[:position] + character + token[position + 1 :])


@pytest.mark.parametrize("changes", [{"roles": ["administrator"]}, {"orgs": ["B@Org"]}, {"exp": NOW + 10**6}])
def test_a_changed_claim_breaks_the_signature(changes: dict[str, Any]) -> None:
    header, _, signature = signed(KEY, claims()).split(".")
    refused(trusting(), f"{header}.{encoded(claims(**changes))}.{signature}", "signature is wrong")
