"""Which keys of a published set may verify a token."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from auth.support import key_set, signing_key
from lethe.auth.key_sets import FixedKeys, KeysUnavailable, holds, read_key_set

# The library warns when it makes so weak a key; the one below it does not.
SHORT_NUMBERS = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
SHORT_MODULUS = urlsafe_b64encode(SHORT_NUMBERS.n.to_bytes(128, "big")).rstrip(b"=").decode()
SHORT_RSA = {"kty": "RSA", "kid": "short", "n": SHORT_MODULUS, "e": "AQAB"}

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
entries = st.dictionaries(
    st.sampled_from(["kty", "use", "key_ops", "alg", "kid", "crv", "x", "y", "n", "e", "k", "d"]),
    json_values | st.sampled_from(["RSA", "EC", "OKP", "oct", "sig", "enc", "Ed25519", "P-256", "AQAB", "A" * 400]),
)


def test_keys_that_cannot_verify_are_passed_over() -> None:
    good = signing_key("good")
    encrypting = OKPKey.generate_key("X25519", {"kid": "enc", "use": "enc"})
    symmetric = OctKey.import_key("s" * 32, {"kid": "oct"})
    document = {
        "keys": [
            encrypting.as_dict(private=False),
            symmetric.as_dict(private=True),
            SHORT_RSA,
            {"kty": "AKP", "kid": "future", "alg": "ML-DSA-44", "pub": "AAAA"},
            {"kty": ["OKP"]},
            {"kty": "OKP", "crv": "Ed25519", "x": "too short", "kid": "broken"},
            "no key",
            None,
            good.as_dict(private=False),
        ]
    }
    assert [key.kid for key in read_key_set(document)] == ["good"]


def test_each_kind_of_public_key_is_read() -> None:
    keys = (
        signing_key("okp"),
        ECKey.generate_key("P-256", {"kid": "ec"}),
        RSAKey.generate_key(2048, {"kid": "rsa"}),
    )
    assert [key.kid for key in read_key_set(key_set(*keys))] == ["okp", "ec", "rsa"]


def test_a_key_without_a_name_is_named_by_its_thumbprint() -> None:
    key = OKPKey.generate_key("Ed25519")
    assert [read.kid for read in read_key_set(key_set(key))] == [key.thumbprint()]


@pytest.mark.parametrize(
    "document", [None, [], "keys", {}, {"keys": None}, {"keys": {}}, {"keys": []}, {"keys": [SHORT_RSA]}]
)
def test_a_document_without_a_usable_key_is_refused(document: object) -> None:
    with pytest.raises(KeysUnavailable):
        read_key_set(document)


@given(st.lists(entries, max_size=4))
def test_no_document_breaks_the_reader(listed: list[dict[str, Any]]) -> None:
    good = signing_key("good").as_dict(private=False)
    assert "good" in {key.kid for key in read_key_set({"keys": [*listed, good]})}


def test_fixed_keys_are_the_configured_ones_whatever_is_asked() -> None:
    source = FixedKeys(key_set(signing_key("k1")))
    assert [key.kid for key in source.keys("k1")] == ["k1"]
    assert source.keys("other") is source.keys(None)


def test_a_set_holds_its_names_and_any_nameless_wish() -> None:
    keys = KeySet([signing_key("k1")])
    assert holds(keys, "k1")
    assert holds(keys, None)
    assert not holds(keys, "k2")
    assert not holds(keys, "")
