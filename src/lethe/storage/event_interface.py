"""What the rest of Lethe asks of its memory about events: writing them, whom they are told, how far that is.

Whoever saves a work order or an expiration writes its events by that: no caller has to think of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from lethe.domain.event import Event
from lethe.domain.ids import DeliveryId, OrgId, WebhookId
from lethe.domain.listing import Listing, Page
from lethe.domain.product import Product
from lethe.domain.webhook import Delivery, DeliveryState, Webhook


class Events(Protocol):
    """What happened, and who is to be told."""

    def add(self, event: Event) -> None:
        """Write the event, and a delivery for each webhook that wants it; an event that is there stays as it is."""
        ...

    def add_for(self, event: Event, webhook: Webhook) -> Delivery:
        """Write the event, and its delivery to this webhook alone."""
        ...


class Webhooks(Protocol):
    """Who is told of events."""

    def add(self, webhook: Webhook, secret: str) -> None:
        """Keep a new one; its secret is encrypted."""
        ...

    def find(self, org_id: OrgId, webhook_id: WebhookId) -> Webhook | None:
        """The webhook. In a writing transaction its row is locked."""
        ...

    def all(self, org_id: OrgId) -> Sequence[Webhook]:
        """The org's webhooks, the oldest first. A writing transaction that asks makes the next one wait for its end."""
        ...

    def save(self, webhook: Webhook) -> None:
        """Update it, and take it from whoever delivers to it now; an enabled one is tried at once. Raises KeyError."""
        ...

    def replace_secret(self, webhook_id: WebhookId, secret: str, previous_until: datetime) -> None:
        """Sign with this secret from now on, and until then with the one before it too. Raises KeyError."""
        ...

    def remove(self, webhook_id: WebhookId) -> None:
        """Forget it, its secret and its deliveries."""
        ...


class Deliveries(Protocol):
    """Events on their way."""

    def find(self, webhook_id: WebhookId, delivery_id: DeliveryId) -> Delivery | None:
        """The delivery."""
        ...

    def list(self, webhook_id: WebhookId, state: DeliveryState | None, page: Page) -> Listing[Delivery]:
        """One page of a webhook's deliveries, the newest first."""
        ...

    def again(self, delivery_id: DeliveryId) -> None:
        """Deliver it once more, with all its attempts before it."""
        ...

    def backlog(self) -> "Backlog":
        """How far the whole installation is."""
        ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """Figures of events and deliveries."""

    events_written: int
    """Since the beginning; the numbers of events that were rolled back are among them."""
    deliveries: dict[DeliveryState, int]
    """Deliveries that are kept, by state."""
    oldest_pending: timedelta
    """How long the oldest pending delivery to an enabled webhook has waited."""


class Callbacks(Protocol):
    """Messages of services that were heard already."""

    def hear(self, product: Product, message_id: str, lifetime: timedelta) -> bool:
        """Remember the message for a while; False when it was heard before."""
        ...


@dataclass(frozen=True, slots=True)
class WebhookClaim:
    """A sender's hold on a webhook: nobody else delivers to it meanwhile."""

    webhook: Webhook
    secrets: tuple[str, ...] = field(repr=False)
    """Those that sign, the newest first; empty when the settings no longer hold the key that encrypted them."""
    failures: int
    """In a row, so far."""
    token: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A delivery that may be attempted now, with what it delivers."""

    delivery: Delivery
    event: Event


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of an attempt."""

    state: DeliveryState
    due_at: datetime
    """When to try again, if it is to be tried again."""
    response_status: int | None
    duration: timedelta
    reason: str | None


class ClaimableWebhooks(Webhooks, Protocol):
    """Webhooks, as senders see them."""

    def claim(self, owner: str, lease: timedelta) -> WebhookClaim | None:
        """Take the webhook that waits longest of those that can be delivered to now; None when there is none."""
        ...

    def require(self, claim: WebhookClaim) -> None:
        """Lock the webhook for this transaction. Raises StaleClaim when the claim is no longer the newest."""
        ...

    def note(self, claim: WebhookClaim, *, failures: int, paused_until: datetime, lease: timedelta) -> None:
        """Note how many deliveries failed in a row and until when to leave it alone, and hold it longer.

        Raises StaleClaim.
        """
        ...

    def release(self, claim: WebhookClaim) -> None:
        """Let others have it. Raises StaleClaim."""
        ...

    def next_due_at(self) -> datetime | None:
        """When the next delivery can be attempted that nobody holds."""
        ...


class SendableDeliveries(Deliveries, Protocol):
    """Deliveries, as senders see them."""

    def sendable(self, webhook_id: WebhookId, limit: int) -> Sequence[Outgoing]:
        """Due deliveries, each the first pending one of its subject, in the order of their events."""
        ...

    def record(self, delivery: Delivery, attempted: Attempted) -> None:
        """Keep what came of an attempt."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Remove so many events of before then, with their deliveries; how many there were.

        What is on its way to an enabled webhook stays.
        """
        ...
