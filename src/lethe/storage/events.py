"""The outbox: events, written in the transaction that makes what they tell of, each with its deliveries.

Which webhooks want an event is decided here and now. Nobody has to catch up later, so nothing can be missed or told
twice; a webhook that is created later is told of what happens later.
"""

from collections.abc import Mapping, Sequence
from uuid import NAMESPACE_URL, uuid5

import sqlalchemy as sa

from lethe.domain.event import Event
from lethe.domain.ids import DeliveryId, EventId, OrgId, WebhookId
from lethe.domain.webhook import Delivery, DeliveryState, Webhook
from lethe.storage.event_facts import facts_text
from lethe.storage.event_schema import deliveries, events, webhooks
from lethe.storage.session import Session
from lethe.storage.webhook_rows import webhook_of


class SqlEvents:
    """Implements `event_interface.Events`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._added: dict[EventId, Event] = {}
        self._listening: dict[OrgId, Sequence[Webhook]] = {}

    def add(self, event: Event) -> None:
        """Write the event at the end of the transaction, and a delivery for each webhook that wants it.

        An event that is there stays as it is.
        """
        if not self._added:
            self._session.at_end(self._write)
        self._added.setdefault(event.event_id, event)

    def _write(self) -> None:
        positions = self._insert(list(self._added.values()))
        for event_id, event in self._added.items():
            if event_id not in positions:
                continue
            for webhook in self._webhooks(event.org_id):
                if webhook.wants(event.type, event.sandbox_name):
                    self._deliver(event, positions[event_id], webhook)

    def add_for(self, event: Event, webhook: Webhook) -> Delivery:
        """Write the event, and its delivery to this webhook alone. Raises ValueError for an event that is there."""
        positions = self._insert([event])
        if not positions:
            raise ValueError("the event was written before")
        return self._deliver(event, positions[event.event_id], webhook)

    def _insert(self, added: Sequence[Event]) -> Mapping[EventId, int]:
        """The positions of the events; one that is there already has none."""
        insert = self._session.insert(events).on_conflict_do_nothing()
        rows = [
            {
                "event_id": event.event_id,
                "type": event.type,
                "org_id": event.org_id,
                "sandbox_name": event.sandbox_name,
                "subject_id": event.subject_id,
                "sequence": event.sequence,
                "at": event.at,
                "facts": facts_text(event.facts),
            }
            for event in added
        ]
        written = self._session.rows(insert.returning(events.c.event_id, events.c.position), rows)
        return {EventId(row["event_id"]): row["position"] for row in written}

    def _webhooks(self, org_id: OrgId) -> Sequence[Webhook]:
        if org_id not in self._listening:
            query = sa.select(webhooks).where(webhooks.c.org_id == org_id, webhooks.c.is_enabled)
            self._listening[org_id] = [webhook_of(row) for row in self._session.rows(query)]
        return self._listening[org_id]

    def _deliver(self, event: Event, position: int, webhook: Webhook) -> Delivery:
        delivery = Delivery(
            delivery_id=_delivery_id(event.event_id, webhook.webhook_id),
            webhook_id=webhook.webhook_id,
            event_id=event.event_id,
            type=event.type,
            subject_id=event.subject_id,
            state=DeliveryState.PENDING,
            attempts=0,
            created_at=self._session.now,
            due_at=self._session.now,
        )
        self._session.run(
            deliveries.insert().values(
                delivery_id=delivery.delivery_id,
                webhook_id=delivery.webhook_id,
                position=position,
                subject_id=delivery.subject_id,
                state=delivery.state,
                created_at=delivery.created_at,
                due_at=delivery.due_at,
            )
        )
        self._session.wakes_workers = True
        return delivery


def _delivery_id(event_id: EventId, webhook_id: WebhookId) -> DeliveryId:
    return DeliveryId(uuid5(NAMESPACE_URL, f"lethe:delivery:{event_id}/{webhook_id}"))
