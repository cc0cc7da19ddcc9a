"""Public keys by which tokens are verified, and where they come from."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from lethe.auth.signing_keys import SigningKeys, SigningKeysUnusable

_PUBLIC_KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
_RSA_MODULUS_CHARACTERS_MIN: Final = 342
"""2048 bits in unpadded base64url; shorter moduli can be factored."""


class KeysUnavailable(Exception):
    """An issuer's keys cannot be had now; the text says why."""


class KeySource(Protocol):
    """Where one issuer's public keys come from."""

    def keys(self, kid: str | None) -> KeySet:
        """The keys, looked for anew if none is named `kid`. Raises KeysUnavailable.

        The same object is returned until the keys change, so that what was verified by it can be told apart.
        """
        ...


class FixedKeys:
    """Keys that are part of the configuration."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """`document` is a JSON Web Key Set. Raises KeysUnavailable when it holds no usable key."""
        self._keys = read_key_set(document)

    def keys(self, kid: str | None) -> KeySet:  # noqa: ARG002  there is nowhere else to look
        """The configured keys."""
        return self._keys


class BuiltInKeys:
    """The built-in issuer's own keys, as they are on disk now: a rotation elsewhere shows at once."""

    def __init__(self, signing_keys: SigningKeys) -> None:
        self._signing_keys = signing_keys

    def keys(self, kid: str | None) -> KeySet:  # noqa: ARG002  every look is a new one
        """The keys in the directory. Raises KeysUnavailable."""
        try:
            return self._signing_keys.verifying_keys()
        except SigningKeysUnusable as error:
            raise KeysUnavailable(str(error)) from error


def read_key_set(document: object) -> KeySet:
    """The usable keys of a JSON Web Key Set. Raises KeysUnavailable when there is none.

    A key that is for encryption, symmetric, weak, or of an unknown kind is passed over, as RFC 7517 asks (section 5):
    an issuer may publish keys for other readers too.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise KeysUnavailable("the document is no JSON Web Key Set")
    keys = [key for entry in listed if (key := _usable_key(entry)) is not None]
    if not keys:
        raise KeysUnavailable("the JSON Web Key Set holds no key that can verify a token")
    return KeySet(keys)


def holds(keys: KeySet, kid: str | None) -> bool:
    """Whether one of the keys has this name; a token that names no key asks for none in particular."""
    return kid is None or any(key.kid == kid for key in keys)


def _usable_key(entry: object) -> Key | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    key_type = entry.get("kty")
    if not isinstance(key_type, str) or key_type not in _PUBLIC_KEY_TYPES:
        return None
    if key_type == "RSA" and len(str(entry.get("n"))) < _RSA_MODULUS_CHARACTERS_MIN:
        return None
    try:
        return JWKRegistry.import_key(entry)
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        return None
