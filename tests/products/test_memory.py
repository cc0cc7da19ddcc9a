"""The product in memory."""

from collections.abc import Iterable

import pytest

from lethe.domain.product import Product
from lethe.products.memory import MemoryProduct, Trace
from products.suite import CHUNK, ProductSuite


class MemoryWorld:
    has_edges = True

    def __init__(self) -> None:
        self.product = MemoryProduct(Product.PROFILE, chunk=CHUNK)

    def put(self, traces: Iterable[Trace]) -> None:
        self.product.put(traces)

    def names(self) -> set[str]:
        return {trace.name for trace in self.product.traces}

    def fail_after(self, chunks: int | None) -> None:
        self.product.fails_after = chunks


class TestMemoryProduct(ProductSuite):
    @pytest.fixture
    def world(self) -> MemoryWorld:
        return MemoryWorld()
