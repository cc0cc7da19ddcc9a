"""Deliveries: the events on their way, and the log of those that arrived or were given up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from lethe.domain.event import Event, EventType
from lethe.domain.ids import DeliveryId, EventId, OrgId, SandboxName, WebhookId
from lethe.domain.listing import Listing, Page
from lethe.domain.webhook import Delivery, DeliveryState
from lethe.storage.event_facts import facts_of
from lethe.storage.event_interface import Attempted, Backlog, Outgoing
from lethe.storage.event_schema import deliveries, events, webhooks
from lethe.storage.session import Row, Session

_EARLIER: Final = deliveries.alias("earlier")
_PENDING: Final[sa.ColumnElement[str]] = sa.literal_column(f"'{DeliveryState.PENDING.value}'")
"""Spelled out, so that SQLite finds the indexes of pending deliveries."""

IS_SENDABLE: Final = sa.and_(
    deliveries.c.state == _PENDING,
    ~sa.exists().where(
        _EARLIER.c.webhook_id == deliveries.c.webhook_id,
        _EARLIER.c.subject_id == deliveries.c.subject_id,
        _EARLIER.c.position < deliveries.c.position,
        _EARLIER.c.state == _PENDING,
    ),
)
"""It is pending, and no earlier one of its subject is: a receiver sees what happened to a subject in order."""

_JOINED: Final = deliveries.join(events, deliveries.c.position == events.c.position)
_LOGGED: Final = sa.select(deliveries, events.c.event_id, events.c.type).select_from(_JOINED)
_SENT: Final = sa.select(
    deliveries,
    events.c.event_id,
    events.c.type,
    events.c.org_id,
    events.c.sandbox_name,
    events.c.sequence,
    events.c.at,
    events.c.facts,
).select_from(_JOINED)


class SqlDeliveries:
    """Implements `event_interface.SendableDeliveries`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, webhook_id: WebhookId, delivery_id: DeliveryId) -> Delivery | None:
        """The delivery."""
        wanted = (deliveries.c.webhook_id == webhook_id, deliveries.c.delivery_id == delivery_id)
        row = self._session.row(_LOGGED.where(*wanted))
        return None if row is None else _delivery(row)

    def list(self, webhook_id: WebhookId, state: DeliveryState | None, page: Page) -> Listing[Delivery]:
        """One page of a webhook's deliveries, the newest first."""
        wanted = [deliveries.c.webhook_id == webhook_id]
        if state is not None:
            wanted.append(deliveries.c.state == state)
        total = self._session.value(sa.select(sa.func.count()).select_from(deliveries).where(*wanted))
        query = _LOGGED.where(*wanted).order_by(deliveries.c.position.desc()).offset(page.offset).limit(page.size)
        return Listing([_delivery(row) for row in self._session.rows(query)], total, page)

    def again(self, delivery_id: DeliveryId) -> None:
        """Deliver it once more, with all its attempts before it."""
        update = deliveries.update().where(deliveries.c.delivery_id == delivery_id)
        now = self._session.now
        self._session.run(update.values(state=DeliveryState.PENDING, attempts=0, created_at=now, due_at=now))
        self._session.wakes_workers = True

    def sendable(self, webhook_id: WebhookId, limit: int) -> Sequence[Outgoing]:
        """Due deliveries, each the first pending one of its subject, in the order of their events."""
        wanted = (deliveries.c.webhook_id == webhook_id, deliveries.c.due_at <= self._session.now, IS_SENDABLE)
        query = _SENT.where(*wanted).order_by(deliveries.c.position).limit(limit)
        return [Outgoing(_delivery(row), _event(row)) for row in self._session.rows(query)]

    def record(self, delivery: Delivery, attempted: Attempted) -> None:
        """Keep what came of an attempt."""
        update = deliveries.update().where(deliveries.c.delivery_id == delivery.delivery_id)
        self._session.run(
            update.values(
                state=attempted.state,
                attempts=deliveries.c.attempts + 1,
                attempted_at=self._session.now,
                due_at=attempted.due_at,
                response_status=attempted.response_status,
                duration_ms=round(attempted.duration / timedelta(milliseconds=1)),
                reason=attempted.reason,
            )
        )

    def forget(self, before: datetime, limit: int) -> int:
        """Remove so many events of before then, with their deliveries; how many there were.

        What is on its way to an enabled webhook stays.
        """
        on_its_way = sa.exists().where(
            deliveries.c.position == events.c.position,
            deliveries.c.state == _PENDING,
            deliveries.c.webhook_id == webhooks.c.webhook_id,
            webhooks.c.is_enabled,
        )
        old = sa.select(events.c.position).where(events.c.at < before, ~on_its_way)
        old = old.order_by(events.c.at).limit(limit)
        rows = self._session.rows(old.with_for_update(skip_locked=True))
        positions = [row["position"] for row in rows]
        if positions:
            self._session.run(deliveries.delete().where(deliveries.c.position.in_(positions)))
            self._session.run(events.delete().where(events.c.position.in_(positions)))
        return len(positions)

    def backlog(self) -> Backlog:
        """How far the whole installation is."""
        counted = sa.select(deliveries.c.state, sa.func.count().label("number")).group_by(deliveries.c.state)
        oldest = sa.select(sa.func.min(deliveries.c.created_at, type_=deliveries.c.created_at.type)).select_from(
            deliveries.join(webhooks, deliveries.c.webhook_id == webhooks.c.webhook_id)
        )
        since = self._session.value(oldest.where(deliveries.c.state == _PENDING, webhooks.c.is_enabled))
        numbers = {row["state"]: row["number"] for row in self._session.rows(counted)}
        return Backlog(
            events_written=self._session.value(sa.select(sa.func.max(events.c.position))) or 0,
            deliveries={state: numbers.get(state, 0) for state in DeliveryState},
            oldest_pending=timedelta(0) if since is None else self._session.now - since,
        )


def _delivery(row: Row) -> Delivery:
    return Delivery(
        delivery_id=DeliveryId(row["delivery_id"]),
        webhook_id=WebhookId(row["webhook_id"]),
        event_id=EventId(row["event_id"]),
        type=EventType(row["type"]),
        subject_id=row["subject_id"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        due_at=row["due_at"],
        attempted_at=row["attempted_at"],
        response_status=row["response_status"],
        duration=None if row["duration_ms"] is None else timedelta(milliseconds=row["duration_ms"]),
        reason=row["reason"],
    )


def _event(row: Row) -> Event:
    type_ = EventType(row["type"])
    return Event(
        event_id=EventId(row["event_id"]),
        type=type_,
        org_id=OrgId(row["org_id"]),
        sandbox_name=None if row["sandbox_name"] is None else SandboxName(row["sandbox_name"]),
        subject_id=row["subject_id"],
        sequence=row["sequence"],
        at=row["at"],
        facts=facts_of(type_, row["facts"]),
    )
