"""Signed documents: certificates, as JSON Web Signatures of an Ed25519 key of their own.

The header carries the public key, so that a file can be checked by itself; whoever checks compares the key's thumbprint
with one that they have from elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from lethe.auth.algorithms import BUILT_IN_ALGORITHM, AllowList
from lethe.auth.signing_keys import SigningKeys

DOCUMENT_CHARACTERS_MAX: Final = 16 * 1024 * 1024
_TYPE: Final = "lethe-certificate+jws"


class InvalidDocument(Exception):
    """The text is no signed document, or the signature does not fit."""


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A document whose signature fits the key that it names."""

    content: bytes
    key_thumbprint: str
    """RFC 7638 thumbprint of the signing key."""


class DocumentSigner:
    """Signs documents; implements `interface.Signer`."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys
        self._registry = AllowList({BUILT_IN_ALGORITHM})

    def sign(self, content: bytes) -> str:
        """The compact JSON Web Signature over the content."""
        key = self._keys.signing_key()
        public = {name: value for name, value in key.as_dict(private=False).items() if name in {"kty", "crv", "x"}}
        header = {"alg": BUILT_IN_ALGORITHM, "kid": key.kid, "typ": _TYPE, "jwk": public}
        return jws.serialize_compact(header, content, key, registry=self._registry)

    def public_keys(self) -> Mapping[str, Any]:
        """The JSON Web Key Set of all keys that have signed."""
        return {"keys": [key.as_dict(private=False) for key in self._keys.verifying_keys()]}


def check_document(text: str) -> CheckedDocument:
    """Check a signed document by the key in its header. Raises InvalidDocument."""
    if len(text) > DOCUMENT_CHARACTERS_MAX:
        raise InvalidDocument("the text is too long for a certificate")
    registry = AllowList({BUILT_IN_ALGORITHM})
    try:
        unverified = jws.extract_compact(text.strip().encode(), registry=registry)
        key = OKPKey.import_key(dict(unverified.headers()["jwk"]))
        checked = jws.deserialize_compact(text.strip().encode(), key, registry=registry)
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise InvalidDocument("the signature does not fit the text") from error
    if checked.headers().get("typ") != _TYPE or checked.headers().get("kid") != key.thumbprint():
        raise InvalidDocument("the text is signed, but is no certificate")
    return CheckedDocument(checked.payload, str(key.thumbprint()))
