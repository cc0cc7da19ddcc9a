"""`client.webhooks`: who is told of events, and what became of each message."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from pydantic import AwareDatetime, Field

from lethe.client.answers import Repeat
from lethe.client.exchange import Exchange
from lethe.client.paging import PAGE_SIZE, pages, segment
from lethe.client.result import Result

T = TypeVar("T")
ROOT: Final = "/data/core/hygiene/webhooks"


class Webhook(Result):
    """One webhook. `secret` verifies signatures; it is known only when it was just made."""

    webhook_id: str
    url: str
    types: tuple[str, ...]
    """The types of events that it is told of; all when empty."""
    sandbox_name: str
    """Of which sandbox; `*` is all."""
    description: str
    enabled: bool
    created_at: AwareDatetime
    created_by: str
    updated_at: AwareDatetime
    failing_since: AwareDatetime | None = None
    disabled_reason: str | None = None
    secret: str | None = Field(default=None, repr=False)


class _Webhooks(Result):
    results: tuple[Webhook, ...]


class Delivery(Result):
    """One event on its way to one webhook: `pending`, `delivered` or `failed`, and how the last attempt ended."""

    delivery_id: str
    event_id: str
    type: str
    subject: str
    status: str
    attempts: int
    created_at: AwareDatetime
    last_attempt_at: AwareDatetime | None = None
    next_attempt_at: AwareDatetime | None = None
    response_status: int | None = None
    duration_ms: int | None = None
    reason: str | None = None


class _DeliveryPage(Result):
    results: tuple[Delivery, ...]
    total: int


class Webhooks:
    """The webhooks of the organization."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def create(
        self,
        url: str,
        *,
        types: Sequence[str] = (),
        sandbox: str = "*",
        description: str = "",
        idempotency_key: str | None = None,
    ) -> Webhook:
        """Have events posted to a URL. The answer's `secret` verifies signatures, and is not shown again."""
        body = {"url": url, "types": list(types), "sandboxName": sandbox, "description": description}
        return self._exchange.create(ROOT, Webhook, body, idempotency_key)

    def list(self) -> tuple[Webhook, ...]:
        """Every webhook."""
        return self._exchange.get(ROOT, _Webhooks).results

    def get(self, webhook_id: str) -> Webhook:
        """Look one up. Raises NotFound."""
        return self._exchange.get(_path(webhook_id), Webhook)

    def enable(self, webhook_id: str, *, enabled: bool = True) -> Webhook:
        """Enable one, or disable it: meanwhile it is told of nothing that happens."""
        return self._exchange.call("PUT", _path(webhook_id), Webhook, body={"enabled": enabled})

    def delete(self, webhook_id: str) -> Webhook:
        """Remove one, with its secret and its deliveries; the webhook as it was."""
        return self._exchange.call("DELETE", _path(webhook_id), Webhook, repeat=Repeat.WHEN_NOTHING_HAPPENED)

    def rotate_secret(self, webhook_id: str) -> Webhook:
        """Make a new secret, which the answer shows; for 24 hours the old one signs, too."""
        return self._post(f"{_path(webhook_id)}/secret", Webhook)

    def test(self, webhook_id: str) -> Delivery:
        """Send it a ping."""
        return self._post(f"{_path(webhook_id)}/test", Delivery)

    def deliveries(self, webhook_id: str, *, status: str | None = None) -> Iterator[Delivery]:
        """What was sent, is on its way or was given up, the newest first."""

        def fetch(number: int) -> tuple[Sequence[Delivery], bool]:
            parameters = {"status": status, "limit": PAGE_SIZE, "page": number}
            page = self._exchange.get(f"{_path(webhook_id)}/deliveries", _DeliveryPage, parameters)
            return page.results, (number + 1) * PAGE_SIZE < page.total

        return pages(fetch, lambda delivery: delivery.delivery_id)

    def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Send an event once more, under the same id."""
        return self._post(f"{_path(webhook_id)}/deliveries/{segment(delivery_id)}/redeliver", Delivery)

    def _post(self, path: str, answer: type[T]) -> T:
        return self._exchange.call("POST", path, answer, repeat=Repeat.WHEN_NOTHING_HAPPENED)


def _path(webhook_id: str) -> str:
    return f"{ROOT}/{segment(webhook_id)}"
