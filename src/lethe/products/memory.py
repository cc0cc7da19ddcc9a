"""A product in memory: for tests and for trying things out. It passes the suite that every product passes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from lethe.domain.identity import Identities, fold
from lethe.domain.ids import DatasetId
from lethe.domain.product import Product
from lethe.products.interface import (
    Beat,
    Done,
    GraphNode,
    ProductAnswer,
    ProductUnavailable,
    Request,
    RequestKey,
    Space,
    one_by_one,
    unheard,
)


@dataclass(frozen=True, slots=True)
class Trace:
    """What a product keeps of somebody: one identity, or an edge between two."""

    name: str
    """How a test tells traces apart."""
    space: Space
    ends: tuple[GraphNode, ...] = field(repr=False)
    dataset_id: DatasetId | None = None


class MemoryProduct:
    """Traces in a list; implements `interface.ForgettingProduct`."""

    def __init__(self, product: Product, *, chunk: int = 5_000) -> None:
        """`chunk` traces go between two beats."""
        self.product: Final = product
        self.traces: list[Trace] = []
        self.fails_after: int | None = None
        """How many chunks are still forgotten before it is unavailable; None means that it does not fail."""
        self._chunk = chunk

    def put(self, traces: Iterable[Trace]) -> None:
        """Keep these traces too."""
        self.traces += traces

    def forget(self, space: Space, identities: Identities, key: RequestKey, *, beat: Beat = unheard) -> ProductAnswer:
        """Forget these identities."""
        del key  # forgetting again forgets nothing
        return self._forget(self._of(space, identities), beat)

    def forget_each(
        self, space: Space, requests: Sequence[Request], *, beat: Beat = unheard
    ) -> Iterator[ProductAnswer]:
        """Request after request."""
        return one_by_one(self, space, requests, beat)

    def found(self, space: Space, identities: Identities) -> Sequence[int]:
        """How many ends of traces are each identity."""
        ends = Counter(end for trace in self.traces if trace.space == space for end in trace.ends)
        folded = Counter[GraphNode]()
        for (namespace_id, value), count in ends.items():
            folded[GraphNode((namespace_id, fold(value)))] += count
        return [
            folded[GraphNode((namespace.id, fold(value)))]
            if namespace.case_insensitive
            else ends[GraphNode((namespace.id, value))]
            for namespace, value in identities
        ]

    def remaining(self, space: Space, identities: Identities) -> int:
        """How many traces of these identities are left."""
        return len(list(self._of(space, identities)))

    def forget_dataset(
        self, space: Space, dataset_id: DatasetId, key: RequestKey, *, beat: Beat = unheard
    ) -> ProductAnswer:
        """Forget what this dataset contributed."""
        del key
        return self._forget(self._of_dataset(space, dataset_id), beat)

    def remaining_of_dataset(self, space: Space, dataset_id: DatasetId) -> int:
        """How many traces of this dataset are left."""
        return len(list(self._of_dataset(space, dataset_id)))

    def _of(self, space: Space, identities: Identities) -> Sequence[Trace]:
        exact = {(namespace.id, value) for namespace, value in identities if not namespace.case_insensitive}
        folded = {(namespace.id, fold(value)) for namespace, value in identities if namespace.case_insensitive}
        return [
            trace
            for trace in self.traces
            if trace.space == space and any(end in exact or (end[0], fold(end[1])) in folded for end in trace.ends)
        ]

    def _of_dataset(self, space: Space, dataset_id: DatasetId) -> Sequence[Trace]:
        return [trace for trace in self.traces if trace.space == space and trace.dataset_id == dataset_id]

    def _forget(self, going: Sequence[Trace], beat: Beat) -> Done:
        for chunk in _chunks(going, self._chunk):
            if self.fails_after == 0:
                raise ProductUnavailable(f"{self.product}: told to fail")
            if self.fails_after is not None:
                self.fails_after -= 1
            gone = set(map(id, chunk))
            self.traces = [trace for trace in self.traces if id(trace) not in gone]
            beat()
        return Done(len(going))


def _chunks(traces: Sequence[Trace], size: int) -> Iterator[Sequence[Trace]]:
    remaining = iter(traces)
    while chunk := list(islice(remaining, size)):
        yield chunk
