"""A product behind an HTTP service.

Order of effects: for each part, first the question how far the service is with its key; only a service that has
never heard of it is sent the identities. Nothing is remembered here: a crash between any two requests is followed by
the same questions, and the service knows its keys.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId
from lethe.domain.product import Product
from lethe.products.http.answers import progress_of, remaining_of
from lethe.products.http.breaker import CircuitBreaker, T
from lethe.products.http.callbacks import verified_callback
from lethe.products.http.exchange import Exchange
from lethe.products.http.requests import Part, dataset_part, identity_parts, verification
from lethe.products.http.service import HttpService
from lethe.products.http.signature import Signer
from lethe.products.interface import (
    Beat,
    Callback,
    Done,
    ProductAnswer,
    ProductUnavailable,
    Refused,
    Request,
    RequestKey,
    Space,
    Waiting,
    one_by_one,
    unheard,
)


class HttpProduct:
    """A product that a customer's service is; implements `interface.ForgettingProduct`. Safe to share in threads."""

    def __init__(
        self,
        product: Product,
        service: HttpService,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
        monotonic: Callable[[], float],
        breaker: CircuitBreaker | None = None,
    ) -> None:
        """`now` dates the signatures, `new_id` names questions, `monotonic` measures waits.

        Raises ValueError for an unreadable secret.
        """
        self.product: Final = product
        self.signer: Final = Signer(service.secret, now)
        """Verifies the service's callbacks too: see `http.callbacks`."""
        self._service = service
        self._new_id = new_id
        self._exchange = Exchange(service, self.signer, monotonic)
        self._breaker = breaker or CircuitBreaker(monotonic)

    def __repr__(self) -> str:
        """The product only."""
        return f"HttpProduct({self.product})"

    def close(self) -> None:
        """Close every connection."""
        self._exchange.close()

    def callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """Verify and read a message of the service. Raises BadCallback."""
        return verified_callback(self.signer, headers, body, poll_seconds=self._service.poll_seconds)

    def forget(self, space: Space, identities: Identities, key: RequestKey, *, beat: Beat = unheard) -> ProductAnswer:
        """Have the service forget these identities; Done counts what it removed under this key, in whichever call.

        Raises ProductUnavailable.
        """
        return self._forget(identity_parts(space, identities, key, self._service.ids_per_request), beat)

    def forget_each(
        self, space: Space, requests: Sequence[Request], *, beat: Beat = unheard
    ) -> Iterator[ProductAnswer]:
        """Request after request."""
        return one_by_one(self, space, requests, beat)

    def found(self, space: Space, identities: Identities) -> None:  # noqa: ARG002
        """A service counts by request alone."""
        return

    def remaining(self, space: Space, identities: Identities) -> int | None:
        """How many traces the service says are left; None when it cannot say. Raises ProductUnavailable."""
        if not self._service.can_verify:
            return None
        parts = identity_parts(space, identities, self._question(), self._service.ids_per_request)
        return sum(map(self._verify, parts))

    def forget_dataset(
        self, space: Space, dataset_id: DatasetId, key: RequestKey, *, beat: Beat = unheard
    ) -> ProductAnswer:
        """Have the service forget what this dataset contributed. Raises ProductUnavailable."""
        return self._forget([dataset_part(space, dataset_id, key)], beat)

    def remaining_of_dataset(self, space: Space, dataset_id: DatasetId) -> int | None:
        """How many traces the service says are left; None when it cannot say. Raises ProductUnavailable."""
        if not self._service.can_verify:
            return None
        return self._verify(dataset_part(space, dataset_id, self._question()))

    def _question(self) -> RequestKey:
        """A key that was never used."""
        return RequestKey(f"verify.{self._new_id()}")

    def _forget(self, parts: Iterable[Part], beat: Beat) -> ProductAnswer:
        """Ask for each part; the whole is done when every part is, and refused when one is."""
        counts: list[int | None] = []
        waiting: Waiting | None = None
        for part in parts:
            answer = self._ask(part)
            match answer:
                case Refused():
                    return answer
                case Waiting():
                    waiting = max(waiting or answer, answer, key=lambda each: each.again_after)
                case Done():
                    counts.append(answer.removed)
                case _:
                    assert_never(answer)
            beat()
        known = [count for count in counts if count is not None]
        return waiting or Done(sum(known) if len(known) == len(counts) else None)

    def _ask(self, part: Part) -> ProductAnswer:
        def ask() -> ProductAnswer:
            known = self._exchange.get(self._service.url(part.path), part.key)
            answer = known if known is not None else self._exchange.post(self._service.url(), part.key, part.body)
            return progress_of(answer, self._service.poll_seconds)

        return self._guarded(ask)

    def _verify(self, part: Part) -> int:
        asked = verification(part)
        return self._guarded(
            lambda: remaining_of(self._exchange.post(self._service.url("verify"), asked.key, asked.body))
        )

    def _guarded(self, work: Callable[[], T]) -> T:
        """Do it unless the breaker is open; a failure names the product."""
        try:
            return self._breaker.call(work)
        except ProductUnavailable as error:
            failure = str(error)
        raise ProductUnavailable(f"{self.product}: {failure}")
