"""The key under which a service is asked to forget: the same at every repetition, and readable backwards.

A service that calls back names the key; it leads to the task that waits for the answer.
"""

from dataclasses import dataclass
from uuid import UUID

from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.domain.product import Product


def key_of_order(work_order_id: WorkOrderId, product: Product) -> str:
    """The key of an order's request to one service."""
    return f"{work_order_id}/{product.value}"


def key_of_dataset(subject_id: UUID, product: Product, dataset_id: DatasetId) -> str:
    """The key of a bundle's or an expiration's request to forget what a dataset contributed."""
    return f"{subject_id}/{product.value}/{dataset_id}"


@dataclass(frozen=True, slots=True)
class RequestOf:
    """What a key speaks of; without a dataset the subject is a work order, otherwise a bundle or an expiration."""

    subject_id: UUID
    product: Product
    dataset_id: DatasetId | None


def request_of(key: str) -> RequestOf | None:
    """Read a key, or the key of one of its parts (`{key}.{number}`); None when it is none of ours."""
    subject, _, rest = key.partition("/")
    name, slash, dataset_id = rest.partition("/")
    if not slash:
        name = name.partition(".")[0]
    try:
        return RequestOf(UUID(subject), Product(name), DatasetId(dataset_id) if slash else None)
    except ValueError:
        return None
