"""The vault: raw identities under a key of their order, and keyed hashes that outlive them.

Each order has a random data key. The identities are encrypted with it in chunks of one namespace, and it is stored
wrapped by the key of the settings. Destroying the wrapped key makes every copy of the chunks unreadable. The hashes
stand packed in the order of the ids, so that what is found for each id later can be packed beside them.
"""

import os
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Final

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lethe.domain.identity import Identities
from lethe.domain.ids import NamespaceId, OrgId, WorkOrderId
from lethe.domain.namespace import Namespace
from lethe.domain.work_order import WorkOrder
from lethe.storage.identity_hashes import HASH_LENGTH, hash_of, packed_hashes
from lethe.storage.schema import identity_chunks, identity_vaults
from lethe.storage.session import Session
from lethe.storage.vault_keys import KeySet

CHUNK_IDENTITIES_MAX: Final = 10_000
"""Identities in one row."""

_NONCE_LENGTH: Final = 12
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[str, ...]).decode


class SqlIdentityVault:
    """Implements `interface.IdentityVault`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def seal(self, order: WorkOrder, identities: Identities) -> None:
        """Keep the order's identities. An order is sealed once."""
        keys = self._session.keys.current
        data_key = AESGCM.generate_key(256)
        self._session.run(
            identity_vaults.insert().values(
                work_order_id=order.work_order_id,
                org_id=order.org_id,
                key_id=keys.key_id,
                wrapped_key=_wrap(keys, order.work_order_id, data_key),
            )
        )
        cipher = AESGCM(data_key)
        hashing_key = keys.hashing_key(order.org_id)
        for number, (namespace, ids) in enumerate(_chunks(identities)):
            self._session.run(
                identity_chunks.insert().values(
                    work_order_id=order.work_order_id,
                    number=number,
                    namespace_id=namespace.id,
                    namespace=asdict(namespace),
                    identity_count=len(ids),
                    hashes=packed_hashes(hashing_key, namespace, ids),
                    # The data key encrypts each number once, so that the number is nonce enough.
                    ciphertext=cipher.encrypt(
                        _nonce(number), _pack(ids), _bound_to(order.work_order_id, number, namespace.id)
                    ),
                )
            )

    def open(self, work_order_id: WorkOrderId) -> Identities:
        """The order's identities. Raises KeyError when they were destroyed or never sealed, UnknownVaultKey."""
        vault = self._session.row(sa.select(identity_vaults).where(identity_vaults.c.work_order_id == work_order_id))
        if vault is None or vault["wrapped_key"] is None:
            raise KeyError(work_order_id)
        keys = self._session.keys.of(vault["key_id"])
        cipher = AESGCM(_unwrap(keys, work_order_id, vault["wrapped_key"]))
        query = sa.select(identity_chunks).where(identity_chunks.c.work_order_id == work_order_id)
        groups: dict[Namespace, tuple[str, ...]] = {}
        for chunk in self._session.rows(query.order_by(identity_chunks.c.number)):
            namespace = _namespace(chunk["namespace"])
            bound_to = _bound_to(work_order_id, chunk["number"], namespace.id)
            ids = _unpack(cipher.decrypt(_nonce(chunk["number"]), chunk["ciphertext"], bound_to))
            groups[namespace] = groups.get(namespace, ()) + ids
        return Identities(groups)

    def destroy(self, work_order_id: WorkOrderId) -> None:
        """Make the raw identities unreadable for good; the keyed hashes stay."""
        of_order = identity_vaults.c.work_order_id == work_order_id
        self._session.run(identity_vaults.update().where(of_order).values(wrapped_key=None))
        of_order = identity_chunks.c.work_order_id == work_order_id
        self._session.run(identity_chunks.update().where(of_order).values(ciphertext=None))
        self._session.destroyed_secrets = True

    def holds(self, work_order_id: WorkOrderId, namespace: Namespace, identity: str) -> bool:
        """Whether the order asked for this identity, answered from the keyed hashes alone."""
        vault = self._session.row(
            sa.select(identity_vaults.c.org_id, identity_vaults.c.key_id).where(
                identity_vaults.c.work_order_id == work_order_id
            )
        )
        if vault is None:
            return False
        hashing_key = self._session.keys.of(vault["key_id"]).hashing_key(OrgId(vault["org_id"]))
        query = sa.select(identity_chunks.c.namespace, identity_chunks.c.hashes).where(
            identity_chunks.c.work_order_id == work_order_id, identity_chunks.c.namespace_id == namespace.id
        )
        # Compared as the namespace was declared when the order was sealed.
        return any(
            _holds(chunk["hashes"], hash_of(hashing_key, _namespace(chunk["namespace"]), identity))
            for chunk in self._session.rows(query)
        )


def _chunks(identities: Identities) -> Iterator[tuple[Namespace, tuple[str, ...]]]:
    for namespace, ids in identities.by_namespace.items():
        rest = iter(ids)
        while chunk := tuple(islice(rest, CHUNK_IDENTITIES_MAX)):
            yield namespace, chunk


def _holds(hashes: bytes, wanted: bytes) -> bool:
    place = hashes.find(wanted)
    while place != -1 and place % HASH_LENGTH:
        place = hashes.find(wanted, place + 1)
    return place != -1


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_LENGTH, "big")


def _bound_to(work_order_id: WorkOrderId, number: int, namespace_id: NamespaceId) -> bytes:
    """What a chunk's ciphertext is valid for: moved elsewhere, it does not decrypt."""
    return b"chunk\x1f%b\x1f%d\x1f%d" % (work_order_id.bytes, number, namespace_id)


def _wrap(keys: KeySet, work_order_id: WorkOrderId, data_key: bytes) -> bytes:
    nonce = os.urandom(_NONCE_LENGTH)
    return nonce + AESGCM(keys.wrapping_key).encrypt(nonce, data_key, b"data key\x1f" + work_order_id.bytes)


def _unwrap(keys: KeySet, work_order_id: WorkOrderId, wrapped: bytes) -> bytes:
    nonce, sealed = wrapped[:_NONCE_LENGTH], wrapped[_NONCE_LENGTH:]
    return AESGCM(keys.wrapping_key).decrypt(nonce, sealed, b"data key\x1f" + work_order_id.bytes)


def _namespace(stored: object) -> Namespace:
    return msgspec.convert(stored, Namespace)
