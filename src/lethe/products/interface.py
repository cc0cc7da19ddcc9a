"""What the rest of Lethe asks of the products: the identity graph, the profile store, the journeys.

A product is asked to forget, and then whether anything remains. Asking is idempotent: under one request key it may be
asked any number of times, which is also how a slow product is polled. A product that cannot say that it is done says
what it waits for; nobody takes silence for success.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NewType, Protocol

from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId, NamespaceId, OrgId, SandboxName
from lethe.domain.product import Product

GraphNode = NewType("GraphNode", tuple[NamespaceId, str])
"""An identity in the graph: the number of its namespace, and its id."""

RequestKey = NewType("RequestKey", str)
"""Names one request to one product, the same at every repetition; it is derived from facts, never random."""

Beat = Callable[[], None]
"""Called between parts of long work, so that whoever waits knows that it goes on. It may raise, to stop the work."""


def unheard() -> None:
    """The beat of whoever does not listen."""


@dataclass(frozen=True, slots=True)
class Space:
    """Whose data: an org's sandbox."""

    org_id: OrgId
    sandbox_name: SandboxName


@dataclass(frozen=True, slots=True)
class Done:
    """The product has forgotten; `removed` traces went in this call, 0 at a repetition, None when it does not say."""

    removed: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The product has the request and is not done; ask again under the same key, not before `again_after`."""

    reason: str
    again_after: timedelta


@dataclass(frozen=True, slots=True)
class Refused:
    """The product will not do it. The reason names no identity."""

    reason: str


ProductAnswer = Done | Waiting | Refused


@dataclass(frozen=True, slots=True)
class Request:
    """To forget these identities."""

    key: RequestKey
    identities: Identities


class ProductUnavailable(Exception):
    """The product did not answer this time; ask again."""


class ForgettingProduct(Protocol):
    """A product that can forget identities, and what a dataset contributed."""

    @property
    def product(self) -> Product:
        """Which product it is."""
        ...

    def forget(self, space: Space, identities: Identities, key: RequestKey, *, beat: Beat = unheard) -> ProductAnswer:
        """Forget these identities: nodes and edges, fragments, rows. Raises ProductUnavailable."""
        ...

    def forget_each(
        self, space: Space, requests: Sequence[Request], *, beat: Beat = unheard
    ) -> Iterator[ProductAnswer]:
        """The same for each request, in their order, to the first answer that is not Done: then ask for all again.

        Raises ProductUnavailable, as it goes.
        """
        ...

    def found(self, space: Space, identities: Identities) -> Sequence[int] | None:
        """How many traces there are of each identity, as they iterate; None when the product cannot tell.

        Looked at before it is asked to forget. Raises ProductUnavailable.
        """
        ...

    def remaining(self, space: Space, identities: Identities) -> int | None:
        """How many traces of these identities are left; None when the product cannot be asked.

        Asked after Done, by the verification. Raises ProductUnavailable.
        """
        ...

    def forget_dataset(
        self, space: Space, dataset_id: DatasetId, key: RequestKey, *, beat: Beat = unheard
    ) -> ProductAnswer:
        """Forget all that this dataset contributed. Raises ProductUnavailable."""
        ...

    def remaining_of_dataset(self, space: Space, dataset_id: DatasetId) -> int | None:
        """How many traces of this dataset are left; None when the product cannot be asked.

        Raises ProductUnavailable.
        """
        ...


def one_by_one(
    product: ForgettingProduct, space: Space, requests: Sequence[Request], beat: Beat
) -> Iterator[ProductAnswer]:
    """`forget_each` of a product for which several requests are no less work than each alone."""
    for request in requests:
        answer = product.forget(space, request.identities, request.key, beat=beat)
        yield answer
        if not isinstance(answer, Done):
            return


class BadCallback(Exception):
    """The message is not the service's, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Callback:
    """What a service says by itself."""

    message_id: str
    """The same at every delivery of one message."""
    key: RequestKey
    """The key of one request, or of one part of it: `{request key}.{number}`."""
    answer: ProductAnswer


class CallingProduct(Protocol):
    """A product that calls back when it has news of a request."""

    def callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """Verify and read a message. Raises BadCallback."""
        ...


class IdentityGraph(Protocol):
    """Which identities are one person's."""

    def clusters(
        self, org_id: OrgId, sandbox_name: SandboxName, nodes: Sequence[GraphNode]
    ) -> Sequence[Sequence[GraphNode]]:
        """For each node, all that is linked to it, itself included; empty for one that the graph does not know."""
        ...

    def link(self, org_id: OrgId, sandbox_name: SandboxName, left: GraphNode, right: GraphNode) -> None:
        """Say that two identities are one person's."""
        ...
