"""The vault: raw identities under a key of their order, and keyed hashes that outlive them.

Destroying an order's wrapped key makes every copy of its chunks unreadable. The hashes stand packed in the order of
the ids, so that what is found for each id later can be packed beside them. How they are made: `sealing`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

import msgspec
import sqlalchemy as sa

from lethe.domain.identity import HashedIdentities, Identities
from lethe.domain.ids import OrgId, WorkOrderId
from lethe.domain.namespace import Namespace
from lethe.storage.identity_hashes import HASH_LENGTH, KeyedHasher, hash_of
from lethe.storage.schema import identity_chunks, identity_vaults
from lethe.storage.sealing import Opener
from lethe.storage.session import Session
from lethe.storage.vault_interface import SealedIdentities

_WITHOUT_KEY: Final = (
    identity_vaults.update()
    .where(identity_vaults.c.work_order_id == sa.bindparam("of_order"))
    .values(wrapped_key=sa.null())
)
_WITHOUT_TEXT: Final = (
    identity_chunks.update()
    .where(identity_chunks.c.work_order_id == sa.bindparam("of_order"))
    .values(ciphertext=sa.null())
)


class SqlIdentityVault:
    """Implements `vault_interface.IdentityVault`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def keep(self, sealed: SealedIdentities) -> None:
        """Keep an order's sealed identities, once."""
        self._session.run(
            identity_vaults.insert().values(
                work_order_id=sealed.work_order_id,
                org_id=sealed.org_id,
                key_id=sealed.key_id,
                wrapped_key=sealed.wrapped_key,
            )
        )
        for number, chunk in enumerate(sealed.chunks):
            self._session.run(
                identity_chunks.insert().values(
                    work_order_id=sealed.work_order_id,
                    number=number,
                    namespace_id=chunk.namespace.id,
                    namespace=asdict(chunk.namespace),
                    identity_count=chunk.identity_count,
                    hashes=chunk.hashes,
                    ciphertext=chunk.ciphertext,
                )
            )

    def open(self, work_order_id: WorkOrderId) -> Identities:
        """The order's identities. Raises KeyError when they were destroyed or never sealed, UnknownVaultKey."""
        return self.open_each([work_order_id])[work_order_id]

    def open_each(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Identities]:
        """The identities of several orders. Raises as `open` does, for whichever is the first."""
        vaults = sa.select(identity_vaults).where(identity_vaults.c.wrapped_key.is_not(None))
        openers = {
            row["work_order_id"]: Opener(self._session.keys.of(row["key_id"]), row["work_order_id"], row["wrapped_key"])
            for row in self._session.rows_among(vaults, identity_vaults.c.work_order_id, work_order_ids)
        }
        groups: dict[WorkOrderId, dict[Namespace, tuple[str, ...]]] = {}
        for work_order_id in work_order_ids:
            if work_order_id not in openers:
                raise KeyError(work_order_id)
            groups[work_order_id] = {}
        query = sa.select(identity_chunks).order_by(identity_chunks.c.work_order_id, identity_chunks.c.number)
        for chunk in self._session.rows_among(query, identity_chunks.c.work_order_id, work_order_ids):
            mine, namespace = groups[chunk["work_order_id"]], _namespace(chunk["namespace"])
            ids = openers[chunk["work_order_id"]].ids(chunk["number"], namespace.id, chunk["ciphertext"])
            mine[namespace] = mine.get(namespace, ()) + ids
        return {work_order_id: Identities(mine) for work_order_id, mine in groups.items()}

    def can_open(self, work_order_id: WorkOrderId) -> bool:
        """Whether the order's identities are still kept."""
        query = sa.select(identity_vaults.c.wrapped_key).where(identity_vaults.c.work_order_id == work_order_id)
        return self._session.value(query) is not None

    def destroy(self, work_order_ids: Sequence[WorkOrderId]) -> None:
        """Make the raw identities of these orders unreadable for good; the keyed hashes stay."""
        rows = [{"of_order": each} for each in work_order_ids]
        self._session.run_each(_WITHOUT_KEY, rows)
        self._session.run_each(_WITHOUT_TEXT, rows)
        self._session.destroyed_secrets |= bool(rows)

    def hashes(self, work_order_id: WorkOrderId) -> Sequence[tuple[Namespace, bytes]]:
        """The namespace and the keyed hash of every identity, in the order in which the order's identities iterate."""
        return self.hashes_of([work_order_id]).get(work_order_id, ())

    def hashes_of(
        self, work_order_ids: Sequence[WorkOrderId]
    ) -> Mapping[WorkOrderId, Sequence[tuple[Namespace, bytes]]]:
        """The same of several orders; those without identities are missing."""
        chunks = identity_chunks.c
        query = sa.select(chunks.work_order_id, chunks.namespace, chunks.hashes).order_by(chunks.number)
        found: dict[WorkOrderId, list[tuple[Namespace, bytes]]] = {}
        for chunk in self._session.rows_among(query, chunks.work_order_id, work_order_ids):
            namespace, packed = _namespace(chunk["namespace"]), chunk["hashes"]
            mine = found.setdefault(WorkOrderId(chunk["work_order_id"]), [])
            mine += [(namespace, packed[at : at + HASH_LENGTH]) for at in range(0, len(packed), HASH_LENGTH)]
        return found

    def hashed(self, work_order_id: WorkOrderId) -> HashedIdentities:
        """The order's identities by their hashes. Raises KeyError without a vault, UnknownVaultKey."""
        vault = self._session.row(sa.select(identity_vaults).where(identity_vaults.c.work_order_id == work_order_id))
        if vault is None:
            raise KeyError(work_order_id)
        groups: dict[Namespace, list[bytes]] = {}
        for namespace, digest in self.hashes(work_order_id):
            groups.setdefault(namespace, []).append(digest)
        hasher = KeyedHasher(self._session.keys.of(vault["key_id"]).hashing_key(OrgId(vault["org_id"])))
        return HashedIdentities({namespace: tuple(digests) for namespace, digests in groups.items()}, hasher)

    def hash_of(self, work_order_id: WorkOrderId, namespace: Namespace, identity: str) -> bytes | None:
        """The keyed hash that this identity has in the order, whether the order holds it or not; None without one."""
        vault = self._session.row(
            sa.select(identity_vaults.c.org_id, identity_vaults.c.key_id).where(
                identity_vaults.c.work_order_id == work_order_id
            )
        )
        if vault is None:
            return None
        key = self._session.keys.of(vault["key_id"]).hashing_key(OrgId(vault["org_id"]))
        return hash_of(key, namespace, identity)

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


def _holds(hashes: bytes, wanted: bytes) -> bool:
    place = hashes.find(wanted)
    while place != -1 and place % HASH_LENGTH:
        place = hashes.find(wanted, place + 1)
    return place != -1


def _namespace(stored: object) -> Namespace:
    return msgspec.convert(stored, Namespace)
