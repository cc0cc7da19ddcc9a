"""The question of the benchmark, in the words of the engines."""

from uuid import UUID

from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.identity import Identities
from lethe.domain.ids import NamespaceId, WorkOrderId
from lethe.domain.namespace import Namespace
from lethe.engines.interface import IdentityMap, Order, Selector, Wanted

EMAIL = Namespace(NamespaceId(6), "Email", "Email", "Email")


def wanted(values: list[str], orders: int = 1) -> Wanted:
    """The values as so many orders of the same size."""
    size = -(-len(values) // orders)
    shares = [tuple(values[start : start + size]) for start in range(0, len(values), size)]
    return Wanted(
        tuple(Order(WorkOrderId(UUID(int=number)), Identities({EMAIL: mine})) for number, mine in enumerate(shares))
    )


def selector(layout: str) -> Selector:
    """What names a person in a layout."""
    return IdentityMap() if layout == "identityMap" else PrimaryIdentity(("email",), "Email")
