"""Orders for tests, in a line each."""

from collections.abc import Mapping
from uuid import UUID

from lethe.domain.identity import Identities
from lethe.domain.ids import NamespaceId, WorkOrderId
from lethe.domain.namespace import Namespace
from lethe.engines.interface import Order, Wanted

EMAIL = Namespace(NamespaceId(6), "Email", "Email", "Email", case_insensitive=True)
CRM = Namespace(NamespaceId(10_000_001), "CRM", "CRM", "CROSS_DEVICE", custom=True)


def order(namespace: Namespace | Mapping[Namespace, tuple[str, ...]], *ids: str) -> Order:
    by_namespace = {namespace: tuple(ids)} if isinstance(namespace, Namespace) else dict(namespace)
    return Order(WorkOrderId(UUID(int=0)), Identities(by_namespace))


def asked(*orders: Order) -> Wanted:
    return Wanted(tuple(Order(WorkOrderId(UUID(int=n + 1)), o.identities) for n, o in enumerate(orders)))
