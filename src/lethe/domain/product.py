"""The products that must forget: the data lake and the services fed from it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Product(StrEnum):
    """A product, by the name that a request targets it with; members stand in the order of an answer."""

    DATA_LAKE = "datalake"
    IDENTITY = "identity"
    PROFILE = "profile"
    JOURNEY = "ajo"


ALL_PRODUCTS = tuple(Product)
SERVICES = (Product.IDENTITY, Product.PROFILE, Product.JOURNEY)
"""The one narrower scope that an order over all datasets may ask for: everything but the lake."""


class ProductStatus(StrEnum):
    """How far a product is with an order or an expiration."""

    WAITING = "waiting"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class ProductProgress:
    """One product's status; `at` is the instant since which it holds."""

    product: Product
    status: ProductStatus
    at: datetime
