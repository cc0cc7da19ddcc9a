"""The key under which a service is asked to forget: the same at every repetition, and readable backwards.

    {work order}/{product}[/{round}]                      an order's identities
    {bundle or expiration}/{product}/{dataset}[/{round}]  what a dataset contributed

A long list is asked for in parts, `{key}.{number}`. A service that calls back names the key; it leads to the task that
waits for the answer.
"""

from dataclasses import dataclass
from uuid import UUID

from lethe.domain.ids import DatasetId
from lethe.domain.product import Product


def key_of(subject_id: UUID, product: Product, round_: int, *more: str) -> str:
    """Name one request to one service; `more` is the dataset, where it is about one. A first round is not named."""
    return "/".join([str(subject_id), product.value, *more, *([str(round_)] if round_ else [])])


@dataclass(frozen=True, slots=True)
class RequestOf:
    """What a key speaks of, in whichever round."""

    subject_id: UUID
    product: Product
    dataset_id: DatasetId | None
    """Where the subject is no work order; of one it is the round."""


def request_of(key: str) -> RequestOf | None:
    """Read a key, or the key of one of its parts; None when it is none of ours."""
    subject, *rest = key.split("/")
    try:
        product = Product(rest[0].partition(".")[0])
        return RequestOf(UUID(subject), product, DatasetId(rest[1]) if len(rest) > 1 else None)
    except (ValueError, IndexError):
        return None
