"""Sealing: an order's identities, encrypted and hashed, ready to be kept.

It needs keys and time, but no database: for 100,000 identities it takes longer than all else of accepting them, so it
is done before the transaction and holds up nobody. Each order has a random data key, which is stored wrapped by the key
of the settings. The identities are encrypted with it in chunks of one namespace. Every ciphertext is bound to its order
and place: moved elsewhere, it does not decrypt.
"""

import os
from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lethe.domain.identity import Identities
from lethe.domain.ids import NamespaceId, OrgId, WorkOrderId
from lethe.domain.namespace import Namespace
from lethe.storage.identity_hashes import packed_hashes
from lethe.storage.vault_interface import SealedChunk, SealedIdentities
from lethe.storage.vault_keys import KeySet

CHUNK_IDENTITIES_MAX: Final = 10_000
"""Identities in one chunk."""

_NONCE_LENGTH: Final = 12
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[str, ...]).decode


def seal(keys: KeySet, org_id: OrgId, work_order_id: WorkOrderId, identities: Identities) -> SealedIdentities:
    """Encrypt the identities under a new data key, and hash them under the org's."""
    data_key = AESGCM.generate_key(256)
    cipher = AESGCM(data_key)
    hashing_key = keys.hashing_key(org_id)
    chunks = [
        SealedChunk(
            namespace=namespace,
            identity_count=len(ids),
            hashes=packed_hashes(hashing_key, namespace, ids),
            # The data key encrypts each number once, so that the number is nonce enough.
            ciphertext=cipher.encrypt(_nonce(number), _pack(ids), _place(work_order_id, number, namespace.id)),
        )
        for number, (namespace, ids) in enumerate(_chunks(identities))
    ]
    return SealedIdentities(work_order_id, org_id, keys.key_id, _wrap(keys, work_order_id, data_key), chunks)


class Opener:
    """Decrypts the chunks of one order."""

    def __init__(self, keys: KeySet, work_order_id: WorkOrderId, wrapped_key: bytes) -> None:
        """Raises cryptography's InvalidTag for a key of another order or secret."""
        self._work_order_id = work_order_id
        self._cipher = AESGCM(_unwrap(keys, work_order_id, wrapped_key))

    def ids(self, number: int, namespace_id: NamespaceId, ciphertext: bytes) -> tuple[str, ...]:
        """The ids of the chunk with this number. Raises cryptography's InvalidTag for what was not sealed there."""
        place = _place(self._work_order_id, number, namespace_id)
        return _unpack(self._cipher.decrypt(_nonce(number), ciphertext, place))


def _chunks(identities: Identities) -> Iterator[tuple[Namespace, tuple[str, ...]]]:
    for namespace, ids in identities.by_namespace.items():
        rest = iter(ids)
        while chunk := tuple(islice(rest, CHUNK_IDENTITIES_MAX)):
            yield namespace, chunk


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_LENGTH, "big")


def _place(work_order_id: WorkOrderId, number: int, namespace_id: NamespaceId) -> bytes:
    return b"chunk\x1f%b\x1f%d\x1f%d" % (work_order_id.bytes, number, namespace_id)


def _wrap(keys: KeySet, work_order_id: WorkOrderId, data_key: bytes) -> bytes:
    nonce = os.urandom(_NONCE_LENGTH)
    return nonce + AESGCM(keys.wrapping_key).encrypt(nonce, data_key, b"data key\x1f" + work_order_id.bytes)


def _unwrap(keys: KeySet, work_order_id: WorkOrderId, wrapped: bytes) -> bytes:
    nonce, sealed = wrapped[:_NONCE_LENGTH], wrapped[_NONCE_LENGTH:]
    return AESGCM(keys.wrapping_key).decrypt(nonce, sealed, b"data key\x1f" + work_order_id.bytes)
