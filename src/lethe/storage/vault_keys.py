"""The keys of the vault, all derived from one secret of the settings."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lethe.domain.ids import OrgId

SECRET_LENGTH_MIN: Final = 16
"""Bytes; a shorter secret could be guessed."""


class UnknownVaultKey(Exception):
    """What is stored was encrypted under a secret that the settings no longer hold."""


@dataclass(frozen=True, slots=True, repr=False)
class KeySet:
    """Everything derived from one secret. Each purpose has a key of its own, so that none helps against another."""

    key_id: str
    """Says under which secret something was stored, and nothing about the secret."""
    wrapping_key: bytes
    answer_key: bytes
    webhook_key: bytes
    _hashing_key: bytes

    @classmethod
    def derived(cls, secret: bytes) -> "KeySet":
        """HKDF-SHA256 over the secret, once a purpose."""
        if len(secret) < SECRET_LENGTH_MIN:
            raise ValueError(f"the vault's secret needs at least {SECRET_LENGTH_MIN} bytes")

        def key(purpose: str, length: int = 32) -> bytes:
            return HKDF(SHA256(), length, salt=b"lethe.vault.1", info=purpose.encode()).derive(secret)

        return cls(
            key("key id", 8).hex(),
            key("wrap data keys"),
            key("encrypt answers"),
            key("encrypt webhook secrets"),
            key("hash identities"),
        )

    def hashing_key(self, org_id: OrgId) -> bytes:
        """The key for hashes of one org's identities: equal identities of two orgs have different hashes."""
        return hmac.digest(self._hashing_key, org_id.encode(), sha256)


@dataclass(frozen=True, slots=True, repr=False)
class VaultKeys:
    """The key set in use, and those of earlier secrets that stored things may still need."""

    current: KeySet
    _known: Mapping[str, KeySet]

    @classmethod
    def from_secret(cls, secret: bytes, *, previous: Sequence[bytes] = ()) -> "VaultKeys":
        """Keys of this secret; `previous` are the secrets before a rotation. Raises ValueError on a short secret."""
        current = KeySet.derived(secret)
        sets = [current, *map(KeySet.derived, previous)]
        return cls(current, {keys.key_id: keys for keys in sets})

    def of(self, key_id: str) -> KeySet:
        """The key set with this id. Raises UnknownVaultKey."""
        try:
            return self._known[key_id]
        except KeyError:
            raise UnknownVaultKey(key_id) from None
