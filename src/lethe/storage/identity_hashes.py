"""Keyed hashes of identities: they tell whether an identity was asked for, to whoever has the key and the identity."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from lethe.domain.identity import fold
from lethe.domain.namespace import Namespace

HASH_LENGTH: Final = 32
"""Bytes of one hash: HMAC-SHA256, whole."""


def hash_of(key: bytes, namespace: Namespace, identity: str) -> bytes:
    """The hash of one identity, over the namespace's number and the id, folded where the namespace folds."""
    return packed_hashes(key, namespace, (identity,))


def packed_hashes(key: bytes, namespace: Namespace, ids: Sequence[str]) -> bytes:
    """The hashes of these ids, one behind the other."""
    prefix = namespace.id.to_bytes(8, "big")
    compared = map(fold, ids) if namespace.case_insensitive else ids
    return b"".join([hmac.digest(key, prefix + value.encode(), sha256) for value in compared])
