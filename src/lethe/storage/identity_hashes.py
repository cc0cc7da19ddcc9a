"""Keyed hashes of identities: they tell whether an identity was asked for, to whoever has the key and the identity."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from lethe.domain.identity import fold
from lethe.domain.namespace import Namespace

HASH_LENGTH: Final = 32
"""Bytes of one hash: HMAC-SHA256, whole."""

_BLOCK_LENGTH: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


def hash_of(key: bytes, namespace: Namespace, identity: str) -> bytes:
    """The hash of one identity, over the namespace's number and the id, folded where the namespace folds."""
    return packed_hashes(key, namespace, (identity,))


def packed_hashes(key: bytes, namespace: Namespace, ids: Sequence[str]) -> bytes:
    """The hashes of these ids, one behind the other. The key has at most 64 bytes.

    HMAC as RFC 2104 writes it: the two states that depend on the key alone are made once and copied, which takes
    less than half the time of a call of `hmac` for each id.
    """
    padded = key.ljust(_BLOCK_LENGTH, b"\0")
    inner = sha256(padded.translate(_INNER) + namespace.id.to_bytes(8, "big"))
    outer = sha256(padded.translate(_OUTER))
    hashes = []
    for value in map(fold, ids) if namespace.case_insensitive else ids:
        content = inner.copy()
        content.update(value.encode())
        keyed = outer.copy()
        keyed.update(content.digest())
        hashes.append(keyed.digest())
    return b"".join(hashes)


@dataclass(frozen=True, slots=True)
class KeyedHasher:
    """Implements `domain.identity.Hasher`."""

    key: bytes = field(repr=False)

    def hashes(self, namespace: Namespace, ids: Sequence[str]) -> Sequence[bytes]:
        """The hash of each id, folded where the namespace folds."""
        packed = packed_hashes(self.key, namespace, ids)
        return [packed[at : at + HASH_LENGTH] for at in range(0, len(packed), HASH_LENGTH)]
