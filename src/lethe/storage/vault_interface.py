"""What operations ask of Lethe's memory of identities, of which it keeps nothing that can be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lethe.domain.identity import HashedIdentities, Identities
from lethe.domain.ids import OrgId, WorkOrderId
from lethe.domain.namespace import Namespace


@dataclass(frozen=True, slots=True)
class SealedChunk:
    """Some identities of one namespace, encrypted, and their keyed hashes, packed in the same order."""

    namespace: Namespace
    identity_count: int
    hashes: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class SealedIdentities:
    """The identities of the order with this id, as they are kept. Only a store can make or open them."""

    work_order_id: WorkOrderId
    org_id: OrgId
    key_id: str
    wrapped_key: bytes
    chunks: Sequence[SealedChunk]

    def __repr__(self) -> str:
        return f"SealedIdentities({self.work_order_id})"


class IdentityVault(Protocol):
    """The raw identities of open orders, encrypted, and keyed hashes of all.

    Each order has a data key of its own, wrapped by the key from the settings: destroying that data key destroys the
    identities, wherever copies of the ciphertext may be.
    """

    def keep(self, sealed: SealedIdentities) -> None:
        """Keep what `Store.seal` made of the order's identities."""
        ...

    def open(self, work_order_id: WorkOrderId) -> Identities:
        """The order's identities. Raises KeyError when they were destroyed."""
        ...

    def open_each(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Identities]:
        """The identities of several orders. Raises KeyError when some were destroyed."""
        ...

    def can_open(self, work_order_id: WorkOrderId) -> bool:
        """Whether the order's identities are still kept."""
        ...

    def destroy(self, work_order_ids: Sequence[WorkOrderId]) -> None:
        """Make the raw identities of these orders unreadable for good; the keyed hashes stay."""
        ...

    def hashes(self, work_order_id: WorkOrderId) -> Sequence[tuple[Namespace, bytes]]:
        """The namespace and the keyed hash of every identity, in the order in which the order's identities iterate."""
        ...

    def hashes_of(
        self, work_order_ids: Sequence[WorkOrderId]
    ) -> Mapping[WorkOrderId, Sequence[tuple[Namespace, bytes]]]:
        """The same of several orders; those without identities are missing."""
        ...

    def hashed(self, work_order_id: WorkOrderId) -> HashedIdentities:
        """The order's identities by their hashes, to be recognised where they come back. Raises KeyError."""
        ...

    def hash_of(self, work_order_id: WorkOrderId, namespace: Namespace, identity: str) -> bytes | None:
        """The keyed hash that this identity has in the order, whether the order holds it or not; None without one."""
        ...

    def holds(self, work_order_id: WorkOrderId, namespace: Namespace, identity: str) -> bool:
        """Whether the order asked for this identity, answered from the keyed hashes alone."""
        ...
